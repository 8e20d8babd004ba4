"""The charts, as plotly figures: data and layout."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jarkeeper.audit.usage import COOKIE_FAILURES, SUCCEEDED
from jarkeeper.report.drawing import (
    FEW,
    OTHERS,
    ROW_HEIGHT,
    SERIES_MAX,
    Chart,
    Figure,
    Span,
    bar_days,
    bars,
    count_axis,
    label,
    largest,
    level,
    mark,
    moments,
    newest_rows,
    numbers,
    periods_of,
    pivoted,
    series_colour,
    time_axis,
    timeline,
)
from jarkeeper.report.readings import counted, is_none, moment, percent, span

if TYPE_CHECKING:
    from pandas import DataFrame

BARS_MAX = 40
MARKS_MAX = 30
FRESH = "fresh cookies"
POINTS_MAX = 2000
POINTS_APART = 0.015
"""Of the width of an axis: so that none hides another."""
REFRESH_TARGET_HOURS = 24
BELOW_ONE, BELOW_TEN, TEN_OR_MORE = "below 1 %", "from 1 % to below 10 %", "10 % or more"
NOT_TRIED = "not tried"
SEVERITY_COLOURS = {"critical": "var(--bad)", "warning": "var(--warn)"}


def downloads(
    outcomes: DataFrame, generations: DataFrame, *, since: datetime, until: datetime
) -> Chart:
    """Draw what became of downloads over time, with the moments at which cookies were replaced."""
    days = bar_days(since, until)
    frame = outcomes.assign(period=periods_of(outcomes["dt"], days=days))
    names = [SUCCEEDED, *(name for name in largest(frame, "outcome", "downloads", SERIES_MAX + 1)
                          if name != SUCCEEDED)]  # fmt: skip
    table = pivoted(frame, "outcome", "downloads", names)
    traces = [
        bars(_outcome_name(name), table[name], _outcome_colour(name, number), days=days)
        for number, name in enumerate(column for column in names if column in table)
    ]
    marks, shapes = _beginnings(generations, outcomes)
    axis = time_axis(since, until, table.index)
    counted: Figure = {
        "data": traces + marks,
        "layout": {"barmode": "stack", "shapes": shapes, "xaxis": axis,
                   "yaxis": count_axis("downloads", table.sum(axis=1).max())},
    }  # fmt: skip
    shares = {
        "data": [trace | {"hovertemplate": "%{y:.1f} %<extra>%{fullData.name}</extra>"}
                 for trace in traces] + marks,
        "layout": counted["layout"] | {"barnorm": "percent",
                   "yaxis": {"title": {"text": "share of downloads"}, "ticksuffix": " %",
                             "range": [0, 100]}},
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
        names = largest(frame, by, "tries", SERIES_MAX)
        oldest = int(frame["day_of_life"].max())
        # Side by side: equal points would hide each other.
        step = min(POINTS_APART * max(1, oldest), 0.5 / len(names))
        traces = [
            _age_line(
                name,
                frame[frame[by] == name],
                f"var(--s{number + 1})",
                aside=step * (number - (len(names) - 1) / 2),
            )
            for number, name in enumerate(names)
        ]
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
    days = bar_days(since, until)
    frame = frame.assign(period=periods_of(frame["dt"], days=days))
    views = {}
    for by in ("jar", "principal", "flow"):
        names = largest(frame, by, "opens", SERIES_MAX)
        table = pivoted(frame, by, "opens", names)
        traces = [
            bars(str(name), table[name], series_colour(name, number), days=days)
            for number, name in enumerate(table.columns, start=1)
        ]
        layout = {
            "barmode": "stack",
            "xaxis": time_axis(since, until, table.index),
            "yaxis": count_axis("opens", table.sum(axis=1).max()),
        }
        views[by] = {"data": traces, "layout": layout}
    return Chart(f"Opens over time: {int(frame['opens'].sum()):,} in all.", views)


def refreshes(frame: DataFrame, *, since: datetime, until: datetime) -> Chart:
    """Draw how long each login went without renewal, against the target."""
    frame = frame.dropna(subset=["hours"]).sort_values("at").tail(POINTS_MAX)
    traces = []
    for number, name in enumerate(largest(frame, "jar", None, SERIES_MAX), start=1):
        mine = frame[frame["jar"] == name]
        hover = [
            f"{label(action)}, {span(hours * 60)} after the one before"
            for action, hours in zip(mine["action"], mine["hours"], strict=True)
        ]
        traces.append({
            "type": "scatter", "mode": "lines+markers", "name": label(name),
            "x": moments(mine["at"]), "y": numbers(mine["hours"]), "hovertext": hover,
            "hovertemplate": "%{hovertext}<extra>%{fullData.name}</extra>",
            "line": {"color": f"var(--s{number})", "width": 1.5}, "marker": mark(len(mine)),
        })  # fmt: skip
    axis = time_axis(since, until)
    layout = {
        "xaxis": axis,
        "yaxis": {"title": {"text": "hours since the one before"}, "rangemode": "tozero"},
    }
    traces.append(level(REFRESH_TARGET_HOURS, "target: below 24 h", axis))
    summary = f"Hours between renewals of each login, {len(frame):,} of them; the target is 24."
    return Chart(summary, {"": {"data": traces, "layout": layout}})


def lives(generations: DataFrame, *, since: datetime, until: datetime) -> Chart:
    """Draw from when to when each generation was in use; the colour says how it did."""
    frame = generations.sort_values("began").tail(BARS_MAX)
    rows = [
        Span(
            row=f"{label(one['jar'], 16)} · {label(str(one['generation'])[:8])}",
            began=one["began"],
            ended=one["ended"],
            kind=_health_of(one),
            hover=_life_words(one),
        )
        for one in frame.to_dict("records")
    ]
    kinds = {
        BELOW_ONE: "var(--ok)",
        BELOW_TEN: "var(--warn)",
        TEN_OR_MORE: "var(--bad)",
        NOT_TRIED: "var(--none)",
    }
    summary = f"The life of {counted(len(rows), 'generation')} as bars over time."
    since = since if len(frame) < BARS_MAX else max(since, frame["began"].min())
    return timeline(rows, kinds, summary, since=since, until=until)


def incidents(frame: DataFrame, *, since: datetime, until: datetime) -> Chart:
    """Draw from when to when each incident went on."""
    frame = frame.sort_values("opened_at").tail(POINTS_MAX)
    rows = [
        Span(
            row=label(one["cause"]) + (f" · {label(one['jar'], 16)}" if one["jar"] else ""),
            began=one["opened_at"],
            ended=one["closed_at"],
            kind=str(one["severity"]),
            hover=f"{label(one['severity'])}, {_lasted(one)}",
        )
        for one in frame.to_dict("records")
    ]
    rows = newest_rows(rows, BARS_MAX)
    summary = f"{counted(len(rows), 'incident')} as bars over time, a row for each cause and jar."
    return timeline(rows, SEVERITY_COLOURS, summary, since=since, until=until)


def errors(frame: DataFrame) -> Chart:
    """Draw the commonest error classes."""
    views = {}
    for view, by in (("downloads", "count"), ("tries with cookies", "tries")):
        top = frame[frame[by] > 0].sort_values(by, ascending=False).head(SERIES_MAX + 3)[::-1]
        if not top.empty:
            views[view] = _error_bars(top, by, f"{view} that failed")
    longest = max((len(view["data"][0]["y"]) for view in views.values()), default=0)
    summary = f"Failures by error class: the commonest, {counted(longest, 'bar')}."
    return Chart(summary, views)


def _error_bars(top: DataFrame, by: str, title: str) -> Figure:
    names = [str(name) for name in top["failure"]]
    trace = {
        "type": "bar", "orientation": "h", "x": numbers(top[by]), "y": [*map(label, names)],
        "marker": {"color": [
            "var(--bad)" if name in COOKIE_FAILURES else "var(--s1)" for name in names
        ]},
        "hovertemplate": "%{y}: %{x:,}<extra></extra>", "showlegend": False,
    }  # fmt: skip
    layout = {
        "height": 90 + ROW_HEIGHT * len(names),
        "xaxis": count_axis(title, top[by].max()),
        "yaxis": {"type": "category", "automargin": True},
    }
    return {"data": [trace], "layout": layout}


def _age_line(name: object, frame: DataFrame, colour: str, *, aside: float) -> Figure:
    days = frame.groupby("day_of_life", as_index=False)[["tries", "succeeded"]].sum()
    days = days[days["tries"] > 0]
    share = 100 * days["succeeded"] / days["tries"]
    hover = [
        f"day {int(day)}: {percent(value)} of {counted(int(tries), 'try')}"
        for day, value, tries in zip(days["day_of_life"], share, days["tries"], strict=True)
    ]
    return {
        "type": "scatter", "mode": "lines+markers", "name": label(name),
        "x": numbers(days["day_of_life"] + aside), "y": numbers(share), "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra>%{fullData.name}</extra>",
        "line": {"color": colour, "width": 2}, "marker": mark(len(days)),
    }  # fmt: skip


def _beginnings(generations: DataFrame, outcomes: DataFrame) -> tuple[list[Figure], list[Figure]]:
    """Return a mark below the bars, and a line through them, where a generation came into use."""
    if outcomes.empty:
        return [], []
    first = str(outcomes["dt"].min())[:10]
    began = generations.assign(day=[moment(at)[:10] for at in generations["began"]])
    began = began[began["day"] >= first].sort_values("began")
    if not 0 < len(began) <= MARKS_MAX:  # more would be a thicket
        return [], []
    marks = {
        "type": "scatter", "mode": "markers", "name": FRESH, "cliponaxis": False,
        "x": [f"{day} 12:00" for day in began["day"]], "y": [0] * len(began),
        "marker": {"symbol": "triangle-up", "size": 9, "color": "var(--ink)"},
        "hovertext": [f"{label(jar)}: generation {label(str(generation)[:8])} came into use" for
                      jar, generation in zip(began["jar"], began["generation"], strict=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    lines = [
        {"type": "line", "x0": f"{day} 12:00", "x1": f"{day} 12:00", "y0": 0, "y1": 1,
         "yref": "paper", "layer": "above",
         "line": {"color": "var(--quiet)", "width": 1, "dash": "dot"}}
        for day in dict.fromkeys(began["day"])
    ]  # fmt: skip
    return [marks], lines


def _outcome_name(name: str) -> str:
    return {SUCCEEDED: "arrived", OTHERS: "other classes"}.get(name, name)


def _outcome_colour(name: str, number: int) -> str:
    return "var(--ok)" if name == SUCCEEDED else series_colour(name, number + 1)


def _arrived(outcomes: DataFrame) -> int:
    return int(outcomes.loc[outcomes["outcome"] == SUCCEEDED, "downloads"].sum())


def _health_of(generation: Mapping[str, Any]) -> str:
    if not generation["tries"]:
        return NOT_TRIED
    share = generation["cookie_failures"] / generation["tries"]
    if share < 0.01:
        return BELOW_ONE
    return BELOW_TEN if share < 0.1 else TEN_OR_MORE


def _life_words(one: Mapping[str, Any]) -> str:
    end = "still in use" if is_none(one["ended"]) else f"until {moment(one['ended'])}"
    return (
        f"from {moment(one['began'])}, {end}<br>{counted(int(one['tries']), 'try')}, "
        f"{int(one['cookie_failures']):,} failed by the cookies"
    )


def _lasted(one: Mapping[str, Any]) -> str:
    length = "" if is_none(one["hours"]) else f"{span(one['hours'] * 60)}, "
    end = "goes on" if is_none(one["closed_at"]) else f"until {moment(one['closed_at'])}"
    return f"{length}from {moment(one['opened_at'])}, {end}"
