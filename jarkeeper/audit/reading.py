"""Reading the trail: every authentic event once, in order of time; what is none is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from jarkeeper.audit.events import Event, key_of, read_event
from jarkeeper.audit.places import PREFIX, parse_event_key, parse_volume_key
from jarkeeper.audit.volumes import read_volume, read_voucher
from jarkeeper.errors import (
    Conflict,
    IntegrityError,
    ObjectDenied,
    ObjectMissing,
    StoreError,
    StoreUnknown,
)
from jarkeeper.names import VaultId
from jarkeeper.records import digest
from jarkeeper.stores import Readable

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
        first = "" if since is None else f"{since:%Y-%m-%d}"
        last = "9999" if until is None else f"{until:%Y-%m-%d}"
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
            return self._volume(key, *place)
        line = self.store.get(key)
        event = self._event(line, key)
        if line.count(b"\n") != 1 or key_of(event) != key:
            raise IntegrityError(f"event '{key}': is not what was written")
        return [event]

    def _volume(self, key: str, day: str, number: int, is_volume: bool) -> list[Event]:
        if not is_volume:
            return []
        voucher = read_voucher(self.store, day, number, key=self.key, vault=self.vault)
        content = self.store.get(key)
        if digest(content) != voucher.digest:
            raise IntegrityError(f"volume '{key}': is not what was written")
        return [self._event(row.line, key) for row in read_volume(content)]

    def _event(self, line: bytes, key: str) -> Event:
        return read_event(line, key=self.key, vault=self.vault, name=f"event '{key}'")

    def _day(self, day: str, keys: list[str], *, left_out: list[str]) -> list[Event]:
        for _ in range(TRIES):
            events, wrong, gone = self._tried(keys)
            there = self._listed().get(day, []) if gone else []
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
                is_gone = isinstance(error, ObjectMissing) and not isinstance(error, ObjectDenied)
                (gone if is_gone else wrong).add(key)
        return events, wrong, gone

    def _listed(self) -> dict[str, list[str]]:
        days: dict[str, list[str]] = {}
        for key in self.store.list(PREFIX):
            place = parse_event_key(key) or parse_volume_key(key)
            if place is not None:
                days.setdefault(place[0], []).append(key)
        return days
