"""What each part of the report says: its question, the answer in words, the chart, the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jarkeeper.analysis.queries import Span
from jarkeeper.report import charts, tables
from jarkeeper.report.content import Content
from jarkeeper.report.drawing import SERIES_MAX, Chart, largest
from jarkeeper.report.readings import are, counted, percent, span
from jarkeeper.report.tables import Table

if TYPE_CHECKING:
    from pandas import DataFrame

TRIES_MIN = 20
"""In each part of a life, before a difference between them means anything."""
FELL_BY = 2.0
"""Percent points; less is chance."""
DAYS_NAMED_MAX = 2
NONE = "Nothing of this is on record in this time."


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report."""

    id: str
    title: str
    explains: str
    """How to read it."""
    says: tuple[str, ...]
    """What the data says, in sentences."""
    chart: Chart | None = None
    table: Table | None = None
    is_open: bool = False
    """Whether the table is what one came for, and not behind a chart."""


def sections(content: Content) -> Iterator[Section]:
    """Give the parts with a chart, in the order in which they are read."""
    yield _downloads(content)
    yield _errors(content)
    yield _ages(content)
    yield _lives(content)
    yield _refreshes(content)
    yield _incidents(content)
    yield _opens(content)


def _downloads(content: Content) -> Section:
    title = "Downloads by outcome"
    explains = "Here a video that is private or gone counts too, unlike in the key figure."
    frame = content.outcomes[content.outcomes["downloads"] > 0]
    if frame.empty:
        return Section("downloads", title, "", (NONE,))
    total = int(frame["downloads"].sum())
    arrived = int(frame.loc[frame["outcome"] == "OK", "downloads"].sum())
    share = percent(100 * arrived / total)
    said = f"{arrived:,} of {counted(total, 'download')} arrived: {share}."
    since, until = content.since, content.until
    chart = charts.downloads(frame, content.generations, since=since, until=until)
    if any(trace["name"] == charts.FRESH for trace in chart.views["number"]["data"]):
        explains += (
            " A triangle stands where fresh cookies came into use: did success change there?"
        )
    said_of_days = (said, *_days_words(frame, content))
    return Section("downloads", title, explains, said_of_days, chart, tables.outcomes(frame))


def _errors(content: Content) -> Section:
    frame = content.errors
    title = "What failed, and what helps"
    explains = "Red bars speak of the cookies or the account; all others of a video or a network."
    if frame.empty:
        said = NONE if content.outcomes.empty else "No failed download is on record in this time."
        return Section("errors", title, "", (said,))
    top = frame.sort_values(["count", "tries"], ascending=False).iloc[0]
    commonest = (
        f"The commonest is {tables.text(top['failure'])}: {tables.text(top['explanation'])}."
    )
    none = "No failed download is on record in this time, only tries that failed."
    says = (commonest,) if frame["count"].sum() else (none, commonest)
    if frame["tries"].sum():
        explains += " A try with cookies that failed may have been made good by other cookies."
    chart, table = charts.errors(frame), tables.errors(frame)
    return Section("errors", title, explains, says, chart, table, is_open=True)


def _ages(content: Content) -> Section:
    frame = content.by_age[content.by_age["tries"] > 0]
    explains = "Each day of a generation's life counts from when it came into use."
    if frame.empty:
        return Section("age", "Success as cookies age", "", (NONE,))
    jars = largest(frame, "jar", "tries", SERIES_MAX)
    said = tuple(
        f"{tables.text(jar)}: {age_words(frame[frame['jar'] == jar])}." for jar in sorted(jars)
    )
    left = frame["jar"].nunique() - len(jars)
    said += (f"These are used most; there {are(left)} {left:,} more.",) * (left > 0)
    chart, table = charts.ages(frame), tables.ages(frame)
    return Section("age", "Success as cookies age", explains, said, chart, table)


def age_words(frame: DataFrame) -> str:
    """Say whether success fell as the cookies of one jar aged: the first third, and the last."""
    days = frame.groupby("day_of_life")[["tries", "succeeded"]].sum()
    oldest = int(days.index.max())
    young, old = days[days.index <= oldest / 3], days[days.index > oldest * 2 / 3]
    if oldest < 2 or min(young["tries"].sum(), old["tries"].sum()) < TRIES_MIN:
        return "too few days or tries to say whether success falls with age"
    first, last = (100 * part["succeeded"].sum() / part["tries"].sum() for part in (young, old))
    words = (
        f"{percent(first)} up to day {oldest // 3}, {percent(last)} from day "
        f"{int(oldest * 2 / 3) + 1} on{_correlation_words(days)}"
    )
    if first - last >= FELL_BY:
        return f"success fell as the cookies aged, {words}"
    if last - first >= FELL_BY:
        return f"success rose as the cookies aged, {words}"
    return f"success did not depend on age, {words}"


def correlation(days: DataFrame) -> float | None:
    """Return Pearson's correlation of age and success, each day weighted by its tries."""
    weight = days["tries"]
    age, success = days.index.to_series(), days["succeeded"] / weight
    age, success = (one - (one * weight).sum() / weight.sum() for one in (age, success))
    spread = ((age**2 * weight).sum() * (success**2 * weight).sum()) ** 0.5
    return float((age * success * weight).sum() / spread) if spread > 1e-9 else None


def _correlation_words(days: DataFrame) -> str:
    found = correlation(days)
    return "" if found is None else f" (correlation {found:+.2f})".replace("-", "\N{MINUS SIGN}")


def _lives(content: Content) -> Section:
    frame = content.generations
    explains = (
        "A bar is the time in which a generation was in the active slot; its colour says which "
        "share of its tries failed by the cookies."
    )
    if frame.empty:
        return Section("generations", "Life of each generation", "", (NONE,))
    over = frame.dropna(subset=["ended"])
    said = [f"{counted(len(frame), 'generation')} in use"]
    if len(over):
        hours = (over["ended"] - over["began"]).dt.total_seconds() / 3600
        lived = span(hours.median() * 60)
        said.append(
            f"the one that ended lived {lived}"
            if len(over) == 1
            else f"half of the {len(over):,} that ended lived longer than {lived}"
        )
    chart = charts.lives(frame, since=content.since, until=content.until)
    said_of_more = _more_words(len(frame), charts.BARS_MAX, "The chart shows the newest")
    return Section(
        "generations",
        "Life of each generation",
        explains,
        ("; ".join(said) + ".", *said_of_more),
        chart,
        tables.generations(frame),
    )


def _refreshes(content: Content) -> Section:
    frame = content.refreshes
    explains = (
        "A renewal is what gave a login new life: an import, a rotation, or what YouTube renewed "
        "and was kept. The target is one within 24 hours."
    )
    if frame.dropna(subset=["hours"]).empty:
        if frame.empty:
            return Section("refreshes", "Refresh cycle", "", (NONE,))
        words = f"{counted(len(frame), 'renewal')}, none with one of the same jar before it."
        return Section("refreshes", "Refresh cycle", explains, (words,))
    hours = frame["hours"].dropna()
    late = int((hours >= charts.REFRESH_TARGET_HOURS).sum())
    said: tuple[str, ...] = (
        f"{span(hours.mean() * 60)} from one renewal to the next on average, "
        f"{span(hours.max() * 60)} at most; {late:,} of {len(hours):,} took a day or longer.",
    )
    said += _more_words(len(hours), charts.POINTS_MAX, "The chart shows the newest")
    return Section(
        "refreshes",
        "Refresh cycle",
        explains,
        said,
        charts.refreshes(frame, since=content.since, until=content.until),
        tables.refreshes(frame),
    )


def _incidents(content: Content) -> Section:
    frame = content.incidents
    explains = "An incident is one span of trouble with one cause; it closes by itself."
    if frame.empty:
        said = "No incident is on record in this time."
        return Section("incidents", "Incidents", "", (said,))
    closed = frame.dropna(subset=["closed_at"])
    open_count = len(frame) - len(closed)
    at = " when this time ended" if content.is_past else ""
    said = f"{counted(len(frame), 'incident')}, {open_count or 'none'} still open{at}"
    if len(closed):
        average = " on average" if len(closed) > 1 else ""
        said += f"; resolved in {span(closed['hours'].mean() * 60)}{average}"
    chart = charts.incidents(frame, since=content.since, until=content.until)
    return Section(
        "incidents", "Incidents", explains, (said + ".",), chart, tables.incidents(frame)
    )


def _opens(content: Content) -> Section:
    frame = content.opens[content.opens["opens"] > 0]
    explains = "A jar is opened when its cookies are handed out, or looked at."
    if frame.empty:
        return Section("opens", "Who opened what", "", (NONE,))
    counts: dict[str, Any] = {name: frame[name].nunique() for name in ("jar", "principal", "flow")}
    total = int(frame["opens"].sum())
    said = f"{counted(total, 'open')} of " + ", by ".join(
        counted(count, name) for name, count in counts.items()
    )
    chart = charts.opens(frame, since=content.since, until=content.until)
    said_of_days = (said + ".", *_days_words(frame, content))
    return Section("opens", "Who opened what", explains, said_of_days, chart, tables.opens(frame))


def _days_words(frame: DataFrame, content: Content) -> tuple[str, ...]:
    """Say on which days it was where those are few: a chart that is nearly empty looks broken."""
    days = sorted({str(day)[:10] for day in frame["dt"]})
    others = len(Span(content.since, content.until).days) - len(days)
    if len(days) > DAYS_NAMED_MAX or not others:
        return ()
    none = "the other day has none" if others == 1 else "the other days have none"
    return (f"All of it was on {' and '.join(days)}; {none}.",)


def _more_words(count: int, most: int, words: str) -> tuple[str, ...]:
    left = count - most
    return (f"{words} {most:,}; there {are(left)} {left:,} more.",) if left > 0 else ()
