"""How times, sizes and foreign text read to a person. Pure."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

MINUTE, HOUR, DAY = 60, 3600, 86_400
MONTH, YEAR = 30.44 * DAY, 365.25 * DAY

UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, bidirectional marks, surrogates: they can rewrite what a terminal shows."""


def printable(text: str) -> str:
    """Return the text with everything that could steer a terminal replaced."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("�" if unicodedata.category(c) in UNSAFE_CATEGORIES else c for c in text)


def short_span(seconds: float) -> str:
    """Return a length of time in its one fitting unit, such as '3 h'."""
    for unit, name in ((YEAR, "year"), (MONTH, "month"), (DAY, "day")):
        if seconds >= 2 * unit:
            return f"{int(seconds / unit)} {name}s"
    if seconds >= 2 * HOUR:
        return f"{int(seconds / HOUR)} h"
    if seconds >= 2 * MINUTE:
        return f"{int(seconds / MINUTE)} min"
    return f"{max(0, int(seconds))} s"


def span_taken(seconds: float) -> str:
    """Return a length of time that was measured: below ten seconds tenths count, as in '0.7 s'."""
    return f"{max(0.0, seconds):.1f} s" if seconds < 9.95 else short_span(seconds)


def size(count: int) -> str:
    """Return a number of bytes with a binary unit, such as '12.3 MiB'."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def utc_text(moment: datetime) -> str:
    """Return the moment as ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_of(unix_seconds: int) -> str:
    """Return the day of a unix time; 'never' beyond what a calendar holds."""
    try:
        return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return "never"


def count_of(count: int, noun: str) -> str:
    """Return the count with its noun, in the plural where that is right."""
    if count == 1:
        return f"{count} {noun}"
    many = noun[:-1] + "ies" if noun.endswith("cy") else noun + ("es" if noun[-1] == "s" else "s")
    return f"{count} {many}"
