"""Pieces of charts: axes, bars, timelines, and what keeps them small enough to read.

A colour is written `var(--name)`: the page puts in what the style sheet says for light or dark.
Text from outside goes through `label`, because plotly reads tags in what it draws.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
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


def bars(name: str, x: Iterable[Any], y: Series[Any], colour: str) -> Figure:
    days = [str(at)[:10] for at in x]
    return {
        "type": "bar", "name": label(name), "x": days, "y": numbers(y), "offset": 0,
        "width": int(0.8 * DAY_MILLISECONDS * _bar_days(y.index)), "marker": {"color": colour},
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


def level(y: float) -> Figure:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
        "line": {"color": "var(--quiet)", "width": 1, "dash": "dash"},
    }  # fmt: skip


def words_at(y: float, text: str) -> Figure:
    return {
        "xref": "paper", "x": 1, "xanchor": "right", "y": y, "yanchor": "bottom", "text": text,
        "showarrow": False, "bgcolor": "var(--card)", "font": {"color": "var(--quiet)", "size": 11},
    }  # fmt: skip


def series_colour(name: object, number: int) -> str:
    return "var(--none)" if name == OTHERS else f"var(--s{(number - 1) % (SERIES_MAX + 1) + 1})"


def periods_of(days: Series[Any]) -> Series[Any]:
    """Return the day, week or month of each day, so that a bar stays wide enough to see."""
    import pandas as pd

    moments = pd.to_datetime(days.astype(str).str[:10])
    reach = (moments.max() - moments.min()).days if len(moments) else 0
    if reach <= DAYS_MAX:
        return moments
    return moments.dt.to_period("W" if reach <= WEEKS_MAX else "M").dt.start_time


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


def _bar_days(periods: Any) -> int:
    """Return how many days a bar stands for, judged by the nearest two."""
    gaps = [(after - before).days for before, after in pairwise(periods)]
    return min(gaps, default=1)


def _end(ended: Any, until: datetime) -> datetime:
    return _naive(until if is_none(ended) else ended)


def _naive(at: Any) -> datetime:
    """Return the moment in UTC without saying so: plotly knows no time zones."""
    return datetime.strptime(moment_to_second(at), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007
