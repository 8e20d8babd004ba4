"""How a slot's state moves: by the verdicts of the classifier's table, and by probes. Pure.

    healthy → suspect      a probe found nobody logged in
    suspect → healthy      a probe found somebody
    suspect → dead         another probe, ten minutes later or more, found nobody again
    any     → cooling      the table's verdict: YouTube asked for a pause, until a moment
    any     → dead         the table's verdict: YouTube ended the login
    cooling → (nothing)    while the pause lasts: what a probe says that was under way ends none
    dead    → (nothing)    final: nothing probes it, and only an operator's `restore` tries it again

One answer never ends a login, and nobody is alerted for one: that keeps states from flapping.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jarkeeper.errors import InputError, NotFound
from jarkeeper.slots import SlotRecord, Slots, SlotState

PROBE = "probe"
"""The reason of a state that a probe gave."""
CONFIRM_AFTER = timedelta(minutes=10)
"""Between the two probes that end a login: an answer of YouTube's caches does not live longer."""
TESTED_EVERY = timedelta(hours=12)
"""How old the record of a good answer may be before it is renewed: each is a head in the log."""

LIFE_MIN = timedelta(hours=1)
"""What was dead on arrival says nothing of how long logins live."""
LIVES_KEPT = 5
"""The newest ones: what YouTube did years ago says little of today."""

_REASON = re.compile(r"[A-Za-z0-9_ .-]{0,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mark:
    """A state to give to a generation, checked when it is made."""

    state: SlotState
    at: datetime
    until: datetime | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.state is SlotState.COOLING) != (self.until is not None):
            raise InputError("state: expected an end for 'cooling', and for no other state")
        if _REASON.fullmatch(self.reason) is None:
            raise InputError("reason: expected at most 64 letters, digits, spaces, '_', '.' or '-'")

    def changes(self, item: SlotRecord) -> bool:
        """Whether this says more than is known: a weaker word never hides a stronger one."""
        if self.state is SlotState.HEALTHY or self.state is SlotState.DEAD:
            return item.state is not self.state
        if item.state is SlotState.DEAD:
            return False
        if self.state is SlotState.COOLING:
            return self.until is not None and (item.until is None or self.until > item.until)
        return item.state is not SlotState.SUSPECT and not item.is_cooling(self.at)


def mark(slots: Slots, generation: str, mark: Mark) -> Slots:
    """Change the state of a generation's slot; return the same slots where nothing changes."""

    def marked(item: SlotRecord) -> SlotRecord:
        if not mark.changes(item):
            return item
        return replace(item, state=mark.state, since=mark.at, until=mark.until, reason=mark.reason)

    return _with(slots, generation, marked)


def answered(
    slots: Slots, generation: str, *, alive: bool, at: datetime, account: str = ""
) -> Slots:
    """Change the state of a generation's slot by what a probe found of it, and whose it is."""
    after = _alive if alive else _signed_out
    return _with(slots, generation, lambda item: _of_account(after(item, at), account))


def _of_account(item: SlotRecord, account: str) -> SlotRecord:
    facts = item.generation.facts
    if not account or facts.account:  # a login never changes hands
        return item
    return replace(item, generation=replace(item.generation, facts=replace(facts, account=account)))


def _alive(item: SlotRecord, at: datetime) -> SlotRecord:
    if item.state is SlotState.DEAD or item.is_cooling(at):
        return item
    if item.state is SlotState.HEALTHY and not _is_due(item, at):
        return item
    since = item.since if item.state is SlotState.HEALTHY else at
    return replace(item, state=SlotState.HEALTHY, since=since, until=None, reason="", tested_at=at)


def _signed_out(item: SlotRecord, at: datetime) -> SlotRecord:
    if item.state is SlotState.DEAD or item.is_cooling(at):
        return item
    if item.state is not SlotState.SUSPECT or item.reason != PROBE:
        return replace(item, state=SlotState.SUSPECT, since=at, until=None, reason=PROBE)
    if at - item.since < CONFIRM_AFTER:
        return item
    return replace(item, state=SlotState.DEAD, since=at, until=None, reason=PROBE)


def _is_due(item: SlotRecord, at: datetime) -> bool:
    return item.tested_at is None or at - item.tested_at >= TESTED_EVERY


def _with(slots: Slots, generation: str, change: Callable[[SlotRecord], SlotRecord]) -> Slots:
    item = slots.find(generation)
    if item is None:
        raise NotFound(f"generation {generation[:8]}: expected it in a slot, it is in none")
    changed = change(item)
    if changed is item:
        return slots
    after = slots.with_each(lambda other: changed if other is item else other)
    if changed.state is not SlotState.DEAD or item.state is SlotState.DEAD:
        return after
    life = changed.since - item.login_began
    counts = life >= LIFE_MIN and item is not slots.pending  # what was never used lived no life
    return after if not counts else replace(after, lives=_with_life(slots.lives, life))


def _with_life(lives: tuple[float, ...], life: timedelta) -> tuple[float, ...]:
    return (*lives, round(life / timedelta(days=1), 2))[-LIVES_KEPT:]
