"""What a report shows beside the key figures, each as a frame of a span: since <= t < until."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jarkeeper.analysis.queries import Span, find_frame
from jarkeeper.youtube.failures import OPEN_LIMIT, TABLE, UNKNOWN

if TYPE_CHECKING:
    from pandas import DataFrame

    from jarkeeper.analysis.table import Table


def outcomes(table: Table, *, since: datetime, until: datetime) -> DataFrame:
    """Return downloads by day and end: dt, outcome ('OK' or a class), downloads."""
    return find_frame(table, "outcomes", Span(since, until))


def generations(table: Table, *, since: datetime, until: datetime) -> DataFrame:
    """Return what was active or used.

    jar, generation, began, ended (NaT: still), tries, succeeded, cookie_failures
    """
    return find_frame(table, "generations", Span(since, until))


def by_age(table: Table, *, since: datetime, until: datetime) -> DataFrame:
    """Return tries by the age of the login: jar, generation, day_of_life, tries, succeeded."""
    return find_frame(table, "by_age", Span(since, until))


def opens(table: Table, *, since: datetime, until: datetime) -> DataFrame:
    """Return who opened jars how often: dt, jar, principal, flow (the program), opens."""
    return find_frame(table, "opens", Span(since, until))


def refreshes(table: Table, *, since: datetime, until: datetime) -> DataFrame:
    """Return renewals: jar, at, action, hours since the one before (NaN: none is known)."""
    return find_frame(table, "refreshes", Span(since, until))


def incidents(table: Table, *, since: datetime, until: datetime) -> DataFrame:
    """Return what was open: cause, jar, severity, opened_at, closed_at (NaT: goes on), hours."""
    return find_frame(table, "incidents", Span(since, until))


def errors(table: Table, *, since: datetime, until: datetime) -> DataFrame:
    """Return failures, the commonest first.

    failure, count (downloads), share, tries (with cookies), explanation, remedy
    """
    from pandas import Series

    frame = find_frame(table, "errors", Span(since, until))
    rows = {row.failure.value: row for row in (*TABLE, OPEN_LIMIT, UNKNOWN)}
    known = [rows.get(name, UNKNOWN) for name in frame["failure"]]
    explanations = Series([row.explanation for row in known], dtype="object")
    remedies = Series([row.next_step for row in known], dtype="object")
    return frame.assign(explanation=explanations, remedy=remedies)
