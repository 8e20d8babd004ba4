"""What follows an examination: its conditions go on record, and who must know is told."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from jarkeeper.alerts import Delivery, Plan, deliver, open_channels, read_plan
from jarkeeper.checks import Severity
from jarkeeper.errors import (
    AuditUnavailable,
    IntegrityError,
    JarkeeperError,
    KeyUnavailable,
    NotInitialised,
    RollbackError,
    SettingsError,
    StoreError,
)
from jarkeeper.incidents import Cause, Changes, Condition, Incident, Journal, Scope, scope_of
from jarkeeper.settings import Settings
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_journal, utc_now
from jarkeeper.words import printable

LOG = logging.getLogger("jarkeeper.incidents")

KEPT_HERE = scope_of((Cause.STORE, Cause.INTEGRITY, Cause.ROLLBACK), "")
"""What can keep a vault from being opened, so that its own journal cannot tell."""
LOCKED_OUT = (StoreError, IntegrityError, KeyUnavailable, AuditUnavailable, NotInitialised)
"""What says that the vault cannot be used, and not that there is something wrong with a jar."""

DOCTOR = "run `jarkeeper doctor`, which says what is wrong with the place"


@dataclass(frozen=True, slots=True)
class Report:
    """What an examination changed, what was sent, and what failed on the way, in sentences."""

    changes: Changes = field(default_factory=Changes)
    delivery: Delivery = field(default_factory=Delivery)
    warnings: tuple[str, ...] = ()

    def __add__(self, other: Report) -> Report:
        return Report(
            self.changes + other.changes,
            self.delivery + other.delivery,
            self.warnings + other.warnings,
        )


def report(
    settings: Settings, vault: Vault | None, conditions: Iterable[Condition], *, scope: Scope
) -> Report:
    """Put the conditions on record, close what is over, and tell who is due to be told.

    Without a vault, because it cannot be opened, what keeps it from that is kept in the state
    directory, and closes with the first examination that has the vault again; what else was found
    is put off until then. With a vault, what its journal cannot take is told from the state
    directory under its own cause, so that one trouble hides no other. Never raises a failure:
    nobody's being told must not end an examination.
    """
    done = _report(settings, vault, tuple(conditions), scope=scope)
    if settings.metrics:
        _measure(settings, vault, done.changes, {jar for _, jar in scope if jar})
    return done


def lock_out(error: JarkeeperError) -> Condition:
    """Return what to report without a vault where one of `LOCKED_OUT` keeps it from being used."""
    cause = Cause.STORE
    if isinstance(error, RollbackError):
        cause = Cause.ROLLBACK
    elif isinstance(error, IntegrityError):
        cause = Cause.INTEGRITY
    return Condition(
        cause=cause,
        jar="",
        severity=Severity.CRITICAL,
        message=f"the vault cannot be used: {error.message}",
        done="",
        next_step=error.hint or DOCTOR,
    )


def _report(
    settings: Settings, vault: Vault | None, found: tuple[Condition, ...], *, scope: Scope
) -> Report:
    plan, warnings = _plan(settings)
    if vault is None:
        ours = tuple(item for item in found if (item.cause, item.jar) in KEPT_HERE)
        later = _put_off(item for item in found if item not in ours)
        return Report(warnings=(*warnings, *later)) + _kept_here(settings, ours, KEPT_HERE, plan)
    done, left = Report(), found
    try:
        done = _examined(open_journal(settings, vault), found, scope, plan, settings)
        left = done.changes.unwritten
        trouble = tuple(map(_unwritable, (item.message for item in left[:1])))
    except JarkeeperError as error:
        trouble = (_unwritable(error.message, error.hint),)
    here = _told_here(settings, found, left)
    return (
        Report(warnings=warnings)
        + done
        + _kept_here(settings, (*here, *trouble), scope | KEPT_HERE, plan)
    )


def _told_here(
    settings: Settings, found: tuple[Condition, ...], left: tuple[Condition, ...]
) -> tuple[Condition, ...]:
    """Return what the state directory has to tell: what the vault's journal could not take now.

    What is open here stays so while it is found, though the vault's has it by now: its end is
    told from here too, and must be true.
    """
    missing = {(item.cause, item.jar): item for item in left}
    try:
        going_on = {(one.cause, one.jar) for one in open_journal(settings, None).open()}
    except JarkeeperError:
        going_on = set()
    kept = (item for item in found if (item.cause, item.jar) in going_on - missing.keys())
    return (*missing.values(), *kept)


def _measure(
    settings: Settings, vault: Vault | None, changes: Changes, jars: Iterable[str]
) -> None:
    from jarkeeper.metrics.measure import Measurement, examined, incident_opened, incidents_open
    from jarkeeper.metrics.record import record

    def severities() -> Iterator[str]:
        for place in (None, vault) if vault else (None,):
            yield from (incident.severity for incident in open_journal(settings, place).open())

    def ages_and_states() -> Iterator[Measurement]:
        heads = [vault.status(jar) for jar in sorted(jars)] if vault else ()
        for head in filter(None, heads):
            yield from examined(head, utc_now())

    opened = (incident_opened(one.jar, cause=one.cause) for one in changes.opened)
    with suppress(JarkeeperError):  # a store that gives no answer is told by the report itself
        record(settings.metrics, opened)
        record(settings.metrics, incidents_open(severities()))
        record(settings.metrics, ages_and_states())


def _put_off(later: Iterable[Condition]) -> tuple[str, ...]:
    told = tuple(
        f"{item.cause}: not on record until the vault can be used, {item.message}" for item in later
    )
    for sentence in told:
        LOG.warning("%s", sentence)
    return told


def _kept_here(
    settings: Settings, found: tuple[Condition, ...], scope: Scope, plan: Plan
) -> Report:
    """Reconcile what the state directory has on record; what is in scope and not found is over."""
    try:
        done = _examined(open_journal(settings, None), found, scope, plan, settings)
    except JarkeeperError as error:
        done = Report(warnings=(f"incidents cannot be put on record: {error.message}",))
    for sentence in done.warnings:
        LOG.warning("%s", sentence)
    return done


def _examined(
    journal: Journal,
    conditions: tuple[Condition, ...],
    scope: Scope,
    plan: Plan,
    settings: Settings,
) -> Report:
    tampered = tuple(_tampered(journal.look().damage))
    scope |= frozenset((item.cause, item.jar) for item in tampered)
    changes = journal.reconcile((*tampered, *conditions), scope=scope)
    for word in ("opened", "escalated", "closed"):
        for incident in getattr(changes, word):
            LOG.log(_level(word, incident), "incident %s: %s", word, _line(incident))
    channels = open_channels(plan, settings)
    delivery = deliver(journal, plan, channels, place=settings.place, now=utc_now())
    unwritten = (f"{item.cause}, {_about(item)}: {item.message}" for item in changes.unwritten)
    return Report(changes, delivery, (*changes.warnings, *unwritten))


def _tampered(damage: tuple[str, ...]) -> Iterator[Condition]:
    if damage:
        more = f", and {len(damage) - 1} more" if damage[1:] else ""
        yield Condition(
            cause=Cause.INTEGRITY,
            jar="",
            severity=Severity.CRITICAL,
            message=damage[0] + more,
            done="passed it over, and told what it may have hidden anew",
            next_step="run `jarkeeper check`, find out who put it there, and remove it",
        )


def _unwritable(message: str, hint: str | None = None) -> Condition:
    return Condition(
        cause=Cause.STORE,
        jar="",
        severity=Severity.CRITICAL,
        message=f"incidents cannot be put on record: {message}",
        done="kept this one in the state directory",
        next_step=hint or DOCTOR,
    )


def _plan(settings: Settings) -> tuple[Plan, tuple[str, ...]]:
    try:
        return read_plan(settings), ()
    except SettingsError as error:
        return Plan(), tuple(f"nobody is told: {mistake}" for mistake in error.mistakes)


def _level(word: str, incident: Incident) -> int:
    if word == "closed":
        return logging.INFO
    return logging.ERROR if incident.severity is Severity.CRITICAL else logging.WARNING


def _line(incident: Incident) -> str:
    about = _about(incident)
    return printable(f"{incident.severity} {incident.cause}, {about}: {incident.message}")


def _about(of: Condition | Incident) -> str:
    return f"jar '{of.jar}'" if of.jar else "the vault"
