"""How long a jar's logins live, learned from those that YouTube ended. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from jarkeeper.slots import SlotRecord, Slots


def expected_days(slots: Slots) -> float | None:
    """Return the median life of the last logins that ended; None where none has."""
    return median(slots.lives) if slots.lives else None


def age_days(item: SlotRecord, *, now: datetime) -> float:
    """Return for how long the slot's login is in use, through all its write-backs."""
    return (now - item.login_began) / timedelta(days=1)
