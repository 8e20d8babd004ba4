"""The commit: one create-only write decides. It happened entirely, or it did not happen."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from jarkeeper.actions import Action
from jarkeeper.errors import Conflict, StoreError, StoreUnknown, VaultError
from jarkeeper.heads import Head, StoredHead, succeed, write_head
from jarkeeper.limits import LIMITS
from jarkeeper.names import head_key, new_id
from jarkeeper.records import digest
from jarkeeper.slots import Slots
from jarkeeper.stores import holds, put_once
from jarkeeper.vault.log import advance, read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.root import require_current

PAUSE_SECONDS = 0.004
NO_SLOTS = Slots()
SEALING = frozenset({Action.IMPORT, Action.STAGE, Action.WRITE_BACK, Action.REWRAP})
"""What puts a freshly sealed generation in a slot."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does to a jar's slots, as a pure rule of the head it builds on."""

    action: Action
    rule: Callable[[Head | None], Slots]
    """Raises where the change must not happen; returns equal slots where nothing is to do."""
    retries: bool = True
    """Whether it is tried again on the head of somebody who was faster."""
    horizon: int | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The head that holds now, and whether this commit wrote it."""

    stored: StoredHead
    changed: bool
    warnings: tuple[str, ...] = ()


def commit(ports: Ports, jar: str, change: Change, *, base: StoredHead | None) -> Committed:
    """Make the change on top of `base`, or raise `Conflict` where others were faster.

    `StoreUnknown`: it may have happened or not; whoever commits next settles it.
    """
    started = time.monotonic()
    for attempt in range(LIMITS.commit_tries_max):
        slots = change.rule(None if base is None else base.head)
        if base is not None and slots == base.head.slots and change.horizon is None:
            return Committed(base, changed=False)
        stored = _attempt(ports, jar, change, base, slots, started=started)
        if stored is not None:
            return Committed(stored, changed=True, warnings=tuple(advance(ports, jar, stored)))
        if not change.retries:
            break
        # At random, so that writers who met once do not meet again.
        time.sleep(random.uniform(0, PAUSE_SECONDS * (attempt + 1)))  # noqa: S311
        base = read_newest(ports, jar).stored
    raise Conflict(f"jar '{jar}': {change.action} was overtaken by other commits", hint="try again")


def _attempt(
    ports: Ports,
    jar: str,
    change: Change,
    base: StoredHead | None,
    slots: Slots,
    *,
    started: float,
) -> StoredHead | None:
    """Return the head if it was committed, None if its place in the log belongs to another."""
    head = _next(ports, jar, change.action, base, slots, horizon=change.horizon)
    raw = write_head(head, key=ports.head_key)
    if len(raw) > LIMITS.head_bytes_max:
        raise VaultError(f"jar '{jar}': the head would exceed {LIMITS.head_bytes_max} bytes")
    if time.monotonic() - started > LIMITS.commit_seconds_max:
        raise Conflict(f"jar '{jar}': {change.action} took too long", hint="try again")
    if change.action in SEALING:
        # After the base was read: a rewrap commits on top of it, or finds what is committed here.
        require_current(ports.store, ports.keys)
    try:
        ours = put_once(ports.store, head_key(jar, head.seq), raw)
    except StoreUnknown:
        ours = _settle(ports, jar, base, head.seq, raw)
    return StoredHead(head, digest(raw)) if ours else None


def _settle(ports: Ports, jar: str, base: StoredHead | None, seq: int, raw: bytes) -> bool:
    """Return whether the head was committed after all, once nothing can change that any more.

    An empty commit takes the place, if it is free: then the first write can never arrive late.
    """
    slots = NO_SLOTS if base is None else base.head.slots
    empty = _next(ports, jar, Action.SETTLE, base, slots)
    key = head_key(jar, seq)
    try:
        if put_once(ports.store, key, write_head(empty, key=ports.head_key)):
            return False
    except StoreError as error:  # also where this write certainly failed: the first one may not
        raise StoreUnknown(
            f"jar '{jar}': head {seq} may be committed or not, {error.message}", hint=error.hint
        ) from None
    return holds(ports.store, key, raw)


def _next(
    ports: Ports,
    jar: str,
    action: Action,
    base: StoredHead | None,
    slots: Slots,
    *,
    horizon: int | None = None,
) -> Head:
    return succeed(
        base,
        slots,
        vault=ports.vault,
        jar=jar,
        action=action,
        at=ports.clock(),
        id=new_id()[:16],
        horizon=horizon,
    )
