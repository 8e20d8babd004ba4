"""Validation: YouTube is asked about the slots whose turn it is, and their states are put right."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jarkeeper.facts import is_authenticated
from jarkeeper.heads import Head
from jarkeeper.health import heads_of
from jarkeeper.slots import SlotRecord, SlotState
from jarkeeper.vault import Vault
from jarkeeper.youtube.messages import Answered


class Asker(Protocol):
    """Who asks YouTube: a worker in real life."""

    def probe(self, generation: str, *, visit: bool = False) -> Answered:
        """Return what YouTube says of a generation, after its slot was put right."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What became of a jar by being asked after."""

    head: Head
    answers: tuple[Answered, ...]

    @property
    def unanswered(self) -> tuple[Answered, ...]:
        """The questions that another try may answer."""
        return tuple(one for one in self.answers if one.alive is None and not one.withheld)


def due(head: Head, *, now: datetime, visit: bool = False) -> tuple[SlotRecord, ...]:
    """Return what to ask about: the active slot, and backups that were not tested, or all. Pure.

    Never a dead one, one that rests, or one whose cookies say themselves that they expired.
    """
    backups = (item for item in head.backups if visit or _wants_test(item))
    slots = [item for item in (head.active, *backups) if item is not None]
    return tuple(item for item in slots if may_be_asked(item, now=now))


def may_be_asked(item: SlotRecord, *, now: datetime) -> bool:
    """Whether a question about the slot can help, and harms nobody."""
    return item.is_usable(now) and is_authenticated(item.generation.facts, now)


def validate(
    vault: Vault,
    jar: str,
    asker: Asker,
    *,
    visit: bool = False,
    waits: Sequence[float] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> Validation:
    """Ask about every slot whose turn it is, again after each wait while no answer comes."""
    head = existing_head(vault, jar)
    answers = []
    for item in due(head, now=vault.ports.clock(), visit=visit):
        answer = asker.probe(item.generation.id, visit=visit)
        for wait in waits:
            if answer.alive is not None or answer.withheld:
                break
            sleep(wait)
            answer = asker.probe(item.generation.id, visit=visit)
        answers.append(answer)
        if answer.alive is None and not answer.withheld:
            break  # whatever keeps YouTube from answering concerns the others too
    return Validation(existing_head(vault, jar), tuple(answers))


def existing_head(vault: Vault, jar: str) -> Head:
    """Return the jar's newest head, or raise `NotFound`."""
    return heads_of(vault, jar)[0]


def _wants_test(item: SlotRecord) -> bool:
    return item.tested_at is None or item.state is SlotState.SUSPECT
