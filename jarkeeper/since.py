"""What `--since` means: a span such as '7d', or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from jarkeeper.errors import InputError
from jarkeeper.words import printable

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing is older; years of three digits would sort wrongly among the days of a trail."""

_SPAN = re.compile(r"([0-9]{1,30})([mhdw])", re.ASCII)


def parse_since(text: str, *, now: datetime, option: str = "--since") -> datetime:
    """Return the moment that '7d', '12h' or '2026-01-31' means, in UTC, 1970 at the earliest."""
    try:
        if match := _SPAN.fullmatch(text):
            return _before(now, match)
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(moment.astimezone(UTC), EPOCH)
    except (ValueError, OverflowError):
        raise InputError(
            f"{option}: expected a span or a date, got '{printable(text[:40])}'",
            hint="such as 30m, 12h, 7d, 2w or 2026-01-31",
        ) from None


def _before(now: datetime, span: re.Match[str]) -> datetime:
    try:
        return max(now - timedelta(**{UNITS[span[2]]: int(span[1])}), EPOCH)
    except OverflowError:  # longer than a calendar
        return EPOCH
