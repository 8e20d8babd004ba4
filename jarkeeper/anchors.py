"""Anchors: the newest head that was ever seen, kept outside the vault, so that a rollback shows."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from jarkeeper import durable
from jarkeeper.errors import StoreError
from jarkeeper.names import VaultId, is_id, is_jar

FILE_BYTES_MAX = 4096
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that certainly existed."""

    seq: int
    digest: str


class Anchors(Protocol):
    """Remembers the highest seq of each jar."""

    @property
    def name(self) -> str:
        """How messages call the place."""

    def read(self, vault: VaultId, jar: str) -> Anchor | None:
        """Return the highest anchor, None where there is none; `StoreError` if it is unreadable."""

    def advance(self, vault: VaultId, jar: str, anchor: Anchor) -> None:
        """Remember the anchor unless a higher one is known; `StoreError` if it cannot be kept."""

    def jars(self, vault: VaultId) -> list[str]:
        """Return the jars of which anything is remembered; `StoreError` if they are unreadable."""

    def how_to_forget(self, vault: VaultId, jar: str) -> str:
        """Return what somebody does who put an older state in place, and stands by it."""


class MemoryAnchors:
    """What this process has seen."""

    name = "this process"

    def __init__(self) -> None:
        self._anchors: dict[tuple[VaultId, str], Anchor] = {}
        self._lock = Lock()

    def read(self, vault: VaultId, jar: str) -> Anchor | None:
        """Return the highest anchor."""
        return self._anchors.get((vault, jar))

    def advance(self, vault: VaultId, jar: str, anchor: Anchor) -> None:
        """Remember the anchor unless a higher one is known."""
        with self._lock:
            known = self._anchors.get((vault, jar))
            if known is None or known.seq < anchor.seq:
                self._anchors[vault, jar] = anchor

    def jars(self, vault: VaultId) -> list[str]:
        """Return the jars of which anything is remembered."""
        return sorted(jar for known, jar in self._anchors if known == vault)

    def how_to_forget(self, vault: VaultId, jar: str) -> str:  # noqa: ARG002
        """Return what to do: a new process remembers nothing."""
        return "start the program anew"


class FileAnchors:
    """A file for each jar in a directory outside the vault, shared by all processes of a user."""

    def __init__(self, state_dir: Path) -> None:
        self.place = state_dir / "anchors"

    def __repr__(self) -> str:
        return f"FileAnchors('{self.place}')"

    @property
    def name(self) -> str:
        """How messages call the place."""
        return f"'{self.place}'"

    def read(self, vault: VaultId, jar: str) -> Anchor | None:
        """Return the highest anchor."""
        with self._translated():
            try:
                directory = durable.open_directory(self.place)
            except FileNotFoundError:
                return None
            try:
                return _read(directory, _file_name(vault, jar))
            finally:
                os.close(directory)

    def advance(self, vault: VaultId, jar: str, anchor: Anchor) -> None:
        """Remember the anchor unless a higher one is known."""
        file_name = _file_name(vault, jar)
        with self._translated():
            durable.make_directories(self.place)
            with _locked(durable.open_directory(self.place)) as directory:
                known = _read(directory, file_name)
                if known is None or known.seq < anchor.seq:
                    text = json.dumps({"seq": anchor.seq, "digest": anchor.digest})
                    durable.replace_file(directory, file_name, text.encode("ascii"))

    def jars(self, vault: VaultId) -> list[str]:
        """Return the jars of which anything is remembered."""
        with self._translated():
            there = self.place.iterdir() if self.place.is_dir() else ()
            names = {item.name for item in there}
        jars = (name.removeprefix(f"{vault}-").removesuffix(".json") for name in names)
        return sorted(jar for jar in jars if is_jar(jar) and _file_name(vault, jar) in names)

    def how_to_forget(self, vault: VaultId, jar: str) -> str:
        """Return which file to remove."""
        return f"remove '{self.place / _file_name(vault, jar)}'"

    def vault_at(self, place: str) -> VaultId | None:
        """Return which vault was last seen at a place; None where nothing is remembered of it."""
        with self._translated():
            try:
                directory = durable.open_directory(self.place)
            except FileNotFoundError:
                return None
            try:
                content = durable.read_file(directory, _place_name(place), limit=FILE_BYTES_MAX)
            except FileNotFoundError:
                return None
            finally:
                os.close(directory)
            vault = json.loads(content)["vault"]
            if not is_id(vault):
                raise ValueError("expected a vault's id")
            return VaultId(vault)

    def remember(self, place: str, vault: VaultId) -> None:
        """Remember which vault is at a place."""
        text = json.dumps({"place": place, "vault": vault}) + "\n"
        with self._translated():
            durable.make_directories(self.place)
            with _locked(durable.open_directory(self.place)) as directory:
                durable.replace_file(directory, _place_name(place), text.encode("ascii"))

    def file_of(self, place: str) -> Path:
        """Return the file that remembers the place."""
        return self.place / _place_name(place)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise StoreError(f"anchors in {self.name}: cannot be used, {reason}") from None


@contextmanager
def _locked(directory: int) -> Iterator[int]:
    """Hold the directory's own lock, which ends with the process that holds it."""
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield directory
    finally:
        os.close(directory)


def _place_name(place: str) -> str:
    return f"place-{hashlib.sha256(place.encode()).hexdigest()[:32]}.json"


def _file_name(vault: VaultId, jar: str) -> str:
    return f"{vault}-{jar}.json"


def _read(directory: int, name: str) -> Anchor | None:
    try:
        content = durable.read_file(directory, name, limit=FILE_BYTES_MAX)
    except FileNotFoundError:
        return None
    fields: Any = json.loads(content)
    try:
        seq, digest = fields["seq"], fields["digest"]
    except (KeyError, TypeError):
        raise ValueError("expected seq and digest") from None
    if type(seq) is not int or seq < 1 or _DIGEST.fullmatch(str(digest)) is None:
        raise ValueError("expected seq and digest")
    return Anchor(seq, digest)
