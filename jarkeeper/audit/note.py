"""Signed notes as C2SP has them (c2sp.org/signed-note): text, and who vouches for it by Ed25519.

Everybody with the verifier key, which is no secret, can check one, without the vault and by other
tools too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from jarkeeper.errors import InputError, IntegrityError
from jarkeeper.keys import KeyWrapper, Purpose
from jarkeeper.names import VaultId

NOTE_BYTES_MAX = 1 << 20
SIGNATURES_MAX = 100
"""A witness adds a line of its own; nobody has so many."""
KEY_BYTES = 32

_ED25519 = b"\x01"
_DASH = "\N{EM DASH} "
_NAME = re.compile(r"[^\s+]{1,200}")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name: what tells whose signature a note carries."""

    name: str
    key: bytes

    def __str__(self) -> str:
        """Return it in the form that other tools read: name, key id and key."""
        encoded = base64.b64encode(_ED25519 + self.key).decode("ascii")
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart; not a strong hash."""
        named = self.name.encode() + b"\n" + _ED25519 + self.key
        return hashlib.sha256(named).digest()[:4]


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """The private key under the same name."""

    verifier: Verifier
    _key: Any

    def sign(self, text: str) -> str:
        """Return the text as a signed note."""
        if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
            raise ValueError("note: expected lines of text without control characters")
        blob = self.verifier.id + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.verifier.name} {base64.b64encode(blob).decode('ascii')}\n"

    def __reduce__(self) -> Any:
        raise TypeError("a key is never pickled or copied")


def signer_of(keys: KeyWrapper, vault: VaultId) -> Signer:
    """Return the vault's signer; its key derives from the root, so an exchange of keys keeps it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(keys.derive(Purpose.NOTE))
    return Signer(Verifier(origin_of(vault), key.public_key().public_bytes_raw()), key)


def origin_of(vault: VaultId) -> str:
    """Return how the vault's log and its key are called in notes."""
    return f"jarkeeper/{vault}"


def parse_verifier(text: str) -> Verifier:
    """Return the verifier key, or raise `InputError` where the text is none."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    verifier = Verifier(name, key[1:])
    if key[:1] != _ED25519 or len(key) != 1 + KEY_BYTES or verifier.id.hex() != key_id:
        raise InputError(
            "verifier key: expected name+id+key of an Ed25519 key",
            hint="`jarkeeper audit key` prints the vault's",
        )
    return verifier


def open_note(note: str, verifier: Verifier) -> str:
    """Return the text of a note that the key signed, or raise `IntegrityError`.

    Signatures of keys that nobody here knows are ignored, as the format has it.
    """
    text, _, signatures = note.rpartition("\n\n")
    lines = signatures.splitlines()
    if not text or not note.endswith("\n") or len(note) > NOTE_BYTES_MAX:
        raise IntegrityError("note: expected text, an empty line and signatures")
    if len(lines) > SIGNATURES_MAX:
        raise IntegrityError(f"note: expected at most {SIGNATURES_MAX} signatures")
    blobs = [blob for name, blob in map(_signature, lines) if name == verifier.name]
    ours = [blob[4:] for blob in blobs if blob[:4] == verifier.id]
    if not ours:
        raise IntegrityError(f"note: is not signed by '{verifier.name}' with its key")
    if not all(_is_by(verifier, text + "\n", signature) for signature in ours):
        raise IntegrityError(f"note: is not what '{verifier.name}' signed, it was changed")
    return text + "\n"


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if not line.startswith(_DASH) or _NAME.fullmatch(name) is None or len(blob) < 5:
        raise IntegrityError("note: has a line below its text that is no signature")
    return name, blob


def _is_by(verifier: Verifier, text: str, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(verifier.key).verify(signature, text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
