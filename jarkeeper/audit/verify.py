"""Verification: which records of the trail were edited, removed, reordered, duplicated or spliced.

Three things have to agree: each writer's chain, the checkpoints' log of all events, and what is
stored, one by one and in volumes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby

from jarkeeper.actions import Action
from jarkeeper.audit.chains import Chain
from jarkeeper.audit.checkpoints import CheckpointLog, Leaf, read_log
from jarkeeper.audit.discrepancy import UNFINISHED, Discrepancy, missing, removed
from jarkeeper.audit.events import Event, key_of, read_event
from jarkeeper.audit.merkle import leaf_hash
from jarkeeper.audit.note import Verifier
from jarkeeper.audit.places import (
    CHECKPOINTS_PREFIX,
    PREFIX,
    is_of_trail,
    parse_event_key,
    parse_volume_key,
    volume_key,
    voucher_key,
)
from jarkeeper.audit.shelf import Shelf, Volume
from jarkeeper.audit.told import Told
from jarkeeper.audit.volumes import read_voucher
from jarkeeper.errors import Conflict, IntegrityError, StoreError, StoreUnknown, is_gone
from jarkeeper.names import VaultId
from jarkeeper.stores import Readable

READINGS_MAX = 6
"""So often a trail is read that is changed meanwhile, before that is said."""
LINES_MAX = 1
"""Of a stored event. More would be a place to hide things in."""
UNREMEMBERED = (
    "nothing outside the vault remembered a checkpoint: that all of it was set back would not show"
)
"""What a verdict has to say where it is so."""
UNSEEN, STORED, ARCHIVED = range(3)
"""Where a leaf was found."""


@dataclass(frozen=True, slots=True)
class TrailReport:
    """What verification saw."""

    events: int
    discrepancies: tuple[Discrepancy, ...]
    tails: dict[str, int]
    """The last seq of each writer."""
    log: CheckpointLog
    told: Told
    fresh: tuple[Leaf, ...]
    """What no checkpoint has yet, in the order in which the next one takes it."""
    places: bytes
    """Of each leaf: where it was found."""
    has_news: bool = True
    """Whether any of what is fresh is more than the record of a checkpoint."""
    anchors: tuple[str, ...] = ()
    """What outside the vault remembered a checkpoint before the trail was read."""

    @property
    def anchored(self) -> dict[str, int]:
        """The last seq of each writer that a checkpoint vouches for."""
        return self.log.tails

    @property
    def is_unremembered(self) -> bool:
        """Whether there are checkpoints, and no anchor knew of one."""
        return self.log.newest is not None and not self.anchors

    @property
    def head_seqs(self) -> dict[str, int]:
        """The highest head of each jar that an event tells of: an anchor too."""
        return self.told.head_seqs

    @property
    def unanchored(self) -> int:
        """How many events at the ends of chains could be cut off without a trace."""
        return sum(max(0, seq - self.anchored.get(writer, 0)) for writer, seq in self.tails.items())

    def is_retired(self, moment: datetime) -> bool:
        """Whether the event of that moment may be past its retention, by its writer's clock."""
        # An intent may be of the day before.
        return moment.astimezone(UTC).date().toordinal() <= self.told.retired_before

    def is_archived(self, leaf: int) -> bool:
        """Whether a volume holds that leaf."""
        return leaf < len(self.places) and self.places[leaf] == ARCHIVED

    @property
    def given_up(self) -> int:
        """How many events are past their retention, and not there any more."""
        return self.places.count(UNSEEN, 0, self.told.retired)

    @property
    def archived(self) -> int:
        """How many events are in the archive."""
        return self.places.count(ARCHIVED)


def verify_trail(store: Readable, *, key: bytes, vault: VaultId, verifier: Verifier) -> TrailReport:
    """Read the whole trail; follow each writer's chain, and compare with the checkpoints."""
    # A listing may miss what was written while it ran: only what shows twice is wrong. And nothing
    # is built on a reading that missed something, so that one is done again.
    seen: set[Discrepancy] = set()
    missed: set[str] = set()
    for _ in range(READINGS_MAX):
        reading = _Reading(store, key, vault, verifier, never_there=frozenset(missed))
        report = reading.report()
        if reading.has_missed:
            missed.update(reading.missed)
            continue
        lasting = tuple(item for item in report.discrepancies if item in seen)
        if lasting or not report.discrepancies:
            return replace(report, discrepancies=lasting)
        seen.update(report.discrepancies)
    raise Conflict("audit trail: is being packed or changed all the time", hint="try again later")


class _Reading:
    """One reading of the whole trail."""

    def __init__(
        self,
        store: Readable,
        key: bytes,
        vault: VaultId,
        verifier: Verifier,
        *,
        never_there: frozenset[str],
    ) -> None:
        self.store = store
        self.key = key
        self.vault = vault
        self.log = read_log(store, key=key, vault=vault, verifier=verifier)
        self.told = Told()
        self.shelf = Shelf(store, key, vault, self.log, self.told)
        self.found = list(self.log.found)
        self.places = bytearray(self.log.size)
        self.chains: dict[str, Chain] = {}
        self.fresh: dict[str, list[Leaf]] = {}
        self.events = 0
        self.has_news = False
        self.never_there = never_there
        """What another reading had missed: if it is listed again, nobody packs it."""
        self.missed: dict[str, int] = {}
        """What was listed and gone when it was read, and the leaf of each."""
        self.ahead = ""
        """A volume that holds events of checkpoints that are not there."""
        self.twins: dict[tuple[str, int], bytes] = {}
        """Of each event that lies by itself, the leaf's hash where such a volume has it too."""

    @property
    def has_missed(self) -> bool:
        """Whether anything went meanwhile that was not being given up, as that is on record."""
        return any(leaf >= self.told.retired for leaf in self.missed.values())

    def report(self) -> TrailReport:
        """Read everything, and return what was seen."""
        names = self.store.list(PREFIX)
        for name in names:
            if not is_of_trail(name):
                self._say("spliced", name, f"'{name}' is no part of the trail")
        events = sorted(
            (place[1], place[2], name) for name in names if (place := parse_event_key(name))
        )
        self.twins = {(writer, seq): b"" for writer, seq, _ in events}
        for volume in self.shelf.volumes(list(self._volumes(set(names)))):
            self._volume(volume)
        for writer, group in groupby(events, key=lambda item: item[0]):
            chain = self._chain(writer)
            for _, seq, name in group:
                self._event(chain, seq, name)
        return self._concluded()

    def _concluded(self) -> TrailReport:
        for chain in self.chains.values():
            chain.end()
            self.found += chain.found
        self.found += self._gone()
        if self.told.checkpoints > len(self.log.checkpoints) and not self.log.found:
            first = len(self.log.checkpoints) + 1
            message = removed("checkpoint", first, self.told.checkpoints)
            self.found.append(Discrepancy("removed", CHECKPOINTS_PREFIX, message, UNFINISHED))
        elif self.ahead and not self.log.found:
            message = f"the checkpoints of which volume '{self.ahead}' holds events were removed"
            self.found.append(Discrepancy("removed", CHECKPOINTS_PREFIX, message, UNFINISHED))
        return TrailReport(
            events=self.events,
            discrepancies=tuple(self.found),
            tails={writer: chain.seq for writer, chain in self.chains.items()},
            log=self.log,
            told=self.told,
            fresh=tuple(self._fresh()),
            places=bytes(self.places),
            has_news=self.has_news,
        )

    def _volumes(self, names: set[str]) -> Iterator[tuple[str, int]]:
        """Give the volumes; a record without one is what an interrupted archiving leaves."""
        for place in sorted(filter(None, map(parse_volume_key, names))):
            day, number, is_volume = place
            if is_volume and voucher_key(day, number) not in names:
                name = volume_key(day, number)
                self._say("spliced", name, f"volume '{name}': nothing vouches for it")
            elif is_volume:
                yield day, number
            elif volume_key(day, number) not in names:
                self._voucher(day, number)

    def _voucher(self, day: str, number: int) -> None:
        """Name a record of no volume that nobody wrote: it would be in the way of the next one."""
        try:
            read_voucher(self.store, day, number, key=self.key, vault=self.vault)
        except StoreUnknown:
            raise
        except (IntegrityError, StoreError) as error:
            self._say("spliced", voucher_key(day, number), error.message)

    def _volume(self, volume: Volume) -> None:
        name, places, size = volume.name, self.places, self.log.size
        chain, again = None, {}
        for leaf, writer, seq, line in self.shelf.genuine(volume):
            if leaf < size:
                if places[leaf]:
                    again[leaf] = (writer, seq)
                    continue
                places[leaf] = ARCHIVED
            else:
                self.ahead = name
                if (writer, seq) in self.twins:
                    self.twins[writer, seq] = leaf_hash(line)
            if chain is None or chain.writer != writer:
                chain = self._chain(writer)
            chain.follow(seq, line, name)
            self.events += 1
        self.found += volume.found
        for writer, seq in again.values():
            what = f"volume '{name}': has event {seq} once more"
            self._say("duplicated", name, what, writer)

    def _event(self, chain: Chain, seq: int, name: str) -> None:
        leaf = self.log.leaf(chain.writer, seq)
        twin = self.twins.get((chain.writer, seq))
        known = ARCHIVED if twin else UNSEEN if leaf is None else self.places[leaf]
        vouched = twin if leaf is None else self.log.hashes[leaf]
        line = self._line(name)
        if line is None:
            # Packed meanwhile: its twin is in a volume, which this reading may not have seen yet.
            if known != ARCHIVED:
                self.missed[name] = self.log.size if leaf is None else leaf
            return
        event = self._genuine(line, chain.writer, seq, name)
        if event is not None and vouched and leaf_hash(line) != vouched:
            self._say("edited", name, f"event {seq} is not what its checkpoint saw", chain.writer)
            event = None
        if known == ARCHIVED:
            return  # its twin, which the archive has not made room for yet
        if leaf is not None:
            self.places[leaf] = STORED
        if event is None:
            chain.pass_over(seq, name)
            return
        if known == UNSEEN:
            self.events += 1
            self.told.hear(event)
        chain.follow(seq, line, name)
        if leaf is None:
            self.has_news |= event.action is not Action.CHECKPOINT
            self.fresh.setdefault(chain.writer, []).append(Leaf(chain.writer, seq, leaf_hash(line)))

    def _line(self, name: str) -> bytes | None:
        """Return what lies there, empty where it cannot be read; None where nothing does now."""
        try:
            return self.store.get(name)
        except StoreUnknown:
            raise
        except (StoreError, IntegrityError) as error:
            return None if is_gone(error) and name not in self.never_there else b""

    def _genuine(self, line: bytes, writer: str, seq: int, name: str) -> Event | None:
        """Return the event if it is authentic and stands where it was written; else say so."""
        if line.count(b"\n") != LINES_MAX:
            self._say("edited", name, "is no event" if line else "cannot be read", writer)
            return None
        try:
            event = read_event(line, key=self.key, vault=self.vault, name=f"event '{name}'")
        except IntegrityError:
            self._say("edited", name, f"event {seq} is not what was written", writer)
            return None
        if event.seq != seq and event.writer == writer:
            self._say("reordered", name, f"event {event.seq} stands in the place of {seq}", writer)
        elif name != key_of(event):
            self._say("spliced", name, f"event {seq} belongs to another chain or day", writer)
        else:
            return event
        return None

    def _fresh(self) -> Iterator[Leaf]:
        for writer in sorted(self.fresh):
            whole = self.chains[writer].whole
            yield from (leaf for leaf in self.fresh[writer] if leaf.seq <= whole)

    def _gone(self) -> Iterator[Discrepancy]:
        """Name the events that a checkpoint knew, and that are not there any more."""
        lost = self.places.find(UNSEEN, self.told.retired)
        if lost < 0:
            return
        gone = (
            place
            for leaf, place in enumerate(self.log.places())
            if leaf >= lost and self.places[leaf] == UNSEEN
        )
        for writer, group in groupby(gone, key=lambda place: place[0]):
            seqs = [seq for _, seq in group]
            for _, stretch in groupby(enumerate(seqs), key=lambda item: item[1] - item[0]):
                row = [seq for _, seq in stretch]
                yield missing(writer, row[0], row[-1])

    def _chain(self, writer: str) -> Chain:
        chain = self.chains.get(writer)
        if chain is None:
            chain = self.chains[writer] = Chain(writer, vouched=self.log.tails.get(writer, 0))
        return chain

    def _say(self, code: str, name: str, what: str, writer: str = "") -> None:
        about = f"writer {writer[:8]}: " if writer else ""
        self.found.append(Discrepancy(code, name, about + what))
