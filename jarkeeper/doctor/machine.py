"""The machine: yt-dlp and its programs, temporary files, cookies that lie about unsealed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from jarkeeper.checks import NOTHING, Finding, Severity
from jarkeeper.errors import JarkeeperError
from jarkeeper.limits import LIMITS
from jarkeeper.media.tools import find_deno, find_ffmpeg
from jarkeeper.temporary import checked_temp_dir
from jarkeeper.unnamed import unnamed_file
from jarkeeper.words import count_of

VERSION_SECONDS = 10
READ_BYTES = 65_536
FILES_MAX = 500
"""Of one folder: a glance, no search."""
LOGIN = (b"LOGIN_INFO", b"SAPISID")
"""Cookies without which nobody is logged in to YouTube."""
MEDIA = "run `pip install 'jarkeeper[media]'`"
UPDATE = "run `pip install --upgrade 'yt-dlp[default]'`"

Knows = Callable[[bytes], bool]
"""Whether the vault has, or has revoked, the login of an export."""

_ROW = re.compile(rb"^(?:#HttpOnly_)?[^\t\n]+(?:\t[^\t\n]*){6}\r?$", re.MULTILINE)
_OPTION = re.compile(r"^\s*--cookies(?:[ =]|$)", re.MULTILINE)


def yt_dlp(version: str | None = None, *, today: date | None = None) -> Iterator[Finding]:
    """Tell how old yt-dlp is: YouTube changes every few weeks."""
    if version is None:
        from jarkeeper.youtube.version import yt_dlp_version

        version = yt_dlp_version()
    numbers = [int(part) for part in version.split(".")[:3]]
    age = ((today or datetime.now(UTC).date()) - date(*numbers)).days
    message = f"{version}, {count_of(max(0, age), 'day')} old"
    severity = Severity.WARNING if age > LIMITS.yt_dlp_days_max else Severity.OK
    yield Finding("yt-dlp", severity, message, NOTHING if severity is Severity.OK else UPDATE)


def javascript() -> Iterator[Finding]:
    """Tell whether the player's JavaScript can be run."""
    yield _program("javascript", find_deno(), "--version", "no deno: formats will be missing")


def ffmpeg() -> Iterator[Finding]:
    """Tell whether sound and picture can be merged."""
    missing = "no ffmpeg: better qualities cannot be merged"
    yield _program("ffmpeg", find_ffmpeg(), "-version", missing)


def temporary(folder: Path) -> Iterator[Finding]:
    """Try the place of temporary files, with a file that never has a name."""
    try:
        with unnamed_file(b"probe", folder=checked_temp_dir(folder)):
            message = f"files without a name can be made, '{folder}' is safe"
            yield Finding("temporary", Severity.OK, message, NOTHING)
    except JarkeeperError as error:
        step = error.hint or "set COOKIE_TEMP_DIR to a directory of your own"
        yield Finding("temporary", Severity.WARNING, error.message, step)


def usual_places(here: Path) -> tuple[Path, ...]:
    """Return the folders where people leave cookie files, and where yt-dlp is configured."""
    places = [here, Path("/etc")]
    with suppress(RuntimeError):  # there may be no home
        home = Path.home()
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        places += [home, home / "Downloads", config, config / "yt-dlp", home / ".yt-dlp"]
    return tuple(dict.fromkeys(places))


def leftovers(places: Iterable[Path], *, knows: Knows) -> Iterator[Finding]:
    """Name cookie files that lie about unsealed, and configurations that lead to one."""
    found = False
    for path in sorted({path for place in places for path in _candidates(place)}):
        content = _content(path)
        quoted = shlex.quote(str(path))
        if _holds_login(path, content):
            message = f"'{path}' holds cookies that anything you run can read"
            step = _way_out(content, quoted, is_known=knows(content))
        elif path.name.startswith(("config", "yt-dlp")) and _OPTION.search(
            content.decode("utf-8", "replace")
        ):
            message = f"'{path}' makes yt-dlp use a cookie file"
            step = f"import that file, then run `sed -i '/--cookies/d' {quoted}`"
        else:
            continue
        found = True
        yield Finding("leftovers", Severity.WARNING, message, step)
    if not found:
        yield Finding("leftovers", Severity.OK, "no cookie file lies about unsealed", NOTHING)


def _way_out(content: bytes, quoted: str, *, is_known: bool) -> str:
    """Return what to do with an export; only a person knows whose it is, and who needs it."""
    if is_known:
        return f"the vault knows this login already: run `rm {quoted}`"
    if not any(name in content for name in LOGIN):
        return f"look at it: it is no login of YouTube; `rm {quoted}` if nothing needs it"
    return (
        f"look whose it is: `jarkeeper import {quoted}` if the vault should have it; in any case "
        f"`rm {quoted}`"
    )


def _holds_login(path: Path, content: bytes) -> bool:
    if path.suffix == ".txt":
        return _ROW.search(content) is not None
    return path.suffix == ".json" and b"SAPISID" in content


def _candidates(place: Path) -> list[Path]:
    names = ["*.txt", "*.json", "yt-dlp.conf*"]
    if place.name in ("yt-dlp", ".yt-dlp"):
        names += ["config", "config.txt"]
    try:
        found = (path for name in names for path in place.glob(name) if path.is_file())
        return list(islice(found, FILES_MAX))
    except OSError:
        return []


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(READ_BYTES)
    except OSError:
        return b""


def _program(group: str, path: Path | None, option: str, missing: str) -> Finding:
    if path is None:
        return Finding(group, Severity.WARNING, missing, MEDIA)
    try:
        done = subprocess.run(
            [path, option], capture_output=True, text=True, timeout=VERSION_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return Finding(group, Severity.WARNING, f"'{path}' does not run", MEDIA)
    words = done.stdout.partition("\n")[0].partition(" (")[0].partition(" Copyright")[0]
    return Finding(group, Severity.OK, f"{words}, '{path}'", NOTHING)
