"""Measuring: what the vault, a run or an examination tells becomes measurements. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from jarkeeper.actions import Action
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.heads import Head
from jarkeeper.metrics import table
from jarkeeper.metrics.table import INSTRUMENTS, Instrument, Kind
from jarkeeper.slots import PENDING, Slot, SlotRecord, SlotState

NONE = "none"
"""Stands in a dimension that does not apply: CloudWatch takes no empty one."""
VAULT = "-"
"""Stands for the jar of what concerns the whole vault; no jar can be called so."""
GOOD = "OK"
"""Stands in the trail's counts by class for what did not fail."""
SEVERITIES = ("warning", "critical")
"""Of incidents."""

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of one instrument. `ValueError` where it is none that the table knows."""

    instrument: Instrument
    value: float
    dimensions: Mapping[str, str]

    def __post_init__(self) -> None:
        if tuple(self.dimensions) != self.instrument.dimensions:
            raise ValueError(f"metric '{self.instrument.name}': expected the table's dimensions")
        if not all(map(_WORD.fullmatch, self.dimensions.values())):
            raise ValueError(f"metric '{self.instrument.name}': expected words as dimensions")
        if not math.isfinite(self.value) or (self.value < 0 and self.instrument.kind != Kind.GAUGE):
            raise ValueError(f"metric '{self.instrument.name}': expected a number, 0 or more")

    @classmethod
    def named(cls, name: str, value: float, *words: str) -> Measurement:
        """Return the measurement of the instrument of that name, the words in its order."""
        if name not in INSTRUMENTS:
            raise ValueError("metric: expected one of the table")
        return _measured(INSTRUMENTS[name], value, *words)


def measurements(event: Event) -> Iterator[Measurement]:
    """Give what one event of the audit trail measures."""
    slot = event.slot or NONE
    match event.action, event.phase:
        case Action.LEND, Phase.OUTCOME:
            yield _measured(table.OPENS, 1, event.jar, slot, _result(event, good="ok"))
            if event.outcome is Outcome.OK:
                yield _measured(table.OPEN_DURATION, event.seconds, event.jar, slot)
        case Action.WRITE_BACK, Phase.OUTCOME:
            good = event.detail or "kept"
            yield _measured(table.WRITE_BACKS, 1, event.jar, slot, _result(event, good=good))
        case Action.USE, Phase.OUTCOME:
            for failure, count in event.counts.items():
                word = NONE if failure == GOOD else failure
                yield _measured(table.TRIES, count, event.jar, slot, word)
        case Action.PROBE, Phase.INTENT if event.detail == "signed_out":
            yield cookie_failed(event.jar, failure=event.detail)


def examined(head: Head, now: datetime) -> Iterator[Measurement]:
    """Give the age of the active cookies, and how many generations of each slot are how."""
    if head.active is not None:
        age = (now - head.active.generation.created_at).total_seconds()
        yield _measured(table.ACTIVE_AGE, age, head.jar)
    states = Counter((head.slots.role_of(item), _state(item, now)) for item in head.slots.records())
    for slot in (*Slot, PENDING):
        for state in SlotState:
            yield _measured(table.SLOTS, states[slot, state], head.jar, slot, state)


def downloaded(jar: str, ends: Iterable[tuple[str, str | None]]) -> Iterator[Measurement]:
    """Give the videos of a run, counted by outcome and class of failure."""
    for (outcome, failure), count in Counter(ends).items():
        word = outcome.replace(" ", "_")
        yield _measured(table.DOWNLOADS, count, jar, word, failure or NONE)


def cookie_failed(jar: str, *, failure: str) -> Measurement:
    """Return that YouTube ended a login or asked for a pause, for this class of failure."""
    return _measured(table.COOKIE_FAILURES, 1, jar, failure)


def validated(jar: str, *, seconds: float) -> Measurement:
    """Return how long a validation took."""
    return _measured(table.VALIDATION_DURATION, seconds, jar)


def refreshed(jar: str, *, result: str) -> Measurement:
    """Return how a refresh ended, as a word of a closed set."""
    return _measured(table.REFRESHES, 1, jar, result)


def incident_opened(jar: str, *, cause: str) -> Measurement:
    """Return that an incident opened; no jar is the vault."""
    return _measured(table.INCIDENTS_OPENED, 1, jar or VAULT, cause)


def incidents_open(severities: Iterable[str]) -> Iterator[Measurement]:
    """Give how many incidents are open; the argument has the severity of each."""
    counts = Counter(severities)
    for severity in SEVERITIES:
        yield _measured(table.INCIDENTS_OPEN, counts[severity], severity)


def budget_used(jar: str, *, opens: int, limit: int) -> Measurement:
    """Return this hour's opens as a share of the limit."""
    return _measured(table.BUDGET_USED, 100 * opens / limit, jar)


def _measured(instrument: Instrument, value: float, *words: str) -> Measurement:
    return Measurement(instrument, value, dict(zip(instrument.dimensions, words, strict=True)))


def _result(event: Event, *, good: str) -> str:
    if event.outcome is Outcome.OK:
        return good
    return event.detail or str(event.outcome)


def _state(item: SlotRecord, now: datetime) -> SlotState:
    # Who has rested long enough is used again, though no head says so yet.
    rested = item.state is SlotState.COOLING and not item.is_cooling(now)
    return SlotState.HEALTHY if rested else item.state
