"""What follows an examination: its conditions go on record, and who must know is told."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jarkeeper.alerts import Delivery, Plan, deliver, open_channels, read_plan
from jarkeeper.checks import Severity
from jarkeeper.errors import JarkeeperError, SettingsError
from jarkeeper.incidents import Cause, Changes, Condition, Incident, Journal, Scope, scope_of
from jarkeeper.settings import Settings
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_journal, utc_now
from jarkeeper.words import printable

LOG = logging.getLogger("jarkeeper.incidents")

KEPT_HERE = scope_of((Cause.STORE, Cause.INTEGRITY, Cause.ROLLBACK), "")
"""What can keep a vault from being opened, so that its own journal cannot tell."""
LOCK_OUT = "check the place and its key: `jarkeeper doctor` says which of them is wrong"


@dataclass(frozen=True, slots=True)
class Report:
    """What an examination changed, what was sent, and what failed on the way, in sentences."""

    changes: Changes
    delivery: Delivery
    warnings: tuple[str, ...] = ()


def report(
    settings: Settings, vault: Vault | None, conditions: Iterable[Condition], *, scope: Scope
) -> Report:
    """Put the conditions on record, close what is over, and tell who is due to be told.

    Without a vault, because it cannot be opened, incidents are kept in the state directory; they
    close with the first examination that has the vault again. Never raises a failure: what an
    examination found must not be lost because nobody could be told.
    """
    done = _report(settings, vault, conditions, scope=scope)
    if settings.metrics:
        _measure(settings, vault, done.changes)
    return done


def _report(
    settings: Settings, vault: Vault | None, conditions: Iterable[Condition], *, scope: Scope
) -> Report:
    found = tuple(conditions)
    plan, warnings = _plan(settings)
    here = open_journal(settings, None)
    if vault is None:
        return _reported(here, found, scope | KEPT_HERE, plan, settings, warnings)
    journal = open_journal(settings, vault)
    try:
        done = _examined(journal, found, scope)
    except JarkeeperError as error:
        lost = Condition(
            cause=Cause.STORE,
            jar="",
            severity=Severity.CRITICAL,
            message=f"incidents cannot be put on record: {error.message}",
            done="kept them in the state directory",
            next_step=error.hint or LOCK_OUT,
        )
        seen = (*found, lost)
        return _reported(here, seen, scope | KEPT_HERE, plan, settings, warnings)
    delivery = _delivered(journal, plan, settings)
    rest = _reported(here, (), _here_too(here), plan, settings, warnings)
    changes = done
    if rest.changes.closed:
        changes = Changes(
            done.opened,
            done.updated,
            done.escalated,
            done.closed + rest.changes.closed,
            done.warnings + rest.changes.warnings,
        )
    return Report(changes, delivery + rest.delivery, rest.warnings)


def _measure(settings: Settings, vault: Vault | None, changes: Changes) -> None:
    from jarkeeper.metrics.measure import incident_opened, incidents_open
    from jarkeeper.metrics.record import record

    def severities() -> Iterator[str]:
        for place in (None, vault) if vault else (None,):
            yield from (incident.severity for incident in open_journal(settings, place).open())

    opened = (incident_opened(one.jar, cause=one.cause) for one in changes.opened)
    record(settings.metrics, opened)
    record(settings.metrics, incidents_open(severities()))


def _reported(
    journal: Journal,
    conditions: tuple[Condition, ...],
    scope: Scope,
    plan: Plan,
    settings: Settings,
    warnings: tuple[str, ...],
) -> Report:
    try:
        changes = _examined(journal, conditions, scope)
    except JarkeeperError as error:
        LOG.error("incidents cannot be put on record: %s", error.message)  # noqa: TRY400 - a sentence, no traceback
        return Report(Changes(), Delivery(), (*warnings, error.message))
    return Report(changes, _delivered(journal, plan, settings), warnings)


def _examined(journal: Journal, conditions: tuple[Condition, ...], scope: Scope) -> Changes:
    changes = journal.reconcile(conditions, scope=scope)
    for word in ("opened", "escalated", "closed"):
        for incident in getattr(changes, word):
            LOG.log(_level(word, incident), "incident %s: %s", word, _line(incident))
    return changes


def _delivered(journal: Journal, plan: Plan, settings: Settings) -> Delivery:
    channels = open_channels(plan, settings)
    return deliver(journal, plan, channels, place=settings.place, now=utc_now())


def _here_too(here: Journal) -> Scope:
    """Return the scope of everything that is kept here and goes on: the vault has it now."""
    try:
        return frozenset((incident.cause, incident.jar) for incident in here.open())
    except JarkeeperError:
        return KEPT_HERE


def _plan(settings: Settings) -> tuple[Plan, tuple[str, ...]]:
    try:
        return read_plan(settings), ()
    except SettingsError as error:
        for mistake in error.mistakes:
            LOG.error("alerts: nobody is told, %s", mistake)  # noqa: TRY400 - a sentence, no traceback
        return Plan(), error.mistakes


def _level(word: str, incident: Incident) -> int:
    if word == "closed":
        return logging.INFO
    return logging.ERROR if incident.severity is Severity.CRITICAL else logging.WARNING


def _line(incident: Incident) -> str:
    about = f"jar '{incident.jar}'" if incident.jar else "vault"
    return printable(f"{incident.severity} {incident.cause}, {about}: {incident.message}")
