"""Gathers a report's content from a vault: its trail, verified, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from jarkeeper.audit import Event, TrailReport
from jarkeeper.audit.events import PREFIX, parse_event_key
from jarkeeper.audit.patterns import HISTORY, Pattern, find_patterns
from jarkeeper.checks import Severity
from jarkeeper.errors import VaultError
from jarkeeper.report.content import Content, Ranked, Retention, Verdict
from jarkeeper.settings import Settings

if TYPE_CHECKING:
    from jarkeeper.vault import Vault

WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.OK)
LIBRARIES = ("duckdb", "pandas", "plotly")


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
    from jarkeeper.analysis import figures, frames
    from jarkeeper.analysis.table import open_table

    report = vault.verify_trail()
    recent: list[Event] = []
    # All from the beginning: a generation in use, or an incident that goes on, began before.
    events = (event for event in vault.trail.read() if event.at < until)
    with open_table(events=_kept(events, recent, since=until - HISTORY)) as table:
        found = (*findings, *of_patterns(recent, now=until, settings=settings))
        span = {"since": since, "until": until}
        return Content(
            vault=vault.id,
            place=settings.place,
            **span,
            made_at=now,
            figures=figures.key_figures(table, **span),
            trend=figures.trend(table, **span),
            outcomes=frames.outcomes(table, **span),
            generations=frames.generations(table, **span),
            by_age=frames.by_age(table, **span),
            opens=frames.opens(table, **span),
            refreshes=frames.refreshes(table, **span),
            incidents=frames.incidents(table, **span),
            errors=frames.errors(table, **span),
            findings=ranked(found),
            integrity=verdict_of(report),
            retention=retention_of(vault),
        )


def require_libraries() -> None:
    """Raise `VaultError` where what reports are made with is not installed."""
    missing = [name for name in LIBRARIES if find_spec(name) is None]
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


def of_patterns(events: Iterable[Event], *, now: datetime, settings: Settings) -> Iterator[Ranked]:
    """Give what the trail shows as a whole in the last day, from all events of `HISTORY`."""
    return map(_of_pattern, find_patterns(events, now=now, settings=settings))


def verdict_of(report: TrailReport) -> Verdict:
    """Return what verification saw, for a reader."""
    found = tuple((item.code, item.message) for item in report.discrepancies)
    return Verdict(
        is_intact=not found,
        events=report.events,
        unanchored=report.unanchored,
        discrepancies=found,
    )


def retention_of(vault: Vault) -> Retention:
    """Return how far back the trail reaches."""
    days = [place[0] for key in vault.ports.store.list(PREFIX) if (place := parse_event_key(key))]
    if not days:
        return Retention()
    return Retention(first_day=min(days), last_day=max(days), raw_events=len(days))


def _kept(events: Iterable[Event], recent: list[Event], *, since: datetime) -> Iterator[Event]:
    """Pass the events on; those since that moment stay in the list."""
    for event in events:
        if event.at >= since:
            recent.append(event)
        yield event


def _of_pattern(pattern: Pattern) -> Ranked:
    finding = pattern.finding
    return Ranked(finding.severity, finding.code, pattern.jar, finding.message, finding.next_step)
