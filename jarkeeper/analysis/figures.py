"""The six key figures: what each means, and what it was in a span of time.

The definitions are these and the query `figures`; `docs/reference/key-figures.md` is written from
them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from jarkeeper.analysis.queries import OF_COOKIES, SECURITY, Span, find_rows

if TYPE_CHECKING:
    from pandas import DataFrame

    from jarkeeper.analysis.table import Table


@dataclass(frozen=True, slots=True)
class Definition:
    """What a key figure means."""

    id: str
    name: str
    unit: str
    target: float
    at_least: bool
    """Whether it should be above its target; else below, or at it where the target is 0."""
    scale: float
    """From what is counted out of what to the unit; 0 where it is a plain number."""
    meaning: str
    sources: str
    """The events that it is computed from."""
    left_out: str
    """What is not counted."""
    counted: tuple[str, str]
    """What `n` is the number of, for one and for more."""

    def value(self, part: float, whole: float) -> float | None:
        """Return the figure, or None where there is nothing to compute it from."""
        if not self.scale:
            return part if whole else None
        return self.scale * part / whole if whole else None


class State(StrEnum):
    """What may be said of a key figure and its target."""

    MET = "met"
    MISSED = "missed"
    NO_DATA = "no data"
    NOT_KNOWN = "not known: the trail is not intact"
    """What was removed or changed may be what counts, so no value is met or missed."""
    NOT_ON_RECORD = "not known: not all of this time is on record"
    """Likewise what is past its retention, or was before the trail begins."""

    @property
    def is_met(self) -> bool | None:
        """The same for machines; None where neither may be said."""
        return {State.MET: True, State.MISSED: False}.get(self)


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One of the six, in a span of time."""

    id: str
    name: str
    unit: str
    target: float
    at_least: bool
    value: float | None
    """None where nothing happened that it could be computed from."""
    n: int
    """How much it was computed from."""

    def state(self, *, is_intact: bool, is_on_record: bool = True) -> State:
        """Return how it stands to its target, by what the trail it was read from is worth."""
        if not is_intact:
            return State.NOT_KNOWN
        if not is_on_record:
            return State.NOT_ON_RECORD
        if self.value is None:
            return State.NO_DATA
        if self.target == 0:
            is_met = self.value == 0
        else:
            is_met = self.value > self.target if self.at_least else self.value < self.target
        return State.MET if is_met else State.MISSED


def key_figures(table: Table, *, since: datetime, until: datetime) -> tuple[KeyFigure, ...]:
    """Return the six key figures of a span of time: since <= t < until."""
    sums: dict[str, tuple[float, float, int]] = defaultdict(lambda: (0.0, 0.0, 0))
    for id_, _, part, whole, n in find_rows(table, "figures", Span(since, until)):
        before = sums[id_]
        sums[id_] = before[0] + part, before[1] + whole, before[2] + n
    return tuple(_figure(one, *sums[one.id]) for one in DEFINITIONS)


def trend(table: Table, *, since: datetime, until: datetime) -> DataFrame:
    """Return each figure on each day (UTC) of a span: figure, dt, value (NaN: nothing), n."""
    from pandas import DataFrame

    span = Span(since, until)
    found = {(row[0], row[1]): row[2:] for row in find_rows(table, "figures", span)}
    rows = []
    for one in DEFINITIONS:
        for day in span.days:
            part, whole, n = found.get((one.id, day), (0.0, 0.0, 0))
            rows.append((one.id, day, one.value(part, whole), n))
    frame = DataFrame(rows, columns=["figure", "dt", "value", "n"])
    return frame.astype({"value": "float64", "n": "int64"})


def _figure(one: Definition, part: float, whole: float, n: int) -> KeyFigure:
    value = one.value(part, whole)
    return KeyFigure(one.id, one.name, one.unit, one.target, one.at_least, value, n)


def _causes(causes: tuple[str, ...]) -> str:
    return ", ".join(f"`{cause}`" for cause in causes)


DEFINITIONS = (
    Definition(
        id="L1",
        name="download success rate",
        unit="%",
        target=95,
        at_least=True,
        scale=100,
        meaning="Of the videos that ended in the span, the share that arrived.",
        sources="`download`: the numbers by class that a run puts on record when it ends",
        left_out="videos that failed for a reason of their own, such as `PRIVATE` or `REMOVED`, "
        "that were there already, were skipped or were put off; runs that were killed; a list that "
        "could not be read counts as one failure",
        counted=("download", "downloads"),
    ),
    Definition(
        id="L2",
        name="cookie-related failure rate",
        unit="%",
        target=1,
        at_least=False,
        scale=100,
        meaning="Of the tries that were made with cookies, the share that ended in a class that "
        "speaks of the cookies or the account.",
        sources="`use`: the numbers by class that come back with a jar",
        left_out="tries without cookies; probes; a video that fell back from one jar to another "
        "counts at both",
        counted=("try", "tries"),
    ),
    Definition(
        id="L3",
        name="mean cookie refresh cycle",
        unit="h",
        target=24,
        at_least=False,
        scale=1,
        meaning="The mean time from one renewal of a jar to its next, of those that ended in the "
        "span. A renewal puts newer cookies in the active slot: an import, a rotation, or a "
        "write-back that had something new.",
        sources="`import`, `rotate` and `write-back` of the active slot, where they changed "
        "something",
        left_out="a promotion and a restoration, whose cookies are older; probes and write-backs "
        "that found everything as it was; the time since the last renewal, which has no end yet; a "
        "first renewal, and one whose predecessor is further back than the history that is read",
        counted=("renewal with one before it", "renewals with one before them"),
    ),
    Definition(
        id="L4",
        name="security incidents",
        unit="",
        target=0,
        at_least=False,
        scale=0,
        meaning=f"The incidents of these causes that opened in the span: {_causes(SECURITY)}.",
        sources="`incident`, where it says `opened`",
        left_out="what was open already when the span began; incidents that rose or closed",
        counted=("such incident", "such incidents"),
    ),
    Definition(
        id="L5",
        name="uptime with cookies",
        unit="%",
        target=99.9,
        at_least=True,
        scale=100,
        meaning="Of the time that the trail knows a jar, the share in which no critical "
        "`session-dead` incident of it was open; jars count alike for each second. An incident "
        "that became critical counts from then on.",
        sources="`incident`; the first event of a jar in the span, in the history the first that "
        "changed it, or the beginning of an incident of it",
        left_out="the time before a jar's first event; incidents of other causes, and those that "
        "are only a warning, as while a backup steps in",
        counted=("day of a jar", "days of a jar, of all jars added up"),
    ),
    Definition(
        id="L6",
        name="mean time to resolve a cookie issue",
        unit="min",
        target=30,
        at_least=False,
        scale=1,
        meaning=f"The mean duration of the incidents of these causes that closed in the span: "
        f"{_causes(OF_COOKIES)}.",
        sources="`incident`, from `opened` to the `closed` that follows it",
        left_out="what is still open; an incident whose end is not on record",
        counted=("incident that closed", "incidents that closed"),
    ),
)
"""What the key figures mean, in the order in which they are shown."""
