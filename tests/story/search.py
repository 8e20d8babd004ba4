"""Looks for words in files: no cookie may be found where none belongs."""

from __future__ import annotations

from pathlib import Path


def files_with(words: tuple[str, ...], *places: Path) -> list[Path]:
    """Return the files below the places whose content or name holds one of the words."""
    return [path for path in files_in(*places) if any(_holds(path, word) for word in words)]


def files_in(*places: Path) -> list[Path]:
    """Return all files below the places."""
    return [path for place in places for path in place.rglob("*") if path.is_file()]


def _holds(path: Path, word: str) -> bool:
    return word in path.name or word.encode() in path.read_bytes()
