"""Private directories: made for a run, and removed after a crash, found by their names.

A run keeps its worker's home in a directory named `jarkeeper-<process id>-<random>` under the
temporary directory, and removes it when it ends. Only a kill leaves one. No cookie is in it, unless
an import was reading a browser's profile: yt-dlp's reader wants a copy of its database.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jarkeeper.durable import Unsafe, check_parents
from jarkeeper.errors import SettingsError

_PREFIX = "jarkeeper-"
_NAME = re.compile(rf"{_PREFIX}(?P<process>[1-9][0-9]{{0,9}})-[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Sweep:
    """How many directories were removed, how many are in use, and how many could not be removed."""

    removed: int
    in_use: int
    failed: int


@contextmanager
def private_home(temp_dir: Path) -> Iterator[Path]:
    """Give an empty directory of our own, locked as long as we use it; it is gone afterwards."""
    parent = checked_temp_dir(temp_dir)
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    lock = _locked(home)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def checked_temp_dir(temp_dir: Path) -> Path:
    """Return the directory for private files, or raise `SettingsError` where others rule it."""
    parent = existing(temp_dir)
    try:
        check_parents(parent / "home")
    except Unsafe as error:
        raise SettingsError(
            (f"COOKIE_TEMP_DIR: {error.strerror}",),
            hint="choose a directory of your own, or one with the sticky bit, such as /dev/shm",
        ) from None
    return parent


def existing(temp_dir: Path) -> Path:
    """Return the temporary directory, or the system's where it does not exist."""
    return temp_dir if temp_dir.is_dir() else Path(tempfile.gettempdir())


def sweep(temp_dir: Path) -> Sweep:
    """Remove the directories of runs that are gone; never one in use, a link or somebody else's."""
    removed = in_use = failed = 0
    for directory, process in _ours(existing(temp_dir)):
        lock = None if _is_alive(process) else _locked(directory)
        if lock is None:
            in_use += 1
            continue
        try:
            shutil.rmtree(directory)
            removed += 1
        except OSError:
            failed += 1
        finally:
            os.close(lock)
    return Sweep(removed, in_use, failed)


def _locked(directory: Path) -> int | None:
    """Return a descriptor that locks the directory, or None where somebody holds it.

    A process in another container shares the directory, but not our process ids: the lock tells.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _ours(temp_dir: Path) -> list[tuple[Path, int]]:
    try:
        candidates = sorted(temp_dir.iterdir())
    except OSError:
        return []
    named = ((path, _NAME.fullmatch(path.name)) for path in candidates)
    return [(path, int(name["process"])) for path, name in named if name and _is_private(path)]


def _is_private(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not stat.S_IMODE(found.st_mode) & 0o077
    )


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # somebody has it, or nobody can say: leave it alone
        return True
    return True
