"""The folder that the story leaves behind, and that the next one may clear away."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from jarkeeper.durable import Unsafe, check_parents
from story.voice import Voice

MARK = ".made-by-jarkeeper-demo"


class UnusableFolder(Exception):
    """The story cannot be told there."""


def choose_folder(project: Path, voice: Voice, chapter: str | None = None) -> Path:
    """Return `demo/` in the project, or a place that a vault accepts if others can write there.

    A chapter has a folder of its own: what the whole story left stays as it is.
    """
    name = "demo" if chapter is None else f"demo-{chapter}"
    folder = project / name
    places = (
        folder,
        Path.home() / f"jarkeeper-{name}",
        Path(tempfile.gettempdir()) / f"jarkeeper-{name}",
    )
    chosen = next((place for place in places if _is_safe(place)), folder)
    if chosen != folder:
        voice.say(f"{project} can be changed by others, where no vault may be: using {chosen}")
    return chosen


@contextlib.contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """Yield the folder for one demo, empty but for its mark; only an earlier demo's is cleared."""
    folder = folder.absolute()
    if folder.is_symlink() or (folder.exists() and not _is_ours(folder)):
        raise UnusableFolder(
            f"folder '{folder}': expected none, or one that an earlier demo made; move it away"
        )
    try:
        mark = _claim(folder)
    except BlockingIOError:
        raise UnusableFolder(f"folder '{folder}': another demo is under way there") from None
    except OSError as error:
        raise UnusableFolder(f"folder '{folder}': {error.strerror}") from None
    with mark:
        yield folder


def _claim(folder: Path) -> BinaryIO:
    """Return the mark, locked; everything beside it is gone then."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        mark = stack.enter_context((folder / MARK).open("ab"))
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _clear(folder)
        stack.pop_all()
    return mark


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARK:
            path.unlink()


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and ((folder / MARK).is_file() or not any(folder.iterdir()))


def _is_safe(folder: Path) -> bool:
    try:
        check_parents(folder)
    except (Unsafe, OSError):
        return False
    return True
