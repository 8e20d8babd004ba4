"""A jar on loan: encrypted as long as it lies in memory, in clear only inside a `with` block."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, SupportsIndex

from jarkeeper.errors import VaultError
from jarkeeper.facts import JarFacts
from jarkeeper.jar import Jar, emit_jar, read_canonical
from jarkeeper.names import GenerationId
from jarkeeper.settings import TEMP_DIR
from jarkeeper.unnamed import unnamed_file

NONCE_BYTES = 12


class SealedJar:
    """A jar that refuses to be shown, copied, pickled or turned into JSON."""

    __slots__ = ("_cipher", "_sealed")

    def __init__(self, jar: Jar, *, key: bytes | None = None) -> None:
        self._cipher = _cipher(_process_key() if key is None else _memory_key(key))
        nonce = os.urandom(NONCE_BYTES)
        self._sealed: bytes | None = nonce + self._cipher.encrypt(nonce, emit_jar(jar), None)

    def __repr__(self) -> str:
        return "SealedJar(closed)" if self._sealed is None else "SealedJar()"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse: pickle, copy and deepcopy all come here."""
        raise TypeError("a jar is never pickled or copied")

    @contextmanager
    def open(self) -> Iterator[Jar]:
        """Give the jar in clear for the length of a `with` block."""
        yield read_canonical(self._content())

    @contextmanager
    def as_file(self, *, writable: bool, temp_dir: Path) -> Iterator[Path]:
        """Give a path to the jar as a file without a name, for the length of a `with` block."""
        with unnamed_file(self._content(), folder=temp_dir, writable=writable) as path:
            yield path

    def close(self) -> None:
        """Forget the jar; it cannot be opened any more."""
        self._sealed = None

    def _content(self) -> bytes:
        if self._sealed is None:
            raise VaultError("jar on loan: it was closed already")
        nonce, sealed = self._sealed[:NONCE_BYTES], self._sealed[NONCE_BYTES:]
        content: bytes = self._cipher.decrypt(nonce, sealed, None)
        return content


@dataclass(frozen=True, slots=True)
class LentJar:
    """One generation, lent for use: what it is, and the jar itself under seal."""

    jar_name: str
    slot: str
    """The role that it was lent from: active, backup or pending."""
    generation: GenerationId
    fingerprint: str
    head_seq: int
    facts: JarFacts
    sealed: SealedJar = field(repr=False, compare=False)

    def open(self) -> AbstractContextManager[Jar]:
        """Give the jar in clear for the length of a `with` block."""
        return self.sealed.open()

    def as_file(
        self, *, writable: bool = False, temp_dir: Path = TEMP_DIR
    ) -> AbstractContextManager[Path]:
        """Give a path to the jar as a cookie file, for the length of a `with` block.

        For tools of the same user that insist on a file. It has no name and is gone if we are
        killed. yt-dlp writes to its file at the end and fails where it cannot: make it `writable`
        then. What is written to it is forgotten.
        """
        return self.sealed.as_file(writable=writable, temp_dir=temp_dir)

    def close(self) -> None:
        """Forget the jar; it cannot be opened any more."""
        self.sealed.close()


@cache
def _process_key() -> bytes:
    return os.urandom(32)


def _memory_key(key: bytes) -> bytes:
    # A key of its own: the same setting may also be the root of the vault's keys.
    return hmac.digest(key, b"jars in memory", "sha256")


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
