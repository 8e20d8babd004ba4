"""Files that are there entirely or not at all, also after a power cut.

Nothing here follows a symbolic link: names are plain, and directories come as descriptors.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"

_UNNAMED_UNSUPPORTED = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a planted FIFO must not wait for somebody to write to it.
_OPEN_TO_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class NotPlain(OSError):
    """Something else than a plain file or directory lies there."""


class NotDurable(OSError):
    """The name is there, but whether it survives a power cut is not known."""


class Unsafe(OSError):
    """Somebody else could change what lies there."""


def open_directory(name: str | Path, *, directory: int | None = None) -> int:
    """Return a descriptor of a directory that only its owner, who is us or root, can change."""
    try:
        descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise NotPlain(error.errno, "expected a directory, got something else") from None
        raise
    try:
        _check_directory(os.fstat(descriptor))
    except Unsafe:
        os.close(descriptor)
        raise
    return descriptor


def enter_directory(name: str, *, directory: int, create: bool) -> int:
    """Return a descriptor of the directory below, made durably where `create` says so."""
    try:
        return open_directory(name, directory=directory)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=directory)
    os.fsync(directory)
    return open_directory(name, directory=directory)


def make_directories(path: Path) -> None:
    """Make the directory and those above it that are missing, for us alone."""
    if not path.parent.is_dir():
        make_directories(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


def check_parents(path: Path) -> None:
    """Raise `Unsafe` where somebody else could swap the directory: a parent they can write to.

    A sticky directory of root, such as `/tmp`, lets nobody rename what others own.
    """
    for parent in Path(os.path.realpath(path)).parents:
        status = parent.stat()
        shared = status.st_mode & _WRITABLE_BY_OTHERS
        sticky = status.st_mode & stat.S_ISVTX and status.st_uid == 0
        if shared and not sticky:
            raise Unsafe(errno.EPERM, f"'{parent}' can be changed by other users")


def create_file(directory: int, name: str, content: bytes, *, unnamed: bool = True) -> bool:
    """Create the file durably with all its content; False where the name is taken."""
    descriptor = _open_unnamed(directory) if unnamed else None
    if descriptor is None:
        return _create_through_temporary(directory, name, content)
    try:
        _fill(descriptor, content)
        os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=directory, follow_symlinks=True)
    except FileExistsError:
        return False
    finally:
        os.close(descriptor)
    _sync_name(directory)
    return True


def replace_file(directory: int, name: str, content: bytes) -> None:
    """Create or overwrite the file, all or nothing."""
    with _temporary(directory, content) as temporary:
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    _sync_name(directory)


def read_file(directory: int, name: str, *, limit: int) -> bytes:
    """Return at most `limit` + 1 bytes of a plain file, so that the caller sees an excess."""
    try:
        descriptor = os.open(name, _OPEN_TO_READ, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotPlain(error.errno, "expected a plain file, got something else") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotPlain(errno.EINVAL, "expected a plain file, got something else")
        return _read_all(descriptor, limit + 1)
    finally:
        os.close(descriptor)


def remove_file(directory: int, name: str) -> None:
    """Remove the file durably if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)
        os.fsync(directory)


def _check_directory(status: os.stat_result) -> None:
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise Unsafe(errno.EPERM, "the directory can be changed by other users")
    if status.st_uid not in (0, os.geteuid()):
        raise Unsafe(errno.EPERM, "the directory belongs to another user")


def _open_unnamed(directory: int) -> int | None:
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=directory)
    except OSError as error:
        if error.errno in _UNNAMED_UNSUPPORTED:
            return None
        raise


def _create_through_temporary(directory: int, name: str, content: bytes) -> bool:
    with _temporary(directory, content) as temporary:
        try:
            os.link(
                temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False
            )
        except FileExistsError:
            return False
    _sync_name(directory)
    return True


@contextmanager
def _temporary(directory: int, content: bytes) -> Iterator[str]:
    """Give the name of a durable temporary file; it is gone afterwards, unless we are killed."""
    name = TEMPORARY_PREFIX + secrets.token_hex(8)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=directory)
    try:
        try:
            _fill(descriptor, content)
        finally:
            os.close(descriptor)
        yield name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=directory)


def _fill(descriptor: int, content: bytes) -> None:
    os.fchmod(descriptor, 0o600)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _sync_name(directory: int) -> None:
    try:
        os.fsync(directory)
    except OSError as error:
        raise NotDurable(error.errno, error.strerror) from error


def _read_all(descriptor: int, size: int) -> bytes:
    parts = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
