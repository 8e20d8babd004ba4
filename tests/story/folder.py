"""The folder that the story leaves behind, and that the next one may clear away."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from jarkeeper.durable import Unsafe, check_parents
from story.voice import Voice

MARK = ".made-by-jarkeeper-demo"


class UnusableFolder(Exception):
    """The story cannot be told there."""


def choose_folder(project: Path, voice: Voice) -> Path:
    """Return `demo/` in the project, or a place that a vault accepts if others can write there."""
    folder = project / "demo"
    places = (
        folder,
        Path.home() / "jarkeeper-demo",
        Path(tempfile.gettempdir()) / "jarkeeper-demo",
    )
    chosen = next((place for place in places if _is_safe(place)), folder)
    if chosen != folder:
        voice.say(f"{project} can be changed by others, where no vault may be: using {chosen}")
    return chosen


def fresh_folder(folder: Path) -> Path:
    """Return the folder, empty but for its mark. Only one that an earlier demo made is cleared."""
    folder = folder.absolute()
    if folder.is_symlink() or (folder.exists() and not _is_ours(folder)):
        raise UnusableFolder(
            f"folder '{folder}': expected none, or one that an earlier demo made; move it away"
        )
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True)
        (folder / MARK).touch()
    except OSError as error:
        raise UnusableFolder(f"folder '{folder}': {error.strerror}") from None
    return folder


def _is_ours(folder: Path) -> bool:
    return folder.is_dir() and ((folder / MARK).is_file() or not any(folder.iterdir()))


def _is_safe(folder: Path) -> bool:
    try:
        check_parents(folder)
    except (Unsafe, OSError):
        return False
    return True
