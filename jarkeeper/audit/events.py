"""Events: typed fields of an allow-list, never something bigger with the secrets taken out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from jarkeeper.actions import Action
from jarkeeper.audit.places import event_key
from jarkeeper.errors import IntegrityError
from jarkeeper.names import VaultId
from jarkeeper.records import read_record, read_time, write_record, write_time

FORMAT = 1
COUNTS_MAX = 64
NUMBER_MAX = 10**10
"""Of anything counted or measured, three hundred years in seconds too: what no sum, no database and
no calendar overflows from. Whoever wrote more did not count it."""

_WORD = re.compile(r"[a-z0-9_-]{0,64}", re.ASCII)
_COUNTED = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.@:/ -]", re.ASCII)


class Phase(StrEnum):
    """Whether an event stands before or after what it tells of."""

    INTENT = "intent"
    OUTCOME = "outcome"


class Outcome(StrEnum):
    """How it ended."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person or a service, and with which program."""

    user: str
    host: str = ""
    program: str = "jarkeeper"

    def __str__(self) -> str:
        place = f"@{self.host}" if self.host else ""
        return _UNSAFE.sub("_", f"{self.user}{place} {self.program}")[:128]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the trail. Fields that do not apply are empty."""

    at: datetime
    action: Action
    phase: Phase
    access: str
    """Random; the same in the intent and the outcome of one access."""
    actor: str = ""
    flow_run: str = ""
    jar: str = ""
    slot: str = ""
    generation: str = ""
    head_seq: int = 0
    outcome: Outcome | None = None
    detail: str = ""
    """A word for machines, such as the reason of a refusal."""
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    writer: str = ""
    seq: int = 0
    previous: str = ""
    """SHA-256 of the writer's event before this one."""

    def __post_init__(self) -> None:
        if _WORD.fullmatch(self.detail) is None:
            raise ValueError("event: expected a word as detail")
        if len(self.counts) > COUNTS_MAX or not all(map(_COUNTED.fullmatch, self.counts)):
            raise ValueError("event: expected counts by class")
        whole = (self.head_seq, self.seq, *self.counts.values())
        if not all(type(one) is int and 0 <= one <= NUMBER_MAX for one in whole):
            raise ValueError(f"event: expected whole numbers of at most {NUMBER_MAX}")
        if not -NUMBER_MAX <= self.seconds <= NUMBER_MAX:  # a clock may go back
            raise ValueError(f"event: expected at most {NUMBER_MAX} seconds")


def key_of(event: Event) -> str:
    """Return where the event lies in the store."""
    return event_key(event.at, event.writer, event.seq)


def write_event(event: Event, *, key: bytes, vault: VaultId) -> bytes:
    """Return the event's line."""
    fields = {
        "format": FORMAT,
        "at": write_time(event.at),
        "action": event.action,
        "phase": event.phase,
        "access": event.access,
        "actor": event.actor,
        "flow_run": event.flow_run,
        "jar": event.jar,
        "slot": event.slot,
        "generation": event.generation,
        "head_seq": event.head_seq,
        "outcome": event.outcome,
        "detail": event.detail,
        "counts": dict(event.counts),
        "seconds": event.seconds,
        "writer": event.writer,
        "seq": event.seq,
        "previous": event.previous,
    }
    return write_record(fields, key=key, kind=_kind(vault))


def read_event(line: bytes, *, key: bytes, vault: VaultId, name: str) -> Event:
    """Return the event of an authentic line, or raise `IntegrityError`."""
    fields = read_record(line, key=key, kind=_kind(vault), name=name)
    if fields.pop("format", None) != FORMAT:
        raise IntegrityError(f"{name}: expected format {FORMAT}, got another")
    try:
        return _event_from(fields)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"{name}: expected the fields of format {FORMAT}") from error


def _event_from(fields: dict[str, Any]) -> Event:
    fields["at"] = read_time(fields["at"])
    fields["action"] = Action(fields["action"])
    fields["phase"] = Phase(fields["phase"])
    fields["outcome"] = None if fields["outcome"] is None else Outcome(fields["outcome"])
    return Event(**fields)


def _kind(vault: VaultId) -> str:
    # Two vaults may share a key: an event of one is nothing in the other.
    return f"event {vault}"
