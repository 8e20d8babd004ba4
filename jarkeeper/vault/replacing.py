"""Replacing in an emergency: a login that others may hold is barred, and another one comes in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jarkeeper.actions import Action
from jarkeeper.audit import Access
from jarkeeper.errors import InputError, IntegrityError, JarkeeperError, VaultError
from jarkeeper.facts import is_authenticated, observe
from jarkeeper.heads import GenerationRecord, Head
from jarkeeper.jar import ParsedJar, parse_jar
from jarkeeper.names import GenerationId
from jarkeeper.vault.access import recorded
from jarkeeper.vault.changes import bar
from jarkeeper.vault.generations import login_digest, open_generation
from jarkeeper.vault.log import read_history, read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import ImportReceipt
from jarkeeper.vault.take_in import import_jar, require_not_barred

SIGN_OUT = (
    "sign out of all devices in the account's security settings, log in again, and export that"
)


@dataclass(frozen=True, slots=True)
class ReplaceReceipt:
    """What was revoked, and what took its place."""

    revoked: tuple[GenerationId, ...]
    imported: ImportReceipt


def replace_jar(ports: Ports, jar: str, parsed: ParsedJar) -> ReplaceReceipt:
    """Bar the login that is active, or was last, from every use, then make these cookies active.

    `InputError` where they are no login, one that was revoked, or the very one that is to be
    replaced: then nothing was changed. Workers that hold what was barred end by themselves.
    """
    if not is_authenticated(observe(parsed.jar, sites=ports.sites), ports.clock()):
        raise InputError(f"jar '{jar}': expected a login that works, the export holds none")
    before = read_newest(ports, jar).head
    require_not_barred(ports, before, parsed.jar)
    leaked = None if before is None else _last_active(ports, jar, before)
    if leaked is not None:
        leaked = _with_login(ports, jar, leaked)
        if leaked.facts.login == login_digest(ports, parsed.jar):
            raise InputError(
                f"jar '{jar}': the export is of the very login that is to be replaced",
                hint=SIGN_OUT,
            )
        bar(ports, jar, leaked)
    return ReplaceReceipt(_revoked_since(ports, jar, before), _import(ports, jar, parsed))


def _import(ports: Ports, jar: str, parsed: ParsedJar) -> ImportReceipt:
    try:
        return import_jar(ports, jar, parsed, confirmed=True)
    except JarkeeperError as error:
        raise VaultError(
            f"jar '{jar}': the old login is revoked, the new cookies are not in: {error.message}",
            hint="run the same command again, or `jarkeeper import --yes` with them",
        ) from None


def _last_active(ports: Ports, jar: str, newest: Head) -> GenerationRecord | None:
    """Return what is active, or what was before somebody took it out of its slot."""
    if newest.active is not None:
        return newest.active.generation
    actives = (head.active for head in reversed(read_history(ports, jar)))
    return next((item.generation for item in actives if item is not None), None)


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
