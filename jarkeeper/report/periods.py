"""Which whole days a regular report is about: those that are over, in UTC. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

Period: TypeAlias = Literal["daily", "weekly", "monthly"]


def span_before(period: Period, *, now: datetime) -> tuple[datetime, datetime]:
    """Return the last whole day, seven days, or month of the calendar before now."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "monthly":
        until = today.replace(day=1)
        return (until - timedelta(days=1)).replace(day=1), until
    return today - timedelta(days=1 if period == "daily" else 7), today
