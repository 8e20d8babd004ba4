"""The drop: where an operator leaves a fresh export for the next rotation, named for its jar."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Protocol

from jarkeeper.errors import InputError
from jarkeeper.limits import LIMITS
from jarkeeper.settings import Settings
from jarkeeper.stores import Store

ENDINGS = (".txt", ".json")
SETTLED_SECONDS = 5.0
"""Since the last change of a file: one that is still being copied must not be taken for whole."""


class Drop(Protocol):
    """A place for exports in clear, emptied as soon as the vault has them."""

    def find(self, jar: str) -> str | None:
        """Return the name of what was left for the jar."""

    def read(self, name: str) -> bytes:
        """Return its content, or raise `InputError`."""

    def remove(self, name: str) -> None:
        """Remove it."""


def open_drop(settings: Settings) -> Drop | None:
    """Return the drop that the settings name, or None."""
    if settings.drop is None:
        return None
    there = settings.at(settings.drop)
    if there.s3_bucket is None:
        return FolderDrop(there.vault)
    from jarkeeper.wiring import open_store

    return StoreDrop(open_store(there))


class FolderDrop:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, jar: str) -> str | None:
        """Return the name of a file that nobody writes to any more."""
        for name in _names(jar):
            try:
                found = (self._folder / name).lstat()
            except OSError:
                continue
            if stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime >= SETTLED_SECONDS:
                return name
        return None

    def read(self, name: str) -> bytes:
        """Return the file's content; a link is not followed."""
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(descriptor, "rb") as file:
                return _checked(name, file.read(LIMITS.jar_bytes_max + 1))
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise InputError(f"drop '{name}': cannot be read, {reason}") from None

    def remove(self, name: str) -> None:
        """Remove the file; one that somebody took away meanwhile is removed."""
        (self._folder / name).unlink(missing_ok=True)


class StoreDrop:
    """A bucket's prefix. It should keep no versions: they would keep the cookies in clear."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, jar: str) -> str | None:
        """Return the name of an object."""
        there = set(self._store.list(""))
        return next((name for name in _names(jar) if name in there), None)

    def read(self, name: str) -> bytes:
        """Return the object's content."""
        return _checked(name, self._store.get(name))

    def remove(self, name: str) -> None:
        """Remove the object."""
        self._store.delete(name)


def _names(jar: str) -> tuple[str, ...]:
    return tuple(f"{jar}{ending}" for ending in ENDINGS)


def _checked(name: str, content: bytes) -> bytes:
    if len(content) > LIMITS.jar_bytes_max:
        raise InputError(f"drop '{name}': expected at most {LIMITS.jar_bytes_max} bytes, got more")
    return content
