"""The parts of the page, as HTML. Every text is escaped here, on its way in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from jarkeeper.audit.verify import UNREMEMBERED
from jarkeeper.checks import Severity
from jarkeeper.report import tables
from jarkeeper.report.content import Content, Verdict
from jarkeeper.report.drawing import Chart
from jarkeeper.report.headline import Point, judge
from jarkeeper.report.readings import (
    NOTHING,
    are,
    counted,
    days_between,
    figure_text,
    meaning_of,
    moment,
    target_text,
)
from jarkeeper.report.sections import Section
from jarkeeper.report.spark import sparkline
from jarkeeper.report.tables import Table
from jarkeeper.words import printable

if TYPE_CHECKING:
    from jarkeeper.analysis.figures import KeyFigure

DISCREPANCIES_MAX = 50
FINDINGS_MAX = 100
VOLUMES_MAX = 20
WIDE_CHARS = 30
"""A column with longer text than this gets room for it."""
TONES = {Severity.CRITICAL: "bad", Severity.WARNING: "warn", Severity.OK: "good"}
SIGNS = {
    Severity.CRITICAL: "\u2717 critical",
    Severity.WARNING: "! warning",
    Severity.OK: "\u2713 fine",
}

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_CODE = re.compile(r"`([^`]+)`")


def text_of(text: object) -> str:
    """Return any text as text of HTML, without what could turn its direction."""
    return html.escape(printable(str(text)))


def _step(text: str) -> str:
    """Return a next step with its commands as code."""
    return _CODE.sub(r"<code>\1</code>", text_of(text[:1].upper() + text[1:]))


def about(content: Content) -> str:
    told = (
        ("vault", tables.text(content.place)),
        ("id", content.vault[:8]),
        ("span", f"{moment(content.since)} to {moment(content.until)} UTC, "
                 f"{days_between(content.since, content.until)}"),
        ("made", f"{moment(content.made_at)} UTC"),
    )  # fmt: skip
    return "".join(f"<span>{name} <b>{text_of(value)}</b></span>" for name, value in told)


def verdict(content: Content) -> str:
    headline = judge(content)
    tone = TONES[headline.severity]
    nothing = not content.integrity.events and not headline.points
    more = f'<p class="more">and {headline.more} more below</p>' if headline.more else ""
    since = f'<p class="explains">{text_of(note)}</p>' if (note := reach_note(content)) else ""
    return (
        f'<section class="verdict {"none" if nothing else tone}" aria-labelledby="verdict">'
        f'<h2 id="verdict">Verdict</h2><p class="sentence">{text_of(headline.sentence)}</p>'
        f"{since}{_points(headline.points)}{more}</section>"
    )


def reach_note(content: Content) -> str:
    """Return since when there is a record, where that is no matter for the verdict; or nothing."""
    said = content.reach.sentence if content.reach.is_enough else ""
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _points(points: Iterable[Point]) -> str:
    items = "".join(
        f'<li class="{TONES[point.severity]}"><span class="pill">{SIGNS[point.severity]}</span>'
        f"<span>{_step(point.what)}</span>"
        + (f'<span class="step">→ {_step(point.step)}</span>' if point.step else "")
        + "</li>"
        for point in points
    )
    return f'<ul class="points">{items}</ul>' if items else ""


def figures(content: Content) -> str:
    cards = "".join(_card(figure, content) for figure in content.figures)
    table = tables.trend(content.trend, content.figures)
    numbers = _behind("the trend in numbers", table) if table.rows else ""
    return (
        '<section aria-labelledby="figures"><h2 id="figures">Key figures</h2>'
        '<p class="explains">Over the whole span; the line is the trend by day, dashed its '
        f'target.</p><div class="cards">{cards}</div>{numbers}</section>'
    )


def _card(figure: KeyFigure, content: Content) -> str:
    state = content.state_of(figure)
    tone, sign = {True: ("good", "✓ "), False: ("bad", "✗ "), None: ("none", "")}[state.is_met]
    mine = content.trend[content.trend["figure"] == figure.id].sort_values("dt")
    line = sparkline([float(value) for value in mine["value"]], target=figure.target)
    name = figure.name[:1].upper() + figure.name[1:]
    return (
        f'<article class="card {tone}"><h3>{text_of(name)}</h3>'
        f'<p class="value">{text_of(figure_text(figure))}</p>'
        f'<p class="target"><span class="pill">{sign}{state.value}</span>'
        f"<span>target: {text_of(target_text(figure))}</span></p>"
        f'{line}<p class="explains">{text_of(meaning_of(figure))}</p></article>'
    )


def section(part: Section) -> str:
    said = "".join(f'<p class="says">{text_of(sentence)}</p>' for sentence in part.says)
    explains = f'<p class="explains">{text_of(part.explains)}</p>' if part.explains else ""
    chart = _figure(part) if part.chart else ""
    table = ""
    if part.table:
        table = (
            _shown(part.table, stacks=True) if part.is_open else _behind("the numbers", part.table)
        )
    return (
        f'<section aria-labelledby="{part.id}"><h2 id="{part.id}">{text_of(part.title)}</h2>'
        f"{said}{explains}{chart}{table}</section>"
    )


def _figure(part: Section) -> str:
    chart = part.chart
    assert chart is not None, "its caller looked"  # noqa: S101
    return (
        f'<figure aria-labelledby="{part.id}">{_choices(part, chart)}'
        f'<div class="chart" id="{part.id}-plot" data-chart="{part.id}-data" role="img" '
        f'aria-label="{text_of(chart.summary)}"></div>'
        '<p class="without">The chart takes JavaScript; the table has its numbers.</p></figure>'
    )


def _choices(part: Section, chart: Chart) -> str:
    if len(chart.views) < 2:
        return ""
    choices = "".join(
        f'<label><input type="radio" name="{part.id}-data-view" value="{number}" '
        f'data-plot="{part.id}-plot"{"" if number else " checked"}>'
        f"<span>{text_of(name)}</span></label>"
        for number, name in enumerate(chart.views)
    )  # fmt: skip
    return f"<fieldset><legend>Show</legend>{choices}</fieldset>"


def _behind(words: str, table: Table) -> str:
    return f"<details><summary>Show {words}</summary>{_shown(table)}</details>"


def _shown(table: Table, *, stacks: bool = False) -> str:
    """Return the table. One that stacks is a list of rows on a phone, and keeps its roles there."""

    def cell(place: int, value: str, tag: str, role: str) -> str:
        kind = "number" if place in table.numbers else "wide" if len(value) > WIDE_CHARS else ""
        kind = kind or ("date" if _DATE.match(value) else "")
        kind = f' class="{kind}"' if kind else ""
        if kind and stacks and place in table.numbers:
            kind += f' data-heading="{text_of(table.headings[place])}"'
        shown = text_of(value) if tag == "th" else _CODE.sub(r"<code>\1</code>", text_of(value))
        return f'<{tag}{kind} role="{role}">{shown}</{tag}>'

    head = "".join(
        cell(place, value, "th", "columnheader") for place, value in enumerate(table.headings)
    )
    body = "".join(
        '<tr role="row">'
        + "".join(cell(place, value, "td", "cell") for place, value in enumerate(row))
        + "</tr>"
        for row in table.rows
    )
    more = f'<p class="more">and {table.more:,} more; the CSV files have all</p>'
    caption = text_of(table.caption)
    # What scrolls has to be reached by keyboard.
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0">'
        f'<table role="table" class="{"stacks" if stacks else ""}">'
        f'<caption class="hidden">{caption}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table></div>{more if table.more else ""}'
    )


def findings(content: Content) -> str:
    shown = content.findings[:FINDINGS_MAX]
    left = len(content.findings) - len(shown)
    points = [
        Point(one.severity, one.message, "" if one.severity is Severity.OK else one.next_step)
        for one in shown
    ]
    none = "Too little is on record to find anything."
    if not content.integrity.is_intact:
        none = "That there is nothing to find is not known: the trail is not intact."
    elif not content.reach.is_enough:
        none = "That there is nothing to find is not known: not all of this time is on record."
    said = "" if points else f'<p class="says">{none}</p>'
    more = f'<p class="more">and {left:,} more</p>' if left else ""
    return (
        '<section aria-labelledby="findings"><h2 id="findings">Findings</h2>'
        '<p class="explains">What the trail shows when it is looked at as a whole, the worst '
        f"first.</p>{said}{_points(points)}{more}</section>"
    )


def integrity(verdict: Verdict) -> str:
    shown = verdict.discrepancies[:DISCREPANCIES_MAX]
    items = [Point(Severity.CRITICAL, f"{code}: {message}", "") for code, message in shown]
    left = len(verdict.discrepancies) - len(shown)
    more = f'<p class="more">and {left:,} more</p>' if left else ""
    said = "".join(f'<p class="says">{text_of(one)}</p>' for one in integrity_words(verdict))
    return (
        '<section aria-labelledby="integrity"><h2 id="integrity">Integrity of the trail</h2>'
        f'{said}<p class="explains">Each event holds the hash of the one before and a '
        "code that only the holder of the key can make; checkpoints say how long each chain was."
        f"</p>{_points(items)}{more}</section>"
    )


def integrity_words(verdict: Verdict) -> tuple[str, ...]:
    """Return whether the trail is what was written, in sentences."""
    if not verdict.is_intact:
        count = counted(len(verdict.discrepancies), "place")
        whole = f"NOT INTACT: the trail is not what was written, in {count}."
        return (whole, *_left_out_words(verdict.left_out))
    if not verdict.events:
        return ("There is no event to verify.",)
    events, newest = verdict.events, verdict.unanchored
    whole = f"Intact: {counted(events, 'event')} {are(events)} what was written, in order."
    alone = (f"{UNREMEMBERED[:1].upper()}{UNREMEMBERED[1:]}.",) * verdict.is_unremembered
    if not newest:
        return (whole, *alone)
    which, they = ("newest", "it was") if newest == 1 else (f"newest {newest:,}", "they were")
    vouched = f"The {which} {are(newest)} vouched for by no checkpoint yet"
    return whole, f"{vouched}: that {they} cut off would not show.", *alone


def _left_out_words(names: tuple[str, ...]) -> Iterator[str]:
    if names:
        shown = ", ".join(names[:VOLUMES_MAX]) + (", …" if names[VOLUMES_MAX:] else "")
        what = f"{counted(len(names), 'volume')} of the archive {are(len(names))} left out"
        yield f"{what}, no number counts what is in there: {shown}."


def retention(content: Content) -> str:
    kept = content.retention
    days = counted(kept.keep_days, "day") if kept.keep_days else "for ever"
    told = (
        ("past retention, and deleted", f"all before {kept.retired_before}"),
        ("first day on record", kept.first_day or NOTHING),
        ("last day on record", kept.last_day or NOTHING),
        ("events stored one by one", f"{kept.raw_events:,}"),
        ("days in the archive", f"{kept.archived_days:,}"),
        ("kept", days),
    )
    rows = "".join(
        f"<dt>{name}</dt><dd>{text_of(value)}</dd>"
        for name, value in told[not kept.retired_before :]
    )
    return (
        '<section aria-labelledby="retention"><h2 id="retention">Retention</h2>'
        f'<p class="explains">How far back the trail reaches.</p><dl>{rows}</dl></section>'
    )
