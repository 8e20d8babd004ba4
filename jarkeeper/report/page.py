"""One HTML file that holds all it needs: no request leaves it, and nothing foreign in it runs.

Every text is escaped; data for charts lies in islands that no script tag can end. The policy in
the head allows the scripts that stand here, by their hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jarkeeper.checks import Severity
from jarkeeper.report import tables
from jarkeeper.report.charts import Chart
from jarkeeper.report.content import Content, Verdict
from jarkeeper.report.headline import Point, judge
from jarkeeper.report.readings import EACH_FIGURE, days_between, figure_text, moment, target_text
from jarkeeper.report.sections import Section, sections
from jarkeeper.report.spark import sparkline
from jarkeeper.report.tables import Table
from jarkeeper.words import count_of, printable

if TYPE_CHECKING:
    from jarkeeper.analysis.figures import KeyFigure

DISCREPANCIES_MAX = 50
FINDINGS_MAX = 100
WIDE_CHARS = 30
"""A column with longer text than this gets room for it."""
TONES = {Severity.CRITICAL: "bad", Severity.WARNING: "warn", Severity.OK: "good"}
SIGNS = {Severity.CRITICAL: "✗ critical", Severity.WARNING: "! warning", Severity.OK: "✓ fine"}

_CODE = re.compile(r"`([^`]+)`")
_STYLED_BY_ID = re.compile(r'getElementById\("([0-9a-f]{64})"\)')
_LINE_ENDS = re.compile(r"[\u2028\u2029<>&]")

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the verdict</a>
<div class="frame">
<header>
<p class="brand">Jarkeeper report</p>
<h1>{heading}</h1>
<p class="about">{about}</p>
</header>
<div class="columns">
<nav aria-label="Contents"><ol>{contents}</ol></nav>
<main id="main" tabindex="-1">
{main}
</main>
</div>
<footer>{footer}</footer>
</div>
{islands}
{scripts}
</body>
</html>
"""


def page(content: Content) -> str:
    """Return the report as one HTML document."""
    parts = tuple(sections(content))
    css = _asset("page.css")
    charted = [part for part in parts if part.chart]
    scripts = (_plotly(), _asset("page.js")) if charted else ()
    titles = [
        ("verdict", "Verdict"),
        ("figures", "Key figures"),
        *((part.id, part.title) for part in parts),
        ("findings", "Findings"),
        ("integrity", "Integrity"),
        ("retention", "Retention"),
    ]
    main = [
        _verdict(content),
        _figures(content),
        *map(_section, parts),
        _findings(content),
        _integrity(content.integrity),
        _retention(content),
    ]
    heading = f"{content.since:%-d %B %Y} to {content.until:%-d %B %Y}"
    return PAGE.format(
        policy=_policy(scripts, css),
        title=_text(f"Jarkeeper report, {heading}"),
        css=css,
        heading=_text(heading),
        about=_about(content),
        contents="".join(f'<li><a href="#{id_}">{_text(title)}</a></li>' for id_, title in titles),
        main="\n".join(main),
        footer=_text(
            "All times are in UTC. Every number is counted from the audit trail of the vault; "
            "docs/report.md says how to read them."
        ),
        islands="\n".join(_island(part.id, part.chart) for part in charted if part.chart),
        scripts=_styled_already(scripts) + "".join(f"<script>{one}</script>" for one in scripts),
    )


def island_text(value: Any) -> str:
    """Return the value as JSON that can stand in HTML: nothing in it ends or opens a tag."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _policy(scripts: Iterable[str], css: str) -> str:
    """Return what the page may do. Plotly puts rules into style elements that begin empty."""
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(css)} {_hash('')}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script


def _styled_already(scripts: Iterable[str]) -> str:
    """Return the marks by which plotly knows that a style sheet is there.

    It is the one for maps, which we do not draw, and which the policy would refuse aloud.
    """
    marks = dict.fromkeys(mark for one in scripts for mark in _STYLED_BY_ID.findall(one))
    return "".join(f'<i id="{mark}" hidden></i>' for mark in marks)


def _asset(name: str) -> str:
    return files("jarkeeper.report").joinpath(name).read_text(encoding="utf-8")


def _text(text: object) -> str:
    """Return any text as text of HTML, without what could turn its direction."""
    return html.escape(printable(str(text)))


def _step(text: str) -> str:
    """Return a next step with its commands as code."""
    return _CODE.sub(r"<code>\1</code>", _text(text[:1].upper() + text[1:]))


def _about(content: Content) -> str:
    told = (
        ("vault", tables.text(content.place)),
        ("id", content.vault[:8]),
        ("span", f"{moment(content.since)} to {moment(content.until)} UTC, "
                 f"{days_between(content.since, content.until)}"),
        ("made", f"{moment(content.made_at)} UTC"),
    )  # fmt: skip
    return "".join(f"<span>{name} <b>{_text(value)}</b></span>" for name, value in told)


def _verdict(content: Content) -> str:
    headline = judge(content)
    tone = TONES[headline.severity]
    nothing = not content.integrity.events and not headline.points
    more = f'<p class="more">and {headline.more} more below</p>' if headline.more else ""
    return (
        f'<section class="verdict {"none" if nothing else tone}" aria-labelledby="verdict">'
        f'<h2 id="verdict">Verdict</h2><p class="sentence">{_text(headline.sentence)}</p>'
        f"{_points(headline.points)}{more}</section>"
    )


def _points(points: Iterable[Point]) -> str:
    items = "".join(
        f'<li class="{TONES[point.severity]}"><span class="pill">{SIGNS[point.severity]}</span>'
        f"<span>{_step(point.what)}</span>"
        + (f'<span class="step">→ {_step(point.step)}</span>' if point.step else "")
        + "</li>"
        for point in points
    )
    return f'<ul class="points">{items}</ul>' if items else ""


def _figures(content: Content) -> str:
    cards = "".join(_card(figure, content) for figure in content.figures)
    table = tables.trend(content.trend, content.figures)
    numbers = _behind("the trend in numbers", table) if table.rows else ""
    return (
        '<section aria-labelledby="figures"><h2 id="figures">Key figures</h2>'
        '<p class="explains">Over the whole span; the line is the trend by day, dashed its '
        f'target.</p><div class="cards">{cards}</div>{numbers}</section>'
    )


def _card(figure: KeyFigure, content: Content) -> str:
    tone, sign = {
        True: ("good", "✓ met"),
        False: ("bad", "✗ missed"),
        None: ("none", "no data"),
    }[figure.is_met]
    mine = content.trend[content.trend["figure"] == figure.id].sort_values("dt")
    line = sparkline([float(value) for value in mine["value"]], target=figure.target)
    counted = f" From {figure.n:,}." if figure.n else ""
    explains = EACH_FIGURE.get(figure.id, ("",))[0] + counted
    return (
        f'<article class="card {tone}"><h3>{_text(figure.name[:1].upper() + figure.name[1:])}</h3>'
        f'<p class="value">{_text(figure_text(figure))}</p>'
        f'<p class="target"><span class="pill">{sign}</span>'
        f"<span>target: {_text(target_text(figure))}</span></p>"
        f'{line}<p class="explains">{_text(explains)}</p></article>'
    )


def _section(part: Section) -> str:
    said = "".join(f'<p class="says">{_text(sentence)}</p>' for sentence in part.says)
    chart = _figure(part) if part.chart else ""
    table = ""
    if part.table:
        table = _shown(part.table, stacks=True) if part.is_open else _behind("the numbers", part.table)
    return (
        f'<section aria-labelledby="{part.id}"><h2 id="{part.id}">{_text(part.title)}</h2>'
        f'{said}<p class="explains">{_text(part.explains)}</p>{chart}{table}</section>'
    )


def _figure(part: Section) -> str:
    chart = part.chart
    assert chart is not None, "its caller looked"  # noqa: S101
    return (
        f'<figure aria-labelledby="{part.id}">{_choices(part, chart)}'
        f'<div class="chart" id="{part.id}-plot" data-chart="{part.id}-data" role="img" '
        f'aria-label="{_text(chart.summary)}"></div>'
        '<p class="without">The chart takes JavaScript; the table has its numbers.</p></figure>'
    )


def _choices(part: Section, chart: Chart) -> str:
    if len(chart.views) < 2:
        return ""
    choices = "".join(
        f'<label><input type="radio" name="{part.id}-data-view" value="{number}" '
        f'data-plot="{part.id}-plot"{"" if number else " checked"}><span>{_text(name)}</span></label>'
        for number, name in enumerate(chart.views)
    )  # fmt: skip
    return f"<fieldset><legend>Show</legend>{choices}</fieldset>"


def _island(id_: str, chart: Chart) -> str:
    data = island_text(list(chart.views.values()))
    return f'<script type="application/json" id="{id_}-data">{data}</script>'


def _behind(words: str, table: Table) -> str:
    return f"<details><summary>Show {words}</summary>{_shown(table)}</details>"


def _shown(table: Table, *, stacks: bool = False) -> str:
    """Return the table. One that stacks is a list of rows on a phone, and keeps its roles there."""

    def cell(place: int, value: str, tag: str, role: str) -> str:
        kind = "number" if place in table.numbers else "wide" if len(value) > WIDE_CHARS else ""
        kind = f' class="{kind}"' if kind else ""
        shown = _text(value) if tag == "th" else _CODE.sub(r"<code>\1</code>", _text(value))
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
    caption = _text(table.caption)
    # What scrolls has to be reached by keyboard.
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0">'
        f'<table role="table" class="{"stacks" if stacks else ""}">'
        f'<caption class="hidden">{caption}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table></div>{more if table.more else ""}'
    )


def _findings(content: Content) -> str:
    findings = content.findings[:FINDINGS_MAX]
    left = len(content.findings) - len(findings)
    points = [
        Point(one.severity, one.message, "" if one.severity is Severity.OK else one.next_step)
        for one in findings
    ]
    said = "" if points else '<p class="says">Nobody looked yet, or there was nothing to see.</p>'
    more = f'<p class="more">and {left:,} more</p>' if left else ""
    return (
        '<section aria-labelledby="findings"><h2 id="findings">Findings</h2>'
        '<p class="explains">What the trail shows when it is looked at as a whole, the worst '
        f"first.</p>{said}{_points(points)}{more}</section>"
    )


def _integrity(verdict: Verdict) -> str:
    shown = verdict.discrepancies[:DISCREPANCIES_MAX]
    items = [Point(Severity.CRITICAL, f"{code}: {message}", "") for code, message in shown]
    left = len(verdict.discrepancies) - len(shown)
    more = f'<p class="more">and {left:,} more</p>' if left else ""
    said = "".join(f'<p class="says">{_text(one)}</p>' for one in integrity_words(verdict))
    return (
        '<section aria-labelledby="integrity"><h2 id="integrity">Integrity of the trail</h2>'
        f'{said}<p class="explains">Each event holds the hash of the one before and a '
        "code that only the holder of the key can make; checkpoints say how long each chain was."
        f"</p>{_points(items)}{more}</section>"
    )


def integrity_words(verdict: Verdict) -> tuple[str, ...]:
    """Return whether the trail is what was written, in sentences."""
    if not verdict.is_intact:
        count = count_of(len(verdict.discrepancies), "place")
        return (f"NOT INTACT: the trail is not what was written, in {count}.",)
    if not verdict.events:
        return ("There is no event to verify.",)
    whole = f"Intact: {verdict.events:,} events are what was written, in their order."
    if not verdict.unanchored:
        return (whole,)
    return (
        whole,
        f"The newest {verdict.unanchored:,} are vouched for by no checkpoint yet: that they were "
        "cut off would not show.",
    )


def _retention(content: Content) -> str:
    kept = content.retention
    days = f"{kept.keep_days:,} days" if kept.keep_days else "for ever"
    told = (
        ("first day on record", kept.first_day or "–"),
        ("last day on record", kept.last_day or "–"),
        ("events stored one by one", f"{kept.raw_events:,}"),
        ("days in the archive", f"{kept.archived_days:,}"),
        ("kept", days),
    )
    rows = "".join(f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in told)
    return (
        '<section aria-labelledby="retention"><h2 id="retention">Retention</h2>'
        f'<p class="explains">How far back the trail reaches.</p><dl>{rows}</dl></section>'
    )
