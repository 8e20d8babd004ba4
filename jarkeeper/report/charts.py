"""The charts, as plotly figures: data and layout, with names of colours that the page resolves.

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

from jarkeeper.audit.usage import COOKIE_FAILURES, SUCCEEDED
from jarkeeper.report.readings import moment, percent, span
from jarkeeper.words import printable

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Figure: TypeAlias = dict[str, Any]

SERIES_MAX = 7
"""Colours that can be told apart; the rest is one series, 'others'."""
BARS_MAX = 40
MARKS_MAX = 30
POINTS_MAX = 2000
LABEL_CHARS_MAX = 32
DAYS_MAX = 120
"""With more days than this, a bar is a week …"""
WEEKS_MAX = 730
"""… and with more days than this, a month."""
REFRESH_TARGET_HOURS = 24
ROW_HEIGHT = 26
FEW = 8
"""Up to here an axis of whole numbers has a line for each."""
DAY_MILLISECONDS = 86_400_000
SEVERITY_COLOURS = {"critical": "var(--bad)", "warning": "var(--warn)"}
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, in one or several views between which the reader chooses."""

    summary: str
    """For whoever does not see it."""
    views: Mapping[str, Figure] = field(default_factory=dict)


def label(text: object, most: int = LABEL_CHARS_MAX) -> str:
    """Return foreign text as plotly will show it: as it is, short, without tags."""
    shown = printable(" ".join(str(text).split()))
    return html.escape(shown if len(shown) <= most else shown[: most - 1] + "…", quote=False)


def downloads(
    outcomes: DataFrame, generations: DataFrame, *, since: datetime, until: datetime
) -> Chart:
    """Draw what became of downloads over time, with the moments at which cookies were replaced."""
    frame = outcomes.assign(period=_periods(outcomes["dt"]))
    names = [SUCCEEDED, *(name for name in _largest(frame, "outcome", "downloads", SERIES_MAX + 1)
                          if name != SUCCEEDED)]  # fmt: skip
    table = _pivot(frame, "outcome", "downloads", names)
    traces = [
        _bars(_outcome_name(name), table.index, table[name], _outcome_colour(name, number))
        for number, name in enumerate(column for column in names if column in table)
    ]
    marks, shapes = _beginnings(generations, outcomes)
    axis = _time_axis(since, until, table.index)
    counted = {
        "data": traces + marks,
        "layout": {"barmode": "stack", "shapes": shapes, "xaxis": axis,
                   "yaxis": _count_axis("downloads", table.sum(axis=1).max())},
    }  # fmt: skip
    shares = {
        "data": [trace | {"hovertemplate": "%{y:.1f} %<extra>%{fullData.name}</extra>"}
                 for trace in traces] + marks,
        "layout": counted["layout"] | {"barnorm": "percent",
                   "yaxis": {"title": {"text": "share of downloads"}, "ticksuffix": " %"}},
    }  # fmt: skip
    total, arrived = int(outcomes["downloads"].sum()), _arrived(outcomes)
    summary = f"Downloads over time by how they ended: {arrived:,} of {total:,} arrived."
    return Chart(summary, {"number": counted, "share": shares})


def ages(by_age: DataFrame) -> Chart:
    """Draw the success of tries by how many days the cookies had been in use."""
    views = {}
    by_generation = by_age.assign(
        who=by_age["jar"].astype(str) + " · " + by_age["generation"].astype(str).str[:8]
    )
    for view, frame, by in (
        ("all of a jar", by_age, "jar"),
        ("each generation", by_generation, "who"),
    ):
        names = _largest(frame, by, "tries", SERIES_MAX)
        traces = [
            _age_line(name, frame[frame[by] == name], f"var(--s{number})")
            for number, name in enumerate(names, start=1)
        ]
        oldest = int(frame["day_of_life"].max())
        lowest = min((min(trace["y"], default=0) for trace in traces), default=0)
        layout = {
            "xaxis": {"title": {"text": "days in use"}, "range": [-0.3, max(1, oldest) + 0.3],
                      **({"dtick": 1} if oldest <= 2 * FEW else {})},
            "yaxis": {"title": {"text": "tries that succeeded"}, "ticksuffix": " %",
                      "range": [max(0, lowest // 10 * 10 - 10), 101]},
        }  # fmt: skip
        views[view] = {"data": traces, "layout": layout}
    return Chart("Success of tries by the age of the cookies, one line for each jar.", views)


def opens(frame: DataFrame, *, since: datetime, until: datetime) -> Chart:
    """Draw opens over time by jar, principal and flow."""
    frame = frame.assign(period=_periods(frame["dt"]))
    views = {}
    for by in ("jar", "principal", "flow"):
        names = _largest(frame, by, "opens", SERIES_MAX)
        table = _pivot(frame, by, "opens", names)
        traces = [
            _bars(str(name), table.index, table[name], _series_colour(name, number))
            for number, name in enumerate(table.columns, start=1)
        ]
        layout = {
            "barmode": "stack",
            "xaxis": _time_axis(since, until, table.index),
            "yaxis": _count_axis("opens", table.sum(axis=1).max()),
        }
        views[by] = {"data": traces, "layout": layout}
    return Chart(f"Opens over time: {int(frame['opens'].sum()):,} in all.", views)


def refreshes(frame: DataFrame, *, since: datetime, until: datetime) -> Chart:
    """Draw how long each login went without renewal, against the target."""
    frame = frame.dropna(subset=["hours"]).sort_values("at").tail(POINTS_MAX)
    traces = []
    for number, name in enumerate(_largest(frame, "jar", None, SERIES_MAX), start=1):
        mine = frame[frame["jar"] == name]
        hover = [
            f"{label(action)}, {span(hours * 60)} after the one before"
            for action, hours in zip(mine["action"], mine["hours"], strict=True)
        ]
        traces.append({
            "type": "scatter", "mode": "lines+markers", "name": label(name),
            "x": _moments(mine["at"]), "y": _numbers(mine["hours"]), "hovertext": hover,
            "hovertemplate": "%{hovertext}<extra>%{fullData.name}</extra>",
            "line": {"color": f"var(--s{number})", "width": 1.5}, "marker": {"size": 6},
        })  # fmt: skip
    layout = {
        "xaxis": _time_axis(since, until),
        "yaxis": {"title": {"text": "hours since the one before"}, "rangemode": "tozero"},
        "shapes": [_level(REFRESH_TARGET_HOURS)],
        "annotations": [_words_at_level(REFRESH_TARGET_HOURS, "target: below 24 h")],
    }
    summary = f"Hours between renewals of each login, {len(frame):,} of them; the target is 24."
    return Chart(summary, {"": {"data": traces, "layout": layout}})


def lives(generations: DataFrame, *, since: datetime, until: datetime) -> Chart:
    """Draw from when to when each generation was in use; the colour says how it did."""
    frame = generations.sort_values("began").tail(BARS_MAX)
    rows = [
        _Span(
            row=f"{label(one['jar'], 16)} · {label(str(one['generation'])[:8])}",
            began=one["began"],
            ended=one["ended"],
            kind=_health_of(one),
            hover=_life_words(one),
        )
        for one in frame.to_dict("records")
    ]
    kinds = {
        "fewer than 1 % of tries failed by the cookies": "var(--ok)",
        "1 to 10 %": "var(--warn)",
        "10 % or more": "var(--bad)",
        "not tried": "var(--none)",
    }
    summary = f"The life of {len(rows)} generations as bars over time."
    return _timeline(rows, kinds, summary, since=since, until=until)


def incidents(frame: DataFrame, *, since: datetime, until: datetime) -> Chart:
    """Draw from when to when each incident went on."""
    frame = frame.sort_values("opened_at").tail(POINTS_MAX)
    rows = [
        _Span(
            row=label(one["cause"]) + (f" · {label(one['jar'], 16)}" if one["jar"] else ""),
            began=one["opened_at"],
            ended=one["closed_at"],
            kind=str(one["severity"]),
            hover=f"{label(one['severity'])}, {_lasted(one)}",
        )
        for one in frame.to_dict("records")
    ]
    rows = _of_rows(rows, BARS_MAX)
    summary = f"{len(rows)} incidents as bars over time, a row for each cause and jar."
    return _timeline(rows, SEVERITY_COLOURS, summary, since=since, until=until)


def errors(frame: DataFrame) -> Chart:
    """Draw the commonest error classes."""
    top = frame.sort_values("count", ascending=False).head(SERIES_MAX + 3)[::-1]
    names = [str(name) for name in top["failure"]]
    trace = {
        "type": "bar", "orientation": "h", "x": _numbers(top["count"]), "y": [*map(label, names)],
        "marker": {"color": [
            "var(--bad)" if name in COOKIE_FAILURES else "var(--s1)" for name in names
        ]},
        "hovertemplate": "%{y}: %{x:,}<extra></extra>", "showlegend": False,
    }  # fmt: skip
    layout = {
        "height": 90 + ROW_HEIGHT * len(names),
        "xaxis": _count_axis("downloads that failed", top["count"].max()),
        "yaxis": {"type": "category", "automargin": True},
    }
    return Chart(
        f"The {len(names)} commonest error classes.", {"": {"data": [trace], "layout": layout}}
    )


@dataclass(frozen=True, slots=True)
class _Span:
    row: str
    began: Any
    ended: Any
    kind: str
    hover: str


def _timeline(
    spans: list[_Span], kinds: Mapping[str, str], summary: str, *, since: datetime, until: datetime
) -> Chart:
    traces = []
    for kind, colour in kinds.items():
        mine = [one for one in spans if one.kind == kind]
        if mine:
            ends = [_end(one.ended, until) for one in mine]
            begins = [_naive(one.began) for one in mine]
            traces.append({
                "type": "bar", "orientation": "h", "name": kind, "width": 0.55,
                "y": [one.row for one in mine], "base": [f"{at:%Y-%m-%d %H:%M:%S}" for at in begins],
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
        "xaxis": _time_axis(since, until),
        "yaxis": {"type": "category", "automargin": True, "autorange": "reversed",
                  "categoryorder": "array", "categoryarray": order},
    }  # fmt: skip
    return Chart(summary, {"": {"data": traces, "layout": layout}})


def _bars(name: str, x: Iterable[Any], y: Series[Any], colour: str) -> Figure:
    days = [str(at)[:10] for at in x]
    return {
        "type": "bar", "name": label(name), "x": days, "y": _numbers(y), "offset": 0,
        "width": int(0.8 * DAY_MILLISECONDS * _bar_days(y.index)), "marker": {"color": colour},
        "hovertemplate": "%{y:,}<extra>%{fullData.name}</extra>",
    }  # fmt: skip


def _age_line(name: object, frame: DataFrame, colour: str) -> Figure:
    days = frame.groupby("day_of_life", as_index=False)[["tries", "succeeded"]].sum()
    days = days[days["tries"] > 0]
    share = 100 * days["succeeded"] / days["tries"]
    hover = [
        f"day {int(day)}: {percent(value)} of {int(tries):,} tries"
        for day, value, tries in zip(days["day_of_life"], share, days["tries"], strict=True)
    ]
    return {
        "type": "scatter", "mode": "lines+markers", "name": label(name),
        "x": _numbers(days["day_of_life"]), "y": _numbers(share), "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra>%{fullData.name}</extra>",
        "line": {"color": colour, "width": 2}, "marker": {"size": 5},
    }  # fmt: skip


def _beginnings(generations: DataFrame, outcomes: DataFrame) -> tuple[list[Figure], list[Figure]]:
    """Return a mark below the bars, and a line through them, where a generation came into use."""
    if outcomes.empty:
        return [], []
    first = str(outcomes["dt"].min())[:10]
    began = generations.assign(day=[moment(at)[:10] for at in generations["began"]])
    began = began[began["day"] >= first].sort_values("began").tail(MARKS_MAX)
    if began.empty:
        return [], []
    marks = {
        "type": "scatter", "mode": "markers", "name": "fresh cookies", "cliponaxis": False,
        "x": [f"{day} 12:00" for day in began["day"]], "y": [0] * len(began),
        "marker": {"symbol": "triangle-up", "size": 9, "color": "var(--ink)"},
        "hovertext": [f"{label(jar)}: generation {label(str(generation)[:8])} came into use" for
                      jar, generation in zip(began["jar"], began["generation"], strict=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    lines = [
        {"type": "line", "x0": f"{day} 12:00", "x1": f"{day} 12:00", "y0": 0, "y1": 1, "yref": "paper", "layer": "above",
         "line": {"color": "var(--quiet)", "width": 1, "dash": "dot"}}
        for day in dict.fromkeys(began["day"])
    ]  # fmt: skip
    return [marks], lines


def _periods(days: Series[Any]) -> Series[Any]:
    """Return the day, week or month of each day, so that a bar stays wide enough to see."""
    import pandas as pd

    moments = pd.to_datetime(days.astype(str).str[:10])
    reach = (moments.max() - moments.min()).days if len(moments) else 0
    if reach <= DAYS_MAX:
        return moments
    return moments.dt.to_period("W" if reach <= WEEKS_MAX else "M").dt.start_time


def _bar_days(periods: Any) -> int:
    """Return how many days a bar stands for, judged by the nearest two."""
    gaps = [(after - before).days for before, after in pairwise(periods)]
    return min(gaps, default=1)


def _pivot(frame: DataFrame, by: str, value: str, names: list[Any]) -> DataFrame:
    named = frame.assign(series=frame[by].where(frame[by].isin(names), OTHERS))
    table = named.pivot_table(
        index="period", columns="series", values=value, aggfunc="sum", fill_value=0
    )
    return table[[name for name in [*names, OTHERS] if name in table.columns]]


def _largest(frame: DataFrame, by: str, value: str | None, most: int) -> list[Any]:
    groups = frame.groupby(by, observed=True)
    totals = groups.size() if value is None else groups[value].sum()
    return list(totals.sort_values(ascending=False, kind="stable").head(most).index)


def _time_axis(since: datetime, until: datetime, index: Iterable[Any] = ()) -> Figure:
    """Return the span in whole days as an axis, and any bar that stands for more days whole."""
    first = min([moment(since)[:10], *(str(at)[:10] for at in index)])
    last = moment_to_second(until - timedelta(microseconds=1) + timedelta(days=1))[:10]
    return {"type": "date", "range": [f"{first} 00:00", f"{last} 00:00"]}


def _count_axis(title: str, most: float) -> Figure:
    """Return an axis of whole numbers, also where there are few."""
    few = {"dtick": 1} if most <= FEW else {}
    return {"title": {"text": title}, "rangemode": "tozero", "tickformat": ",d", **few}


def _of_rows(spans: list[_Span], most: int) -> list[_Span]:
    """Return the spans of the newest so many rows: a chart has a height."""
    rows = list(dict.fromkeys(one.row for one in reversed(spans)))[:most]
    return [one for one in spans if one.row in rows]


def _outcome_name(name: str) -> str:
    return {SUCCEEDED: "arrived", OTHERS: "other classes"}.get(name, name)


def _outcome_colour(name: str, number: int) -> str:
    return "var(--ok)" if name == SUCCEEDED else _series_colour(name, number + 1)


def _series_colour(name: object, number: int) -> str:
    return "var(--none)" if name == OTHERS else f"var(--s{(number - 1) % (SERIES_MAX + 1) + 1})"


def _arrived(outcomes: DataFrame) -> int:
    return int(outcomes.loc[outcomes["outcome"] == SUCCEEDED, "downloads"].sum())


def _health_of(generation: Mapping[str, Any]) -> str:
    if not generation["tries"]:
        return "not tried"
    share = generation["cookie_failures"] / generation["tries"]
    if share < 0.01:
        return "fewer than 1 % of tries failed by the cookies"
    return "1 to 10 %" if share < 0.1 else "10 % or more"


def _life_words(one: Mapping[str, Any]) -> str:
    end = "still in use" if one["ended"] != one["ended"] else f"until {moment(one['ended'])}"
    return (
        f"from {moment(one['began'])}, {end}<br>{int(one['tries']):,} tries, "
        f"{int(one['cookie_failures']):,} failed by the cookies"
    )


def _lasted(one: Mapping[str, Any]) -> str:
    length = "" if one["hours"] != one["hours"] else f"{span(one['hours'] * 60)}, "
    end = "goes on" if one["closed_at"] != one["closed_at"] else f"until {moment(one['closed_at'])}"
    return f"{length}from {moment(one['opened_at'])}, {end}"


def _level(y: float) -> Figure:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
        "line": {"color": "var(--quiet)", "width": 1, "dash": "dash"},
    }  # fmt: skip


def _words_at_level(y: float, text: str) -> Figure:
    return {
        "xref": "paper", "x": 1, "xanchor": "right", "y": y, "yanchor": "bottom", "text": text,
        "showarrow": False, "bgcolor": "var(--card)", "font": {"color": "var(--quiet)", "size": 11},
    }  # fmt: skip


def _end(ended: Any, until: datetime) -> datetime:
    return _naive(until if ended != ended else ended)


def _naive(at: Any) -> datetime:
    """Return the moment in UTC without saying so: plotly knows no time zones."""
    return datetime.strptime(moment_to_second(at), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007


def moment_to_second(at: Any) -> str:
    """Return a moment as plotly reads it, in UTC."""
    import pandas as pd

    stamp = pd.Timestamp(at)
    stamp = stamp.tz_convert("UTC") if stamp.tzinfo else stamp
    return f"{stamp:%Y-%m-%d %H:%M:%S}"


def _moments(values: Iterable[Any]) -> list[str]:
    return [moment_to_second(at) for at in values]


def _numbers(values: Iterable[Any]) -> list[float | int]:
    return [int(value) if float(value).is_integer() else round(float(value), 3) for value in values]
