"""The logs of a journal as the store has them: what counts of each, whatever else lies there.

Anybody who can write to the store can put things in the place of a record: what was not written
by a journal, what is too big, a directory, an object that nobody may read. Each is damage of its
log alone, and the journal goes on after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from jarkeeper.errors import (
    Conflict,
    IntegrityError,
    ObjectMissing,
    StoreError,
    StoreUnknown,
    is_gone,
)
from jarkeeper.incidents.model import Cause
from jarkeeper.incidents.records import Entry, Place, read_authentic, read_incident
from jarkeeper.names import INCIDENTS_PREFIX, incidents_prefix, parse_incident_key
from jarkeeper.records import digest
from jarkeeper.stores import Store

TRIES_MAX = 20
"""Conflicts with other writers in a row before a change gives up; each means another got on."""

Log: TypeAlias = tuple[Cause, str]


@dataclass(frozen=True, slots=True)
class Logs:
    """What the store has of a vault's incidents."""

    store: Store
    key: bytes = field(repr=False)
    vault: str

    def seqs(self) -> dict[Log, set[int]]:
        """Return the numbers that something lies at, of every log."""
        return _by_log(self.store.list(INCIDENTS_PREFIX))

    def seqs_of(self, log: Log) -> set[int]:
        """Return the numbers that something lies at, of one log."""
        return _by_log(self.store.list(incidents_prefix(log[1], log[0]))).get(log, set())

    def entries(self, log: Log, seqs: set[int]) -> Iterator[Entry]:
        """Yield the records of a log, the newest first; those not genuine without an incident.

        What the store refuses to give is damage beside a genuine record. Where there is none it
        is raised: a log of which nothing can be read is no place to write to.
        """
        genuine, refusal = False, None
        for seq in sorted(seqs, reverse=True):
            place, raw = Place(*log, seq), b""
            try:
                raw = self.store.get(place.key)
                entry = read_incident(raw, place=place, key=self.key, vault=self.vault)
                genuine = True
            except StoreUnknown:  # of the whole store
                raise
            except (IntegrityError, StoreError) as error:
                if is_gone(error):  # cleaned up meanwhile
                    continue
                refusal = error if isinstance(error, StoreError) else refusal
                entry = Entry(seq, None, digest(raw), error.message)
            yield entry
        if refusal is not None and not genuine:
            raise refusal

    def newest(self, log: Log, seqs: set[int]) -> Entry:
        """Return what counts, and the number before the first free one after it.

        What lies in the place of the next record may have been the newest: that is damage which
        counts. What lies beyond a gap was never written by a journal.
        """
        genuine, damaged = Entry(), dict[int, Entry]()
        for entry in self.entries(log, seqs):
            if entry.incident is not None:
                genuine = entry
                break
            damaged[entry.seq] = entry
        last = genuine
        while last.seq + 1 in damaged:
            last = damaged[last.seq + 1]
        return Entry(
            last.seq,
            genuine.incident,
            last.digest,
            next((entry.damage for entry in damaged.values()), ""),
            genuine=genuine.seq,
            hides=last is not genuine or (genuine.incident is None and bool(damaged)),
        )

    def place_after(self, log: Log, seq: int) -> Place:
        """Return the next place that is free: no list shows a directory, which takes one too."""
        for number in range(seq + 1, seq + 1 + TRIES_MAX):
            place = Place(*log, number)
            try:
                self.store.get(place.key)
            except IntegrityError:
                continue
            except ObjectMissing:
                pass
            return place
        raise Conflict(f"incident '{log[0]}': {TRIES_MAX} places in a row are taken")

    def verify(self) -> tuple[str, ...]:
        """Return what is wrong with any object in the place of a record, in sentences."""
        keys = filter(parse_incident_key, self.store.list(INCIDENTS_PREFIX))
        return tuple(filter(None, map(self._wrong_with, keys)))

    def _wrong_with(self, key: str) -> str:
        jar, word, seq = parse_incident_key(key) or ("", "", 0)
        try:
            raw = self.store.get(key)
            read_authentic(raw, name=f"incident '{key}'", key=self.key, vault=self.vault)
            with suppress(ValueError):  # a cause that only a newer jarkeeper knows
                place = Place(Cause(word), jar, seq)
                read_incident(raw, place=place, key=self.key, vault=self.vault)
        except StoreUnknown:
            raise
        except (IntegrityError, StoreError) as error:
            return "" if is_gone(error) else error.message
        return ""


def _by_log(keys: Iterable[str]) -> dict[Log, set[int]]:
    logs: dict[Log, set[int]] = {}
    for place in map(parse_incident_key, keys):
        if place is not None:
            with suppress(ValueError):  # a cause that only a newer jarkeeper knows
                logs.setdefault((Cause(place[1]), place[0]), set()).add(place[2])
    return logs
