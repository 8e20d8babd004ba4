"""A wrapping key of 32 bytes: from a file that only its owner can read, or from a setting."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path
from threading import Lock
from typing import Any

from jarkeeper import durable
from jarkeeper.errors import KeyUnavailable
from jarkeeper.keys import KEY_BYTES, Purpose, WrappingKey, expand

FILE_BYTES_MAX = 256
LOCAL_ID = "local"
"""In a record of keys: a local key has no name of its own that would hold everywhere."""


class LocalKey:
    """A key of 32 bytes that wraps data keys; of most local vaults it is the root as well."""

    id = LOCAL_ID
    seq = 0
    former: tuple[WrappingKey, ...] = ()

    def __init__(self, root: bytes, *, name: str = "local key") -> None:
        if len(root) != KEY_BYTES:
            raise KeyUnavailable(f"{name}: expected {KEY_BYTES} bytes, got {len(root)}")
        self.root = root
        self._keys = {purpose: expand(root, purpose) for purpose in Purpose}
        self._name = name
        self._provider: Any = None
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"LocalKey('{self._name}')"

    def __reduce__(self) -> Any:
        raise TypeError("a key is never pickled or copied")

    @property
    def name(self) -> str:
        """How messages call the key."""
        return self._name

    def provider(self) -> Any:
        """Return the provider that wraps data keys with AES-256-GCM."""
        with self._lock:
            if self._provider is None:
                from jarkeeper.keys.raw import raw_provider

                self._provider = raw_provider(self._keys[Purpose.ENVELOPE])
            return self._provider

    def on_file(self) -> dict[str, str]:
        """Return the key itself: who gets to see it can open the vault anyway."""
        return {"local": base64.b64encode(self.root).decode("ascii")}

    def derive(self, purpose: Purpose) -> bytes:
        """Return the key for one purpose."""
        return self._keys[purpose]


def create_key_file(path: Path) -> None:
    """Make a file with a new random key, or raise `KeyUnavailable` where one lies already."""
    text = base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n"
    try:
        durable.make_directories(path.parent)
        directory = durable.open_directory(os.path.realpath(path.parent))
        try:
            created = durable.create_file(directory, path.name, text)
        finally:
            os.close(directory)
    except OSError as error:
        raise KeyUnavailable(f"key file '{path}': cannot be made, {error.strerror}") from None
    if not created:
        raise KeyUnavailable(
            f"key file '{path}': exists already",
            hint="it may be the only key of a vault: move it away, never delete it",
        )


def read_key_file(path: Path) -> LocalKey:
    """Return the key in the file, or raise `KeyUnavailable` where it is missing or exposed."""
    return LocalKey(_decoded(_read(path), path), name=f"key file '{path}'")


def _read(path: Path) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise KeyUnavailable(
            f"key file '{path}': is missing",
            hint="put its copy back, or set JARKEEPER_KEY_FILE, COOKIE_ENCRYPTION_KEY or, for a "
            "vault with a key in KMS, COOKIE_KMS_KEY_ID: without the key no jar can be opened",
        ) from None
    except OSError as error:
        raise KeyUnavailable(f"key file '{path}': cannot be read, {error.strerror}") from None
    try:
        _check(os.fstat(descriptor), path)
        return os.read(descriptor, FILE_BYTES_MAX)
    finally:
        os.close(descriptor)


def _check(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyUnavailable(f"key file '{path}': expected a plain file, got something else")
    if status.st_uid not in (0, os.geteuid()):
        raise KeyUnavailable(f"key file '{path}': belongs to another user")
    if status.st_mode & 0o077:
        raise KeyUnavailable(
            f"key file '{path}': expected mode 0600, got {stat.S_IMODE(status.st_mode):04o}",
            hint=f"run `chmod 600 {path}`; who could read it may have a copy of the key",
        )


def _decoded(content: bytes, path: Path) -> bytes:
    try:
        root = base64.b64decode(content.removesuffix(b"\n"), validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if len(root) != KEY_BYTES:
        raise KeyUnavailable(f"key file '{path}': expected {KEY_BYTES} bytes in base64")
    return root
