"""Taking a jar in: an operator's export becomes the active generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome
from jarkeeper.errors import IntegrityError, JarkeeperError
from jarkeeper.facts import JarFacts, Probed, observe
from jarkeeper.heads import Head
from jarkeeper.jar import Jar, ParsedJar, emit_jar, parse_jar, read_export
from jarkeeper.names import GenerationId, new_id
from jarkeeper.slots import (
    GenerationRecord,
    Mark,
    Slot,
    SlotRecord,
    Slots,
    SlotState,
    Source,
    mark,
    take_in,
)
from jarkeeper.vault.access import recorded
from jarkeeper.vault.closing import close_commit
from jarkeeper.vault.commit import NO_SLOTS, Change, commit
from jarkeeper.vault.doubts import Arrival, is_at_stake, is_same_login, require_certainty
from jarkeeper.vault.generations import (
    account_digest,
    fingerprint,
    open_generation,
    store_generation,
)
from jarkeeper.vault.log import read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import ImportReceipt


def import_jar(
    ports: Ports,
    jar: str,
    content: bytes | ParsedJar,
    *,
    confirmed: bool = False,
    probed: Probed | None = None,
) -> ImportReceipt:
    """Make these cookies active; what was active becomes the newest backup.

    Cookies that are active already stay so, and no backup is lost for them. `JarFormatError` where
    the content is no export. `ConfirmationNeeded` where they are no login, older than the active
    ones or another account's, unless `confirmed`. Either way nothing was changed.
    """
    parsed = content if isinstance(content, ParsedJar) else read_export(content, sites=ports.sites)
    if probed is not None:
        parsed = replace(parsed, jar=probed.jar)
    base = read_newest(ports, jar)
    access = Access(
        action=Action.IMPORT,
        jar=jar,
        slot=Slot.ACTIVE,
        generation=GenerationId(new_id()),
        head_seq=0 if base.head is None else base.head.seq,
    )
    with recorded(ports.trail, access):
        if base.head is not None and _is_active(ports, base.head, parsed.jar):
            return _unchanged(ports, access, base.head, parsed)
        arrival, warnings = _arrived(ports, parsed, probed, base.head, confirmed=confirmed)
        record = store_generation(
            ports,
            jar,
            parsed.jar,
            id=GenerationId(access.generation),
            source=Source.IMPORT,
            facts=arrival.facts,
        )
        again = partial(_arrived, ports, parsed, probed, confirmed=confirmed)
        change = _change(ports, record, arrival, base=base.head, again=again)
        done = commit(ports, jar, change, base=base.stored)
    return ImportReceipt(
        vault=ports.vault,
        jar=jar,
        action=Action.IMPORT,
        generation=record.id,
        fingerprint=record.fingerprint,
        head_seq=done.stored.head.seq,
        at=done.stored.head.at,
        warnings=parsed.warnings + base.warnings + warnings + close_commit(ports, access, done),
        dropped=parsed.dropped,
        facts=arrival.facts,
    )


def _arrived(
    ports: Ports, parsed: ParsedJar, probed: Probed | None, head: Head | None, *, confirmed: bool
) -> tuple[Arrival, tuple[str, ...]]:
    """Return what came in, compared with the active jar, and what could not be compared.

    `ConfirmationNeeded` where there are doubts and nobody has confirmed them.
    """
    active = None if head is None else head.active
    before, warnings, trouble = _open_active(ports, active, "" if head is None else head.jar)
    facts = _with_account(_observe(ports, parsed, probed), parsed.jar, active, before)
    arrival = Arrival(
        parsed.jar,
        facts,
        is_signed_out=probed is not None and not probed.alive,
        is_backup=_is_backup(ports, head, parsed.jar),
        not_compared=trouble,
    )
    if not confirmed:
        require_certainty(arrival, active, before, now=ports.clock())
    return arrival, warnings


def _change(
    ports: Ports,
    record: GenerationRecord,
    arrival: Arrival,
    *,
    base: Head | None,
    again: Callable[[Head], object],
) -> Change:
    at = record.created_at

    def rule(head: Head | None) -> Slots:
        if head is not None and head != base:
            again(head)  # others were faster: what is active now is another jar
        old = NO_SLOTS if head is None else head.slots
        slots = take_in(old, record, at=at, backup_count=ports.backup_count)
        if not arrival.is_signed_out:
            return slots
        return mark(slots, record.id, Mark(SlotState.DEAD, at=at, reason="probe"))

    return Change(Action.IMPORT, rule)


def _observe(ports: Ports, parsed: ParsedJar, probed: Probed | None) -> JarFacts:
    facts = observe(parsed.jar, sites=ports.sites, dropped=parsed.dropped)
    if probed is None or probed.account is None:
        return facts
    return replace(facts, account=account_digest(ports, probed.account))


def _open_active(
    ports: Ports, active: SlotRecord | None, jar: str
) -> tuple[Jar | None, tuple[str, ...], str]:
    """Return the active jar for a comparison if it is at stake, a warning, what to wait for."""
    if active is None or not is_at_stake(active, now=ports.clock()):
        return None, (), ""
    try:
        content = open_generation(ports, jar, active.generation)
        return parse_jar(content, sites=ports.sites).jar, (), ""
    except IntegrityError as error:
        # What is damaged must not keep anybody from putting fresh cookies in its place.
        return None, (f"not compared with the active cookies: {error.message}",), ""
    except JarkeeperError as error:
        return None, (), error.message


def _with_account(
    facts: JarFacts, jar: Jar, active: SlotRecord | None, before: Jar | None
) -> JarFacts:
    """Return the facts with the account that is known already of the same login."""
    if facts.account or active is None or before is None or not is_same_login(before, jar):
        return facts
    return replace(facts, account=active.generation.facts.account)


def _is_active(ports: Ports, head: Head, jar: Jar) -> bool:
    now = fingerprint(ports, emit_jar(jar))
    return head.active is not None and head.active.generation.fingerprint == now


def _is_backup(ports: Ports, head: Head | None, jar: Jar) -> bool:
    backups = () if head is None else head.backups
    now = fingerprint(ports, emit_jar(jar))
    return any(item.generation.fingerprint == now for item in backups)


def _unchanged(ports: Ports, access: Access, head: Head, parsed: ParsedJar) -> ImportReceipt:
    assert head.active is not None  # noqa: S101 - it was compared with the import
    record = head.active.generation
    ports.trail.outcome(replace(access, generation=record.id), Outcome.OK, detail="unchanged")
    return ImportReceipt(
        vault=ports.vault,
        jar=access.jar,
        action=Action.IMPORT,
        generation=record.id,
        fingerprint=record.fingerprint,
        head_seq=head.seq,
        at=head.at,
        warnings=(*parsed.warnings, "these cookies are active already, nothing was changed"),
        dropped=parsed.dropped,
        facts=record.facts,
    )
