"""Gathers a report's content from a vault: its trail, verified, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from jarkeeper.audit import Event, TrailReport
from jarkeeper.audit.patterns import HISTORY, WINDOW, Pattern, find_patterns
from jarkeeper.audit.places import ARCHIVE_PREFIX, PREFIX, parse_event_key, parse_volume_key
from jarkeeper.checks import Severity
from jarkeeper.errors import Conflict, InputError, JarkeeperError, VaultError
from jarkeeper.incidents.model import Cause
from jarkeeper.report.content import Content, Ranked, Retention, Verdict
from jarkeeper.report.reach import reach_of, retired_before_of
from jarkeeper.settings import Settings
from jarkeeper.sources.findings import findings_of_sources

if TYPE_CHECKING:
    from jarkeeper.vault import Vault

WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.OK)
TRIES = 3
LIBRARIES = ("duckdb", "pandas", "plotly")


def gather(
    vault: Vault,
    settings: Settings,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
) -> Content:
    """Return what happened from `since` on and before `until`.

    AWS's logs are joined where the settings name them. Raises `VaultError` where the libraries for
    reports are not installed, `InputError` for a time that is not over.
    """
    require_libraries()
    if max(since, until) > now:
        raise InputError("report: expected a span of time that has passed")
    for _ in range(TRIES):
        before = vault.trail.store.list(PREFIX)
        with suppress(Conflict):
            content = _gathered(vault, settings, since=since, until=until, now=now)
            # Days that are packed meanwhile may be counted twice, or not at all; and what is gone
            # now was perhaps not there to be read.
            after = set(vault.trail.store.list(PREFIX))
            if after.issuperset(before) and not _volumes(after.difference(before)):
                return content
    raise Conflict("report: the trail is being packed all the time", hint="try again later")


def _volumes(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(ARCHIVE_PREFIX)]


def _gathered(
    vault: Vault, settings: Settings, *, since: datetime, until: datetime, now: datetime
) -> Content:
    from jarkeeper.analysis import figures, frames
    from jarkeeper.analysis.queries import Span
    from jarkeeper.analysis.table import open_table

    report = vault.verify_trail()
    first = Span(since, until).first_read
    start = next(vault.trail.read(), None)
    judged = reach_of(report, start, since=until - WINDOW, until=until)
    recent = vault.trail.read(until - HISTORY, until)
    found = (
        *of_patterns(recent, now=until, settings=settings),
        *of_sources(vault, settings, since=since, until=until, now=now),
    )
    alone = vault.trail.reader.alone(report, first, until)
    left_out: list[str] = []
    with (
        vault.trail.reader.fetched(first, until, left_out=left_out) as volumes,
        open_table(volumes=[volumes], events=alone) as table,
    ):
        span = {"since": since, "until": until}
        integrity = verdict_of(report, left_out)
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
            findings=ranked(
                one
                for one in found
                if is_told(one, is_intact=integrity.is_intact, is_on_record=judged.is_enough)
            ),
            integrity=integrity,
            retention=retention_of(vault, report, settings),
            reach=reach_of(report, start, **span),
        )


def is_told(finding: Ranked, *, is_intact: bool, is_on_record: bool) -> bool:
    """Tell whether it is told of a trail that is not intact, or has not all of what was judged.

    That all is well is not known then. A gap is the damage that verification has found already,
    and named place by place: also an intent without its outcome, which may be what is damaged.
    """
    if finding.severity is Severity.OK:
        return is_intact and is_on_record
    return is_intact or finding.code != Cause.AUDIT_GAP


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


def of_sources(
    vault: Vault, settings: Settings, *, since: datetime, until: datetime, now: datetime
) -> Iterator[Ranked]:
    """Give what AWS's logs show; that they cannot be read is a finding too."""
    span = {"since": since, "until": until, "now": now}
    try:
        for one in findings_of_sources(settings, vault, **span):
            yield Ranked(one.severity, one.code, one.jar, one.message, one.next_step)
    except JarkeeperError as error:
        step = error.hint or "see docs/sources.md"
        yield Ranked(Severity.WARNING, "sources", "", f"AWS's logs: {error.message}", step)


def verdict_of(report: TrailReport, left_out: Iterable[str]) -> Verdict:
    """Return what verification saw, for a reader; a volume that is left out is a damage too."""
    left_out = tuple(left_out)
    found = tuple((item.code, item.message) for item in report.discrepancies) or tuple(
        ("edited", f"volume '{name}': cannot be believed") for name in left_out
    )
    return Verdict(
        is_intact=not found,
        events=report.events,
        unanchored=report.unanchored,
        discrepancies=found,
        left_out=left_out,
        is_unremembered=report.is_unremembered,
    )


def retention_of(vault: Vault, report: TrailReport, settings: Settings) -> Retention:
    """Return how far back the trail reaches."""
    names = vault.ports.store.list(PREFIX)
    stored = [place[0] for place in map(parse_event_key, names) if place]
    archived = {place[0] for place in map(parse_volume_key, names) if place}
    days = [*stored, *archived]
    return Retention(
        first_day=min(days, default=""),
        last_day=max(days, default=""),
        raw_events=len(stored),
        archived_events=report.archived,
        archived_days=len(archived),
        keep_days=settings.audit_days,
        retired_before=retired_before_of(report),
    )


def _of_pattern(pattern: Pattern) -> Ranked:
    finding = pattern.finding
    return Ranked(finding.severity, finding.code, pattern.jar, finding.message, finding.next_step)
