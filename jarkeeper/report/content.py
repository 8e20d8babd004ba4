"""What a report tells, whatever form it takes. Frames are small: what could be huge is added up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jarkeeper.checks import Severity

if TYPE_CHECKING:
    from pandas import DataFrame

    from jarkeeper.analysis.figures import KeyFigure, State
    from jarkeeper.report.reach import Reach

FRAMES = (
    "trend",
    "outcomes",
    "generations",
    "by_age",
    "opens",
    "refreshes",
    "incidents",
    "errors",
)
"""The fields of `Content` that are frames: each is a CSV file of its own."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What was found, of a jar or, with an empty name, of the vault."""

    severity: Severity
    code: str
    jar: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the audit trail is what was written; (code, message) of what is not."""

    is_intact: bool
    events: int
    unanchored: int
    discrepancies: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    """The volumes that cannot be believed: no number counts what they hold."""
    is_unremembered: bool = False
    """Whether nothing outside the vault remembered a checkpoint."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How far back the trail reaches, as days; empty where it holds nothing."""

    first_day: str = ""
    last_day: str = ""
    raw_events: int = 0
    """Stored one by one."""
    archived_events: int = 0
    archived_days: int = 0
    keep_days: int = 0
    """0 means for ever."""
    retired_before: str = ""
    """The day before which events were deleted, or may be; empty where none were."""


@dataclass(frozen=True, slots=True)
class Content:
    """A time span of one vault: since <= t < until."""

    vault: str
    place: str
    since: datetime
    until: datetime
    made_at: datetime
    figures: tuple[KeyFigure, ...]
    trend: DataFrame
    """figure, dt, value (NaN where nothing happened), n"""
    outcomes: DataFrame
    """dt, outcome ('OK' or a class), downloads"""
    generations: DataFrame
    """jar, generation, began, ended (NaT: still), tries, succeeded, cookie_failures"""
    by_age: DataFrame
    """jar, generation, day_of_life, tries, succeeded"""
    opens: DataFrame
    """dt, jar, principal, flow, opens"""
    refreshes: DataFrame
    """jar, at, action, hours since the one before"""
    incidents: DataFrame
    """cause, jar, severity, opened_at, closed_at (NaT: goes on), hours"""
    errors: DataFrame
    """failure (class), count (downloads), share, tries (with cookies), explanation, remedy"""
    findings: tuple[Ranked, ...]
    """The worst first."""
    integrity: Verdict
    retention: Retention
    reach: Reach
    """How much of the span is on record."""

    def state_of(self, figure: KeyFigure) -> State:
        """Return how a figure of this report stands to its target, by what its trail is worth."""
        return figure.state(is_intact=self.integrity.is_intact, is_on_record=self.reach.is_enough)

    @property
    def is_past(self) -> bool:
        """Whether the span ended so long ago that what went on then may be over."""
        return self.made_at - self.until > timedelta(days=1)

    @property
    def last_day(self) -> datetime:
        """The last moment of the span, which is on its last day."""
        return self.until - timedelta(microseconds=1)
