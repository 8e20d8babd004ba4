"""What the events of a trail tell of the rest of the vault, summed up while they pass by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from jarkeeper.actions import Action
from jarkeeper.audit.events import Event, Outcome, Phase

LEAVES = "leaves"
"""In the counts of `retire`: so many of the oldest leaves may be gone."""
BEFORE = "before_day"
"""Beside them: none of them is of that day or later."""
DELETED = "deleted"
"""In the counts of what ends a retention: so many objects went."""
CHECKPOINTS = "checkpoints"
"""In the counts of `checkpoint`: how many there are with it."""


@dataclass(slots=True)
class Told:
    """Heads, commits, checkpoints and retentions that are on record."""

    head_seqs: dict[str, int] = field(default_factory=dict)
    """The highest head of each jar."""
    commits: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """Jar, action, and the head that was there when it was done."""
    begun: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Jar and action of each access that was announced."""
    done: set[str] = field(default_factory=set)
    """The accesses that ended well."""
    checkpoints: int = 0
    """How many checkpoints there were."""
    retired: int = 0
    """How many of the oldest leaves are past their retention."""
    retired_before: int = 0
    """All of them are of a day before this one, which is an ordinal as in `datetime.date`."""

    def hear(self, event: Event) -> None:
        """Take an event that is genuine."""
        self.hear_head(event.jar, event.head_seq)
        self.hear_row(
            event.access,
            event.action,
            event.phase,
            event.outcome,
            event.jar,
            event.head_seq,
            event.counts,
        )

    def hear_head(self, jar: str, seq: int) -> None:
        """Take note of a head."""
        self.head_seqs[jar] = max(seq, self.head_seqs.get(jar, 0))

    @property
    def intents(self) -> Counter[tuple[str, str]]:
        """How often each was announced, of each jar."""
        return Counter(self.begun.values())

    @property
    def unsettled(self) -> Counter[tuple[str, str]]:
        """The same of what is not known to have ended well."""
        return Counter(what for access, what in self.begun.items() if access not in self.done)

    def hear_row(
        self,
        access: str,
        action: str,
        phase: str,
        outcome: str | None,
        jar: str,
        head_seq: int,
        counts: Mapping[str, int],
    ) -> None:
        """Take the same by its fields."""
        if phase == Phase.INTENT:
            self.begun[access] = (jar, action)
        elif outcome == Outcome.OK:
            self.done.add(access)
            self.commits[jar, action, head_seq] += 1
            if action == Action.CHECKPOINT:
                self.checkpoints = max(self.checkpoints, counts.get(CHECKPOINTS, 0))
            elif action == Action.RETIRE:
                self.retired = max(self.retired, counts.get(LEAVES, 0))
                self.retired_before = max(self.retired_before, counts.get(BEFORE, 0))
