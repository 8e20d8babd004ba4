"""The drop: where an operator leaves a fresh export for the next rotation, named for its jar."""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from jarkeeper.errors import InputError, NotFound, ObjectDenied, ObjectMissing
from jarkeeper.limits import LIMITS
from jarkeeper.settings import Settings
from jarkeeper.stores import Store

ENDINGS = (".txt", ".json")
SETTLED_SECONDS = 5.0
"""Since the last change of a file: one that is still being copied must not be taken for whole."""
ASIDE_BYTES = 8
_ASIDE = re.compile(rf"[0-9a-f]{{{2 * ASIDE_BYTES}}}", re.ASCII)
"""What a removal's own names end with."""


class Drop(Protocol):
    """A place for exports in clear, emptied as soon as the vault has them."""

    def find(self, jar: str) -> tuple[str, ...]:
        """Return the names of what was left for the jar, or raise what keeps it from looking."""

    def read(self, name: str) -> bytes:
        """Return its content, or raise `InputError`."""

    def remove(self, name: str, content: bytes) -> None:
        """Remove it, unless somebody has left something else there by now."""


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

    def find(self, jar: str) -> tuple[str, ...]:
        """Return the names of files that nobody writes to any more."""
        return tuple(name for name in _names(jar) if self._is_there(name))

    def _is_there(self, name: str) -> bool:
        self._bring_back(name)
        try:
            found = (self._folder / name).lstat()
        except FileNotFoundError:
            return False
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise InputError(f"drop '{name}': cannot be looked at, {reason}") from None
        return stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime >= SETTLED_SECONDS

    def _bring_back(self, name: str) -> None:
        """Give what a killed removal had put aside its name again: nothing lies about in clear.

        Only that: editors and copying programs have hidden names of their own beside a file's.
        """
        for aside in self._folder.glob(f".{name}.*"):
            if _ASIDE.fullmatch(aside.name.removeprefix(f".{name}.")):
                with suppress(OSError):  # another has its name by now
                    (self._folder / name).hardlink_to(aside)
                    aside.unlink()

    def read(self, name: str) -> bytes:
        """Return the file's content; a link is not followed."""
        try:
            # What became a pipe since it was found must not hold anybody up.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            with os.fdopen(os.open(self._folder / name, flags), "rb") as file:
                return _checked(name, file.read(LIMITS.jar_bytes_max + 1) or b"")
        except FileNotFoundError:
            raise NotFound(f"drop '{name}': somebody has taken it away") from None
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise InputError(f"drop '{name}': cannot be read, {reason}") from None

    def remove(self, name: str, content: bytes) -> None:
        """Remove the file, unless it holds something else by now, or somebody took it away."""
        aside = self._folder / f".{name}.{secrets.token_hex(ASIDE_BYTES)}"
        try:
            (self._folder / name).rename(aside)
        except FileNotFoundError:
            return
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise InputError(f"drop '{name}': cannot be removed, {reason}") from None
        # Another rotation may take this for what a killed one left, give it its name and remove it.
        with suppress(NotFound, FileNotFoundError):
            if self.read(aside.name) != content:
                with suppress(FileExistsError):  # yet another one has come
                    (self._folder / name).hardlink_to(aside)
            aside.unlink()


class StoreDrop:
    """A bucket's prefix. It should keep no versions: they would keep the cookies in clear."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, jar: str) -> tuple[str, ...]:
        """Return the names of objects."""
        there = set(self._store.list(""))
        return tuple(name for name in _names(jar) if name in there)

    def read(self, name: str) -> bytes:
        """Return the object's content."""
        try:
            return _checked(name, self._store.get(name))
        except ObjectDenied:
            raise
        except ObjectMissing:
            raise NotFound(f"drop '{name}': somebody has taken it away") from None

    def remove(self, name: str, content: bytes) -> None:
        """Remove the object, unless it holds something else by now."""
        with suppress(NotFound):
            if self.read(name) == content:
                self._store.delete(name)


def _names(jar: str) -> tuple[str, ...]:
    return tuple(f"{jar}{ending}" for ending in ENDINGS)


def _checked(name: str, content: bytes) -> bytes:
    if len(content) > LIMITS.jar_bytes_max:
        raise InputError(f"drop '{name}': expected at most {LIMITS.jar_bytes_max} bytes, got more")
    return content
