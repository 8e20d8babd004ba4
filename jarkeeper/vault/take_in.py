"""Taking a jar in: an operator's export becomes the active generation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome
from jarkeeper.errors import InputError
from jarkeeper.facts import JarFacts, is_authenticated, observe
from jarkeeper.heads import Head
from jarkeeper.jar import Jar, ParsedJar, emit_jar, parse_jar
from jarkeeper.names import GenerationId, new_id
from jarkeeper.slots import Slot, Slots, Source, take_in
from jarkeeper.vault.access import recorded
from jarkeeper.vault.closing import close_commit
from jarkeeper.vault.commit import NO_SLOTS, Change, commit
from jarkeeper.vault.generations import fingerprint, store_generation
from jarkeeper.vault.log import read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import ImportReceipt


def import_jar(ports: Ports, jar: str, content: bytes, *, force: bool = False) -> ImportReceipt:
    """Make these cookies active; what was active becomes the newest backup.

    Cookies that are active already stay so, and no backup is lost for them. `JarFormatError` where
    the content is no cookie file, `InputError` where it is no login and would take the place of
    one, unless `force`: then nothing was changed.
    """
    parsed = parse_jar(content, sites=ports.sites)
    facts = observe(parsed.jar, sites=ports.sites, dropped=parsed.dropped)
    base = read_newest(ports, jar)
    if not force:
        _require_login(facts, base.head, now=ports.clock())
    generation = GenerationId(new_id())
    access = Access(
        action=Action.IMPORT,
        jar=jar,
        slot=Slot.ACTIVE,
        generation=generation,
        head_seq=0 if base.head is None else base.head.seq,
    )
    if base.stored is not None and _is_active(ports, base.stored.head, parsed.jar):
        return _unchanged(ports, access, base.stored.head, parsed)
    with recorded(ports.trail, access):
        record = store_generation(
            ports, jar, parsed.jar, id=generation, source=Source.IMPORT, facts=facts
        )

        def rule(head: Head | None) -> Slots:
            slots = NO_SLOTS if head is None else head.slots
            return take_in(slots, record, at=record.created_at, backup_count=ports.backup_count)

        done = commit(ports, jar, Change(Action.IMPORT, rule), base=base.stored)
    warnings = close_commit(ports, access, done)
    return ImportReceipt(
        vault=ports.vault,
        jar=jar,
        action=Action.IMPORT,
        generation=record.id,
        fingerprint=record.fingerprint,
        head_seq=done.stored.head.seq,
        at=done.stored.head.at,
        warnings=parsed.warnings + base.warnings + warnings,
        dropped=parsed.dropped,
        facts=facts,
    )


def _require_login(facts: JarFacts, head: Head | None, *, now: datetime) -> None:
    """Refuse to put cookies that certainly do not work before some that may."""
    active = None if head is None else head.active
    if active is None or is_authenticated(facts, now) or not active.is_usable(now):
        return
    if is_authenticated(active.generation.facts, now):
        raise InputError(
            "cookies: they are no login, or one that expired, and would take the place of one",
            hint="export them again while logged in; `--force` takes them in all the same",
        )


def _is_active(ports: Ports, head: Head, jar: Jar) -> bool:
    now = fingerprint(ports, emit_jar(jar))
    return head.active is not None and head.active.generation.fingerprint == now


def _unchanged(ports: Ports, access: Access, head: Head, parsed: ParsedJar) -> ImportReceipt:
    assert head.active is not None  # noqa: S101 - it was compared with the import
    record = head.active.generation
    with recorded(ports.trail, access):
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
