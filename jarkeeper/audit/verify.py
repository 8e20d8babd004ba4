"""Verification: which records of the trail were edited, removed, reordered or spliced in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from jarkeeper.actions import Action
from jarkeeper.audit.events import PREFIX, Event, Phase, parse_event_key, read_event
from jarkeeper.errors import IntegrityError, StoreError
from jarkeeper.names import VaultId
from jarkeeper.records import GENESIS, digest
from jarkeeper.stores import Readable

LINES_MAX = 1
"""Of a segment: each event is an object. More would be a place to hide things in."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One record that is not what or where it was written."""

    code: str
    """edited, removed, reordered or spliced."""
    key: str
    message: str


@dataclass(frozen=True, slots=True)
class TrailReport:
    """What verification saw."""

    events: int
    discrepancies: tuple[Discrepancy, ...]
    tails: Mapping[str, int]
    """The last seq of each writer."""
    anchored: Mapping[str, int]
    """The last seq of each writer that a checkpoint vouches for."""
    head_seqs: Mapping[str, int] = field(default_factory=dict)
    """The highest head of each jar that an event tells of: an anchor too."""

    @property
    def unanchored(self) -> int:
        """How many events at the ends of chains could be cut off without a trace."""
        return sum(max(0, seq - self.anchored.get(writer, 0)) for writer, seq in self.tails.items())


def verify_trail(store: Readable, *, key: bytes, vault: VaultId) -> TrailReport:
    """Read the whole trail and follow each writer's chain."""
    report = _read_all(store, key=key, vault=vault)
    if not report.discrepancies:
        return report
    # A listing may miss what was written while it ran: only what shows twice is wrong.
    first, report = set(report.discrepancies), _read_all(store, key=key, vault=vault)
    lasting = tuple(item for item in report.discrepancies if item in first)
    return replace(report, discrepancies=lasting)


def _read_all(store: Readable, *, key: bytes, vault: VaultId) -> TrailReport:
    segments: dict[str, list[tuple[int, str]]] = defaultdict(list)
    strangers = []
    for name in store.list(PREFIX):
        place = parse_event_key(name)
        if place is None:
            strangers.append(Discrepancy("spliced", name, f"'{name}' is no segment of the trail"))
        else:
            segments[place[1]].append((place[2], name))
    chains = [_Follower(store, key, vault, writer) for writer in sorted(segments)]
    for chain in chains:
        for _, name in sorted(segments[chain.writer]):
            chain.follow(name)
    anchored = _highest(chain.tails for chain in chains)
    cut = [found for chain in chains for found in chain.cut_below(anchored.get(chain.writer, 0))]
    gone = [_gone(writer, seq) for writer, seq in anchored.items() if writer not in segments]
    found = [item for chain in chains for item in chain.found]
    return TrailReport(
        events=sum(chain.events for chain in chains),
        discrepancies=tuple(strangers + found + cut + gone),
        tails={chain.writer: chain.seq for chain in chains},
        anchored=anchored,
        head_seqs=_highest(chain.head_seqs for chain in chains),
    )


@dataclass(slots=True)
class _Follower:
    """Follows one writer's chain, segment by segment."""

    store: Readable
    key: bytes
    vault: VaultId
    writer: str
    seq: int = 0
    tail: str | None = GENESIS
    """None after a record that is not authentic: the next one cannot be compared."""
    events: int = 0
    found: list[Discrepancy] = field(default_factory=list)
    tails: dict[str, int] = field(default_factory=dict)
    head_seqs: dict[str, int] = field(default_factory=dict)

    def follow(self, name: str) -> None:
        """Check a segment's lines, and that they stand where they were written."""
        place = parse_event_key(name)
        first = place[2] if place else 0
        try:
            lines = self.store.get(name).splitlines(keepends=True)
        except (StoreError, IntegrityError):
            lines = []
        if not lines or len(lines) > LINES_MAX:
            self._say("edited", name, "is no event" if lines else "cannot be read")
            self._step(first, None)
            return
        for seq, line in enumerate(lines, start=first):
            self._check(name, seq, line)

    def cut_below(self, anchored: int) -> list[Discrepancy]:
        """Return what a checkpoint knew and the chain does not have any more."""
        if self.seq >= anchored:
            return []
        return [_missing(self.writer, self.seq + 1, anchored)]

    def _check(self, name: str, seq: int, line: bytes) -> None:
        if seq > self.seq + 1:
            self.found.append(_missing(self.writer, self.seq + 1, seq - 1))
            self.tail = None
        try:
            event = read_event(line, key=self.key, vault=self.vault, name=f"event '{name}'")
        except IntegrityError:
            self._say("edited", name, f"event {seq} is not what was written")
            self._step(seq, None)
            return
        self._place(name, seq, event)
        self._step(seq, digest(line))

    def _place(self, name: str, seq: int, event: Event) -> None:
        day = f"{PREFIX}dt={event.at:%Y-%m-%d}/"
        if event.writer != self.writer or not name.startswith(day):
            self._say("spliced", name, f"event {seq} belongs to another chain or day")
        elif event.seq != seq or seq <= self.seq:
            self._say("reordered", name, f"event {event.seq} stands in the place of {seq}")
        elif self.tail is not None and event.previous != self.tail:
            self._say("spliced", name, f"event {seq} does not follow the one before it")
        else:
            self.events += 1
            self.head_seqs[event.jar] = max(event.head_seq, self.head_seqs.get(event.jar, 0))
            if event.action is Action.CHECKPOINT and event.phase is Phase.OUTCOME:
                self.tails.update(event.counts)

    def _step(self, seq: int, tail: str | None) -> None:
        self.seq = max(self.seq, seq)
        self.tail = tail

    def _say(self, code: str, name: str, what: str) -> None:
        self.found.append(Discrepancy(code, name, f"writer {self.writer[:8]}: {what}"))


def _highest(many: Iterable[Mapping[str, int]]) -> dict[str, int]:
    highest: dict[str, int] = {}
    for one in many:
        for name, seq in one.items():
            highest[name] = max(seq, highest.get(name, 0))
    return highest


def _missing(writer: str, first: int, last: int) -> Discrepancy:
    which = f"event {first} was" if first == last else f"events {first} to {last} were"
    return Discrepancy("removed", f"{PREFIX}*/{writer}", f"writer {writer[:8]}: {which} removed")


def _gone(writer: str, seq: int) -> Discrepancy:
    return _missing(writer, 1, seq)
