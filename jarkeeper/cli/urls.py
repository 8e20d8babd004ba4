"""What was asked for: the URLs of the command line, and those of a list with their lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jarkeeper.cli.failures import Mistakes
from jarkeeper.cli.inputs import name_of, read_input
from jarkeeper.errors import TargetError
from jarkeeper.limits import LIMITS
from jarkeeper.youtube.targets import parse_target

MISTAKES_SHOWN = 10
"""More would push the first ones off a screen; the others are counted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A URL or id, and where it stands: empty where it is the only one."""

    text: str
    where: str


def checked_urls(urls: tuple[str, ...], list_file: Path | None) -> tuple[str, ...]:
    """Return what was asked for, or raise one error that has a line for each bad entry."""
    entries = (*_given(urls), *_listed(list_file))
    mistakes: list[str] = []
    hint = None
    for entry in entries:
        try:
            parse_target(entry.text)
        except TargetError as error:
            mistakes.append(f"{entry.where}{error.message}")
            hint = error.hint
    if not mistakes:
        return tuple(entry.text for entry in entries)
    hidden = len(mistakes) - MISTAKES_SHOWN
    shown = (*mistakes[:MISTAKES_SHOWN], *([f"and {hidden} more"] if hidden > 0 else []))
    raise Mistakes(shown, hint=hint if len(entries) == 1 else "nothing was downloaded")


def _given(urls: tuple[str, ...]) -> Iterable[Entry]:
    for number, url in enumerate(urls, start=1):
        yield Entry(url, f"URL {number}: " if len(urls) > 1 else "")


def _listed(list_file: Path | None) -> Iterable[Entry]:
    """Return the URLs of the file; empty lines and lines that begin with '#' are left out."""
    if list_file is None:
        return
    content = read_input(list_file, most=LIMITS.url_list_bytes_max)
    lines = content.decode("utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield Entry(text, f"{name_of(list_file)} line {number}: ")
