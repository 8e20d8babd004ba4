"""Reading the trail: every authentic event once, in order of time; what is none is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from jarkeeper.audit.events import Event, key_of, read_event
from jarkeeper.audit.places import ARCHIVE_PREFIX, PREFIX, day_of, parse_event_key, parse_volume_key
from jarkeeper.audit.volumes import read_volume, read_voucher
from jarkeeper.errors import (
    Conflict,
    IntegrityError,
    ObjectDenied,
    ObjectMissing,
    StoreError,
    StoreUnknown,
    is_gone,
)
from jarkeeper.names import VaultId
from jarkeeper.records import digest
from jarkeeper.stores import Readable

if TYPE_CHECKING:
    from jarkeeper.audit.verify import TrailReport

TRIES = 3
"""So often a day is looked at whose events are packed or deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The events of one vault. `StoreUnknown` where the store does not answer."""

    store: Readable
    key: bytes
    vault: VaultId

    def read(
        self, since: datetime | None, until: datetime | None, *, left_out: list[str]
    ) -> Iterator[Event]:
        """Give the events of a span; the places of what is not as written go to `left_out`.

        `Conflict` where the days are packed again and again meanwhile.
        """
        first = "" if since is None else _day_of(since)
        last = "9999" if until is None else _day_of(until)
        listed = self._listed()
        for day in sorted(day for day in listed if first <= day <= last):
            for event in self._day(day, listed[day], left_out=left_out):
                if (since is None or event.at >= since) and (until is None or event.at < until):
                    yield event

    def events_in(self, key: str) -> list[Event]:
        """Return the events of an object: one, or those of a volume.

        `IntegrityError` where it is not what was written, `ObjectMissing` where it is gone.
        """
        if (place := parse_volume_key(key)) is not None:
            day, number, is_volume = place
            if is_volume:
                rows = read_volume(self._volume(day, number))
                return [self._event(row.line, key) for row in rows]
            read_voucher(self.store, day, number, key=self.key, vault=self.vault)
            return []
        if parse_event_key(key) is None:
            raise IntegrityError(f"'{key}': is no part of the trail")
        line = self.store.get(key)
        event = self._event(line, key)
        if line.count(b"\n") != 1 or key_of(event) != key:
            raise IntegrityError(f"event '{key}': is not what was written")
        return [event]

    @contextmanager
    def fetched(self, since: datetime, until: datetime, *, left_out: list[str]) -> Iterator[Path]:
        """Give a folder with the volumes of these days, for the length of a `with` block.

        Each is what its record vouches for. The names of the others are added to `left_out`.
        """
        with TemporaryDirectory(prefix="jarkeeper-") as private:
            for key in self.store.list(ARCHIVE_PREFIX):
                day, number, is_volume = parse_volume_key(key) or ("", 0, False)
                if not is_volume or not _lies_in(day, since, until):
                    continue
                try:
                    content = self._volume(day, number)
                except StoreUnknown:
                    raise
                except (IntegrityError, StoreError):
                    left_out.append(key)
                    continue
                place = Path(private, f"dt={day}")
                place.mkdir(exist_ok=True)
                (place / f"{number:06d}.parquet").write_bytes(content)
            yield Path(private)

    def alone(self, report: TrailReport, since: datetime, until: datetime) -> Iterator[Event]:
        """Give the events of these days that lie by themselves and in no volume.

        What is not as written is left out: the report names it. `Conflict` where events are packed
        or deleted meanwhile.
        """
        for key in self.store.list(PREFIX):
            day, writer, seq = parse_event_key(key) or ("", "", 0)
            leaf = report.log.leaf(writer, seq)
            if not _lies_in(day, since, until) or (leaf is not None and report.is_archived(leaf)):
                continue
            try:
                yield from self.events_in(key)
            except IntegrityError:
                continue
            except ObjectDenied:
                raise
            except ObjectMissing:
                raise Conflict("audit trail: is being packed", hint="try again later") from None

    def _volume(self, day: str, number: int) -> bytes:
        voucher = read_voucher(self.store, day, number, key=self.key, vault=self.vault)
        content = self.store.get(voucher.volume)
        if digest(content) != voucher.digest:
            raise IntegrityError(f"volume '{voucher.volume}': is not what was written")
        return content

    def _event(self, line: bytes, key: str) -> Event:
        return read_event(line, key=self.key, vault=self.vault, name=f"event '{key}'")

    def _day(self, day: str, keys: list[str], *, left_out: list[str]) -> list[Event]:
        for _ in range(TRIES):
            events, wrong, gone = self._tried(keys)
            there = self._listed(day).get(day, []) if gone else []
            if gone <= set(there):  # then it is not that somebody packs
                left_out += sorted(wrong | gone)
                return sorted(events.values(), key=lambda one: (one.at, one.writer, one.seq))
            keys = there
        raise Conflict(
            "audit trail: is being packed or deleted all the time", hint="try again later"
        )

    def _tried(self, keys: list[str]) -> tuple[dict[tuple[str, int], Event], set[str], set[str]]:
        """Return the events, what is wrong, and what is not there any more."""
        events, wrong, gone = dict[tuple[str, int], Event](), set[str](), set[str]()
        for key in keys:
            try:
                events |= {(event.writer, event.seq): event for event in self.events_in(key)}
            except StoreUnknown:
                raise
            except (IntegrityError, StoreError) as error:
                (gone if is_gone(error) else wrong).add(key)
        places = {key: parse_event_key(key) for key in gone}
        # What a volume has was packed meanwhile.
        packed = {key for key, place in places.items() if place and place[1:] in events}
        return events, wrong, gone - packed

    def _listed(self, day: str = "") -> dict[str, list[str]]:
        """Return what lies below each day, or below that one.

        The archive last: a day that is packed meanwhile would else be in neither part.
        """
        days: dict[str, list[str]] = {}
        for prefix in (PREFIX, ARCHIVE_PREFIX):
            for key in self.store.list(f"{prefix}dt={day}/" if day else f"{prefix}dt="):
                if lies := day_of(key):
                    days.setdefault(lies, []).append(key)
        return days


def _lies_in(day: str, since: datetime, until: datetime) -> bool:
    return _day_of(since) <= day <= _day_of(until)


def _day_of(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
