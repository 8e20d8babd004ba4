"""Rotation in four steps, as AWS Secrets Manager has them: create, test, switch, finish.

Each step looks at what is there and does what is missing, so a rotation that was killed anywhere
goes on where it was: a staged jar lies sealed in the vault, and the file that it came from goes
once it does. Where nobody dropped an export and the active cookies cannot be used, the backup that
was tested takes their place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from jarkeeper.errors import ConfirmationNeeded, InputError
from jarkeeper.heads import Head
from jarkeeper.health import is_lost
from jarkeeper.lifecycle.drop import Drop
from jarkeeper.lifecycle.validation import Asker, existing_head, may_be_asked
from jarkeeper.slots import SlotRecord, SlotState
from jarkeeper.vault import Vault

STALE = "run `jarkeeper import cookies.txt` with a fresh export"


class Step(StrEnum):
    """How far a rotation came."""

    NOTHING = "nothing"
    """There was nothing to rotate to, or no reason."""
    REFUSED = "refused"
    """What was dropped cannot be used; it stays where it is."""
    STAGED = "staged"
    """Stored aside; its test has not gone well yet."""
    ROTATED = "rotated"
    PROMOTED = "promoted"


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did, and what a person should know of it."""

    jar: str
    step: Step
    generation: str = ""
    note: str = ""
    next_step: str = ""
    is_dead: bool = False
    """Whether what is staged certainly does not work."""


def rotate(vault: Vault, jar: str, asker: Asker, drop: Drop | None) -> Rotation:
    """Take in what was dropped; promote a tested backup where the active one is no use still."""
    created = create(vault, jar, drop)
    switched = switch(vault, jar, test(vault, jar, asker))
    if switched.step is Step.ROTATED:
        return switched
    # What was left and cannot be used may lie there for days: it must not hold up the backup.
    stuck = created if created.step is Step.REFUSED else switched
    promoted = fail_over(vault, jar, asker)
    if stuck.step is Step.NOTHING:
        return promoted
    if promoted.step is not Step.PROMOTED:
        return stuck
    note = "; ".join(filter(None, (promoted.note, stuck.note)))
    return replace(promoted, note=note, next_step=stuck.next_step)


def create(vault: Vault, jar: str, drop: Drop | None) -> Rotation:
    """Stage what was dropped for the jar, and remove it from the drop once the vault has it."""
    found = None if drop is None else drop.find(jar)
    if drop is None or found is None:
        return Rotation(jar, Step.NOTHING)
    try:
        content = drop.read(found)
        receipt = vault.stage(jar, content)
    except InputError as error:
        hint = "look at it, then run `jarkeeper import` with it, or remove it"
        if isinstance(error, ConfirmationNeeded):
            hint = "if it is meant, run `jarkeeper import --yes` with it; else remove it"
        return Rotation(jar, Step.REFUSED, note=f"'{found}': {error.message}", next_step=hint)
    drop.remove(found, content)
    return Rotation(jar, Step.STAGED, receipt.generation or "")


def test(vault: Vault, jar: str, asker: Asker) -> Rotation:
    """Ask YouTube about the staged jar, unless that was done or it is known to be dead."""
    head = vault.status(jar)
    pending = None if head is None else head.slots.pending
    if pending is None:
        return Rotation(jar, Step.NOTHING)
    staged = Rotation(jar, Step.STAGED, pending.generation.id)
    if pending.state is SlotState.DEAD:
        return replace(staged, note="they do not work", next_step=STALE, is_dead=True)
    if pending.state is SlotState.HEALTHY:
        return staged
    answer = asker.probe(pending.generation.id)
    if answer.alive:
        return replace(staged, generation=answer.generation)
    note = "YouTube takes the staged cookies for a visitor's; they are tested again"
    if answer.alive is None:
        note = f"the staged cookies could not be tested, {answer.detail}"
    return replace(staged, note=note, next_step="nothing to do: the next rotation tests again")


def switch(vault: Vault, jar: str, tested: Rotation) -> Rotation:
    """Make the staged jar active, if its test went well and it is of the same account."""
    head = vault.status(jar)
    pending = None if head is None else head.slots.pending
    if pending is None or pending.state is not SlotState.HEALTHY:
        return tested
    try:
        receipt = vault.rotate(jar)
    except ConfirmationNeeded as error:
        hint = error.hint or STALE
        return Rotation(jar, Step.REFUSED, pending.generation.id, error.message, hint)
    return Rotation(jar, Step.ROTATED, receipt.generation or "", "the tested cookies are active")


def fail_over(vault: Vault, jar: str, asker: Asker) -> Rotation:
    """Promote the first backup that passes a test, where the active cookies are no use."""
    head = existing_head(vault, jar)
    if not is_lost(head, now=vault.ports.clock()):
        return Rotation(jar, Step.NOTHING)
    generation = tested_backup(vault, jar, asker)
    if generation is None:
        note = "the active cookies are no use, and no backup passed a test"
        return Rotation(jar, Step.NOTHING, note=note, next_step=STALE)
    vault.promote(jar, generation)
    note = "the active cookies are no use, and a backup that was tested took their place"
    return Rotation(jar, Step.PROMOTED, generation, note)


def tested_backup(vault: Vault, jar: str, asker: Asker) -> str | None:
    """Return the newest backup by which YouTube says that somebody is logged in, if any."""
    head = existing_head(vault, jar)
    asked = (asker.probe(item.generation.id) for item in candidates(head, now=vault.ports.clock()))
    return next((answer.generation for answer in asked if answer.alive), None)


def candidates(head: Head, *, now: datetime) -> tuple[SlotRecord, ...]:
    """Return the backups that may be asked about, the newest first."""
    return tuple(item for item in head.backups if may_be_asked(item, now=now))
