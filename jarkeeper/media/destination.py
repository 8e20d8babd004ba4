"""A local directory where videos go: flat, safe names; partial files and a ledger beside them.

downloads/Title [id].mp4
downloads/.jarkeeper/parts/id.mp4.part   what a later try resumes
downloads/.jarkeeper/done/id.json        the ledger: what re-runs leave out
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from jarkeeper.errors import InputError
from jarkeeper.media.names import safe_name

OWN_FOLDER = ".jarkeeper"
SAME_NAME_MAX = 100
"""Beyond so many copies of one name something else is wrong."""


class Kind(StrEnum):
    """What a run takes of a video: the sound alone does not stand in for the picture."""

    VIDEO = "video"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file in the destination: its flat name, its size in bytes, the video's title."""

    file: str
    bytes: int
    title: str | None


class Destination:
    """A directory that takes videos in. Raises `InputError` where it cannot be trusted."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.expanduser().absolute()
        self.parts = self.directory / OWN_FOLDER / "parts"
        self._done = self.directory / OWN_FOLDER / "done"

    def open(self) -> Destination:
        """Make the directories; refuse symbolic links and other people's folders below."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            for folder in (self.directory / OWN_FOLDER, self.parts, self._done):
                folder.mkdir(mode=0o700, exist_ok=True)
                _refuse_planted(folder)
        except (FileExistsError, NotADirectoryError):
            raise InputError(f"destination '{self.directory}': expected a directory") from None
        except OSError as error:
            raise InputError(
                f"destination '{self.directory}': cannot be written, {error.strerror}"
            ) from None
        return self

    def find(self, video_id: str, *, kind: Kind = Kind.VIDEO) -> Arrival | None:
        """Return the video's file if the ledger names it and it is still there."""
        try:
            entry = Arrival(**json.loads((self._done / f"{video_id}.{kind}.json").read_text()))
            found = (self.directory / Path(entry.file).name).lstat()
        except (OSError, ValueError, TypeError):
            return None
        return entry if stat.S_ISREG(found.st_mode) and found.st_size == entry.bytes else None

    def accept(
        self, staged: str, *, video_id: str, title: str | None, kind: Kind = Kind.VIDEO
    ) -> Arrival:
        """Move a finished file out of staging under its safe name and enter it in the ledger."""
        source = self.parts / Path(staged).name
        if not stat.S_ISREG(source.lstat().st_mode):
            raise InputError(f"video {video_id}: expected a regular file in staging")
        draft = self._done / f".{video_id}.{os.getpid()}"
        draft.write_text("")
        # Staged for us alone; a video is for whoever may read other new files here.
        source.chmod(draft.lstat().st_mode & 0o777)
        name = self._place(source, title=title or video_id, video_id=video_id)
        arrival = Arrival(name, (self.directory / name).lstat().st_size, title)
        draft.write_text(json.dumps(asdict(arrival)))
        draft.replace(self._done / f"{video_id}.{kind}.json")
        # From here on the ledger keeps others away.
        (self.parts / f"{video_id}.lock").unlink(missing_ok=True)
        return arrival

    def _place(self, source: Path, *, title: str, video_id: str) -> str:
        """Give the file a name that nothing has yet, and return it."""
        suffix = source.suffix.lstrip(".")
        for number in range(1, SAME_NAME_MAX):
            again = title if number == 1 else f"{title} ({number})"
            name = encodable(
                safe_name(again, video_id, suffix), safe_name(video_id, video_id, suffix)
            )
            if _moved(source, self.directory / name):
                return name
        raise InputError(
            f"destination '{self.directory}': has {SAME_NAME_MAX} files of one name already"
        )

    def sweep(self, before: float) -> int:
        """Remove partial files that nobody has written to since that second; return how many.

        One that a run holds stays: what it resumes is not old.
        """
        removed = 0
        for path in sorted(self.parts.glob("*")) if self.parts.is_dir() else ():
            with self.claim(path.name.partition(".")[0]) as ours:
                if ours and _is_old(path, before):
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    @contextlib.contextmanager
    def claim(self, video_id: str) -> Iterator[bool]:
        """Yield whether the video is ours for now: two runs must not share a partial file."""
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self.parts / f"{video_id}.lock", flags, 0o600)
        except OSError as error:
            raise InputError(
                f"destination '{self.parts}': cannot be written, {error.strerror}"
            ) from None
        try:
            yield _locked(descriptor)
        finally:
            os.close(descriptor)  # the kernel lets go of the lock, also when we are killed


def _is_old(path: Path, before: float) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_mtime < before


def encodable(name: str, plain: str) -> str:
    """Return the name, or the plain one where the file system's encoding lacks a letter of it."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return plain
    return name


def _moved(source: Path, target: Path) -> bool:
    """Move the file unless something has that name already: it may be the user's own."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return False
    except OSError:  # a file system without links, such as a memory card's
        if os.path.lexists(target):
            return False
        source.rename(target)
        return True
    source.unlink()
    return True


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _refuse_planted(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise InputError(f"destination '{folder}': expected a directory, not a link")
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise InputError(
            f"destination '{folder}': expected a directory that only you can write to",
            hint=f"chmod 700 '{folder}', or choose another destination",
        )
