"""The audit trail as a copy has to hold it: each object with its digest, in a sound order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from jarkeeper.actions import Action
from jarkeeper.audit import Event, TrailReport
from jarkeeper.audit.checkpoints import CheckpointLog
from jarkeeper.audit.events import read_event
from jarkeeper.audit.places import (
    PREFIX,
    checkpoint_key,
    parse_checkpoint_key,
    parse_event_key,
    parse_volume_key,
)
from jarkeeper.records import digest
from jarkeeper.stores import Store
from jarkeeper.vault.ports import Ports


@dataclass(frozen=True, slots=True)
class Record:
    """An object of the trail, and the newest head that it tells of."""

    key: str
    digest: str
    jar: str = ""
    head_seq: int = 0


@dataclass(frozen=True, slots=True)
class TrailContents:
    """The trail of one moment."""

    records: tuple[Record, ...]
    """In an order of which every beginning is a trail that could have been."""
    head_seqs: Mapping[str, int]
    """The highest head of each jar that it tells of."""
    damaged: tuple[str, ...]


def read_trail(ports: Ports) -> TrailContents:
    """Return what the trail holds, all of it read and verified."""
    snapshot = _Recorded(ports.store, keys=tuple(ports.store.list(PREFIX)))
    report = ports.trail.verify(snapshot)
    # A listing may miss what was written while it ran: so what it knows of is looked for again.
    others = {key for key in snapshot.keys if not parse_event_key(key)}
    known = others | _within(report, ports.store.list(PREFIX))
    if known != set(snapshot.keys):
        snapshot = _Recorded(ports.store, keys=tuple(sorted(known)), read=snapshot.read)
        report = ports.trail.verify(snapshot)
    wrong = {item.key for item in report.discrepancies}
    whole = {key: object_ for key, object_ in snapshot.read.items() if key not in wrong}
    return TrailContents(
        records=tuple(_in_order(ports, whole, report.log)),
        head_seqs=report.head_seqs,
        damaged=tuple(f"audit trail: {item.message}" for item in report.discrepancies),
    )


def _in_order(ports: Ports, found: Mapping[str, _Object], log: CheckpointLog) -> Iterator[Record]:
    """Give the records in an order of which every beginning is a trail that could have been.

    Events in order of time, each writer's in the order of its chain; a checkpoint after the last
    event that it knows; before them what nobody misses while no checkpoint names it.
    """
    events = _events_in_order(ports, found)
    place = {key: number for number, (key, _) in enumerate(events)}
    ends = {parse_event_key(key): number for key, number in place.items()}
    last = {(name[1], name[2]): number for name, number in ends.items() if name}
    due: dict[int, list[str]] = {}
    after = -1
    # A checkpoint of events that were given up means nothing before that is on record.
    retired = (n for n, (_, event) in enumerate(events) if event.action is Action.RETIRE)
    given_up = max(retired, default=-1)
    for checkpoint in log.checkpoints:
        if any((writer, seq) not in last for writer, (seq, _) in checkpoint.tails.items()):
            after = max(after, given_up)
        known = (last.get((writer, seq), -1) for writer, (_, seq) in checkpoint.tails.items())
        after = max(after, *known)
        due.setdefault(after, []).append(checkpoint_key(checkpoint.seq))
    others = (key for key in found if not parse_event_key(key) and not parse_checkpoint_key(key))
    for key in (*sorted(others, key=_is_volume), *due.get(-1, ())):
        yield Record(key, found[key].digest)
    for number, (key, event) in enumerate(events):
        yield Record(key, found[key].digest, event.jar, event.head_seq)
        for name in due.get(number, ()):
            yield Record(name, found[name].digest)


def _is_volume(key: str) -> bool:
    """What vouches for volumes goes before them."""
    place = parse_volume_key(key)
    return place is not None and place[2]


def _events_in_order(ports: Ports, found: Mapping[str, _Object]) -> list[tuple[str, Event]]:
    order = []
    latest: dict[str, datetime] = {}
    for writer, seq, key in sorted(
        (*place[1:], key) for key in found if (place := parse_event_key(key))
    ):
        line = found[key].first
        event = read_event(line, key=ports.trail.key, vault=ports.vault, name=f"event '{key}'")
        latest[writer] = max(event.at, latest.get(writer, event.at))
        order.append((latest[writer], writer, seq, key, event))
    return [(key, event) for *_, key, event in sorted(order, key=lambda item: item[:4])]


def _within(report: TrailReport, listed: list[str]) -> set[str]:
    """Return the listed events, up to the last of each writer that the report knows of."""
    found = set()
    for key in listed:
        place = parse_event_key(key)
        if place and place[2] <= max(
            report.tails.get(place[1], 0), report.anchored.get(place[1], 0)
        ):
            found.add(key)
    return found


@dataclass(frozen=True, slots=True)
class _Object:
    digest: str
    first: bytes


@dataclass(slots=True)
class _Recorded:
    """The trail's part of a store as one listing saw it; remembers what was read of it."""

    store: Store
    keys: tuple[str, ...]
    read: dict[str, _Object] = field(default_factory=dict)

    def list(self, prefix: str) -> list[str]:
        return [key for key in self.keys if key.startswith(prefix)]

    def get(self, key: str) -> bytes:
        content = self.store.get(key)
        self.read[key] = _Object(digest(content), content.partition(b"\n")[0] + b"\n")
        return content
