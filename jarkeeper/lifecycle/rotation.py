"""Rotation in four steps, as AWS Secrets Manager has them: create, test, switch, finish.

Each step looks at what is there and does what is missing, so a rotation that was killed anywhere
goes on where it was: a staged jar lies sealed in the vault, and the file that it came from goes
once it does. Where nobody dropped an export and the active cookies cannot be used, the backup that
was tested takes their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from jarkeeper.errors import ConfirmationNeeded, InputError, JarkeeperError, NotFound
from jarkeeper.heads import Head
from jarkeeper.health import is_lost
from jarkeeper.lifecycle.drop import Drop
from jarkeeper.lifecycle.validation import Asker, existing_head, may_be_asked
from jarkeeper.slots import SlotRecord, SlotState
from jarkeeper.vault import Vault
from jarkeeper.youtube.messages import Answered

OVERTAKEN = "the cookies changed while they were tested, nothing was put in their place"
STALE = "run `jarkeeper import cookies.txt` with a fresh export"
LOOK = "look at it, then run `jarkeeper import` with it, or remove it"


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
    is_stuck: bool = False
    """Whether somebody must see to what was left: no later rotation gets on with it by itself."""


def rotate(
    vault: Vault, jar: str, asker: Asker, drop: Drop | None, *, confirmed: bool = False
) -> Rotation:
    """Take in what was dropped; promote a tested backup where the active one is no use still.

    What was left and cannot be used may lie there for days: it holds up neither what is staged nor
    the backup, and is told beside what was done.
    """
    created = create(vault, jar, drop)
    done = switch(vault, jar, test(vault, jar, asker), confirmed=confirmed)
    if done.step is not Step.ROTATED:
        promoted = fail_over(vault, jar, asker)
        done = beside(promoted, done) if promoted.step is Step.PROMOTED else beside(done, promoted)
    return beside(done, created)


def beside(done: Rotation, other: Rotation) -> Rotation:
    """Return what was done with what else is to be told."""
    if done.step is Step.NOTHING or (other.is_stuck and done.step is Step.STAGED):
        done, other = other, done
    if not other.note or other.note == done.note:
        return done
    return replace(
        done,
        note="; ".join(filter(None, (done.note, other.note))),
        next_step=done.next_step or other.next_step,
        is_stuck=done.is_stuck or other.is_stuck,
    )


def create(vault: Vault, jar: str, drop: Drop | None) -> Rotation:
    """Stage the first export dropped for the jar that can be used; remove it once the vault has it.

    What the drop does not give out is told as what cannot be used: it holds up nothing either.
    """
    done = Rotation(jar, Step.NOTHING)
    if drop is None:
        return done
    try:
        names = drop.find(jar)
    except JarkeeperError as error:
        return _refused(jar, error.message, error.hint or "make the drop readable")
    for name in names:
        taken = _taken_in(vault, jar, drop, name)
        done = beside(taken, done)
        if taken.step is Step.STAGED:
            break
    return done


def _taken_in(vault: Vault, jar: str, drop: Drop, name: str) -> Rotation:
    try:
        content = drop.read(name)
    except NotFound:  # another rotation was faster
        return Rotation(jar, Step.NOTHING)
    except JarkeeperError as error:
        return _refused(jar, f"'{name}': {error.message}", error.hint or LOOK)
    try:
        receipt = vault.stage(jar, content)
    except InputError as error:
        hint = LOOK
        if isinstance(error, ConfirmationNeeded):
            hint = "if it is meant, run `jarkeeper import --yes` with it; else remove it"
        return _refused(jar, f"'{name}': {error.message}", hint)
    except NotFound:  # there is no such jar any more
        return Rotation(jar, Step.NOTHING)
    staged = Rotation(jar, Step.STAGED, receipt.generation or "")
    if _pending_id(vault, jar) != receipt.generation:
        note = f"'{name}' is not needed: the vault holds these cookies, or no older ones"
        staged = Rotation(jar, Step.NOTHING, note=note)
    try:
        drop.remove(name, content)
    except JarkeeperError as error:
        note = f"'{name}' is taken in, but lies there in clear: {error.message}"
        return replace(staged, note=note, next_step="remove it yourself", is_stuck=True)
    return staged


def _refused(jar: str, note: str, next_step: str) -> Rotation:
    return Rotation(jar, Step.REFUSED, "", note, next_step, is_stuck=True)


def test(vault: Vault, jar: str, asker: Asker) -> Rotation:
    """Ask YouTube about the staged jar, unless that was done, or it is dead, or its login rests."""
    head = vault.status(jar)
    pending = None if head is None else head.slots.pending
    if pending is None:
        return Rotation(jar, Step.NOTHING)
    staged = Rotation(jar, Step.STAGED, pending.generation.id)
    known = _known_of(pending, staged, now=vault.ports.clock())
    if known is not None:
        return known
    answer = asker.probe(pending.generation.id)
    if answer.alive:
        return replace(staged, generation=answer.generation)
    if answer.withheld:
        note = f"they cannot be opened: {answer.detail}"
        return replace(staged, note=note, next_step=STALE, is_stuck=True)
    note = "YouTube takes the staged cookies for a visitor's; they are tested again"
    if answer.alive is None:
        note = f"the staged cookies could not be tested, {answer.detail}"
    return replace(staged, note=note, next_step="nothing to do: the next rotation tests again")


def _known_of(pending: SlotRecord, staged: Rotation, *, now: datetime) -> Rotation | None:
    """Return what is known of the staged jar without asking YouTube, None where it must be."""
    if pending.state is SlotState.DEAD:
        return replace(staged, note="they do not work", next_step=STALE, is_stuck=True)
    if pending.is_cooling(now):
        note = "they are of the login that rests, and are tested when its pause is over"
        return replace(staged, note=note, next_step="nothing to do: a later rotation tests them")
    return staged if pending.state is SlotState.HEALTHY else None


def switch(vault: Vault, jar: str, tested: Rotation, *, confirmed: bool = False) -> Rotation:
    """Make the staged jar active, if its test went well and it is of the same account."""
    head = vault.status(jar)
    pending = None if head is None else head.slots.pending
    if pending is None or pending.state is not SlotState.HEALTHY:
        return tested
    try:
        receipt = vault.rotate(jar, confirmed=confirmed)
    except NotFound:  # an import overtook what was staged
        return Rotation(jar, Step.NOTHING, note=OVERTAKEN)
    except ConfirmationNeeded as error:
        hint = error.hint or STALE
        generation = pending.generation.id
        return Rotation(jar, Step.REFUSED, generation, error.message, hint, is_stuck=True)
    return Rotation(jar, Step.ROTATED, receipt.generation or "", "the tested cookies are active")


def _pending_id(vault: Vault, jar: str) -> str | None:
    pending = existing_head(vault, jar).slots.pending
    return None if pending is None else pending.generation.id


def fail_over(vault: Vault, jar: str, asker: Asker) -> Rotation:
    """Promote the first backup that passes a test, where the active cookies are no use.

    A backup of another account takes over as well: somebody said yes to it when it came in, and
    its account is told. What others made active while YouTube was asked stays.
    """
    before = existing_head(vault, jar)
    if before.active is None or not is_lost(before, now=vault.ports.clock()):
        return Rotation(jar, Step.NOTHING)  # where it was revoked, a person decides
    answers = ask_backups(vault, jar, asker)
    generation = passed(answers)
    if existing_head(vault, jar).active != before.active:
        return Rotation(jar, Step.NOTHING, note=OVERTAKEN)
    if generation is None:
        note = f"the active cookies are no use, and {why_none(answers)}"
        return Rotation(jar, Step.NOTHING, note=note, next_step=STALE)
    try:
        vault.promote(jar, generation, over=before.active)
    except NotFound:  # an operator was faster, or another process
        return Rotation(jar, Step.NOTHING, note=OVERTAKEN)
    return Rotation(jar, Step.PROMOTED, generation, _told(before, existing_head(vault, jar)))


def _told(before: Head, after: Head) -> str:
    items = (before.active, after.active)
    known = {item.generation.facts.account for item in items if item is not None} - {""}
    whose = ", another account's," if len(known) == len(items) else ""
    return f"the active cookies are no use, and a backup{whose} that was tested took their place"


def ask_backups(vault: Vault, jar: str, asker: Asker) -> tuple[Answered, ...]:
    """Return what YouTube says of the backups, up to the newest by which somebody is logged in."""
    answers = []
    for item in candidates(existing_head(vault, jar), now=vault.ports.clock()):
        answers.append(asker.probe(item.generation.id))
        if answers[-1].alive:
            break
    return tuple(answers)


def passed(answers: Sequence[Answered]) -> str | None:
    """Return the generation by which somebody is logged in, if any."""
    return next((answer.generation for answer in answers if answer.alive), None)


def why_none(answers: Sequence[Answered]) -> str:
    """Say why no backup passed: none is there, nobody answered, or they failed."""
    if not answers:
        return "there is no backup that can be tested"
    silent = [one for one in answers if one.alive is None and not one.withheld]
    if silent:
        return f"YouTube gave no answer about the backups, {silent[0].detail}"
    return "no backup passed a test"


def candidates(head: Head, *, now: datetime) -> tuple[SlotRecord, ...]:
    """Return the backups that may be asked about, the newest first."""
    return tuple(item for item in head.backups if may_be_asked(item, now=now))
