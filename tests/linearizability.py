"""Whether what many processes saw of one jar can have happened one after the other.

The log orders all commits, so the search for an order that explains a history (Wing and Gong) is
a walk along the log: each commit stands at its own head, each read right behind the head that it
returned, and nothing may stand behind what began after it had ended.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

GENESIS = "0" * 64
READS = ("status", "lend", "history")
ALWAYS_NEW = ("import", "write-back", "promote")
"""What never finds its work done already: acknowledged, it has a head of its own."""
NOTHING_HAPPENED = ("conflict", "refused", "failed")
ENDS = ("ok", "unknown", *NOTHING_HAPPENED)


@dataclass(frozen=True, slots=True)
class Operation:
    """What one process asked for, when, and what it was told."""

    id: str
    kind: str
    began: float
    ended: float
    result: str
    """ok, conflict, refused, failed, unknown; anything else must not be."""
    seq: int = 0
    at: str = ""
    """When the head that it was told of was made."""
    digest: str = ""
    """Of that head, where it was told the whole of it."""
    past: tuple[str, ...] = ()
    """The digests of all heads, of a history."""
    generation: str = ""
    tag: str = ""
    """What marks the jar that it put in or got out."""
    state: str = ""
    intent: str = ""
    """The access that it put on record."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One head of the log, read after all was over."""

    seq: int
    digest: str
    previous: str
    action: str
    at: str
    writer: str
    """The operation that made it; empty where none can have."""
    active: str = ""
    states: Mapping[str, str] = field(default_factory=dict)
    """The generations in its slots, with the state of each."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What the audit trail has of an access before it happened."""

    action: str
    at: str


@dataclass(frozen=True, slots=True)
class History:
    """One jar's log, all that was done with it, and the intents on record."""

    log: Sequence[Entry]
    operations: Sequence[Operation]
    intents: Mapping[str, Intent]

    def entry(self, seq: int) -> Entry | None:
        """Return the head at that place."""
        return self.log[seq - 1] if 0 < seq <= len(self.log) else None

    def written(self) -> dict[str, list[Entry]]:
        """Return the heads that each operation made, without the empty ones that settle."""
        found = defaultdict(list)
        for entry in self.log:
            if entry.action != "settle":
                found[entry.writer].append(entry)
        return found


def violations(history: History) -> list[str]:
    """Return every promise that the history breaks, one sentence each."""
    return [
        *_chain(history),
        *_effects(history),
        *_contents(history),
        *_order(history),
        *_record(history),
    ]


def _chain(history: History) -> Iterator[str]:
    """The log is one chain, and somebody made each of its heads."""
    known = {operation.id for operation in history.operations}
    previous = GENESIS
    for seq, entry in enumerate(history.log, start=1):
        if entry.seq != seq or entry.previous != previous:
            yield f"head {entry.seq}: does not follow the one before"
        if entry.writer not in known:
            yield f"head {entry.seq}: nobody made it"
        previous = entry.digest


def _effects(history: History) -> Iterator[str]:
    """What was acknowledged is in the log, once; what failed is not."""
    written = history.written()
    for operation in history.operations:
        made = [entry.seq for entry in written[operation.id]]
        name = f"{operation.id} ({operation.kind}, {operation.result})"
        if operation.result not in ENDS:
            yield f"{name}: ended as no operation may, {operation.error}"
        elif operation.kind in READS or operation.result in NOTHING_HAPPENED:
            if made:
                yield f"{name}: made heads {made}"
        elif operation.result == "unknown":
            if len(made) > 1:
                yield f"{name}: happened more than once, as heads {made}"
        elif made not in ([], [operation.seq]):
            yield f"{name}: acknowledged as head {operation.seq}, made heads {made}"
        elif operation.kind in ALWAYS_NEW and not made:
            yield f"{name}: the acknowledged head {operation.seq} is not its own"


def _contents(history: History) -> Iterator[str]:
    """What was told of a head is what the head holds."""
    tags = _tags(history)
    for operation in history.operations:
        if operation.result != "ok":
            continue
        entry = history.entry(operation.seq)
        name = f"{operation.id} ({operation.kind})"
        if entry is None:
            yield f"{name}: tells of head {operation.seq}, which is not there"
            continue
        if operation.digest not in ("", entry.digest) or operation.at not in ("", entry.at):
            yield f"{name}: tells of another head {operation.seq}"
        if operation.kind == "history":
            if operation.past != tuple(item.digest for item in history.log[: operation.seq]):
                yield f"{name}: is not how the log begins"
        elif not _does_what_it_says(operation, entry):
            yield f"{name}: head {operation.seq} does not show what was acknowledged"
        if operation.tag and tags.get(operation.generation) != operation.tag:
            yield f"{name}: the jar is not the one of its generation"


def _does_what_it_says(operation: Operation, entry: Entry) -> bool:
    match operation.kind:
        case "import" | "restore":
            return entry.active == operation.generation
        case "write-back" | "lend":
            return operation.generation in entry.states
        case "revoke":
            return operation.generation not in entry.states
        case "mark":
            return entry.states.get(operation.generation, operation.state) == operation.state
        case _:
            return True


def _tags(history: History) -> dict[str, str]:
    """Return for each generation the mark of the jar that was put into it."""
    told = {operation.id: operation.tag for operation in history.operations}
    tags: dict[str, str] = {}
    for entry in history.log:
        if entry.action in ("import", "write-back"):
            for generation in entry.states.keys() - tags.keys():
                tags[generation] = told.get(entry.writer, "")
    return tags


def _order(history: History) -> Iterator[str]:
    """Each saw what was newest at some moment between its beginning and its end."""
    latest: Operation | None = None
    for _, group in groupby(
        sorted(_places(history), key=lambda item: item[0]), lambda item: item[0]
    ):
        here = list(group)
        for place, operation, ended in here:
            if latest is not None and ended < latest.began:
                yield (
                    f"{operation.id} ({operation.kind}): ended before {latest.id} "
                    f"({latest.kind}) began, but stands behind it, at head {place[0]}"
                )
        began = [operation for _, operation, _ in here]
        latest = max(began if latest is None else [*began, latest], key=lambda item: item.began)


def _places(history: History) -> Iterator[tuple[tuple[int, bool], Operation, float]]:
    """Give the place of everything that happened, and when it had happened at the latest."""
    operations = {operation.id: operation for operation in history.operations}
    for entry in history.log:
        if operation := operations.get(entry.writer):
            surely = operation.result == "ok" and entry.action != "settle"
            yield (entry.seq, False), operation, operation.ended if surely else math.inf
    for operation in history.operations:
        entry = history.entry(operation.seq)
        if operation.result == "ok" and entry is not None and entry.writer != operation.id:
            yield (operation.seq, True), operation, operation.ended


def _record(history: History) -> Iterator[str]:
    """Whatever was acknowledged had its intent on record before."""
    for operation in history.operations:
        if operation.result != "ok" or operation.kind in ("status", "history"):
            continue
        intent = history.intents.get(operation.intent)
        name = f"{operation.id} ({operation.kind})"
        if intent is None or intent.action != operation.kind:
            yield f"{name}: has no intent on record"
            continue
        for entry in history.log:
            if entry.writer == operation.id and entry.at <= intent.at:
                yield f"{name}: head {entry.seq} is older than its intent"
