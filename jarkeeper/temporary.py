"""What a crash left behind: private directories whose process is gone, found by their names.

A run keeps its worker's home in a directory named `jarkeeper-<process id>-<random>` under the
temporary directory, and removes it when it ends. Only a kill leaves one. No cookie is in it, unless
an import was reading a browser's profile: yt-dlp's reader wants a copy of its database.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"jarkeeper-(?P<process>[1-9][0-9]{0,9})-[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Sweep:
    """How many directories were removed, how many are in use, and how many could not be removed."""

    removed: int
    in_use: int
    failed: int


def sweep(temp_dir: Path) -> Sweep:
    """Remove the directories of runs that are gone; never one in use, a link or somebody else's."""
    removed = in_use = failed = 0
    for directory, process in _ours(temp_dir):
        if _is_alive(process):
            in_use += 1
            continue
        try:
            shutil.rmtree(directory)
            removed += 1
        except OSError:
            failed += 1
    return Sweep(removed, in_use, failed)


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
