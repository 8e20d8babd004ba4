"""Gathers a report's content from a vault: its trail, verified, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from jarkeeper.audit import Event, TrailReport
from jarkeeper.audit.patterns import HISTORY, Pattern, find_patterns
from jarkeeper.checks import Severity
from jarkeeper.errors import VaultError
from jarkeeper.report.content import Content, Ranked, Verdict
from jarkeeper.settings import Settings

if TYPE_CHECKING:
    from jarkeeper.vault import Vault

WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.OK)


def gather(
    vault: Vault,
    settings: Settings,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    findings: Iterable[Ranked] = (),
) -> Content:
    """Return what happened from `since` on and before `until`.

    `findings` are what others found, such as in the logs of the store. Raises `VaultError` where
    the libraries for reports are not installed.
    """
    require_libraries()
    report = vault.verify_trail()
    raise NotImplementedError(report)


def require_libraries() -> None:
    """Raise `VaultError` where what reports are made with is not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("pandas", "plotly") if find_spec(name) is None]
    if missing:
        raise VaultError(
            f"report: expected {' and '.join(missing)} to be installed",
            hint="run `pip install 'jarkeeper[report]'`",
        )


def ranked(findings: Iterable[Ranked]) -> tuple[Ranked, ...]:
    """Return the findings, the worst first, those of one jar together."""
    return tuple(
        sorted(findings, key=lambda one: (WORST_FIRST.index(one.severity), one.jar, one.code))
    )


def of_patterns(events: Iterable[Event], *, now: datetime, settings: Settings) -> Iterable[Ranked]:
    """Give what the trail shows as a whole in the last day before that moment."""
    recent = (event for event in events if now - HISTORY <= event.at < now)
    return map(_of_pattern, find_patterns(recent, now=now, settings=settings))


def verdict_of(report: TrailReport) -> Verdict:
    """Return what verification saw, for a reader."""
    found = tuple((item.code, item.message) for item in report.discrepancies)
    return Verdict(
        is_intact=not found,
        events=report.events,
        unanchored=report.unanchored,
        discrepancies=found,
    )


def _of_pattern(pattern: Pattern) -> Ranked:
    finding = pattern.finding
    return Ranked(finding.severity, finding.code, pattern.jar, finding.message, finding.next_step)
