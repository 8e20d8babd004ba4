"""The CloudWatch dashboard, from the table of metrics: `python infrastructure/dashboard.py`.

`make format` writes dashboard.json, `make check` compares it: a metric that gets another name, or
other dimensions, changes the file. The figures' targets stand in the graphs as lines.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from jarkeeper.audit.patterns import VIDEOS_OWN
from jarkeeper.audit.usage import COOKIE_FAILURES
from jarkeeper.metrics.emf import NAMESPACE, dimension_sets
from jarkeeper.metrics.table import INSTRUMENTS, Instrument

REGION = "${region}"
"""Filled in by whoever makes the dashboard: Terraform, or `sed`."""
COLUMNS, WIDTH, HEIGHT = 24, 12, 6
HOUR, DAY = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Target:
    """A line in a graph: the value, and what it means."""

    value: float
    words: str


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a graph: a metric over all it is kept by, or a calculation over others."""

    instrument: str = ""
    dimensions: tuple[str, ...] = ()
    """Names of the dimensions that tell its lines apart."""
    only: str = ""
    """What the values of its dimensions must be besides."""
    statistic: str = "Sum"
    expression: str = ""
    label: str = ""
    id: str = ""
    is_shown: bool = True


@dataclass(frozen=True, slots=True)
class Graph:
    """One widget."""

    title: str
    series: tuple[Series, ...]
    period: int = HOUR
    target: Target | None = None
    is_percent: bool = False


def among(dimension: str, *values: str) -> str:
    """Return the term for a dimension that has one of these very values."""
    quoted = " OR ".join(f'"{value}"' for value in sorted(values))
    return f'"{dimension}"=({quoted})'


def hidden(id_: str, instrument: str, *dimensions: str, only: str = "") -> Series:
    """Return what only a calculation shows."""
    return Series(instrument, dimensions, only, id=id_, is_shown=False)


GRAPHS = (
    Graph(
        "Videos that arrived",
        (
            hidden("ok", "downloads", "jar", "outcome", only=among("outcome", "downloaded")),
            hidden(
                "failed",
                "downloads",
                *("jar", "outcome", "class"),
                only=f"{among('outcome', 'failed')} NOT {among('class', *VIDEOS_OWN)}",
            ),
            Series(
                expression="100 * SUM(ok) / (SUM(ok) + SUM(failed))", label="arrived", id="rate"
            ),
        ),
        DAY,
        Target(95, "L1: more than 95 %, a video's own failures left out"),
        is_percent=True,
    ),
    Graph(
        "Tries that failed because of the cookies",
        (
            hidden("all", "tries", "jar"),
            hidden("lost", "tries", "jar", "slot", "class", only=among("class", *COOKIE_FAILURES)),
            Series(expression="100 * SUM(lost) / SUM(all)", label="cookie failures", id="share"),
        ),
        DAY,
        Target(1, "L2: less than 1 %"),
        is_percent=True,
    ),
    Graph(
        "Age of the active cookies",
        (Series("active_age", ("jar",), statistic="Maximum"),),
        HOUR,
        Target(DAY, "L3: renewed within 24 h"),
    ),
    Graph(
        "Incidents opened",
        (Series("incidents_opened", ("jar", "cause")),),
        DAY,
        Target(0, "L4: no security incident"),
    ),
    Graph(
        "Incidents open now",
        (Series("incidents_open", ("severity",), statistic="Maximum"),),
        HOUR,
        Target(0, "L5, L6: none that is critical, none for more than 30 min"),
    ),
    Graph("Slots by state", (Series("slots", ("jar", "slot", "state"), statistic="Maximum"),)),
    Graph("Downloads by outcome and class", (Series("downloads", ("jar", "outcome", "class")),)),
    Graph("Times that YouTube ended a login", (Series("cookie_failures", ("jar", "class")),)),
    Graph("Opens", (Series("opens", ("jar", "slot", "result")),)),
    Graph(
        "Opens of an hour, of what is allowed",
        (Series("budget_used", ("jar",), statistic="Maximum"),),
        target=Target(100, "COOKIE_OPENS_PER_HOUR"),
        is_percent=True,
    ),
    Graph(
        "Refreshes and write-backs",
        (Series("refreshes", ("jar", "result")), Series("write_backs", ("jar", "slot", "result"))),
    ),
    Graph(
        "Time to open and to validate, 95th percentile",
        (
            Series("open_duration", ("jar", "slot"), statistic="p95"),
            Series("validation_duration", ("jar",), statistic="p95"),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard's body as CloudWatch takes it."""
    widgets = [_widget(number, graph) for number, graph in enumerate(GRAPHS)]
    return {"start": "-P14D", "periodOverride": "inherit", "widgets": widgets}


def dashboard_text() -> str:
    """Return what dashboard.json holds."""
    return json.dumps(dashboard(), indent=2) + "\n"


def _widget(number: int, graph: Graph) -> dict[str, Any]:
    across = COLUMNS // WIDTH
    return {
        "type": "metric",
        "x": number % across * WIDTH,
        "y": number // across * HEIGHT,
        "width": WIDTH,
        "height": HEIGHT,
        "properties": _properties(graph),
    }


def _properties(graph: Graph) -> dict[str, Any]:
    axis = {"min": 0, "max": 100} if graph.is_percent else {"min": 0}
    properties: dict[str, Any] = {
        "title": graph.title,
        "view": "timeSeries",
        "region": REGION,
        "period": graph.period,
        "metrics": [[_line(series, graph.period)] for series in graph.series],
        "yAxis": {"left": axis},
    }
    if graph.target is not None:
        lines = [{"label": graph.target.words, "value": graph.target.value}]
        properties["annotations"] = {"horizontal": lines}
    return properties


def _line(series: Series, period: int) -> dict[str, Any]:
    line: dict[str, Any] = {"expression": series.expression or _search(series, period)}
    named = {"id": series.id, "label": series.label}
    line |= {name: value for name, value in named.items() if value}
    if not series.is_shown:
        line["visible"] = False
    return line


def _search(series: Series, period: int) -> str:
    """Return the search for all lines of a metric: jars come and go, and no dashboard names them.

    `KeyError` where there is no such metric, `ValueError` where it is not kept by these dimensions.
    """
    instrument: Instrument = INSTRUMENTS[series.instrument]
    if list(series.dimensions) not in dimension_sets(instrument):
        names = ", ".join(series.dimensions)
        raise ValueError(f"metric '{instrument.name}': is not kept by {names}")
    schema = ",".join((NAMESPACE, *series.dimensions))
    term = f'{{{schema}}} MetricName="{instrument.name}" {series.only}'.rstrip()
    return f"SEARCH('{term}', '{series.statistic}', {period})"


if __name__ == "__main__":
    print(dashboard_text(), end="")
