"""What somebody should know of a vault and its trail: findings and patterns as conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from jarkeeper.audit.patterns import Pattern
from jarkeeper.checks import Finding, Severity
from jarkeeper.incidents import Cause, Condition, Scope, scope_of

SOUNDNESS = (Cause.STORE, Cause.INTEGRITY, Cause.ROLLBACK, Cause.AUDIT_GAP, Cause.HEALTH)
"""What an examination of the whole vault and its machine looks for."""
UNSEEN_IN_OUTAGE = frozenset({Cause.INTEGRITY, Cause.ROLLBACK, Cause.AUDIT_GAP})
"""What an examination cannot judge to be well where the store or the key gives no answer."""
OF_VAULT = {
    "store": Cause.STORE,
    "audit-unavailable": Cause.STORE,
    "rolled-back": Cause.ROLLBACK,
    "log": Cause.INTEGRITY,
    "generation": Cause.INTEGRITY,
    "past-generation": Cause.INTEGRITY,
    "stranger": Cause.INTEGRITY,
    "incident": Cause.INTEGRITY,
}
"""Code of a finding on the vault → cause; `audit-…` is a gap, every other one the health's."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an examination found, and which causes of which jar it looked for."""

    conditions: tuple[Condition, ...] = ()
    scope: Scope = frozenset()

    def __add__(self, other: Seen) -> Seen:
        return Seen(self.conditions + other.conditions, self.scope | other.scope)


def seen_in_findings(findings: Iterable[Finding]) -> Seen:
    """Return what is wrong with the vault and its machine: one condition for each cause.

    Where the store or the key gave no answer, what could not be looked at is not well by that:
    it closes no incident of damage.
    """
    by_cause: dict[Cause, list[Finding]] = {}
    for finding in findings:
        if finding.severity is not Severity.OK:
            by_cause.setdefault(cause_of(finding), []).append(finding)
    found = (_summed(cause, items) for cause, items in by_cause.items())
    unseen = UNSEEN_IN_OUTAGE if Cause.STORE in by_cause else frozenset()
    return Seen(tuple(found), scope_of((set(SOUNDNESS) - unseen) | by_cause.keys(), ""))


def seen_in_patterns(patterns: Iterable[Pattern]) -> Seen:
    """Return what the audit trail shows; a pattern that is well closes what was open of it."""
    known = tuple(patterns)
    found = (item for item in known if item.finding.severity is not Severity.OK)
    return Seen(
        tuple(_condition(Cause(item.finding.code), item.jar, item.finding) for item in found),
        frozenset((Cause(item.finding.code), item.jar) for item in known),
    )


def seen_outside(findings: Iterable[Finding]) -> Seen:
    """Return what AWS's logs tell and the trail does not, as one condition."""
    wrong = [finding for finding in findings if finding.severity is not Severity.OK]
    found = (_summed(Cause.OUTSIDE, wrong),) if wrong else ()
    return Seen(found, scope_of((Cause.OUTSIDE,), ""))


def cause_of(finding: Finding) -> Cause:
    """Return the cause that a finding on the vault or its machine belongs to."""
    if finding.code.startswith("audit-") and finding.code not in OF_VAULT:
        return Cause.AUDIT_GAP
    return OF_VAULT.get(finding.code, Cause.HEALTH)


def _summed(cause: Cause, findings: list[Finding]) -> Condition:
    worst = min(findings, key=_urgency)
    more = f", and {len(findings) - 1} more" if findings[1:] else ""
    return _condition(cause, "", replace(worst, message=worst.message + more))


def _urgency(finding: Finding) -> tuple[bool, bool]:
    """Return what sorts the most urgent first: of warnings, cookies that lie in clear."""
    return finding.severity is not Severity.CRITICAL, finding.code != "leftovers"


def _condition(cause: Cause, jar: str, finding: Finding) -> Condition:
    return Condition(cause, jar, finding.severity, finding.message, "nothing", finding.next_step)
