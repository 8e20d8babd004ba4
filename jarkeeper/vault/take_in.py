"""Taking a jar in: an operator's export becomes the active generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome
from jarkeeper.errors import InputError, IntegrityError, JarkeeperError
from jarkeeper.facts import JarFacts, Probed, observe
from jarkeeper.heads import Head
from jarkeeper.jar import Jar, ParsedJar, emit_jar, parse_jar, read_export
from jarkeeper.names import GenerationId, new_id
from jarkeeper.slots import (
    PENDING,
    GenerationRecord,
    Slot,
    SlotRecord,
    Slots,
    SlotState,
    Source,
    stage,
    take_in,
)
from jarkeeper.states import PROBE, Mark, mark
from jarkeeper.vault.access import recorded
from jarkeeper.vault.closing import close_commit
from jarkeeper.vault.commit import NO_SLOTS, Change, commit
from jarkeeper.vault.doubts import (
    Arrival,
    Doubt,
    is_at_stake,
    is_newer,
    is_same_login,
    require_certainty,
)
from jarkeeper.vault.generations import (
    account_digest,
    fingerprint,
    login_digest,
    login_digests,
    open_generation,
    store_generation,
)
from jarkeeper.vault.log import read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import ImportReceipt

ACCOUNT = frozenset({Doubt.ANOTHER_ACCOUNT})


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
    parsed = _parsed(ports, content)
    if probed is not None:
        parsed = replace(parsed, jar=probed.jar)
    base = read_newest(ports, jar)
    access = _access(Action.IMPORT, jar, Slot.ACTIVE, base.head)
    with recorded(ports.trail, access):
        if base.head is not None and _is_active(ports, base.head, parsed.jar):
            return _unchanged(ports, access, base.head, base.head.active, parsed)
        arrival, warnings = _arrived(ports, parsed, probed, base.head, confirmed=confirmed)
        record = _store(ports, access, parsed, arrival)
        again = partial(_arrived, ports, parsed, probed, confirmed=confirmed)
        change = _change(
            ports, record, arrival, base=base.head, again=again, is_tested=probed is not None
        )
        done = commit(ports, jar, change, base=base.stored)
    warnings = parsed.warnings + base.warnings + warnings + close_commit(ports, access, done)
    return _receipt(access, done.stored.head, record, parsed, warnings=warnings)


def stage_jar(
    ports: Ports, jar: str, content: bytes | ParsedJar, *, confirmed: bool = False
) -> ImportReceipt:
    """Store these cookies as the pending ones; nothing uses them before they were tested.

    The same doubts as about an import, besides the account: the test will tell whose they are.
    """
    parsed = _parsed(ports, content)
    base = read_newest(ports, jar)
    access = _access(Action.STAGE, jar, PENDING, base.head)
    with recorded(ports.trail, access):
        known = None if base.head is None else _held_or_as_good(ports, base.head, parsed.jar)
        if base.head is not None and known is not None:
            return _unchanged(ports, access, base.head, known, parsed)
        arrival, warnings = _arrived(
            ports, parsed, None, base.head, confirmed=confirmed, later=ACCOUNT
        )
        record = _store(ports, access, parsed, arrival)

        def rule(head: Head | None) -> Slots:
            require_not_barred(ports, head, parsed.jar)
            return stage(NO_SLOTS if head is None else head.slots, record, at=record.created_at)

        done = commit(ports, jar, Change(Action.STAGE, rule), base=base.stored)
    warnings = parsed.warnings + base.warnings + warnings + close_commit(ports, access, done)
    return _receipt(access, done.stored.head, record, parsed, warnings=warnings)


def _parsed(ports: Ports, content: bytes | ParsedJar) -> ParsedJar:
    return content if isinstance(content, ParsedJar) else read_export(content, sites=ports.sites)


def _access(action: Action, jar: str, role: str, head: Head | None) -> Access:
    seq = 0 if head is None else head.seq
    return Access(action, jar=jar, slot=role, generation=new_id(), head_seq=seq)


def _store(ports: Ports, access: Access, parsed: ParsedJar, arrival: Arrival) -> GenerationRecord:
    return store_generation(
        ports,
        access.jar,
        parsed.jar,
        id=GenerationId(access.generation),
        source=Source.IMPORT,
        facts=arrival.facts,
    )


def _receipt(
    access: Access,
    head: Head,
    record: GenerationRecord,
    parsed: ParsedJar,
    *,
    warnings: tuple[str, ...],
) -> ImportReceipt:
    return ImportReceipt(
        vault=head.vault,
        jar=access.jar,
        action=access.action,
        generation=record.id,
        fingerprint=record.fingerprint,
        head_seq=head.seq,
        at=head.at,
        warnings=warnings,
        dropped=parsed.dropped,
        facts=record.facts,
    )


def _arrived(
    ports: Ports,
    parsed: ParsedJar,
    probed: Probed | None,
    head: Head | None,
    *,
    confirmed: bool,
    later: frozenset[Doubt] = frozenset(),
) -> tuple[Arrival, tuple[str, ...]]:
    """Return what came in, compared with the active jar, and what could not be compared.

    `ConfirmationNeeded` where there are doubts and nobody has confirmed them.
    """
    active = None if head is None else head.active
    require_not_barred(ports, head, parsed.jar)
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
        require_certainty(arrival, active, before, now=ports.clock(), later=later)
    return arrival, warnings


def _change(
    ports: Ports,
    record: GenerationRecord,
    arrival: Arrival,
    *,
    base: Head | None,
    again: Callable[[Head], object],
    is_tested: bool,
) -> Change:
    at = record.created_at

    def rule(head: Head | None) -> Slots:
        if head is not None and head != base:
            again(head)  # others were faster: what is active now is another jar
        old = NO_SLOTS if head is None else head.slots
        tested_at = at if is_tested and not arrival.is_signed_out else None
        slots = take_in(old, record, at=at, backup_count=ports.backup_count, tested_at=tested_at)
        if not arrival.is_signed_out:
            return slots
        return mark(slots, record.id, Mark(SlotState.DEAD, at=at, reason=PROBE))

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
    item = _held(ports, head, jar)
    return item is not None and item == head.active


def _is_backup(ports: Ports, head: Head | None, jar: Jar) -> bool:
    backups = () if head is None else head.backups
    now = fingerprint(ports, emit_jar(jar))
    return any(item.generation.fingerprint == now for item in backups)


def require_not_barred(ports: Ports, head: Head | None, jar: Jar) -> None:
    """Refuse a login that was revoked, also where somebody says yes: others may hold it."""
    if head is not None and not login_digests(ports, jar).isdisjoint(head.slots.barred):
        raise InputError(
            f"jar '{head.jar}': they are of a login that was revoked",
            hint="sign out of all devices in the account's security settings, log in again, and "
            "export that",
        )


def _held(ports: Ports, head: Head, jar: Jar) -> SlotRecord | None:
    """Return the active or pending slot, where it holds these very cookies already."""
    now = fingerprint(ports, emit_jar(jar))
    held = (item for item in (head.active, head.slots.pending) if item is not None)
    return next((item for item in held if item.generation.fingerprint == now), None)


def _held_or_as_good(ports: Ports, head: Head, jar: Jar) -> SlotRecord | None:
    """Return also an active slot that works by the same login, unless these are newer.

    An older copy is no progress: the active one was renewed in use.
    """
    active = head.active
    works = active is not None and active.state is SlotState.HEALTHY and active.tested_at
    if active is not None and works and active.generation.facts.login == login_digest(ports, jar):
        before, *_ = _open_active(ports, active, head.jar)
        if before is not None and not is_newer(jar, before):
            return active
    return _held(ports, head, jar)


def _unchanged(
    ports: Ports, access: Access, head: Head, item: SlotRecord | None, parsed: ParsedJar
) -> ImportReceipt:
    assert item is not None  # noqa: S101 - it was compared with what came in
    record = item.generation
    ports.trail.outcome(replace(access, generation=record.id), Outcome.OK, detail="unchanged")
    role = "active" if item == head.active else PENDING
    same = record.fingerprint == fingerprint(ports, emit_jar(parsed.jar))
    said = f"are {role} already" if same else "are no newer than the active ones, which work"
    warnings = (*parsed.warnings, f"these cookies {said}, nothing was changed")
    return _receipt(access, head, record, parsed, warnings=warnings)
