"""File names made of titles: flat, portable, and harmless wherever they are shown or typed."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from jarkeeper.errors import InputError
from jarkeeper.limits import LIMITS

UNTITLED = "video"
UNKNOWN_EXTENSION = "bin"
TITLE_CHARS_MAX = 2000
"""Of a title that are looked at: YouTube allows 100; work on a hostile one stays bounded."""
MARKS_MAX = 2
"""Combining marks on one letter: Vietnamese needs two, a flood of them buries other lines."""
APOSTROPHE = "\u2019"
"""Stands for the ASCII one, which ends a quotation in a shell."""

_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_EXTENSION = re.compile(r"[a-z0-9]{1,5}", re.ASCII)
# Reserved by file systems, by shells inside double quotes, or by output templates.
_RESERVED = re.compile(r'[/\\:*?"<>|$`;%]+', re.ASCII)
_SPACES = re.compile(r"\s+")
# A leading one hides a file, names a home, or reads as an option.
_LEADING = "-.~ _"
_TRAILING = ". _"
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"}
)


def safe_name(title: str | None, video_id: str, extension: str) -> str:
    """Return `<title> [<id>].<extension>`: one flat component of at most 200 bytes, in NFC.

    An extension of another form becomes `bin`. Raises `InputError` for an id of another form.
    """
    if not _VIDEO_ID.fullmatch(video_id):
        raise InputError("video id: expected 1 to 64 letters, digits, '-' or '_'")
    extension = extension.lower()
    if not _EXTENSION.fullmatch(extension):
        extension = UNKNOWN_EXTENSION
    ending = f" [{video_id}].{extension}"
    room = LIMITS.file_name_bytes_max - len(ending)
    return f"{safe_title(title or '', bytes_max=room)}{ending}"


def safe_title(title: str, *, bytes_max: int) -> str:
    """Return what can be kept of a title as the beginning of a file name; never empty."""
    text = "".join(map(_plain, title[:TITLE_CHARS_MAX]))
    text = _RESERVED.sub("_", text).replace("'", APOSTROPHE)
    text = _few_marks(unicodedata.normalize("NFC", _SPACES.sub(" ", text)))
    text = _shortened(unicodedata.normalize("NFC", text).lstrip(_LEADING), bytes_max)
    text = text.rstrip(_TRAILING) or UNTITLED
    return _shortened(f"_{text}", bytes_max) if _is_device(text) else text


def _plain(character: str) -> str:
    """Return the character, a space for any kind of space, or nothing for what cannot be seen."""
    category = unicodedata.category(character)
    if category[0] == "Z" or character in "\t\n\r":
        return " "
    return "" if category[0] == "C" else character


def _few_marks(text: str) -> str:
    runs = groupby(text, key=lambda character: unicodedata.category(character) in {"Mn", "Me"})
    kept = (list(run)[:MARKS_MAX] if is_mark else list(run) for is_mark, run in runs)
    return "".join(character for run in kept for character in run)


def _shortened(text: str, bytes_max: int) -> str:
    """Return as many whole characters as fit; a part of an NFC text is in NFC, too."""
    return text.encode()[:bytes_max].decode(errors="ignore")


def _is_device(text: str) -> bool:
    """Whether Windows takes the name for a device, whatever follows the first dot."""
    return text.partition(".")[0].strip().upper() in _DEVICES
