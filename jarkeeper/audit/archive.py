"""The archive: finished days of the trail packed into volumes.

A volume is written, read back and compared before any event that it holds is deleted, and each
event was in a checkpoint before. So wherever this stops, every event is there at least once, and
running it again goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice

from jarkeeper.actions import Action
from jarkeeper.audit.checkpoints import CheckpointLog
from jarkeeper.audit.events import Outcome
from jarkeeper.audit.merkle import leaf_hash
from jarkeeper.audit.places import (
    ARCHIVE_PREFIX,
    PREFIX,
    parse_event_key,
    parse_volume_key,
    volume_key,
    voucher_key,
)
from jarkeeper.audit.trail import Access, Trail
from jarkeeper.audit.verify import TrailReport
from jarkeeper.audit.volumes import (
    Row,
    Voucher,
    read_volume,
    read_voucher,
    write_volume,
    write_voucher,
)
from jarkeeper.errors import (
    AuditUnavailable,
    Conflict,
    IntegrityError,
    JarkeeperError,
    ObjectMissing,
    StoreError,
)
from jarkeeper.limits import LIMITS
from jarkeeper.records import digest
from jarkeeper.stores import put_once
from jarkeeper.words import count_of

Progress = Callable[[int, int], None]
"""Hears how many of how many events are done."""
Verify = Callable[[], TrailReport]
AT_IT = timedelta(hours=1)
"""How long whoever announced a volume may take to write it."""


@dataclass(frozen=True, slots=True)
class ArchiveReceipt:
    """What was packed, and what was deleted."""

    events: int = 0
    """Packed into new volumes."""
    volumes: int = 0
    deleted: int = 0
    """Objects that the archive holds as well, or whose retention is over."""
    warnings: tuple[str, ...] = ()

    def given_up(self, before: date) -> str:
        """Return in words what retention from before that day came to, and what is left."""
        if not self.deleted:
            return f"nothing from before {before} is left to give up"
        objects = count_of(self.deleted, "object")
        return f"events from before {before} given up: {objects} deleted, hashes and proofs remain"


@dataclass(frozen=True, slots=True)
class _Stored:
    """One event that lies in the store by itself."""

    leaf: int
    writer: str
    seq: int
    key: str


def pack(
    trail: Trail, *, before: date, verify: Verify | None = None, progress: Progress | None = None
) -> ArchiveReceipt:
    """Pack the days before that one (UTC) into volumes, and delete what they hold.

    `verify` looks at more than the trail by itself, such as the vault's heads and anchors.
    `IntegrityError`, and nothing was changed, where the trail is not as it was written.
    """
    # Before anything is looked at: whoever packs at the same time wants the same numbers, and one
    # of the two gives way.
    known = listed(trail)
    report = verified(verify or trail.verify)
    with suppress(Conflict):  # another process was faster: what it has is packed another time
        trail.checkpoint(report)
    days = _days(trail, report.log, before)
    if volumes_in(listed(trail)) - volumes_in(known):
        # Of what it has packed, some events may lie by themselves still, and others no more.
        raise Conflict("archive: somebody else has just packed", hint="try again later")
    packed = {
        item.leaf
        for items in days.values()
        for item in items
        if report.is_archived(item.leaf) or item.leaf < report.told.retired
    }
    total = sum(map(len, days.values())) - len(packed)
    if not days:
        return ArchiveReceipt()
    access = trail.intent(Access(Action.ARCHIVE))
    try:
        events = volumes = 0
        for number in _packed_days(trail, report.log, days, packed=packed, known=known):
            events, volumes = events + number, volumes + 1
            if progress is not None:
                progress(events, total)
        doomed = [item.key for items in days.values() for item in items]
        deleted, warnings = delete(trail, doomed)
    except JarkeeperError as error:
        ending = Outcome.CONFLICT if isinstance(error, Conflict) else Outcome.FAILED
        with suppress(AuditUnavailable):
            trail.outcome(access, ending)
        raise
    counts = {"events": events, "volumes": volumes, "deleted": deleted}
    trail.outcome(access, Outcome.OK, counts=counts)
    return ArchiveReceipt(events, volumes, deleted, warnings)


def verified(verify: Verify) -> TrailReport:
    """Return what verification saw, or raise `IntegrityError` where anything is wrong."""
    report = verify()
    if report.discrepancies:
        raise IntegrityError(
            f"audit trail: is not as it was written, {report.discrepancies[0].message}",
            hint="run `jarkeeper audit verify`, and find out who did it; nothing was changed",
        )
    return report


def _days(trail: Trail, log: CheckpointLog, before: date) -> dict[str, list[_Stored]]:
    """Return the events of each day that a checkpoint knows and that lie by themselves."""
    days: dict[str, list[_Stored]] = {}
    for key in trail.store.list(PREFIX):
        place = parse_event_key(key)
        if place is None or place[0] >= before.isoformat():
            continue
        day, writer, seq = place
        if (leaf := log.leaf(writer, seq)) is not None:
            days.setdefault(day, []).append(_Stored(leaf, writer, seq, key))
    return {day: sorted(items, key=lambda item: item.leaf) for day, items in sorted(days.items())}


def _packed_days(
    trail: Trail,
    log: CheckpointLog,
    days: Mapping[str, list[_Stored]],
    *,
    packed: Collection[int],
    known: Iterable[tuple[str, int, bool]],
) -> Iterator[int]:
    """Write volume after volume, and give how many events each holds."""
    for day, items in days.items():
        rest = [item for item in items if item.leaf not in packed]
        taken = {number: is_volume for when, number, is_volume in sorted(known) if when == day}
        for number, batch in _planned(trail, log, rest, day=day, taken=taken):
            _pack(trail, log, batch, day=day, number=number, taken=taken)
            yield len(batch)


def _planned(
    trail: Trail,
    log: CheckpointLog,
    items: list[_Stored],
    *,
    day: str,
    taken: dict[int, bool],
) -> Iterator[tuple[int, list[_Stored]]]:
    """Give the number and the events of each volume to write; first what was announced already.

    Who announced it was interrupted, or is at it right now: the same bytes do no harm to either.
    Where another release makes other bytes of the same events, it has an hour to write its own.
    """
    found = []
    for number in [number for number, is_there in taken.items() if not is_there]:
        voucher = read_voucher(trail.store, day, number, key=trail.key, vault=trail.vault)
        batch = [one for one in items if voucher.first_leaf <= one.leaf <= voucher.last_leaf]
        if batch and digest(write_volume(_rows(trail, log, batch))) == voucher.digest:
            found.append((number, batch))
        elif batch and trail.now() - trail.store.created_at(voucher_key(day, number)) < AT_IT:
            raise _taken(day)
    yield from found
    known = {one.leaf for _, batch in found for one in batch}
    for batch in _batches(one for one in items if one.leaf not in known):
        number = next(n for n in count(1) if n not in taken)
        taken[number] = False
        yield number, batch


def _taken(day: str) -> Conflict:
    return Conflict(f"archive of {day}: somebody else is at it", hint="try again in an hour")


def _batches(items: Iterable[_Stored]) -> Iterator[list[_Stored]]:
    iterator = iter(items)
    while batch := list(islice(iterator, LIMITS.volume_events_max)):
        yield batch


def _pack(
    trail: Trail,
    log: CheckpointLog,
    batch: list[_Stored],
    *,
    day: str,
    number: int,
    taken: Iterable[int],
) -> None:
    """Write one volume; what vouches for it first, which alone means nothing."""
    rows = _rows(trail, log, batch)
    content = write_volume(rows)
    voucher = Voucher(
        day=day,
        number=number,
        events=len(rows),
        first_leaf=rows[0].leaf,
        last_leaf=rows[-1].leaf,
        digest=digest(content),
    )
    record = write_voucher(voucher, key=trail.key, vault=trail.vault)
    if not put_once(trail.store, voucher_key(day, voucher.number), record):
        raise Conflict(f"archive of {day}: somebody else is at it", hint="try again later")
    # Whoever slept here for longer than others wait finds what they wrote meanwhile.
    if {other for when, other, _ in listed(trail) if when == day} - set(taken):
        raise _taken(day)
    name = volume_key(day, voucher.number)
    written = put_once(trail.store, name, content) and trail.store.get(name)
    if written is False or list(read_volume(written)) != rows:
        raise IntegrityError(f"volume '{name}': what was read back is not what was written")


def _rows(trail: Trail, log: CheckpointLog, batch: Iterable[_Stored]) -> list[Row]:
    try:
        rows = [Row(one.leaf, one.writer, one.seq, trail.store.get(one.key)) for one in batch]
    except ObjectMissing:
        raise Conflict(
            "archive: somebody else has just packed or retired", hint="try again later"
        ) from None
    for row in rows:
        if leaf_hash(row.line) != log.hashes[row.leaf]:
            raise IntegrityError(f"writer {row.writer[:8]}: event {row.seq} was changed just now")
    return rows


def listed(trail: Trail) -> list[tuple[str, int, bool]]:
    """Return day and number of the archive's objects, and which are volumes."""
    return list(filter(None, map(parse_volume_key, trail.store.list(ARCHIVE_PREFIX))))


def volumes_in(listed: Iterable[tuple[str, int, bool]]) -> set[tuple[str, int]]:
    """Return day and number of the volumes among them."""
    return {(day, number) for day, number, is_volume in listed if is_volume}


def delete(trail: Trail, names: Iterable[str]) -> tuple[int, tuple[str, ...]]:
    """Delete objects, up to the first that must not be; a store may leave that to its own rules."""
    deleted = 0
    for name in names:
        try:
            trail.store.delete(name)
        except StoreError as error:
            return deleted, (f"events that the archive holds stay as well: {error.message}",)
        deleted += 1
    return deleted, ()
