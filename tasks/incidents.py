"""The seam to incidents: what an examination saw goes on record, and becomes events in Prefect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect import get_run_logger, task
from prefect.events import emit_event

from jarkeeper.checks import Severity
from jarkeeper.errors import JarkeeperError
from jarkeeper.incidents import Incident
from jarkeeper.lifecycle.soundness import Seen
from jarkeeper.vault import Vault
from jarkeeper.watch import KEPT_HERE, Report, lock_out
from jarkeeper.watch import report as put_on_record
from jarkeeper.words import printable
from tasks.opening import Opening
from tasks.options import IN_PROCESS

VAULT = "jarkeeper.vault"


@dataclass(frozen=True, slots=True)
class Settled:
    """What changed among the incidents, in sentences."""

    opened: tuple[str, ...] = ()
    escalated: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __add__(self, other: Settled) -> Settled:
        return Settled(
            self.opened + other.opened,
            self.escalated + other.escalated,
            self.closed + other.closed,
            self.warnings + other.warnings,
        )


@task(name="settle", task_run_name="put incidents on record", **IN_PROCESS)
def settle(opening: Opening, vault: Vault | None, seen: Seen) -> Settled:
    """Open, update and close incidents, and tell those who must know.

    Args:
        opening: The settings in force.
        vault: The vault, or nothing where it cannot be opened.
        seen: What was found, and what was looked at.
    """
    report = put_on_record(opening.settings, vault, seen.conditions, scope=seen.scope)
    log = get_run_logger()
    for warning in report.warnings:
        log.warning("%s", printable(warning))
    return _told(report)


def settle_failure(opening: Opening, error: JarkeeperError) -> Settled:
    """Put on record that the vault cannot be used: what keeps incidents is out of reach."""
    told: Settled = settle(opening, None, Seen((lock_out(error),), KEPT_HERE))
    return told


def emit(
    event: str, jar: str = "", *, labels: Mapping[str, str] | None = None, **payload: Any
) -> None:
    """Tell Prefect's event feed, by which automations go: they match labels, never payloads."""
    resource = {
        "prefect.resource.id": resource_of(jar),
        "prefect.resource.name": jar or "vault",
        **(labels or {}),
    }
    emit_event(event, resource=resource, payload={"jar": jar, **payload})


def resource_of(jar: str) -> str:
    """Return how events call a jar, or the vault."""
    return f"jarkeeper.jar.{jar}" if jar else VAULT


def _told(report: Report) -> Settled:
    words: dict[str, tuple[str, ...]] = {}
    log = get_run_logger()
    for word in ("opened", "escalated", "closed"):
        incidents: tuple[Incident, ...] = getattr(report.changes, word)
        for incident in incidents:
            _emit(word, incident)
            grave = word != "closed" and incident.severity is Severity.CRITICAL
            (log.error if grave else log.warning)("incident %s: %s", word, sentence_of(incident))
        words[word] = tuple(sentence_of(incident) for incident in incidents)
    return Settled(**words, warnings=tuple(map(printable, report.warnings)))


def sentence_of(incident: Incident) -> str:
    """Return an incident in one line."""
    return printable(
        f"{incident.severity} {incident.cause} of {incident.jar or 'the vault'}: {incident.message}"
    )


def _emit(word: str, incident: Incident) -> None:
    emit(
        f"jarkeeper.incident.{word}",
        incident.jar,
        labels={"jarkeeper.severity": incident.severity.value, "jarkeeper.cause": incident.cause},
        cause=incident.cause.value,
        severity=incident.severity.value,
        message=printable(incident.message),
        done=printable(incident.done),
        next_step=printable(incident.next_step),
        incident=incident.id,
    )
