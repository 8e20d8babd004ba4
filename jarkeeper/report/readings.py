"""How numbers read: key figures, their targets, spans of hours, dates. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jarkeeper.analysis.figures import KeyFigure

NOTHING = "\N{EN DASH}"
"""Where there is no value."""
SPACE = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, which stay on one line."""
REMEDIES = {
    "L1": "see in the page which errors were the commonest, and what helps against each",
    "L2": "run `jarkeeper validate`; where a session is dead, import a fresh export",
    "L3": "have `jarkeeper refresh` run twice a day, by cron or as the deployment `refresh`; "
    "`jarkeeper audit` shows when it ran",
    "L4": "see each incident below, and `docs/runbooks/alerts.md` for what to do about its cause",
    "L5": "keep a tested backup: run `jarkeeper status` and import a second export",
    "L6": "see in `jarkeeper alerts list` who is told, and how soon",
}
"""What to do where the target of a key figure is missed."""
OVER = {
    "L2": "no incident of the cookies goes on; see in the page on which days it was, and what "
    "helps against each error",
}
"""… and instead, where what goes on would be mended, but nothing does."""


def meaning_of(figure: KeyFigure) -> str:
    """Return what the figure measures, in the words of its one definition, and from how much."""
    from jarkeeper.analysis.figures import DEFINITIONS

    one = next(one for one in DEFINITIONS if one.id == figure.id)
    meaning = one.meaning.replace("`", "")
    if not figure.n or not one.scale:  # a plain number is what it is counted from
        return meaning
    return f"{meaning} From {figure.n:,} {one.counted[figure.n != 1]}."


def is_none(value: Any) -> bool:
    """Tell whether a cell of a frame is empty: None, NaN or NaT."""
    return value is None or bool(value != value)  # noqa: PLR0124 - what those are not is themselves


def figure_text(figure: KeyFigure) -> str:
    """Return the value with its unit, rounded away from looking better than it is."""
    if figure.value is None:
        return NOTHING
    text = amount(figure.value, figure.unit)
    if figure.value == figure.target or text != amount(figure.target, figure.unit):
        return text
    return f"just {'below' if figure.value < figure.target else 'above'} {text}"


def target_text(figure: KeyFigure) -> str:
    """Return the target in words, such as 'above 95 %'."""
    if figure.target == 0:
        return "none"
    side = "above" if figure.at_least else "below"
    return f"{side} {figure.target:g}{SPACE}{figure.unit}".rstrip()


def amount(value: float, unit: str) -> str:
    """Return a number with its unit, in the digits that a reader needs."""
    if is_none(value):
        return NOTHING
    if unit == "%":
        return percent(value)
    if unit in ("h", "min"):
        return span(value * (60 if unit == "h" else 1))
    return f"{value:,.0f}{SPACE}{unit}".rstrip()


def percent(value: float) -> str:
    """Return a percentage; only what is whole reads as 100 %, only nothing as 0 %."""
    digits = 1 if value <= 99 else 2
    text = f"{value:.{digits}f}"
    if float(text) >= 100 > value:
        text = "99.99"
    if float(text) == 0 < value:
        return f"<0.1{SPACE}%"
    return f"{float(text):g}{SPACE}%"


def span(minutes: float) -> str:
    """Return a length of time in one unit, with a tenth where it matters."""
    if 0 < minutes < 1:
        return f"{minutes * 60:.2g}{SPACE}s"
    if minutes < 100:
        return f"{minutes:.3g}{SPACE}min"
    hours = minutes / 60
    return f"{hours:.3g}{SPACE}h" if hours < 72 else f"{hours / 24:,.3g}{SPACE}days"


def moment(value: Any) -> str:
    """Return a moment to the minute, in UTC; a dash where there is none."""
    if is_none(value):
        return NOTHING
    at: datetime = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    at = at.astimezone(UTC) if at.tzinfo else at
    return f"{at:%Y-%m-%d %H:%M}"


def counted(count: int, noun: str) -> str:
    """Return the count with its noun, in the plural where that is right."""
    many = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"


def are(count: int) -> str:
    """Return the verb that goes with so many."""
    return "is" if count == 1 else "are"


def days_between(since: datetime, until: datetime) -> str:
    """Return the length of a range in words."""
    days = (until - since).total_seconds() / 86_400
    return f"{days:.0f}{SPACE}days" if days >= 1.5 else span(days * 1440)
