"""The vault's root: 32 bytes from which every key but the wrapping key derives.

A local key is the root itself, until the vault moves to another key. A key in KMS gives nothing
away, so there the root is random and lies in the store, sealed under that key. `keys/<seq>.json`
are create-only, the newest one counts: writing it is what moves a vault to another key.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from jarkeeper.envelope import open_with, seal
from jarkeeper.errors import (
    Conflict,
    IntegrityError,
    KeyUnavailable,
    NotInitialised,
    VaultError,
)
from jarkeeper.keys import KEY_BYTES, KeyWrapper, WrappingKey
from jarkeeper.keys.rooted import RootedKeys
from jarkeeper.names import (
    KEYS_PREFIX,
    VaultId,
    is_id,
    key_entry_key,
    new_id,
    parse_key_entry_key,
)
from jarkeeper.records import digest
from jarkeeper.stores import Store, put_once
from jarkeeper.vault.identity import read_raw_identity, require_no_remains
from jarkeeper.words import printable

FORMAT = 1
SIZE = 64 << 10
"""Of a record of keys: a root and a few dozen former keys take a tenth of it."""
CHECK = "check COOKIE_KMS_KEY_ID, JARKEEPER_KEY_FILE and COOKIE_ENCRYPTION_KEY; without the \
vault's own key no jar can be opened"

Reopen: TypeAlias = Callable[[Mapping[str, str]], WrappingKey]
"""Returns a wrapping key from what a record of keys has on file of it."""


@dataclass(frozen=True, slots=True)
class RootContext:
    """What the envelope of a root is bound to."""

    vault: str
    seq: int

    def pairs(self) -> dict[str, str]:
        """Return the encryption context as the message format has it."""
        return {"vault": self.vault, "purpose": "root", "seq": str(self.seq)}


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One record of which key wraps the vault's root, and the root under that key."""

    seq: int
    vault: VaultId
    key: str
    sealed: bytes


def found_root(
    store: Store, wrapping: WrappingKey, *, reopen: Reopen
) -> tuple[VaultId, KeyWrapper]:
    """Return a new vault's id and keys; what an interrupted founding left is taken up."""
    require_no_remains(store)
    if wrapping.root is None and newest_entry(store) is None:
        root = secrets.token_bytes(KEY_BYTES)
        put_entry(store, wrapping, vault=VaultId(new_id()), seq=1, root=root)
    entry = newest_entry(store)
    if entry is not None:
        return entry.vault, _opened(entry, wrapping, reopen) or _refuse(wrapping, entry)
    assert wrapping.root is not None  # noqa: S101 - else there is a record now
    return VaultId(new_id()), RootedKeys(wrapping, wrapping.root)


def open_root(store: Store, wrapping: WrappingKey, *, reopen: Reopen) -> KeyWrapper:
    """Return the vault's keys, or raise `KeyUnavailable` where this is not its wrapping key."""
    # Another vault of the same key may have left a record here, which this key opens too.
    entry = newest_of_ours(store)
    if entry is not None:
        return _opened(entry, wrapping, reopen) or _refuse(wrapping, entry)
    if wrapping.root is not None:
        return RootedKeys(wrapping, wrapping.root)
    read_raw_identity(store)
    raise KeyUnavailable(
        f"{wrapping.name}: is not the key of this vault, which has no record of a key in KMS",
        hint="a local key made it: leave COOKIE_KMS_KEY_ID empty, or move the vault with "
        "`jarkeeper rewrap`; or somebody removed its records: put `keys/` back from a backup",
    )


def move_root(
    store: Store, keys: KeyWrapper, to: WrappingKey, *, vault: VaultId, reopen: Reopen
) -> tuple[KeyWrapper, bool]:
    """Return the vault's keys under another wrapping key, and whether they were moved by this.

    `Conflict` where somebody else moved the vault since `keys` were opened.
    """
    entry = newest_of_ours(store)
    if entry is not None:
        with suppress(KeyUnavailable):  # so KMS may call it where a key of another region wrapped
            if (moved := _opened(entry, to, reopen)) is not None:
                return moved, False
        if entry.seq != keys.seq:
            raise _overtaken(keys)
    elif to.root is not None and to.root == keys.root:
        return keys, False
    assert keys.root is not None  # noqa: S101 - a vault's keys all derive from it
    seq = max(_seqs(store), default=0) + 1
    if parse_key_entry_key(key_entry_key(seq)) != seq:
        raise IntegrityError(
            f"vault: record of keys {seq - 1} leaves no place for another",
            hint="no vault writes such a record: find out who did, and remove it",
        )
    former = _others((keys, *keys.former), than=to)
    if not put_entry(store, to, vault=vault, seq=seq, root=keys.root, former=former):
        raise _overtaken(keys)
    entry = read_entry(store, seq)
    return _opened(entry, to, reopen) or _refuse(to, entry), True


def require_current(store: Store, keys: KeyWrapper) -> None:
    """Raise `KeyUnavailable` where the vault was moved to another key since these were opened."""
    if any(seq > keys.seq for seq in _seqs(store)):
        # What a lost race to found the place left behind is no record of this vault.
        entry = newest_of_ours(store)
        if entry is not None and entry.seq > keys.seq:
            raise KeyUnavailable(
                f"{keys.name}: is not the key of this vault any more, which moved to "
                f"'{entry.key}' meanwhile",
                hint="set the new key wherever the vault is used, and start this program again",
            )


def newest_entry(store: Store) -> KeyEntry | None:
    """Return the newest record of keys; None where a local key is the root itself."""
    seqs = _seqs(store)
    return read_entry(store, max(seqs)) if seqs else None


def newest_of_ours(store: Store) -> KeyEntry | None:
    """Return the newest record of the vault that is here; what others left does not count."""
    entries = (read_entry(store, seq) for seq in sorted(_seqs(store), reverse=True))
    return next((entry for entry in entries if not is_strange(entry, store)), None)


def read_entry(store: Store, seq: int) -> KeyEntry:
    """Return a record of keys, or raise `IntegrityError` where it is damaged."""
    raw = store.get(key_entry_key(seq))
    try:
        fields = json.loads(raw)
        version, vault, key = fields["format"], fields["vault"], fields["key"]
        sealed = base64.b64decode(fields["root"], validate=True)
        claimed = fields.pop("digest")
        whole = is_id(vault) and isinstance(key, str) and claimed == _digest(fields)
        whole = whole and fields.keys() == {"format", "vault", "key", "root"} and len(raw) < SIZE
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole, version = False, FORMAT
    if version != FORMAT:
        raise VaultError(
            f"vault: record of keys {seq} has another format than {FORMAT}",
            hint="a newer jarkeeper wrote it: update this one",
        )
    if not whole:
        raise IntegrityError(
            f"vault: record of keys {seq} is not what was written",
            hint=f"put '{key_entry_key(seq)}' back from a backup: it never changes",
        )
    return KeyEntry(seq, VaultId(vault), key, sealed)


def put_entry(
    store: Store,
    wrapping: WrappingKey,
    *,
    vault: VaultId,
    seq: int,
    root: bytes,
    former: tuple[WrappingKey, ...] = (),
) -> bool:
    """Record the root under this key; False where another record took that place.

    Nothing is written before the key has opened what it sealed: some may do only one of the two.
    """
    content = {"root": _text(root), "former": [key.on_file() for key in former]}
    plaintext = json.dumps(content).encode("ascii")
    context = RootContext(vault, seq)
    sealed = seal(plaintext, keys=wrapping, context=context)
    if open_with(wrapping, sealed, context=context) != plaintext:
        raise KeyUnavailable(f"{wrapping.name}: does not open what it sealed; nothing was changed")
    fields = {"format": FORMAT, "vault": vault, "key": wrapping.id, "root": _text(sealed)}
    fields["digest"] = _digest(fields)
    raw = json.dumps(fields, indent=2, sort_keys=True).encode("ascii") + b"\n"
    return put_once(store, key_entry_key(seq), raw)


def _seqs(store: Store) -> list[int]:
    return [seq for key in store.list(KEYS_PREFIX) if (seq := parse_key_entry_key(key))]


def _opened(entry: KeyEntry, wrapping: WrappingKey, reopen: Reopen) -> RootedKeys | None:
    """Return the keys, None where this wrapping key does not open the record."""
    plaintext = open_with(wrapping, entry.sealed, context=RootContext(entry.vault, entry.seq))
    if plaintext is None:
        return None
    try:
        content = json.loads(plaintext)
        root = base64.b64decode(content["root"], validate=True)
        former = tuple(reopen(item) for item in content["former"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        root = b""
    if len(root) != KEY_BYTES:
        raise IntegrityError(f"vault: record of keys {entry.seq} holds no root")
    return RootedKeys(wrapping, root, seq=entry.seq, former=former)


def _others(keys: tuple[WrappingKey, ...], *, than: WrappingKey) -> tuple[WrappingKey, ...]:
    """Return each key once, without the one that takes over."""
    on_file = [key.on_file() for key in keys]
    return tuple(
        key
        for number, key in enumerate(keys)
        if on_file[number] not in (than.on_file(), *on_file[:number])
    )


def _refuse(wrapping: WrappingKey, entry: KeyEntry) -> Any:
    # Local keys have no names that would tell them apart.
    known = (
        "which has another one"
        if entry.key == wrapping.id
        else f"whose key is '{printable(entry.key[:200])}'"
    )
    raise KeyUnavailable(f"{wrapping.name}: is not the key of this vault, {known}", hint=CHECK)


def _overtaken(keys: KeyWrapper) -> Conflict:
    return Conflict(
        f"vault: somebody else moved it away from {keys.name} first",
        hint="set the key that it has now, and look whether you still want another",
    )


def is_strange(entry: KeyEntry, store: Store) -> bool:
    """Whether the record is another vault's: of a founding that lost the race, or planted."""
    with suppress(NotInitialised, ValueError, KeyError, TypeError, RecursionError):
        return bool(json.loads(read_raw_identity(store))["id"] != entry.vault)
    return False


def _digest(fields: Mapping[str, Any]) -> str:
    """Return what tells an accident; who changes a record on purpose is told by its key."""
    return digest(json.dumps(fields, sort_keys=True).encode("ascii"))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
