"""Keys: what wraps data keys and authenticates records. One port, one adapter a file."""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum
from typing import Any, Protocol

KEY_BYTES = 32


class Purpose(StrEnum):
    """What a key is for; each purpose has a key of its own, so that none helps against another."""

    ENVELOPE = "envelope"
    HEAD_MAC = "head-mac"
    AUDIT_MAC = "audit-mac"
    FINGERPRINT = "fingerprint"
    INCIDENT_MAC = "incident-mac"
    NOTE = "note"
    """Signs checkpoints and reports, as the seed of an Ed25519 key."""


class WrappingKey(Protocol):
    """A wrapping key, wherever it lives."""

    @property
    def name(self) -> str:
        """How messages call the key; no secret."""

    @property
    def id(self) -> str:
        """What tells it from others in a record of keys; no secret."""

    @property
    def root(self) -> bytes | None:
        """The bytes from which other keys may derive; None where it gives nothing away."""

    def provider(self) -> Any:
        """Return the aws-encryption-sdk `MasterKeyProvider` that wraps and unwraps data keys."""

    def on_file(self) -> dict[str, str]:
        """Return what another key's record has to hold, sealed, to open with this one later."""


class KeyWrapper(WrappingKey, Protocol):
    """A vault's keys: the wrapping key, those it had before, and what derives from its root."""

    @property
    def seq(self) -> int:
        """Which record of keys they came from; 0 where a local key is the root itself."""

    @property
    def former(self) -> tuple[WrappingKey, ...]:
        """The keys that wrapped earlier generations; they open, and never seal."""

    def derive(self, purpose: Purpose) -> bytes:
        """Return the 32-byte key for one purpose; the same one every time."""


def expand(root: bytes, purpose: Purpose) -> bytes:
    """Return a purpose's key by HKDF-SHA256 (RFC 5869), one block.

    By hand, in two calls, so that reading a vault's state loads no cryptographic library.
    """
    extracted = hmac.digest(b"jarkeeper 1", root, hashlib.sha256)
    return hmac.digest(extracted, purpose.encode("ascii") + b"\x01", hashlib.sha256)
