"""The journal: each cause of a jar has a log of create-only records in the store.

A record holds the whole present state, as a head does, with a MAC; a change is the next record,
made by whoever creates it first. The newest record alone is needed, so older ones may be cleaned
up. What a log may grow by is bounded: the same trouble goes on record once in `QUIET_HOURS`, other
words for it once in `WORDS_MINUTES`, and each step of the plan a few times.

`logs` reads them. Tampering mutes nobody: the newest genuine record counts, the next one goes to
the first free number after it, and one log that is out of order keeps no other from being read or
written. What is not genuine is told in `damage`.

Nothing anchors the journal: who can delete the newest records brings an earlier state back, and may
so have an alert sent again. Where the record of an end is gone, the audit trail still has it, and
is asked when the same trouble would go on record anew: so it is told at most `QUIET_HOURS` late.
Who deletes a whole log, or the event too, can keep an end from being told, or new trouble behind
old: that the event is gone shows in the trail. The journal of a state directory has no trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.errors import (
    AuditUnavailable,
    Conflict,
    InputError,
    JarkeeperError,
    StoreError,
    StoreUnknown,
)
from jarkeeper.incidents import rules
from jarkeeper.incidents.logs import TRIES_MAX, Log, Logs
from jarkeeper.incidents.model import Condition, Due, Incident, Scope
from jarkeeper.incidents.records import Entry, Place, write_incident
from jarkeeper.names import new_id
from jarkeeper.stores import Store, put_once

KEEP_HOURS_MIN = 1
"""Before a superseded record may be deleted: who still builds on it must find its place taken."""

Decide: TypeAlias = Callable[[Entry], Incident | None]


@dataclass(frozen=True, slots=True)
class Changes:
    """What an examination put on record. Quiet updates are in `updated`."""

    opened: tuple[Incident, ...] = ()
    updated: tuple[Incident, ...] = ()
    escalated: tuple[Incident, ...] = ()
    """Those whose severity rose."""
    closed: tuple[Incident, ...] = ()
    warnings: tuple[str, ...] = ()
    unwritten: tuple[Condition, ...] = ()
    """What was found and could not be put on record; each tells why."""

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.opened + other.opened,
            self.updated + other.updated,
            self.escalated + other.escalated,
            self.closed + other.closed,
            self.warnings + other.warnings,
            self.unwritten + other.unwritten,
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What the journal holds, the oldest first, and what there is not genuine, in sentences."""

    incidents: tuple[Incident, ...]
    damage: tuple[str, ...] = ()


class Journal:
    """The incidents of one vault. `StoreError` where the store does not answer."""

    def __init__(
        self,
        store: Store,
        *,
        key: bytes,
        vault: str,
        clock: Callable[[], datetime],
        trail: Trail | None = None,
    ) -> None:
        self._store = store
        self._key = key
        self._vault = vault
        self._logs = Logs(store, key, vault)
        self._clock = clock
        self._trail = trail

    def __repr__(self) -> str:
        return f"Journal('{self._vault[:8]}')"

    def reconcile(self, conditions: Iterable[Condition], *, scope: Scope) -> Changes:
        """Put on record what an examination found; what was in scope and is over closes.

        A condition outside the scope is a mistake of the caller. Of several of one cause and jar
        the most severe counts.
        """
        found = _by_log(conditions)
        if stray := found.keys() - scope:
            raise ValueError(f"incidents: conditions outside the scope: {sorted(stray)}")
        seqs = self._logs.seqs()
        changes = Changes()
        for log in sorted(scope):
            if log in found or log in seqs:
                changes += self._tried(log, found.get(log))
        return changes

    def open(self) -> tuple[Incident, ...]:
        """Return what goes on, the oldest first."""
        return tuple(incident for incident in self.look().incidents if incident.is_open)

    def look(self) -> Look:
        """Return the newest incident of every log, open or closed."""
        return self._looked(lambda log, seqs: [self._logs.newest(log, seqs)])

    def look_back(self, since: datetime | None = None) -> Look:
        """Return every incident that went on at that moment or later."""
        return self._looked(lambda log, seqs: _until(self._logs.entries(log, seqs), since))

    def verify(self) -> tuple[str, ...]:
        """Return what is wrong with any object in the place of a record, in sentences."""
        return self._logs.verify()

    def claim(self, incident: Incident, due: Due) -> datetime | None:
        """Return since when the due message is the caller's to send; None where it is not.

        It is one process's, and once. It counts from now: what was sent before took its time.
        """
        now = self._clock()
        is_ours = self._change_if(
            incident,
            lambda known: (
                None if _is_taken(known, due, now) else rules.claimed(known, due, now=now)
            ),
        )
        return now if is_ours else None

    def settle(
        self, incident: Incident, due: Due, *, missed: Iterable[str], silent: bool = False
    ) -> bool:
        """Put on record that the message went out, but for the channels it missed.

        `silent` where none of these said so: they gave no answer in time, and may have taken it.
        """
        names, now = tuple(missed), self._clock()
        return self._change_if(
            incident, lambda known: rules.settled(known, due, missed=names, silent=silent, now=now)
        )

    def collect(self, before: datetime) -> int:
        """Delete superseded records from before that moment; each log keeps its newest."""
        if before > self._clock() - timedelta(hours=KEEP_HOURS_MIN):
            raise InputError(f"incidents: expected to keep {KEEP_HOURS_MIN} h of records at least")
        old = [
            key
            for log, seqs in self._logs.seqs().items()
            for key in self._superseded(log, seqs)
            if self._store.created_at(key) < before
        ]
        for key in old:
            self._store.delete(key)
        return len(old)

    def _tried(self, log: Log, condition: Condition | None) -> Changes:
        """Examine one log; that it cannot be written must not keep others from being examined."""
        try:
            return self._examined(log, condition)
        except JarkeeperError as error:
            if condition is None:
                return Changes(warnings=(error.message,))
            told = f"{condition.message} (not on record in the vault: {error.message})"
            return Changes(unwritten=(replace(condition, message=told),))

    def _examined(self, log: Log, condition: Condition | None) -> Changes:
        now, fresh = self._clock(), new_id()
        before, after, damage = self._change(
            log, lambda entry: self._next(entry, log, condition, now=now, new_id=fresh)
        )
        damages = Changes(warnings=(damage,) if damage else ())
        return damages if after is None else damages + self._sorted_in(before, after)

    def _next(
        self, entry: Entry, log: Log, condition: Condition | None, *, now: datetime, new_id: str
    ) -> Incident | None:
        """Return what to put on record after the newest entry, also where that is not genuine.

        Where damage may hide a newer state, or one was deleted, trouble is told anew: what was
        told of it is not known.
        """
        known = entry.incident
        if entry.hides and (condition is not None or known is None or not known.is_open):
            if condition is None:
                return rules.lost(*log, now=now, id=new_id)
            return rules.next_state(None, condition, now=now, new_id=new_id)
        after = rules.next_state(known, condition, now=now, new_id=new_id)
        if after and condition and known and known.is_open and self._has_ended(known):
            return rules.next_state(None, condition, now=now, new_id=new_id)
        return after

    def _has_ended(self, known: Incident) -> bool:
        """Whether the trail has an end of what is open here, of which the record was deleted."""
        with suppress(StoreError):
            return self._trail is not None and any(
                (event.action, event.jar, event.detail) == (Action.INCIDENT, known.jar, known.cause)
                and "closed" in event.counts
                for event in self._trail.read(known.seen_at)
            )
        return False

    def _sorted_in(self, before: Incident | None, after: Incident) -> Changes:
        if not after.is_open:
            return Changes(closed=(after,), warnings=self._recorded(after, "closed"))
        if before is None or before.id != after.id:
            return Changes(opened=(after,), warnings=self._recorded(after, "opened"))
        if before.severity is not after.severity:
            return Changes(escalated=(after,), warnings=self._recorded(after, "escalated"))
        return Changes(updated=(after,))

    def _change_if(self, incident: Incident, change: Callable[[Incident], Incident | None]) -> bool:
        """Change this very incident; False where the log has another or `change` declines."""
        _, after, _ = self._change(
            (incident.cause, incident.jar),
            lambda entry: (
                change(entry.incident)
                if entry.incident is not None and entry.incident.id == incident.id
                else None
            ),
        )
        return after is not None

    def _change(self, log: Log, decide: Decide) -> tuple[Incident | None, Incident | None, str]:
        """Return the state before, the one put on record if any, and what was damaged."""
        for _ in range(TRIES_MAX):
            entry = self._logs.newest(log, self._logs.seqs_of(log))
            after = decide(entry)
            if after is None:
                return entry.incident, None, entry.damage
            place = self._logs.place_after(log, entry.seq)
            raw = write_incident(
                after, seq=place.seq, previous=entry.digest, key=self._key, vault=self._vault
            )
            if put_once(self._store, place.key, raw):
                return entry.incident, after, entry.damage
        raise Conflict(f"incident '{log[0]}': others changed it {TRIES_MAX} times in a row")

    def _superseded(self, log: Log, seqs: set[int]) -> list[str]:
        newest = self._logs.newest(log, seqs).genuine
        return [Place(*log, seq).key for seq in sorted(seqs) if seq < newest]

    def _looked(self, read: Callable[[Log, set[int]], Iterable[Entry]]) -> Look:
        """Read every log; one that cannot be read keeps no other from being told."""
        found: dict[str, Incident] = {}
        damage = []
        for log, seqs in self._logs.seqs().items():
            try:
                for entry in read(log, seqs):
                    damage += [entry.damage] if entry.damage else []
                    if entry.incident is not None:
                        found.setdefault(entry.incident.id, entry.incident)
            except StoreUnknown:  # of the whole store
                raise
            except StoreError as error:
                damage.append(error.message)
        ordered = sorted(found.values(), key=lambda incident: incident.opened_at)
        return Look(tuple(ordered), tuple(dict.fromkeys(damage)))

    def _recorded(self, incident: Incident, what: str) -> tuple[str, ...]:
        """Put on record in the trail; the journal has it already, so a failure is a warning."""
        if self._trail is None:
            return ()
        counts = {what: 1, str(incident.severity): 1}
        access = Access(Action.INCIDENT, jar=incident.jar)
        seconds = incident.lasted(self._clock()).total_seconds() if what == "closed" else 0.0
        try:
            self._trail.outcome(
                access, Outcome.OK, detail=incident.cause, counts=counts, seconds=seconds
            )
        except AuditUnavailable as error:
            return (error.message,)
        return ()


def _by_log(conditions: Iterable[Condition]) -> dict[Log, Condition]:
    ordered = sorted(conditions, key=lambda item: item.severity == "critical")
    return {(item.cause, item.jar): item for item in ordered}


def _until(entries: Iterable[Entry], since: datetime | None) -> Iterator[Entry]:
    """Yield entries, the newest first, up to those that were over before that moment."""
    for entry in entries:
        end = entry.incident.closed_at if entry.incident else None
        if since is not None and end is not None and end < since:
            return
        yield entry


def _is_taken(known: Incident, due: Due, now: datetime) -> bool:
    """Whether another process has claimed or sent one of the steps, or their kind has passed."""
    if known.is_open is (due.kind == "closed"):
        return True
    return not all(rules.is_free(rules.notice_of(known, step), now) for step in due.steps)
