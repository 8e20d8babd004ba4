"""What of a jar's newest head somebody should know: conditions, and what was looked at. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jarkeeper.audit.patterns import Pattern
from jarkeeper.checks import IMPORT, Finding, Severity
from jarkeeper.heads import Head
from jarkeeper.health import SlotHealth, examine
from jarkeeper.incidents import Cause, Condition, Scope, scope_of
from jarkeeper.lifecycle.lifetime import expected_days, lives_by_generation
from jarkeeper.lifecycle.validation import may_be_asked
from jarkeeper.settings import Settings
from jarkeeper.states import CONFIRM_AFTER

SOUNDNESS = (Cause.STORE, Cause.INTEGRITY, Cause.ROLLBACK, Cause.AUDIT_GAP, Cause.HEALTH)
"""What an examination of the whole vault and its machine looks at."""
OF_VAULT = {
    "store": Cause.STORE,
    "audit-unavailable": Cause.STORE,
    "rolled-back": Cause.ROLLBACK,
    "log": Cause.INTEGRITY,
    "generation": Cause.INTEGRITY,
    "past-generation": Cause.INTEGRITY,
    "stranger": Cause.INTEGRITY,
}
"""Code of a finding on the vault → cause; `audit-…` is a gap, every other one the health's."""
CAUSES = (
    Cause.SESSION_DEAD,
    Cause.SESSION_SUSPECT,
    Cause.YOUTUBE_PAUSE,
    Cause.EXPIRY,
    Cause.LIFETIME,
    Cause.NO_BACKUP,
    Cause.BACKUP_UNTESTED,
)
OF_ACTIVE = {
    "no-active": Cause.SESSION_DEAD,
    "dead": Cause.SESSION_DEAD,
    "expired": Cause.SESSION_DEAD,
    "signed-out": Cause.SESSION_DEAD,
    "not-authenticated": Cause.SESSION_DEAD,
    "suspect": Cause.SESSION_SUSPECT,
    "cooling": Cause.YOUTUBE_PAUSE,
    "expires-soon": Cause.EXPIRY,
}
"""Code of a finding on the active slot → cause."""
DONE = {
    Cause.SESSION_DEAD: "puts off the downloads that need it; a backup that works takes over",
    Cause.SESSION_SUSPECT: "asks YouTube again with the next validation",
    Cause.YOUTUBE_PAUSE: "lets the cookies rest, and uses them again afterwards",
}
LIFETIME_PERCENT = 80
"""Of the life that earlier logins had: then it is time for fresh cookies, not yet an emergency."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an examination found, and which causes of which jar it looked at."""

    conditions: tuple[Condition, ...] = ()
    scope: Scope = frozenset()

    def __add__(self, other: Seen) -> Seen:
        return Seen(self.conditions + other.conditions, self.scope | other.scope)


def conditions_of(
    head: Head, *, now: datetime, settings: Settings, history: Sequence[Head] = (), done: str = ""
) -> Seen:
    """Return what somebody should know of the jar; `done` is what was just done about it.

    Without its history, nothing is said of its expected life, nor was it looked at.
    """
    active = examine(head, now=now, settings=settings)[0]
    found = (
        *_active(head, active, now, done),
        *_backups(head, now),
        *_lifetime(head, history, now),
    )
    causes = [cause for cause in CAUSES if history or cause is not Cause.LIFETIME]
    return Seen(tuple(found), scope_of(causes, head.jar))


def conditions_in(findings: Iterable[Finding]) -> Seen:
    """Return what somebody should know of the vault and its machine: one condition per cause."""
    by_cause: dict[Cause, list[Finding]] = {}
    for finding in findings:
        if finding.severity is not Severity.OK:
            by_cause.setdefault(cause_of(finding), []).append(finding)
    found = (_summed(cause, items) for cause, items in by_cause.items())
    return Seen(tuple(found), scope_of(SOUNDNESS, ""))


def conditions_of_patterns(patterns: Iterable[Pattern]) -> Seen:
    """Return what the audit trail shows; a pattern that is well closes what was open of it."""
    known = tuple(patterns)
    found = tuple(
        _condition(pattern.jar, Cause(pattern.finding.code), pattern.finding, "")
        for pattern in known
        if pattern.finding.severity is not Severity.OK
    )
    return Seen(found, frozenset((Cause(item.finding.code), item.jar) for item in known))


def cause_of(finding: Finding) -> Cause:
    """Return the cause that a finding on the vault or its machine belongs to."""
    if finding.code.startswith("audit-") and finding.code not in OF_VAULT:
        return Cause.AUDIT_GAP
    return OF_VAULT.get(finding.code, Cause.HEALTH)


def _summed(cause: Cause, findings: list[Finding]) -> Condition:
    worst = min(findings, key=lambda item: item.severity is not Severity.CRITICAL)
    more = len(findings) - 1
    message = f"{worst.message}, and {more} more" if more else worst.message
    return _condition("", cause, replace(worst, message=message), "")


def _active(head: Head, active: SlotHealth, now: datetime, done: str) -> Iterator[Condition]:
    told: set[Cause] = set()
    for finding in active.findings:
        cause = OF_ACTIVE.get(finding.code)
        if cause is None or finding.severity is Severity.OK or cause in told:
            continue
        if cause is Cause.SESSION_SUSPECT and not _is_confirmed(active, now):
            continue  # nobody is alerted for one answer
        told.add(cause)
        yield _condition(head.jar, cause, finding, done or DONE.get(cause, ""))


def _is_confirmed(active: SlotHealth, now: datetime) -> bool:
    return active.record is not None and now - active.record.since >= CONFIRM_AFTER


def _backups(head: Head, now: datetime) -> Iterator[Condition]:
    usable = [item for item in head.backups if may_be_asked(item, now=now)]
    if not usable:
        message = "there is no backup that could take over"
        step = "import a second login's cookies: the active ones become the backup"
        finding = Finding("no-backup", Severity.WARNING, message, step)
        yield _condition(head.jar, Cause.NO_BACKUP, finding, "")
    elif all(item.tested_at is None for item in usable):
        message = "no backup was tested: whether one could take over is not known"
        finding = Finding("untested", Severity.WARNING, message, "run `jarkeeper validate`")
        yield _condition(head.jar, Cause.BACKUP_UNTESTED, finding, "tests it with each validation")


def _lifetime(head: Head, history: Sequence[Head], now: datetime) -> Iterator[Condition]:
    if not history or head.active is None or not may_be_asked(head.active, now=now):
        return
    lives = lives_by_generation(history)
    expected, life = expected_days(tuple(lives.values())), lives.get(head.active.generation.id)
    if expected is None or life is None:
        return
    age = (now - life.began) / timedelta(days=1)
    if age * 100 < expected * LIFETIME_PERCENT:
        return
    message = f"the login is {age:.0f} days old, and earlier ones lived about {expected:.0f}"
    finding = Finding("lifetime", Severity.WARNING, message, IMPORT)
    yield _condition(head.jar, Cause.LIFETIME, finding, "")


def _condition(jar: str, cause: Cause, finding: Finding, done: str) -> Condition:
    return Condition(
        cause=cause,
        jar=jar,
        severity=finding.severity,
        message=finding.message,
        done=done,
        next_step=finding.next_step,
    )
