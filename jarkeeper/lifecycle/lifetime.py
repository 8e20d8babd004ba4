"""How long a jar's logins live, learned from those that ended. Pure.

A login begins with an import, goes on through its write-backs and a rewrap, which put another
generation in its place, and ends when its slot is marked dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from jarkeeper.actions import Action
from jarkeeper.heads import Head, SlotRecord, SlotState, Source
from jarkeeper.names import GenerationId

LIVES_COUNTED = 5
"""The newest ones: what YouTube did years ago says little of today."""
DAY = timedelta(days=1)
EXCHANGES = (Action.WRITE_BACK, Action.REWRAP)
"""Commits that put another generation into a slot for the same login."""


@dataclass(frozen=True, slots=True)
class Life:
    """One login: when it came, and when and why YouTube ended it, if it did."""

    began: datetime | None
    """None where the history does not go back so far."""
    ended: datetime | None = None
    reason: str = ""

    @property
    def days(self) -> float | None:
        """How long it lived; None while it does, or where that is not known."""
        if self.began is None or self.ended is None:
            return None
        return (self.ended - self.began) / DAY


def lives(history: Sequence[Head]) -> tuple[Life, ...]:
    """Return the logins of a jar's heads, which come oldest first, in order of their beginning."""
    return tuple(lives_by_generation(history).values())


def lives_by_generation(history: Sequence[Head]) -> dict[GenerationId, Life]:
    """Return each login under the newest generation that it had, in order of their beginning."""
    found: dict[GenerationId, Life] = {}
    previous: Head | None = None
    for head in history:
        if previous is not None and head.action in EXCHANGES:
            found = _exchanged(found, previous, head)
        for item in head.slots.records():
            record = item.generation
            known = head is not history[0] or head.seq == 1 or record.source is Source.IMPORT
            life = found.get(record.id) or Life(record.created_at if known else None)
            found[record.id] = _judged(life, item)
        previous = head
    return found


def expected_days(lives: Sequence[Life]) -> float | None:
    """Return the median life of the newest logins that ended; None where none has."""
    ended = [life.days for life in lives if life.days is not None]
    return median(ended[-LIVES_COUNTED:]) if ended else None


def _exchanged(
    found: dict[GenerationId, Life], previous: Head, head: Head
) -> dict[GenerationId, Life]:
    """Return the lives with those of generations that were exchanged under their new names."""
    old, new = (
        {item.generation.id: None for item in slots.records()}
        for slots in (previous.slots, head.slots)
    )
    # An exchange keeps every slot in its place, so what left and what came pair up in order.
    left, came = [id_ for id_ in old if id_ not in new], [id_ for id_ in new if id_ not in old]
    names = dict(zip(left, came, strict=False))
    return {names.get(id_, id_): life for id_, life in found.items()}


def _judged(life: Life, item: SlotRecord) -> Life:
    if item.state is SlotState.DEAD:
        return replace(life, ended=item.since, reason=item.reason)
    # A restore or a probe that found it alive: it was not the end after all.
    return replace(life, ended=None, reason="")
