"""Slots: which generation plays which role, and the rules by which that changes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from jarkeeper.errors import NotFound
from jarkeeper.facts import JarFacts, is_authenticated
from jarkeeper.names import GenerationId

PENDING = "pending"
"""The role of a jar that is stored and waits for its test: nothing downloads with it."""
UNTESTED = "untested"


class Slot(StrEnum):
    """A role that names a generation."""

    ACTIVE = "active"
    BACKUP = "backup"


class SlotState(StrEnum):
    """Whether the generation in a slot can be used."""

    HEALTHY = "healthy"
    SUSPECT = "suspect"
    COOLING = "cooling"
    DEAD = "dead"


class Source(StrEnum):
    """Where a generation came from."""

    IMPORT = "import"
    WRITE_BACK = "write-back"


@dataclass(frozen=True, slots=True)
class GenerationRecord:
    """One immutable stored jar: what is known of it without opening it."""

    id: GenerationId
    digest: str
    """SHA-256 of the envelope, in hexadecimal."""
    fingerprint: str
    created_at: datetime
    source: Source
    facts: JarFacts


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """A generation in a slot, with its state."""

    generation: GenerationRecord
    state: SlotState
    since: datetime
    until: datetime | None = None
    reason: str = ""
    tested_at: datetime | None = None
    """When a probe last found somebody logged in by it; None if none ever did."""
    began: datetime | None = None
    """When the login came in, where write-backs have put another generation in its place since."""

    @property
    def login_began(self) -> datetime:
        """When the login came in."""
        return self.began or self.generation.created_at

    def is_usable(self, now: datetime) -> bool:
        """Whether a download may use it: not dead, and not cooling any more."""
        return self.state is not SlotState.DEAD and not self.is_cooling(now)

    def is_cooling(self, now: datetime) -> bool:
        """Whether it must rest until a moment that lies ahead."""
        return self.state is SlotState.COOLING and self.until is not None and self.until > now


@dataclass(frozen=True, slots=True)
class Slots:
    """All slots of a jar at one moment."""

    active: SlotRecord | None = None
    backups: tuple[SlotRecord, ...] = ()
    """Newest first."""
    revoked: tuple[GenerationId, ...] = ()
    """What nothing may use again, in order of revocation."""
    barred: tuple[str, ...] = ()
    """Logins that nothing may use again, by the digest in their facts."""
    pending: SlotRecord | None = None
    """What a rotation has stored and not yet tested."""
    lives: tuple[float, ...] = ()
    """How many days the last logins lived that YouTube ended, the oldest first; five at most."""

    def records(self) -> tuple[SlotRecord, ...]:
        """Return every slot that holds a generation: the active one first, the pending one last."""
        found = (self.active, *self.backups, self.pending)
        return tuple(item for item in found if item is not None)

    def is_revoked(self, generation: str, login: str) -> bool:
        """Whether nothing may use the generation again, by itself or because of its login."""
        return generation in self.revoked or login in self.barred

    def find(self, generation: str) -> SlotRecord | None:
        """Return the slot that holds the generation."""
        return next((item for item in self.records() if item.generation.id == generation), None)

    def role_of(self, item: SlotRecord) -> str:
        """Return which role the slot plays: active, backup or pending."""
        if item == self.active:
            return Slot.ACTIVE
        return PENDING if item == self.pending else Slot.BACKUP

    def with_each(self, change: Callable[[SlotRecord], SlotRecord]) -> Slots:
        """Return the slots with each of them changed."""
        return replace(
            self,
            active=self.active and change(self.active),
            backups=tuple(map(change, self.backups)),
            pending=self.pending and change(self.pending),
        )

    def candidates(self, slot: Slot) -> tuple[SlotRecord, ...]:
        """Return what the role can be played by, the first choice first."""
        if slot is Slot.BACKUP:
            return self.backups
        return () if self.active is None else (self.active,)


def usable(slots: Slots, now: datetime) -> frozenset[Slot]:
    """Return the roles that a download can take cookies from now."""
    return frozenset(
        slot for slot in Slot if any(item.is_usable(now) for item in slots.candidates(slot))
    )


def choose(slots: Slots, slot: Slot, *, now: datetime) -> SlotRecord | None:
    """Return the first usable generation for the role: no dead or expired one hides a good one."""
    found = [item for item in slots.candidates(slot) if item.is_usable(now)]
    alive = (item for item in found if is_authenticated(item.generation.facts, now))
    return next(alive, found[0] if found else None)


def take_in(
    slots: Slots,
    new: GenerationRecord,
    *,
    at: datetime,
    backup_count: int,
    tested_at: datetime | None = None,
) -> Slots:
    """Make a new generation active and the old active one a backup; what is too many falls out.

    A pending one is overtaken: it was staged to take another one's place.
    """
    backups = _kept(_stepped_down(slots.active, slots.backups), backup_count, now=at)
    active = SlotRecord(new, SlotState.HEALTHY, since=at, tested_at=tested_at)
    return replace(slots, active=active, backups=backups, pending=None)


def stage(slots: Slots, new: GenerationRecord, *, at: datetime) -> Slots:
    """Put a new generation aside for its test, in the place of one that was staged before."""
    pending = SlotRecord(new, SlotState.SUSPECT, since=at, reason=UNTESTED)
    return replace(slots, pending=_resting_with(slots.active, pending, now=at))


def rotate(slots: Slots, *, now: datetime, backup_count: int) -> Slots:
    """Make the pending generation active, if its test went well; the old active one steps down."""
    pending = slots.pending
    if pending is None:
        raise NotFound("pending: there is none to rotate to")
    if pending.state is not SlotState.HEALTHY or pending.tested_at is None:
        raise NotFound("pending: expected a generation that was tested, this one was not")
    backups = _kept(_stepped_down(slots.active, slots.backups), backup_count, now=now)
    active = _resting_with(slots.active, pending, now=now)
    return replace(slots, active=active, backups=backups, pending=None)


def _resting_with(active: SlotRecord | None, item: SlotRecord, *, now: datetime) -> SlotRecord:
    """Return the slot at rest for as long as the active one rests, where both hold one login.

    YouTube asked the login for a pause, not this export of it.
    """
    login = item.generation.facts.login
    if active is None or not login or active.generation.facts.login != login:
        return item
    if not active.is_cooling(now):
        return item
    return replace(
        item, state=SlotState.COOLING, since=now, until=active.until, reason=active.reason
    )


def _stepped_down(
    active: SlotRecord | None, backups: tuple[SlotRecord, ...]
) -> tuple[SlotRecord, ...]:
    """Return the backups with the old active one: the newest, or the last if it is dead.

    So a dead one is not the next choice.
    """
    if active is None:
        return backups
    return (*backups, active) if active.state is SlotState.DEAD else (active, *backups)


def _kept(backups: tuple[SlotRecord, ...], count: int, *, now: datetime) -> tuple[SlotRecord, ...]:
    """Return as many as may stay, in their order: no dead or expired one pushes another out."""

    def is_over(item: SlotRecord) -> bool:
        return item.state is SlotState.DEAD or not is_authenticated(item.generation.facts, now)

    last_to_leave = sorted(backups, key=is_over)[:count]
    return tuple(item for item in backups if item in last_to_leave)


def exchange(slots: Slots, old: str, new: GenerationRecord) -> Slots:
    """Put a written-back generation in the place of the one it grew from; the state stays."""
    if slots.find(old) is None:
        raise NotFound(f"generation {old[:8]}: expected it in a slot, it is in none")

    def step(item: SlotRecord) -> SlotRecord:
        if item.generation.id != old:
            return item
        began = None if new.created_at == item.login_began else item.login_began
        return replace(item, generation=new, began=began)

    return slots.with_each(step)


def promote(slots: Slots, *, now: datetime, generation: str | None = None) -> Slots:
    """Make a backup active, the newest usable one or the named; the old active one steps down."""
    chosen = _backup(slots, generation, now=now)
    if chosen is None:
        raise NotFound(
            "backup: none can be used",
            hint="import fresh cookies, or restore an earlier generation",
        )
    others = tuple(item for item in slots.backups if item is not chosen)
    return replace(slots, active=chosen, backups=_stepped_down(slots.active, others))


def _backup(slots: Slots, generation: str | None, *, now: datetime) -> SlotRecord | None:
    if generation is None:
        return choose(slots, Slot.BACKUP, now=now)
    named = (item for item in slots.backups if item.generation.id == generation)
    return next((item for item in named if item.is_usable(now)), None)


def restore(slots: Slots, old: GenerationRecord, *, at: datetime, backup_count: int) -> Slots:
    """Make a generation from the history active again."""
    if slots.active is not None and slots.active.generation.id == old.id:
        return slots
    backups = tuple(item for item in slots.backups if item.generation.id != old.id)
    without = replace(slots, backups=backups)
    return take_in(without, old, at=at, backup_count=backup_count)


def revoke(slots: Slots, record: GenerationRecord) -> Slots:
    """Take a generation out of every slot for ever. No backup is promoted: a person decides.

    Where no other slot holds its login, the login is barred with it.
    """
    if record.id in slots.revoked:
        return slots
    after = _without(slots, {record.id})
    still_held = {item.generation.facts.login for item in after.records()}
    return after if record.facts.login in still_held else _barred(after, record.facts.login)


def bar(slots: Slots, record: GenerationRecord) -> Slots:
    """Take whatever holds the generation's login out of every slot for ever."""
    login = record.facts.login
    ids = {
        item.generation.id
        for item in slots.records()
        if item.generation.id == record.id or (login and item.generation.facts.login == login)
    }
    return _barred(_without(slots, {record.id, *ids} - set(slots.revoked)), login)


def _without(slots: Slots, ids: set[GenerationId]) -> Slots:
    def left(item: SlotRecord | None) -> SlotRecord | None:
        return None if item is not None and item.generation.id in ids else item

    return replace(
        slots,
        active=left(slots.active),
        backups=tuple(item for item in slots.backups if left(item)),
        revoked=(*slots.revoked, *sorted(ids)),
        pending=left(slots.pending),
    )


def _barred(slots: Slots, login: str) -> Slots:
    if not login or login in slots.barred:
        return slots
    return replace(slots, barred=(*slots.barred, login))
