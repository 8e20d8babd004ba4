"""The numbers behind each chart, as tables of text; long ones say how much they leave out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jarkeeper.report.readings import NOTHING, amount, is_none, moment, percent, span
from jarkeeper.words import printable

if TYPE_CHECKING:
    from pandas import DataFrame

    from jarkeeper.analysis.figures import KeyFigure

ROWS_MAX = 100
"""Of a table in the page; the CSV files hold all."""
TEXT_CHARS_MAX = 200
NAN = float("nan")
Cell = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings. Columns in `numbers` are aligned as numbers."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()
    more: int = 0
    """How many rows are left out."""


def text(value: object) -> str:
    """Return foreign text so that it can be shown, short enough for a cell."""
    shown = printable(" ".join(str(value).split()))
    return shown if len(shown) <= TEXT_CHARS_MAX else shown[: TEXT_CHARS_MAX - 1] + "…"


def trend(frame: DataFrame, figures: Iterable[KeyFigure]) -> Table:
    """Return the trend of all key figures, a row for each day, the newest first."""
    figures = tuple(figures)
    values: dict[str, dict[str, float]] = {}
    for one in frame.to_dict("records"):
        values.setdefault(str(one["dt"])[:10], {})[str(one["figure"])] = one["value"]
    days = sorted(values, reverse=True)
    rows = [
        (day, *(amount(values[day].get(figure.id, NAN), figure.unit) for figure in figures))
        for day in days[:ROWS_MAX]
    ]
    return Table(
        "Key figures by day",
        ("day", *(figure.name for figure in figures)),
        tuple(rows),
        frozenset(range(1, len(figures) + 1)),
        max(0, len(days) - ROWS_MAX),
    )


def outcomes(frame: DataFrame) -> Table:
    """Return downloads by outcome, the commonest first, with their share."""
    totals = frame.groupby("outcome", as_index=False)["downloads"].sum()
    totals = totals.sort_values("downloads", ascending=False)
    total = int(totals["downloads"].sum())
    return _table(
        "Downloads by outcome",
        totals,
        {
            "outcome": lambda one: "arrived" if one["outcome"] == "OK" else text(one["outcome"]),
            "downloads": _whole("downloads"),
            "share": lambda one: percent(100 * one["downloads"] / total) if total else NOTHING,
        },
        numbers=("downloads", "share"),
    )


def ages(frame: DataFrame) -> Table:
    """Return tries and success by jar and day in use."""
    days = frame.groupby(["jar", "day_of_life"], as_index=False)[["tries", "succeeded"]].sum()
    return _table(
        "Success by days in use",
        days,
        {
            "jar": _of("jar"),
            "day": _whole("day_of_life"),
            "tries": _whole("tries"),
            "succeeded": lambda one: (
                percent(100 * one["succeeded"] / one["tries"]) if one["tries"] else NOTHING
            ),
        },
        numbers=("day", "tries", "succeeded"),
    )


def opens(frame: DataFrame) -> Table:
    """Return opens by jar, principal and flow, the most first."""
    totals = frame.groupby(["jar", "principal", "flow"], as_index=False)["opens"].sum()
    return _table(
        "Opens by jar, principal and flow",
        totals.sort_values("opens", ascending=False),
        {name: _of(name) for name in ("jar", "principal", "flow")} | {"opens": _whole("opens")},
        numbers=("opens",),
    )


def refreshes(frame: DataFrame) -> Table:
    """Return every renewal, the newest first."""
    return _table(
        "Renewals",
        frame.sort_values("at", ascending=False),
        {
            "time (UTC)": _at("at"),
            "jar": _of("jar"),
            "by": _of("action"),
            "since the one before": _hours("hours"),
        },
        numbers=("since the one before",),
    )


def generations(frame: DataFrame) -> Table:
    """Return every generation, the newest first."""
    return _table(
        "Generations",
        frame.sort_values("began", ascending=False),
        {
            "jar": _of("jar"),
            "generation": lambda one: text(one["generation"])[:8],
            "in use from (UTC)": _at("began"),
            "until (UTC)": lambda one: (
                "still in use" if is_none(one["ended"]) else moment(one["ended"])
            ),
            "tries": _whole("tries"),
            "succeeded": _whole("succeeded"),
            "failed by the cookies": _whole("cookie_failures"),
        },
        numbers=("tries", "succeeded", "failed by the cookies"),
    )


def incidents(frame: DataFrame) -> Table:
    """Return every incident, the newest first."""
    return _table(
        "Incidents",
        frame.sort_values("opened_at", ascending=False),
        {
            "cause": _of("cause"),
            "jar": lambda one: text(one["jar"]) or "(the vault)",
            "severity": _of("severity"),
            "opened (UTC)": _at("opened_at"),
            "closed (UTC)": lambda one: (
                "goes on" if is_none(one["closed_at"]) else moment(one["closed_at"])
            ),
            "lasted": _hours("hours"),
        },
        numbers=("lasted",),
    )


def errors(frame: DataFrame) -> Table:
    """Return error classes with what they mean and what helps, the commonest first."""
    return _table(
        "Errors by class",
        frame.sort_values(["count", "tries"], ascending=False),
        {
            "class": _of("failure"),
            "downloads": _whole("count"),
            "tries with cookies": _whole("tries"),
            "what it means": _of("explanation"),
            "what helps": _of("remedy"),
        },
        numbers=("downloads", "tries with cookies"),
    )


def _table(
    caption: str, frame: DataFrame, columns: Mapping[str, Cell], *, numbers: Iterable[str] = ()
) -> Table:
    headings = tuple(columns)
    rows = tuple(
        tuple(cell(one) for cell in columns.values())
        for one in frame.head(ROWS_MAX).to_dict("records")
    )
    places = frozenset(map(headings.index, numbers))
    return Table(caption, headings, rows, places, max(0, len(frame) - ROWS_MAX))


def _of(name: str) -> Cell:
    return lambda one: text(one[name])


def _at(name: str) -> Cell:
    return lambda one: moment(one[name])


def _whole(name: str) -> Cell:
    return lambda one: f"{int(one[name]):,}"


def _hours(name: str) -> Cell:
    return lambda one: NOTHING if is_none(one[name]) else span(one[name] * 60)
