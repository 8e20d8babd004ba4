"""Replacing in an emergency: what somebody else may hold is revoked, and another login comes in."""

from __future__ import annotations

from jarkeeper.actions import Action
from jarkeeper.audit import Access
from jarkeeper.errors import InputError, IntegrityError, JarkeeperError, VaultError
from jarkeeper.facts import is_authenticated, observe
from jarkeeper.jar import Jar, ParsedJar, parse_jar
from jarkeeper.slots import SlotRecord
from jarkeeper.vault.access import recorded
from jarkeeper.vault.changes import revoke
from jarkeeper.vault.doubts import is_same_login
from jarkeeper.vault.generations import open_generation
from jarkeeper.vault.log import read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import ImportReceipt, Receipt
from jarkeeper.vault.take_in import import_jar

SIGN_OUT = (
    "sign out of all devices in the account's security settings, log in again, and export that"
)


def replace_jar(
    ports: Ports, jar: str, parsed: ParsedJar
) -> tuple[tuple[Receipt, ...], ImportReceipt]:
    """Revoke every slot that holds the active login, then make these cookies active.

    `InputError` where they are no login, or the very one that is to be replaced: then nothing was
    changed. Workers that hold what was revoked end within seconds.
    """
    head = read_newest(ports, jar).head
    records = () if head is None else head.slots.records()
    if not is_authenticated(observe(parsed.jar, sites=ports.sites), ports.clock()):
        raise InputError(f"jar '{jar}': expected a login that works, the export holds none")
    leaked = [item for item in records if _is_leaked(ports, jar, item, records[0])]
    for item in leaked:
        _require_another_login(ports, jar, item, parsed.jar)
    revoked = tuple(revoke(ports, jar, item.generation.id) for item in leaked)
    try:
        return revoked, import_jar(ports, jar, parsed, confirmed=True)
    except JarkeeperError as error:
        raise VaultError(
            f"jar '{jar}': the old cookies are revoked, the new ones are not in: {error.message}",
            hint="run `jarkeeper import --yes` with them",
        ) from None


def _is_leaked(ports: Ports, jar: str, item: SlotRecord, active: SlotRecord) -> bool:
    if item is active:
        return True
    one, other = _opened(ports, jar, item), _opened(ports, jar, active)
    return one is not None and other is not None and is_same_login(one, other)


def _require_another_login(ports: Ports, jar: str, item: SlotRecord, new: Jar) -> None:
    old = _opened(ports, jar, item)
    if old is not None and is_same_login(old, new):
        raise InputError(
            f"jar '{jar}': the export is of the very login that is to be replaced", hint=SIGN_OUT
        )


def _opened(ports: Ports, jar: str, item: SlotRecord) -> Jar | None:
    """Return the jar in clear, on record; None where it is damaged, which must hinder nobody."""
    access = Access(Action.REVOKE, jar=jar, generation=item.generation.id)
    try:
        with recorded(ports.trail, access, detail="comparing"):
            content = open_generation(ports, jar, item.generation)
            return parse_jar(content, sites=ports.sites).jar
    except IntegrityError:
        return None
