"""Lending: nobody gets a jar before the store has on record that they do."""

from __future__ import annotations

from datetime import datetime

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome
from jarkeeper.errors import LendRefused, NotFound, RollbackError
from jarkeeper.heads import Head
from jarkeeper.jar import parse_jar
from jarkeeper.slots import Slot, SlotRecord, SlotState, choose
from jarkeeper.vault.access import recorded
from jarkeeper.vault.closing import repair_view
from jarkeeper.vault.generations import open_generation
from jarkeeper.vault.lent import LentJar, SealedJar
from jarkeeper.vault.log import read_existing
from jarkeeper.vault.permits import take_permit
from jarkeeper.vault.ports import Ports

BEYOND_LIMIT = "beyond_limit"
"""In the audit trail: somebody opened a jar without a permit, as they asked for."""

_FRESH = "import fresh cookies with `jarkeeper import cookies.txt`"


def lend(
    ports: Ports,
    jar: str,
    slot: Slot,
    *,
    generation: str = "",
    allow_dead: bool = False,
    beyond_limit: bool = False,
) -> LentJar:
    """Return a generation for use: of several backups the newest that can be used.

    A generation that is named is lent whatever slot it is in; that is for probes.

    `LendRefused` where the slot is dead or cooling, or the jar was opened too often this hour,
    `AuditUnavailable` where the loan cannot be recorded, `IntegrityError` where what is stored is
    not what was committed.
    """
    stored, warnings = read_existing(ports, jar)
    head = stored.head
    now = ports.clock()
    item = choose(head.slots, slot, now=now) or head.slot(slot)
    role: str = slot
    if generation:
        item = _named(head, generation)
        role = head.slots.role_of(item)
    access = Access(
        action=Action.LEND,
        jar=jar,
        slot=role,
        generation="" if item is None else item.generation.id,
        head_seq=head.seq,
    )
    detail = BEYOND_LIMIT if beyond_limit else ""
    with recorded(ports.trail, access, detail=detail):
        require_anchors(jar, warnings)
        allowed = _allowed(head, role, item, now=now, allow_dead=allow_dead)
        if not beyond_limit:
            take_permit(ports, access)
        lent = _hand_out(ports, access, head, allowed)
        ports.trail.outcome(access, Outcome.OK, detail=detail)
    repair_view(ports, head)
    return lent


def require_anchors(jar: str, warnings: tuple[str, ...]) -> None:
    """Refuse where an anchor cannot be asked: damaging it would else be the way to go back."""
    if warnings:
        raise RollbackError(
            f"jar '{jar}': cannot tell whether the vault was set back, {warnings[0]}",
            hint="make JARKEEPER_STATE_DIR readable and writable for you alone; if a file in it is "
            "damaged, be sure of the vault first, then remove that file",
        )


def _hand_out(ports: Ports, access: Access, head: Head, item: SlotRecord) -> LentJar:
    record = item.generation
    parsed = parse_jar(open_generation(ports, head.jar, record), sites=ports.sites)
    return LentJar(
        jar_name=head.jar,
        slot=access.slot,
        generation=record.id,
        fingerprint=record.fingerprint,
        head_seq=head.seq,
        facts=record.facts,
        sealed=SealedJar(parsed.jar, key=ports.memory_key),
    )


def _named(head: Head, generation: str) -> SlotRecord:
    item = head.slots.find(generation)
    if item is None:
        name = f"jar '{head.jar}': generation {generation[:8]}"
        raise NotFound(f"{name} is in no slot any more", hint=_FRESH)
    return item


def _allowed(
    head: Head, slot: str, item: SlotRecord | None, *, now: datetime, allow_dead: bool
) -> SlotRecord:
    if item is None:
        raise NotFound(f"jar '{head.jar}': has no {slot} generation", hint=_FRESH)
    name = f"jar '{head.jar}': {slot} generation {item.generation.id[:8]}"
    if head.slots.is_revoked(item.generation.id, item.generation.facts.login):
        raise LendRefused(f"{name} was revoked", reason="revoked", hint=_FRESH)
    if item.state is SlotState.DEAD and not allow_dead:
        why = f" ({item.reason})" if item.reason else ""
        raise LendRefused(f"{name} is dead{why}", reason="dead", hint=_FRESH)
    if item.is_cooling(now) and item.until is not None:
        raise LendRefused(
            f"{name} is cooling until {item.until:%Y-%m-%d %H:%M} UTC",
            reason="cooling",
            hint="wait: YouTube asked for it, and going on makes it worse",
        )
    return item
