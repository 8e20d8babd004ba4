"""Slots: which generation plays which role, and the rules by which that changes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from jarkeeper.errors import InputError, NotFound
from jarkeeper.facts import JarFacts
from jarkeeper.names import GenerationId

_REASON = re.compile(r"[A-Za-z0-9_ .-]{0,64}", re.ASCII)


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

    def records(self) -> tuple[SlotRecord, ...]:
        """Return every slot that holds a generation, the active one first."""
        return self.backups if self.active is None else (self.active, *self.backups)

    def find(self, generation: str) -> SlotRecord | None:
        """Return the slot that holds the generation."""
        return next((item for item in self.records() if item.generation.id == generation), None)

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
    """Return the first usable generation for the role: a dead backup hides no healthy one."""
    return next((item for item in slots.candidates(slot) if item.is_usable(now)), None)


def take_in(slots: Slots, new: GenerationRecord, *, at: datetime, backup_count: int) -> Slots:
    """Make a new generation active and the old active one a backup; what is too many falls out."""
    backups = _stepped_down(slots.active, slots.backups)[:backup_count]
    active = SlotRecord(new, SlotState.HEALTHY, since=at)
    return replace(slots, active=active, backups=backups)


def _stepped_down(
    active: SlotRecord | None, backups: tuple[SlotRecord, ...]
) -> tuple[SlotRecord, ...]:
    """Return the backups with the old active one: the newest, or the last if it is dead.

    So a dead one is not the next choice, and never pushes a healthy one out.
    """
    if active is None:
        return backups
    return (*backups, active) if active.state is SlotState.DEAD else (active, *backups)


def exchange(slots: Slots, old: str, new: GenerationRecord) -> Slots:
    """Put a written-back generation in the place of the one it grew from; the state stays."""
    if slots.find(old) is None:
        raise NotFound(f"generation {old[:8]}: expected it in a slot, it is in none")

    def step(item: SlotRecord) -> SlotRecord:
        return replace(item, generation=new) if item.generation.id == old else item

    active = None if slots.active is None else step(slots.active)
    return replace(slots, active=active, backups=tuple(step(item) for item in slots.backups))


def promote(slots: Slots, *, now: datetime) -> Slots:
    """Make the newest usable backup active; the old active one becomes a backup."""
    chosen = choose(slots, Slot.BACKUP, now=now)
    if chosen is None:
        raise NotFound(
            "backup: none can be used",
            hint="import fresh cookies, or restore an earlier generation",
        )
    others = tuple(item for item in slots.backups if item is not chosen)
    return replace(slots, active=chosen, backups=_stepped_down(slots.active, others))


def restore(slots: Slots, old: GenerationRecord, *, at: datetime, backup_count: int) -> Slots:
    """Make a generation from the history active again."""
    if slots.active is not None and slots.active.generation.id == old.id:
        return slots
    backups = tuple(item for item in slots.backups if item.generation.id != old.id)
    without = replace(slots, backups=backups)
    return take_in(without, old, at=at, backup_count=backup_count)


def revoke(slots: Slots, generation: GenerationId) -> Slots:
    """Take a generation out of every slot for ever. No backup is promoted: a person decides."""
    if generation in slots.revoked:
        return slots
    active = slots.active
    if active is not None and active.generation.id == generation:
        active = None
    backups = tuple(item for item in slots.backups if item.generation.id != generation)
    return Slots(active=active, backups=backups, revoked=(*slots.revoked, generation))


@dataclass(frozen=True, slots=True)
class Mark:
    """A state to give to a generation, checked when it is made."""

    state: SlotState
    at: datetime
    until: datetime | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.state is SlotState.COOLING) != (self.until is not None):
            raise InputError("state: expected an end for 'cooling', and for no other state")
        if _REASON.fullmatch(self.reason) is None:
            raise InputError("reason: expected at most 64 letters, digits, spaces, '_', '.' or '-'")

    def changes(self, item: SlotRecord) -> bool:
        """Whether this says more than is known: a weaker word never hides a stronger one."""
        if self.state is SlotState.HEALTHY or self.state is SlotState.DEAD:
            return item.state is not self.state
        if item.state is SlotState.DEAD:
            return False
        if self.state is SlotState.COOLING:
            return self.until is not None and (item.until is None or self.until > item.until)
        return item.state is not SlotState.SUSPECT and not item.is_cooling(self.at)


def mark(slots: Slots, generation: str, mark: Mark) -> Slots:
    """Change the state of a generation's slot; return the same slots where nothing changes."""
    item = slots.find(generation)
    if item is None:
        raise NotFound(f"generation {generation[:8]}: expected it in a slot, it is in none")
    if not mark.changes(item):
        return slots
    changed = replace(item, state=mark.state, since=mark.at, until=mark.until, reason=mark.reason)
    active = changed if slots.active is item else slots.active
    backups = tuple(changed if other is item else other for other in slots.backups)
    return replace(slots, active=active, backups=backups)
