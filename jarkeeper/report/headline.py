"""The verdict in plain words: what is wrong, what to do, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from jarkeeper.analysis.queries import OF_COOKIES
from jarkeeper.checks import Severity
from jarkeeper.incidents.model import Cause
from jarkeeper.report.content import Content
from jarkeeper.report.readings import (
    OVER,
    REMEDIES,
    counted,
    figure_text,
    is_none,
    span,
    target_text,
)

ORDER = (Severity.CRITICAL, Severity.WARNING, Severity.OK)
POINTS_MAX = 6
"""More would be read by nobody; the sections below have all."""
WHAT_TO_DO = "run `jarkeeper incidents`, which says what to do"
WHAT_BECAME = "run `jarkeeper incidents --all`, which says how it ended"
VERIFY = "run `jarkeeper audit verify`, and keep a copy of the vault before changing anything"


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that is wrong, and what to do about it."""

    severity: Severity
    what: str
    step: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict: a sentence, and the points it rests on."""

    severity: Severity
    sentence: str
    points: tuple[Point, ...] = ()
    more: int = 0
    """How many points are left out."""


def judge(content: Content) -> Headline:
    """Return the verdict on the whole span."""
    points = sorted(_points(content), key=lambda point: ORDER.index(point.severity))
    severity = points[0].severity if points else Severity.OK
    shown = tuple(points[:POINTS_MAX])
    return Headline(severity, _sentence(content, points), shown, len(points) - len(shown))


def _sentence(content: Content, points: list[Point]) -> str:
    critical = sum(point.severity is Severity.CRITICAL for point in points)
    if critical:
        rest = len(points) - critical
        besides = f", and {counted(rest, 'thing')} to look at" if rest else ""
        needs = "needs you now" if critical == 1 else "need you now"
        if content.is_past:
            needs = "needed somebody when this time ended"
        return f"{counted(critical, 'thing')} {needs}{besides}."
    if not content.reach.is_enough:
        others = f", and {counted(len(points) - 1, 'thing')} to look at" if points[1:] else ""
        return f"No key figure can be judged: not all of this time is on record{others}."
    if points:
        return f"No emergency, but {counted(len(points), 'thing')} to look at."
    met = sum(content.state_of(figure).is_met is True for figure in content.figures)
    if not content.integrity.events and not met:
        return "Nothing is on record yet: there is nothing to judge."
    if not met:
        return "Nothing happened in this time that could be judged; the trail is intact."
    return f"All is well. {_met(met)} meets its target, and the audit trail is intact."


def _met(met: int) -> str:
    if met == 6:
        return "Every key figure"
    of = f"Each of the {met} key figures" if met > 1 else "The one key figure"
    return f"{of} that could be measured"


def _points(content: Content) -> Iterator[Point]:
    if not content.integrity.is_intact:
        count = len(content.integrity.discrepancies)
        message = f"the audit trail is not what was written, in {counted(count, 'place')}: "
        yield Point(Severity.CRITICAL, f"{message}do not rely on this report", VERIFY)
    if not content.reach.is_enough:
        begins = content.reach.from_day
        step = f"run `jarkeeper report --since {begins}` for what is on record" if begins else ""
        yield Point(Severity.WARNING, content.reach.sentence, step)
    yield from _open_incidents(content)
    for finding in content.findings:
        if finding.severity is not Severity.OK:
            yield Point(finding.severity, finding.message, finding.next_step)
    for figure in content.figures:
        if content.state_of(figure).is_met is False:
            what = f"{figure.name}: {figure_text(figure)}, where the target is "
            step = _remedy(figure.id, content)
            yield Point(Severity.WARNING, f"{what}{target_text(figure)}", step)


def _remedy(figure: str, content: Content) -> str:
    open_now = content.incidents[content.incidents["closed_at"].isna()]
    goes_on = open_now["cause"].isin(OF_COOKIES).any()
    return REMEDIES[figure] if goes_on else OVER.get(figure, REMEDIES[figure])


def _open_incidents(content: Content) -> Iterator[Point]:
    goes_on: Iterable[dict[str, Any]] = content.incidents[
        content.incidents["closed_at"].isna()
    ].to_dict("records")
    for one in goes_on:
        if one["cause"] == Cause.AUDIT_GAP and not content.integrity.is_intact:
            continue  # the trail's damage is a point already
        about = f" of jar '{one['jar']}'" if one["jar"] else ""
        ends = "was open when this time ended" if content.is_past else "goes on"
        what = f"incident {one['cause']}{about} {ends}"
        if not is_none(one["hours"]):
            what += f", for {span(one['hours'] * 60)} so far"
        severity = Severity.CRITICAL if one["severity"] == "critical" else Severity.WARNING
        yield Point(severity, what, WHAT_BECAME if content.is_past else WHAT_TO_DO)
