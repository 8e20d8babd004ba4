"""Rewrap: the same jars under another wrapping key. Killed anywhere, running it again finishes.

First the root moves: one create-only record decides, and from then on the new key opens the vault,
and everything in it with the former keys that the record names. Then what is in a slot is sealed
anew, so that the slots open with the new key alone. What is in no slot stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome
from jarkeeper.envelope import Context, open_with, seal
from jarkeeper.errors import IntegrityError, JarkeeperError, KeyUnavailable, NotFound
from jarkeeper.heads import Head
from jarkeeper.keys import WrappingKey
from jarkeeper.names import GenerationId, VaultId, generation_key, new_id
from jarkeeper.records import digest
from jarkeeper.slots import GenerationRecord, Slots, exchange
from jarkeeper.stores import put_once
from jarkeeper.vault.access import recorded
from jarkeeper.vault.closing import close_commit
from jarkeeper.vault.commit import Change, commit
from jarkeeper.vault.generations import open_generation, read_sealed
from jarkeeper.vault.log import read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.root import Reopen, move_root
from jarkeeper.vault.view import jar_names

PASSES_MAX = 5
"""Over a jar: others may commit meanwhile, but nothing under the old key once the root moved."""

Progress = Callable[[int, int], None]
"""Hears how much of how many is done."""


@dataclass(frozen=True, slots=True)
class RewrapReceipt:
    """What was moved to the new key."""

    vault: VaultId
    key: str
    """How messages call the new key."""
    key_id: str
    moved: bool
    """Whether the root moved now; it had before where an interrupted run is finished."""
    sealed: int
    """Generations that were sealed anew."""
    problems: tuple[str, ...] = ()
    """What could not be sealed anew: it depends on a former key, or is damaged."""
    warnings: tuple[str, ...] = ()


def rewrap(
    ports: Ports,
    to: WrappingKey,
    *,
    reopen: Reopen,
    progress: Progress = lambda _done, _total: None,
) -> RewrapReceipt:
    """Move the vault to another key, or raise `Conflict` where somebody else moved it first."""
    access = Access(Action.REWRAP)
    with recorded(ports.trail, access):
        keys, moved = move_root(ports.store, ports.keys, to, vault=ports.vault, reopen=reopen)
    warnings = _told(ports, access, moved=moved)
    ports = replace(ports, keys=keys)
    jars = jar_names(ports)
    sealed, problems = 0, []
    for done, jar in enumerate(jars):
        progress(done, len(jars))
        try:
            number, missed, more = _rewrap_jar(ports, jar, moved=moved)
        except JarkeeperError as error:
            problems.append(error.message)
            continue
        sealed += number
        problems += missed
        warnings += more
    progress(len(jars), len(jars))
    return RewrapReceipt(
        ports.vault, keys.name, keys.id, moved, sealed, tuple(problems), tuple(warnings)
    )


def needs_rewrap(ports: Ports, jar: str, record: GenerationRecord) -> bool:
    """Whether the generation opens only with a former key, or not at all."""
    sealed = read_sealed(ports, jar, record)
    try:
        return open_with(ports.keys, sealed, context=Context(ports.vault, jar, record.id)) is None
    except KeyUnavailable:
        # KMS refuses like that what a key of another region or account has wrapped.
        return True


def _told(ports: Ports, access: Access, *, moved: bool) -> list[str]:
    try:
        ports.trail.outcome(access, Outcome.OK, detail="" if moved else "unchanged")
    except JarkeeperError as error:
        return [f"moved, but the outcome is not on record: {error.message}"]
    return []


def _rewrap_jar(ports: Ports, jar: str, *, moved: bool) -> tuple[int, list[str], list[str]]:
    """Return how many generations were sealed anew, what could not be, and warnings."""
    base = read_newest(ports, jar).stored
    if base is None:
        return 0, [], []
    access = Access(Action.REWRAP, jar=jar, head_seq=base.head.seq)
    total = 0
    problems: list[str] = []
    warnings: list[str] = []
    for _ in range(PASSES_MAX):
        renewed, problems = _sealed_anew(ports, base.head)
        if not renewed and not moved:
            break
        # Once even where nothing is new: whoever sealed under the old key and is about to commit on
        # this very head finds its place taken, and then that the key is not the vault's any more.
        moved = False
        change = Change(Action.REWRAP, _exchanged(renewed), horizon=0)
        with recorded(ports.trail, access):
            done = commit(ports, jar, change, base=base)
        warnings += close_commit(ports, access, done)
        total += len(renewed)
        base = done.stored
    return total, problems, warnings


def _sealed_anew(
    ports: Ports, head: Head
) -> tuple[dict[GenerationId, GenerationRecord], list[str]]:
    """Return what was sealed under the new key, by what it replaces, and what could not be."""
    renewed: dict[GenerationId, GenerationRecord] = {}
    problems = []
    for item in head.slots.records():
        try:
            if needs_rewrap(ports, head.jar, item.generation):
                renewed[item.generation.id] = _renew(ports, head.jar, item.generation)
        except JarkeeperError as error:
            problems.append(
                f"jar '{head.jar}': generation {item.generation.id[:8]} stays as it is, "
                f"{error.message}"
            )
    return renewed, problems


def _renew(ports: Ports, jar: str, old: GenerationRecord) -> GenerationRecord:
    """Seal the same jar as a new generation, and open what lies there with the new key alone."""
    plaintext = open_generation(ports, jar, old)
    context = Context(ports.vault, jar, GenerationId(new_id()))
    sealed = seal(plaintext, keys=ports.keys, context=context)
    new = replace(old, id=context.generation, digest=digest(sealed))
    put_once(ports.store, generation_key(jar, new.id), sealed)
    stored = read_sealed(ports, jar, new)
    if open_with(ports.keys, stored, context=context) != plaintext:
        raise IntegrityError("what was read back is not what was sealed")
    return new


def _exchanged(
    renewed: dict[GenerationId, GenerationRecord],
) -> Callable[[Head | None], Slots]:
    def rule(head: Head | None) -> Slots:
        if head is None:
            raise NotFound("log: expected a head, there is none any more")
        slots = head.slots
        for old, new in renewed.items():
            # One that left its slot meanwhile is past: what took its place is seen to next.
            if slots.find(old) is not None:
                slots = exchange(slots, old, new)
        return slots

    return rule
