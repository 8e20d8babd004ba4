"""Rules that judge a jar by its facts alone: findings in an operator's words, each with a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from jarkeeper.facts import JarFacts, facts_from_json, facts_to_json, is_authenticated, observe

__all__ = [
    "Finding",
    "JarFacts",
    "Severity",
    "Thresholds",
    "check_jar",
    "facts_from_json",
    "facts_to_json",
    "is_authenticated",
    "observe",
]

HOUR = 3600
DAY = 24 * HOUR
LAST_DATE = datetime.max.replace(tzinfo=UTC).timestamp()

IMPORT = "export fresh cookies while logged in to YouTube, then run `jarkeeper import cookies.txt`"
SOON = "export fresh cookies and run `jarkeeper import cookies.txt` before then"
NOTHING = "nothing to do"


class Severity(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How many days before the login ends it is time to say so."""

    warning_days: float
    critical_days: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check observed: a word for machines, a sentence for people, and what to do."""

    code: str
    severity: Severity
    message: str
    next_step: str


def check_jar(facts: JarFacts, *, now: datetime, thresholds: Thresholds) -> tuple[Finding, ...]:
    """Return the findings: first the one about the login, then what else there is to say."""
    findings = [_login(facts, now, thresholds)]
    if facts.foreign:
        findings.append(_foreign(facts.foreign))
    return tuple(findings)


def _login(facts: JarFacts, now: datetime, thresholds: Thresholds) -> Finding:
    until = facts.login_until
    if until is None:
        return _no_login(facts)
    if until == 0:
        message = "a login, by cookies that do not say when they expire"
        return Finding("authenticated", Severity.OK, message, NOTHING)
    left = until - now.timestamp()
    if left <= 0:
        message = f"the login expired {span(-left)} ago, on {date(until)}"
        return Finding("expired", Severity.CRITICAL, message, IMPORT)
    severity = _severity(left, thresholds)
    if severity is not Severity.OK:
        message = f"the login expires in {span(left)}, on {date(until)}"
        return Finding("expires-soon", severity, message, SOON)
    message = f"cookies valid for another {span(left)}, until {date(until)}"
    return Finding("authenticated", Severity.OK, message, NOTHING)


def _severity(left: float, thresholds: Thresholds) -> Severity:
    if left <= thresholds.critical_days * DAY:
        return Severity.CRITICAL
    return Severity.WARNING if left <= thresholds.warning_days * DAY else Severity.OK


def _no_login(facts: JarFacts) -> Finding:
    if facts.signed_out:
        message = "looks signed out: visitor cookies are there, the login cookie LOGIN_INFO is not"
        return Finding("signed-out", Severity.CRITICAL, message, IMPORT)
    message = "not a login: it takes LOGIN_INFO and one of the SAPISID cookies for www.youtube.com"
    return Finding("not-authenticated", Severity.CRITICAL, message, IMPORT)


def _foreign(domains: tuple[str, ...]) -> Finding:
    shown = ", ".join(domains[:3]) + (", …" if len(domains) > 3 else "")
    count = _counted(len(domains), "foreign domain")
    return Finding(
        "foreign-domains",
        Severity.WARNING,
        f"holds cookies of {count}: {shown}",
        "run `jarkeeper import cookies.txt` with a fresh export, which leaves them out",
    )


def span(seconds: float) -> str:
    """Return a length of time in the one unit that fits: days, hours or minutes."""
    if seconds >= 2 * DAY:
        return _counted(int(seconds // DAY), "day")
    if seconds >= 2 * HOUR:
        return _counted(int(seconds // HOUR), "hour")
    if seconds >= 60:
        return _counted(int(seconds // 60), "minute")
    return "less than a minute"


def date(second: int) -> str:
    """Return a moment as people read it, in UTC; exporters also write years beyond 9999."""
    if second > LAST_DATE:
        return "a day after the year 9999"
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M} UTC"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
