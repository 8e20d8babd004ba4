"""The vault's own object: its id, and a check that tells a wrong key from a damaged vault."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from functools import partial

from jarkeeper.audit.places import PREFIX as AUDIT_PREFIX
from jarkeeper.audit.places import is_of_trail
from jarkeeper.errors import (
    IntegrityError,
    KeyUnavailable,
    NotInitialised,
    ObjectDenied,
    ObjectMissing,
    StoreError,
    VaultError,
)
from jarkeeper.keys import KeyWrapper, Purpose
from jarkeeper.names import (
    INCIDENTS_PREFIX,
    JARS_PREFIX,
    OPENS_PREFIX,
    VAULT_KEY,
    VaultId,
    is_id,
    new_id,
    parse_generation_key,
    parse_head_key,
    parse_incident_key,
    parse_permit_key,
)
from jarkeeper.records import read_record, read_time, write_record, write_time
from jarkeeper.stores import Store, put_once
from jarkeeper.vault.ports import Clock

FORMAT = 1
KIND = "vault"
_CHECK_FIELD = b'"key_check":"'
_PARTS: dict[str, Callable[[str], object]] = {
    JARS_PREFIX: lambda key: parse_head_key(key) or parse_generation_key(key),
    AUDIT_PREFIX: is_of_trail,
    INCIDENTS_PREFIX: parse_incident_key,
    OPENS_PREFIX: parse_permit_key,
}
"""What only a vault has. Not records of keys: a founding that was interrupted leaves one, too."""


def create_identity(
    store: Store, keys: KeyWrapper, *, clock: Clock, vault: VaultId | None = None
) -> VaultId:
    """Found a vault and return its id, or raise `VaultError` where there is one already."""
    vault = vault or VaultId(new_id())
    if not put_once(store, VAULT_KEY, _write(vault, keys, created_at=write_time(clock()))):
        raise VaultError(
            "vault: there is one at this place already",
            hint="use it, or choose another place with JARKEEPER_VAULT",
        )
    return vault


def read_raw_identity(store: Store) -> bytes:
    """Return the vault's own object as it is stored, or raise `NotInitialised`."""
    try:
        return store.get(VAULT_KEY)
    except ObjectDenied as error:  # so S3 answers also where it is missing, to most roles
        remains = _remains(partial(_listed_if_allowed, store))
        if remains is not None:
            raise _left(remains, or_else="or this role may not read it", step=error.hint) from None
        raise NotInitialised(
            "vault: there is none at this place, or this role may not read it", hint=error.hint
        ) from None
    except ObjectMissing:
        remains = _remains(partial(_listed_if_allowed, store))
        if remains is not None:
            raise _left(remains) from None
        raise NotInitialised(
            "vault: there is none at this place", hint="run `jarkeeper init`"
        ) from None


def require_no_remains(store: Store) -> None:
    """Raise `NotInitialised` where parts of a vault lie without its own object.

    A vault that is founded among them would be in the way of the recovery that they are of.
    """
    if (remains := _remains(store.list)) is not None:
        raise _left(remains)


def read_identity(store: Store, keys: KeyWrapper) -> VaultId:
    """Return the vault's id.

    `NotInitialised` where there is no vault, `KeyUnavailable` where the key is another vault's, and
    `IntegrityError` where the object was changed.
    """
    raw = read_raw_identity(store)
    try:
        fields = read_record(raw, key=keys.derive(Purpose.HEAD_MAC), kind=KIND, name="vault")
    except IntegrityError:
        raise _diagnosis(raw, keys) from None
    vault = fields.get("id")
    if fields.get("format") != FORMAT or not isinstance(vault, str) or not is_id(vault):
        raise IntegrityError(
            f"vault: expected format {FORMAT}, got another",
            hint="a newer jarkeeper made it: update this one",
        )
    return VaultId(vault)


def _remains(listed: Callable[[str], list[str]]) -> str | None:
    """Return a part of a vault that lies there, None where the vault's own object does, too."""
    for prefix, is_part in _PARTS.items():
        part = next((key for key in listed(prefix) if is_part(key)), None)
        # Looked for again, because somebody may be founding it right now.
        if part is not None and VAULT_KEY not in listed(VAULT_KEY):
            return part
    return None


def _listed_if_allowed(store: Store, prefix: str) -> list[str]:
    try:
        return store.list(prefix)
    except StoreError:
        return []


def _left(part: str, *, or_else: str = "", step: str | None = None) -> NotInitialised:
    missing = f"is missing, {or_else}," if or_else else "is missing,"
    removed = "somebody removed it: put it back from a backup"
    return NotInitialised(
        f"vault: '{VAULT_KEY}' {missing} but parts of a vault lie at this place, such as '{part}'",
        hint=f"a recovery was interrupted: run `jarkeeper recover` again; or {step or removed}",
    )


def founded_at(store: Store, keys: KeyWrapper) -> datetime:
    """Return when the vault was founded; errors as of `read_identity`."""
    raw, key = read_raw_identity(store), keys.derive(Purpose.HEAD_MAC)
    return read_time(read_record(raw, key=key, kind=KIND, name="vault")["created_at"])


def _write(vault: VaultId, keys: KeyWrapper, *, created_at: str) -> bytes:
    fields = {"format": FORMAT, "id": vault, "created_at": created_at, "key_check": _check(keys)}
    return write_record(fields, key=keys.derive(Purpose.HEAD_MAC), kind=KIND)


def _check(keys: KeyWrapper) -> str:
    return hmac.digest(keys.derive(Purpose.HEAD_MAC), b"key check", "sha256").hex()


def _diagnosis(raw: bytes, keys: KeyWrapper) -> VaultError:
    """Tell what is wrong with an object that is not authentic: the object, or our key."""
    check = _check(keys).encode("ascii")
    start = raw.find(_CHECK_FIELD) + len(_CHECK_FIELD)
    repaired = raw[:start] + check + raw[start + len(check) :]
    sample = _write(VaultId("0" * 32), keys, created_at="2000-01-01T00:00:00.000000Z")
    if check in raw or len(raw) != len(sample) or _is_authentic(repaired, keys):
        return IntegrityError(f"vault: '{VAULT_KEY}' is not what was written")
    return KeyUnavailable(
        f"{keys.name}: is not the key of this vault",
        hint="use the key that the vault was made with; without it no jar can be opened",
    )


def _is_authentic(raw: bytes, keys: KeyWrapper) -> bool:
    try:
        read_record(raw, key=keys.derive(Purpose.HEAD_MAC), kind=KIND, name="vault")
    except IntegrityError:
        return False
    return True
