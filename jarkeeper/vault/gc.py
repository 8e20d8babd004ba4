"""The clean-up: what left every slot long ago, and what crashes left behind. Never a head."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome
from jarkeeper.errors import InputError, JarkeeperError
from jarkeeper.heads import Head
from jarkeeper.limits import LIMITS
from jarkeeper.names import (
    GenerationId,
    generation_key,
    generations_prefix,
    parse_generation_key,
)
from jarkeeper.slots import Slots
from jarkeeper.stores import Tended
from jarkeeper.vault.access import recorded
from jarkeeper.vault.closing import repair_view
from jarkeeper.vault.commit import NO_SLOTS, Change, commit
from jarkeeper.vault.log import read_history, read_newest
from jarkeeper.vault.permits import collect_permits
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import GcReceipt
from jarkeeper.vault.view import jar_names


def collect(ports: Ports, *, grace: timedelta) -> GcReceipt:
    """Delete what nothing refers to and what is older than the grace; return how much it was."""
    if grace < timedelta(0):
        raise InputError("grace: expected no negative time")
    now = ports.clock()
    leftover_before = now - max(grace, timedelta(seconds=LIMITS.leftover_seconds_min))
    access = Access(Action.GC)
    generations = leftovers = permits = 0
    with recorded(ports.trail, access):
        for jar in jar_names(ports):
            generations += _collect_generations(ports, jar, before=now - grace)
            leftovers += _collect_leftovers(ports, jar, before=leftover_before)
            permits += collect_permits(ports, jar, now=now)
        swept = ports.store.sweep(leftover_before) if isinstance(ports.store, Tended) else 0
    counts = {
        "generations": generations,
        "leftovers": leftovers,
        "permits": permits,
        "temporary_files": swept,
    }
    return GcReceipt(
        vault=ports.vault,
        at=now,
        generations=generations,
        leftovers=leftovers,
        permits=permits,
        temporary_files=swept,
        warnings=_record(ports, access, counts),
    )


def _collect_generations(ports: Ports, jar: str, *, before: datetime) -> int:
    stored = _stored(ports, jar)
    history = read_history(ports, jar)
    horizon = _horizon(history, before=before)
    if not stored & _left_before(history, horizon):
        return 0
    # The horizon is committed before anything is deleted: a restore either came before it, and then
    # the generation is in a slot again, or it builds on this head and refuses.
    base = read_newest(ports, jar).stored
    change = Change(Action.GC, _same, horizon=horizon)
    committed = commit(ports, jar, change, base=base)
    doomed = stored & _left_before(read_history(ports, jar), horizon)
    for generation in sorted(doomed):
        ports.store.delete(generation_key(jar, generation))
    repair_view(ports, committed.stored.head)
    return len(doomed)


def _collect_leftovers(ports: Ports, jar: str, *, before: datetime) -> int:
    # Listed first: what is committed in between stands in the history that is read afterwards.
    stored = _stored(ports, jar)
    known = _last_seqs(read_history(ports, jar)).keys()
    old = [
        key
        for generation in sorted(stored - known)
        if ports.store.created_at(key := generation_key(jar, generation)) < before
    ]
    for key in old:
        ports.store.delete(key)
    return len(old)


def _stored(ports: Ports, jar: str) -> set[GenerationId]:
    places = map(parse_generation_key, ports.store.list(generations_prefix(jar)))
    return {place[1] for place in places if place is not None}


def _last_seqs(history: Iterable[Head]) -> dict[GenerationId, int]:
    """Return for each generation the last head that had it in a slot."""
    return {item.generation.id: head.seq for head in history for item in head.slots.records()}


def _left_before(history: Iterable[Head], seq: int) -> set[GenerationId]:
    """Return what had left every slot when that head was written, and did not come back."""
    return {item for item, last in _last_seqs(history).items() if last < seq}


def _horizon(history: Iterable[Head], *, before: datetime) -> int:
    """Return the last seq up to which every head is old enough."""
    horizon = 0
    for head in history:
        if head.at > before:
            break
        horizon = head.seq
    return horizon


def _same(head: Head | None) -> Slots:
    return NO_SLOTS if head is None else head.slots


def _record(ports: Ports, access: Access, counts: dict[str, int]) -> tuple[str, ...]:
    try:
        ports.trail.outcome(access, Outcome.OK, counts=counts)
    except JarkeeperError as error:
        return (f"cleaned up, but the outcome is not on record: {error.message}",)
    return ()
