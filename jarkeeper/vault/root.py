"""The vault's root: 32 bytes from which every key but the wrapping key derives.

A local key is the root itself, until the vault moves to another key. A key in KMS gives nothing
away, so there the root is random and lies in the store, sealed under that key. `keys/<seq>.json`
are create-only, the newest one counts: writing it is what moves a vault to another key.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from jarkeeper.envelope import open_with, seal
from jarkeeper.errors import IntegrityError, KeyUnavailable, VaultError
from jarkeeper.keys import KEY_BYTES, KeyWrapper, WrappingKey
from jarkeeper.keys.rooted import RootedKeys
from jarkeeper.names import KEYS_PREFIX, VaultId, is_id, key_entry_key, new_id, parse_key_entry_key
from jarkeeper.stores import Store, put_once
from jarkeeper.vault.identity import read_raw_identity

FORMAT = 1

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
    if wrapping.root is None and newest_entry(store) is None:
        root = secrets.token_bytes(KEY_BYTES)
        put_entry(store, wrapping, vault=VaultId(new_id()), seq=1, root=root)
    entry = newest_entry(store)
    vault = VaultId(new_id()) if entry is None else entry.vault
    return vault, open_root(store, wrapping, reopen=reopen)


def open_root(store: Store, wrapping: WrappingKey, *, reopen: Reopen) -> KeyWrapper:
    """Return the vault's keys, or raise `KeyUnavailable` where this is not its wrapping key."""
    entry = newest_entry(store)
    if entry is not None:
        return _opened(entry, wrapping, reopen)
    if wrapping.root is not None:
        return RootedKeys(wrapping, wrapping.root)
    read_raw_identity(store)
    raise KeyUnavailable(
        f"{wrapping.name}: is not the key of this vault, which was made with a local key",
        hint="leave COOKIE_KMS_KEY_ID empty, or move the vault with `jarkeeper rewrap`",
    )


def newest_entry(store: Store) -> KeyEntry | None:
    """Return the newest record of keys; None where a local key is the root itself."""
    seqs = [seq for key in store.list(KEYS_PREFIX) if (seq := parse_key_entry_key(key))]
    return _read_entry(store, max(seqs)) if seqs else None


def put_entry(
    store: Store,
    wrapping: WrappingKey,
    *,
    vault: VaultId,
    seq: int,
    root: bytes,
    former: tuple[WrappingKey, ...] = (),
) -> bool:
    """Record the root under this key; False where another record took that place."""
    content = {"root": _text(root), "former": [key.on_file() for key in former]}
    sealed = seal(
        json.dumps(content).encode("ascii"), keys=wrapping, context=RootContext(vault, seq)
    )
    fields = {"format": FORMAT, "vault": vault, "key": wrapping.id, "root": _text(sealed)}
    raw = json.dumps(fields, indent=2, sort_keys=True).encode("ascii") + b"\n"
    return put_once(store, key_entry_key(seq), raw)


def _opened(entry: KeyEntry, wrapping: WrappingKey, reopen: Reopen) -> RootedKeys:
    context = RootContext(entry.vault, entry.seq)
    plaintext = open_with(wrapping, entry.sealed, context=context)
    if plaintext is None:
        raise KeyUnavailable(
            f"{wrapping.name}: is not the key of this vault, whose key is '{entry.key}'",
            hint="check COOKIE_KMS_KEY_ID, JARKEEPER_KEY_FILE and COOKIE_ENCRYPTION_KEY; without "
            "the vault's own key no jar can be opened",
        )
    content = json.loads(plaintext)
    former = tuple(reopen(item) for item in content["former"])
    return RootedKeys(wrapping, base64.b64decode(content["root"]), former=former)


def _read_entry(store: Store, seq: int) -> KeyEntry:
    raw = store.get(key_entry_key(seq))
    try:
        fields = json.loads(raw)
        version, vault, key = fields["format"], fields["vault"], fields["key"]
        sealed = base64.b64decode(fields["root"], validate=True)
        whole = is_id(vault) and isinstance(key, str)
    except (ValueError, KeyError, TypeError, RecursionError):
        whole, version = False, FORMAT
    if version != FORMAT:
        raise VaultError(
            f"vault: record of keys {seq} has another format than {FORMAT}",
            hint="a newer jarkeeper wrote it: update this one",
        )
    if not whole:
        raise IntegrityError(f"vault: record of keys {seq} is not what was written")
    return KeyEntry(seq, VaultId(vault), key, sealed)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
