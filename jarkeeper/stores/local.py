"""A store in a local directory: files of mode 0600, created by `link`, never overwritten."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from jarkeeper import durable
from jarkeeper.errors import IntegrityError, ObjectMissing, StoreError, StoreUnknown
from jarkeeper.limits import LIMITS
from jarkeeper.stores import checked_key, checked_prefix

DEPTH_MAX = 16
"""Folders in each other: twice what any key has, and far from what a process may have open."""
_SAFE_HINT = "it must be yours, and nobody else may write to it: see `chown` and `chmod go-w`"


class LocalStore:
    """Objects below a directory of ours; no symbolic link is followed anywhere below it."""

    def __init__(self, root: Path, *, unnamed: bool = True) -> None:
        self.root = root
        self._unnamed = unnamed
        self._parents_checked = False

    def __repr__(self) -> str:
        return f"LocalStore('{self.root}')"

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Create the object durably; False where one exists already."""
        *folders, name = checked_key(key).split("/")
        with self._translated(key), self._directory(folders, create=True) as directory:
            return durable.create_file(directory, name, content, unnamed=self._unnamed)

    def get(self, key: str) -> bytes:
        """Return the object's bytes, or raise `ObjectMissing`."""
        *folders, name = checked_key(key).split("/")
        with self._translated(key), self._directory(folders) as directory:
            content = durable.read_file(directory, name, limit=LIMITS.object_bytes_max)
        if len(content) > LIMITS.object_bytes_max:
            raise IntegrityError(
                f"object '{key}': expected at most {LIMITS.object_bytes_max} bytes, got more"
            )
        return content

    def list(self, prefix: str) -> list[str]:
        """Return all keys that start with the prefix, sorted."""
        *folders, start = checked_prefix(prefix).split("/")
        path = "".join(f"{folder}/" for folder in folders)
        try:
            with self._translated(prefix), self._directory(folders) as directory:
                return sorted(key for key in _walk(directory, path, start) if _is_key(key))
        except ObjectMissing:
            return []

    def created_at(self, key: str) -> datetime:
        """Return when the object was stored."""
        *folders, name = checked_key(key).split("/")
        with self._translated(key), self._directory(folders) as directory:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        return datetime.fromtimestamp(status.st_mtime, UTC)

    def put(self, key: str, content: bytes) -> None:
        """Create or overwrite, all or nothing."""
        *folders, name = checked_key(key).split("/")
        with self._translated(key), self._directory(folders, create=True) as directory:
            durable.replace_file(directory, name, content)

    def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        *folders, name = checked_key(key).split("/")
        try:
            with self._translated(key), self._directory(folders) as directory:
                durable.remove_file(directory, name)
        except ObjectMissing:
            return
        self._prune(*folders)

    def sweep(self, before: datetime) -> int:
        """Remove temporary names that interrupted writes left before that moment."""
        removed = 0
        for path, status in self._everything():
            stale = status.st_mtime < before.timestamp() and stat.S_ISREG(status.st_mode)
            *folders, name = path.split("/")
            if stale and name.startswith(durable.TEMPORARY_PREFIX):
                with self._translated(path), self._directory(folders) as directory:
                    durable.remove_file(directory, name)
                removed += 1
        return removed

    def complaints(self) -> tuple[str, ...]:
        """Return what is wrong with the directory's contents, one sentence each."""
        found = []
        for path, status in self._everything():
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                found.append(f"'{path}' is neither a file nor a directory")
            elif status.st_mode & 0o077:
                mode = stat.S_IMODE(status.st_mode)
                found.append(f"'{path or '.'}' is open to group or others (mode {mode:04o})")
            elif status.st_uid != os.geteuid():
                found.append(f"'{path or '.'}' belongs to another user")
        return tuple(found)

    def _prune(self, *folders: str) -> None:
        """Remove the folders that a deletion left empty, or each writer would leave one."""
        for depth in range(len(folders), 1, -1):
            try:
                with self._directory(folders[: depth - 1]) as above:
                    os.rmdir(folders[depth - 1], dir_fd=above)
            except OSError:  # it is not empty
                return

    def _everything(self) -> tuple[tuple[str, os.stat_result], ...]:
        with self._translated(""), self._directory(()) as directory:
            return (("", os.fstat(directory)), *_statuses(directory, ""))

    @contextmanager
    def _directory(self, folders: Iterable[str], *, create: bool = False) -> Iterator[int]:
        descriptor = self._open_root(create=create)
        try:
            for folder in folders:
                below = durable.enter_directory(folder, directory=descriptor, create=create)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def _open_root(self, *, create: bool) -> int:
        if create and not self.root.is_dir():
            self._make_root()
        descriptor = durable.open_directory(self.root)
        if not self._parents_checked:
            try:
                durable.check_parents(self.root)
            except OSError:
                os.close(descriptor)
                raise
            self._parents_checked = True
        return descriptor

    def _make_root(self) -> None:
        try:
            durable.make_directories(self.root)
        except FileNotFoundError:  # a place such as /proc, which is no missing object
            raise StoreError(
                f"store '{self.root}': no folder can be made there", hint="choose another place"
            ) from None

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        """Turn every `OSError` into an error of ours; says what the system said, and no more."""
        try:
            yield
        except durable.NotPlain:
            raise IntegrityError(
                f"store '{self.root}': something else than a plain file or directory lies at "
                f"'{key}'; links are never followed"
            ) from None
        except durable.NotDurable as error:
            raise StoreUnknown(f"object '{key}': {_said(error)}, it may be stored or not") from None
        except durable.Unsafe as error:
            raise StoreError(
                f"store '{self.root}': is not safe at '{key}', {error.strerror}", hint=_SAFE_HINT
            ) from None
        except FileNotFoundError:
            raise ObjectMissing(f"object '{key}': is missing") from None
        except OSError as error:
            raise StoreError(f"store '{self.root}': {_said(error)} at '{key}'") from None


def _walk(directory: int, path: str, start: str = "") -> Iterator[str]:
    """Give the keys of all objects below.

    What is none counts as one, so that `get` refuses it: a link, a folder that is too deep.
    """
    with os.scandir(directory) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not name.startswith(start):
            continue
        if not is_folder or path.count("/") >= DEPTH_MAX:
            yield path + name
            continue
        try:
            below = durable.open_directory(name, directory=directory)
        except FileNotFoundError:
            continue
        try:
            yield from _walk(below, f"{path}{name}/")
        finally:
            os.close(below)


def _statuses(directory: int, path: str) -> Iterator[tuple[str, os.stat_result]]:
    for name in sorted(os.listdir(directory)):
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            continue
        yield path + name, status
        if stat.S_ISDIR(status.st_mode) and path.count("/") < DEPTH_MAX:
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            try:
                yield from _statuses(below, f"{path}{name}/")
            finally:
                os.close(below)


def _is_key(text: str) -> bool:
    try:
        checked_key(text)
    except StoreError:
        return False
    return True


def _said(error: OSError) -> str:
    known = {errno.ENOSPC: "no space is left", errno.EDQUOT: "the quota is used up"}
    return known.get(error.errno or 0, (error.strerror or "the system refused").lower())
