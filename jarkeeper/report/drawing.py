"""Pieces of charts: axes, bars, timelines, and what keeps them small enough to read.

A colour is written `var(--name)`: the page puts in what the style sheet says for light or dark.
Text from outside goes through `label`, because plotly reads tags in what it draws.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from jarkeeper.report.readings import is_none, moment
from jarkeeper.words import printable

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Figure: TypeAlias = dict[str, Any]

SERIES_MAX = 7
"""Colours that can be told apart; the rest is one series, 'others'."""
LABEL_CHARS_MAX = 32
DAYS_MAX = 120
"""With more days than this, a bar is a week …"""
WEEKS_MAX = 730
"""… and with more days than this, a month."""
WEEK, MONTH = 7, 28
"""Days of the narrowest."""
ROW_HEIGHT = 26
FEW = 8
"""Up to here an axis of whole numbers has a line for each."""
DAY_MILLISECONDS = 86_400_000
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, in one or several views between which the reader chooses."""

    summary: str
    """For whoever does not see it."""
    views: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    row: str
    began: Any
    ended: Any
    kind: str
    hover: str


def label(text: object, most: int = LABEL_CHARS_MAX) -> str:
    """Return foreign text as plotly will show it: as it is, short, without tags."""
    shown = printable(" ".join(str(text).split()))
    return html.escape(shown if len(shown) <= most else shown[: most - 1] + "…", quote=False)


def timeline(
    spans: list[Span], kinds: Mapping[str, str], summary: str, *, since: datetime, until: datetime
) -> Chart:
    traces = []
    for kind, colour in kinds.items():
        mine = [one for one in spans if one.kind == kind]
        if mine:
            ends = [_end(one.ended, until) for one in mine]
            begins = [_naive(one.began) for one in mine]
            traces.append({
                "type": "bar", "orientation": "h", "name": kind, "width": 0.55,
                "y": [one.row for one in mine],
                "base": [f"{at:%Y-%m-%d %H:%M:%S}" for at in begins],
                "x": [max(1, round((end - begin).total_seconds() * 1000))
                      for begin, end in zip(begins, ends, strict=True)],
                "marker": {"color": colour, "line": {"color": colour, "width": 2}},
                "hovertext": [one.hover for one in mine],
                "hovertemplate": "%{y}<br>%{hovertext}<extra></extra>",
            })  # fmt: skip
    order = list(dict.fromkeys(one.row for one in spans))
    layout = {
        "barmode": "overlay",
        "height": 110 + ROW_HEIGHT * len(order),
        "xaxis": time_axis(since, until),
        "yaxis": {"type": "category", "automargin": True, "autorange": "reversed",
                  "categoryorder": "array", "categoryarray": order},
    }  # fmt: skip
    return Chart(summary, {"": {"data": traces, "layout": layout}})


def bars(name: str, y: Series[Any], colour: str, *, days: int) -> Figure:
    return {
        "type": "bar", "name": label(name), "x": [str(at)[:10] for at in y.index],
        "y": numbers(y), "offset": 0,
        "width": int(0.8 * DAY_MILLISECONDS * days), "marker": {"color": colour},
        "hovertemplate": "%{y:,}<extra>%{fullData.name}</extra>",
    }  # fmt: skip


def time_axis(since: datetime, until: datetime, index: Iterable[Any] = ()) -> Figure:
    """Return the span in whole days as an axis, and any bar that stands for more days whole."""
    first = min([moment(since)[:10], *(str(at)[:10] for at in index)])
    last = moment_to_second(until - timedelta(microseconds=1) + timedelta(days=1))[:10]
    return {"type": "date", "range": [f"{first} 00:00", f"{last} 00:00"]}


def count_axis(title: str, most: float) -> Figure:
    """Return an axis of whole numbers, also where there are few."""
    few = {"dtick": 1} if most <= FEW else {}
    return {"title": {"text": title}, "rangemode": "tozero", "tickformat": ",d", **few}


def level(y: float, name: str, axis: Figure) -> Figure:
    """Return a line across the whole axis. The legend names it: words on it would cover data."""
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": axis["range"], "y": [y, y],
        "line": {"color": "var(--quiet)", "width": 1, "dash": "dash"}, "hoverinfo": "skip",
    }  # fmt: skip


def series_colour(name: object, number: int) -> str:
    return "var(--none)" if name == OTHERS else f"var(--s{(number - 1) % (SERIES_MAX + 1) + 1})"


def bar_days(since: datetime, until: datetime) -> int:
    """Return for how many days a bar stands, so that a single one is wide enough to see."""
    reach = (until - since).days
    return 1 if reach <= DAYS_MAX else WEEK if reach <= WEEKS_MAX else MONTH


def periods_of(dates: Series[Any], *, days: int) -> Series[Any]:
    """Return the beginning of the day, week or month of each date."""
    import pandas as pd

    moments = pd.to_datetime(dates.astype(str).str[:10])
    kind = {WEEK: "W", MONTH: "M"}.get(days)
    return moments.dt.to_period(kind).dt.start_time if kind else moments


def mark(count: int) -> Figure:
    """Return the marker of each of so many points: where they are few, each has to be seen."""
    return {"size": 9 if count <= FEW else 5}


def pivoted(frame: DataFrame, by: str, value: str, names: list[Any]) -> DataFrame:
    named = frame.assign(series=frame[by].where(frame[by].isin(names), OTHERS))
    table = named.pivot_table(
        index="period", columns="series", values=value, aggfunc="sum", fill_value=0
    )
    return table[[name for name in [*names, OTHERS] if name in table.columns]]


def largest(frame: DataFrame, by: str, value: str | None, most: int) -> list[Any]:
    groups = frame.groupby(by, observed=True)
    totals = groups.size() if value is None else groups[value].sum()
    return list(totals.sort_values(ascending=False, kind="stable").head(most).index)


def newest_rows(spans: list[Span], most: int) -> list[Span]:
    """Return the spans of the newest so many rows: a chart has a height."""
    rows = list(dict.fromkeys(one.row for one in reversed(spans)))[:most]
    return [one for one in spans if one.row in rows]


def moment_to_second(at: Any) -> str:
    """Return a moment as plotly reads it, in UTC."""
    import pandas as pd

    stamp = pd.Timestamp(at)
    stamp = stamp.tz_convert("UTC") if stamp.tzinfo else stamp
    return f"{stamp:%Y-%m-%d %H:%M:%S}"


def moments(values: Iterable[Any]) -> list[str]:
    return [moment_to_second(at) for at in values]


def numbers(values: Iterable[Any]) -> list[float | int]:
    return [int(value) if float(value).is_integer() else round(float(value), 3) for value in values]


def _end(ended: Any, until: datetime) -> datetime:
    return _naive(until if is_none(ended) else ended)


def _naive(at: Any) -> datetime:
    """Return the moment in UTC without saying so: plotly knows no time zones."""
    return datetime.strptime(moment_to_second(at), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
