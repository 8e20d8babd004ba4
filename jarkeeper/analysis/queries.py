"""The queries over the trail: each is a file of SQL that DuckDB and Athena both understand.

What stands for a `$name` in them is a moment, a day or a word of ours: nothing that was read from
anywhere. On DuckDB the common parts are temporary tables, made once for a span of time; on Athena
they stand before each query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from jarkeeper.actions import Action
from jarkeeper.audit.patterns import VIDEOS_OWN
from jarkeeper.audit.usage import COOKIE_FAILURES, SUCCEEDED
from jarkeeper.errors import InputError
from jarkeeper.incidents.model import Cause

if TYPE_CHECKING:
    from pandas import DataFrame

    from jarkeeper.analysis.table import Table

HISTORY = timedelta(days=92)
"""How far before a span the trail is read for what began earlier: an open incident, the cookies in
use. A quarter: longer than a login lives, and little to read, as all that is frequent is passed
over."""
PARTS = ("facts", "tries", "spans", "lives", "refreshes")
"""What the queries share; each builds on those before it."""
QUERIES = (
    "figures",
    "outcomes",
    "generations",
    "by_age",
    "opens",
    "refreshes",
    "incidents",
    "errors",
)

FREQUENT = (Action.LEND, Action.OUTLINE, Action.USE, Action.DOWNLOAD)
"""What is most of a trail: it is added up by day."""
RENEWING = (Action.IMPORT, Action.ROTATE, Action.WRITE_BACK)
"""What makes newer cookies a jar's active ones."""
BEGINNING = (*RENEWING, Action.PROMOTE, Action.RESTORE)
"""What makes a generation the active one."""
CHANGING = (*(action for action in BEGINNING if action != Action.WRITE_BACK), Action.REVOKE)
SECURITY = (
    Cause.INTEGRITY,
    Cause.ROLLBACK,
    Cause.PRINCIPAL,
    Cause.OUTSIDE,
    Cause.AUDIT_GAP,
    Cause.OPENS,
    Cause.EMERGENCY,
)
"""The causes that may mean that somebody is where they should not be."""
OF_COOKIES = (Cause.SESSION_DEAD, Cause.SESSION_SUSPECT, Cause.YOUTUBE_PAUSE)
"""The causes that cookies do not work, now."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time: since <= t < until. `InputError` where it is none."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise InputError("span of time: expected moments with a time zone")
        if self.since >= self.until:
            raise InputError(f"span of time: expected an end after {self.since}, got {self.until}")

    @property
    def names(self) -> Mapping[str, str]:
        """What stands for the names in the queries."""
        history = _before(self.since)
        return {
            "since": _moment(self.since),
            "until": _moment(self.until),
            "history": _moment(history),
            "first_day": self.days[0],
            "last_day": self.days[-1],
            "history_day": self.days_read[0],
            **WORDS,
        }

    @property
    def first_read(self) -> datetime:
        """The first moment that is looked at: the history's."""
        return _before(self.since)

    @property
    def days(self) -> list[str]:
        """The days (UTC) of the span, as `dt` has them."""
        return _days(self.since, self.until)

    @property
    def days_read(self) -> list[str]:
        """The days whose events are looked at: those of the history too."""
        return _days(_before(self.since), self.until)


def find_rows(table: Table, name: str, span: Span) -> list[tuple[Any, ...]]:
    """Return what the query of that name finds."""
    _prepare(table, span)
    return table.rows(filled(name, span))


def find_frame(table: Table, name: str, span: Span) -> DataFrame:
    """Return what the query of that name finds, as a frame whose moments are in UTC."""
    _prepare(table, span)
    frame = table.frame(filled(name, span))
    moments = frame.select_dtypes("datetime").columns
    return frame.assign(**{column: frame[column].dt.tz_localize("UTC") for column in moments})


def _prepare(table: Table, span: Span) -> None:
    table.prepare(span, {name: filled(name, span) for name in PARTS})


def filled(name: str, span: Span) -> str:
    """Return the text of a part or a query for a span."""
    text = files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return Template(text).substitute(span.names)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _before(since: datetime) -> datetime:
    first = datetime.min.replace(tzinfo=UTC)
    return since - HISTORY if since - first > HISTORY else first


def _days(since: datetime, until: datetime) -> list[str]:
    first = since.astimezone(UTC).date()
    last = (until - timedelta(microseconds=1)).astimezone(UTC).date()
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


WORDS = {
    "frequent": _listed(FREQUENT),
    "renewing": _listed(RENEWING),
    "beginning": _listed(BEGINNING),
    "changing": _listed(CHANGING),
    "security": _listed(SECURITY),
    "of_cookies": _listed(OF_COOKIES),
    "videos_own": _listed(sorted(VIDEOS_OWN)),
    "cookie_failures": _listed(sorted(COOKIE_FAILURES)),
    "succeeded": SUCCEEDED,
}
"""The words of the rules that the queries apply; here they are none but these."""
