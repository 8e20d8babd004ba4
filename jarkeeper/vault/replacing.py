"""Replacing in an emergency: a login that others may hold is barred, and another one comes in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from jarkeeper.actions import Action
from jarkeeper.audit import Access
from jarkeeper.errors import InputError, IntegrityError, JarkeeperError, VaultError
from jarkeeper.facts import is_authenticated, observe
from jarkeeper.heads import GenerationRecord, Head, SlotRecord
from jarkeeper.jar import ParsedJar, parse_jar
from jarkeeper.names import GenerationId
from jarkeeper.vault.access import recorded
from jarkeeper.vault.changes import bar
from jarkeeper.vault.generations import login_digest, login_digests, open_generation
from jarkeeper.vault.log import read_history, read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import ImportReceipt
from jarkeeper.vault.take_in import import_jar, require_not_barred
from jarkeeper.vault.view import jar_names

SIGN_OUT = (
    "sign out of all devices in the account's security settings, log in again, and export that"
)


CHOSEN = frozenset({Action.IMPORT, Action.ROTATE, Action.RESTORE})
"""What makes a login active because somebody wants that one; a fail-over asks nobody."""


@dataclass(frozen=True, slots=True)
class ReplaceReceipt:
    """What was revoked, and what took its place."""

    revoked: tuple[GenerationId, ...]
    imported: ImportReceipt
    elsewhere: tuple[str, ...] = ()
    """Other jars that hold a login that was barred here: nothing was changed there."""


def replace_jar(ports: Ports, jar: str, parsed: ParsedJar) -> ReplaceReceipt:
    """Bar the logins that `leaked` tells from every use, then make these cookies active.

    `InputError` where they are no login, or one that is to be replaced: then nothing was changed.
    Workers that hold what was barred end by themselves.
    """
    if not is_authenticated(observe(parsed.jar, sites=ports.sites), ports.clock()):
        raise InputError(f"jar '{jar}': expected a login that works, the export holds none")
    before = read_newest(ports, jar).head
    require_not_barred(ports, before, parsed.jar)
    records = [_with_login(ports, jar, item.generation) for item in leaked(ports, jar)]
    logins = {record.facts.login for record in records} - {""}
    if not logins.isdisjoint(login_digests(ports, parsed.jar)):
        raise InputError(
            f"jar '{jar}': the export is of the very login that is to be replaced", hint=SIGN_OUT
        )
    for record in records:
        bar(ports, jar, record)
    revoked = _revoked_since(ports, jar, before)
    return ReplaceReceipt(revoked, _import(ports, jar, parsed), _elsewhere(ports, jar, logins))


def leaked(ports: Ports, jar: str) -> tuple[SlotRecord, ...]:
    """Return every login that was active since somebody chose one, the last one last.

    Whoever calls it an emergency means the login that they put there. A fail-over may have retired
    it since, and nobody knows then which of the two others hold: neither may stay usable.
    """
    found: list[SlotRecord] = []
    for head in reversed(_history(ports, jar)):
        item = head.active
        if item is not None and not any(_is_same_login(item, other) for other in found):
            found.append(item)
        if item is not None and head.action in CHOSEN:
            break
    return tuple(reversed(found))


def _history(ports: Ports, jar: str) -> tuple[Head, ...]:
    """Return every head, or the newest alone where an earlier one is damaged."""
    try:
        return read_history(ports, jar)
    except IntegrityError:  # must hinder nobody in an emergency
        head = read_newest(ports, jar).head
        return () if head is None else (head,)


def _is_same_login(one: SlotRecord, other: SlotRecord) -> bool:
    if one.generation.id == other.generation.id:
        return True
    login = one.generation.facts.login
    return bool(login) and login == other.generation.facts.login


def _elsewhere(ports: Ports, jar: str, logins: set[str]) -> tuple[str, ...]:
    found = []
    with suppress(JarkeeperError):  # what is done here must be told, whatever is wrong elsewhere
        for name in jar_names(ports):
            head = None if name == jar else read_newest(ports, name).head
            items = () if head is None else head.slots.records()
            if any(item.generation.facts.login in logins for item in items):
                found.append(name)
    return tuple(found)


def _import(ports: Ports, jar: str, parsed: ParsedJar) -> ImportReceipt:
    try:
        return import_jar(ports, jar, parsed, confirmed=True)
    except JarkeeperError as error:
        raise VaultError(
            f"jar '{jar}': the old login is revoked, the new cookies are not in: {error.message}",
            hint="run the same command again, or `jarkeeper import --yes` with them",
        ) from None


def _with_login(ports: Ports, jar: str, record: GenerationRecord) -> GenerationRecord:
    """Return the record with its login, which one of an older vault does not tell yet."""
    if record.facts.login:
        return record
    access = Access(Action.REVOKE, jar=jar, generation=record.id)
    try:
        with recorded(ports.trail, access, detail="comparing"):
            content = open_generation(ports, jar, record)
            login = login_digest(ports, parse_jar(content, sites=ports.sites).jar)
    except IntegrityError:
        return record  # what is damaged must hinder nobody in an emergency
    return replace(record, facts=replace(record.facts, login=login))


def _revoked_since(ports: Ports, jar: str, before: Head | None) -> tuple[GenerationId, ...]:
    head = read_newest(ports, jar).head
    old = () if before is None else before.revoked
    return () if head is None else tuple(item for item in head.revoked if item not in old)
