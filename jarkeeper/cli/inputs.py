"""What a command reads: a file, or standard input for `-`."""

from __future__ import annotations

import sys
from pathlib import Path

from jarkeeper.errors import InputError


def read_input(file: Path, *, most: int) -> bytes:
    """Return the content, cut off one byte above `most`: who parses it refuses so much."""
    if is_standard_input(file):
        return sys.stdin.buffer.read(most + 1)
    try:
        with file.open("rb") as source:
            return source.read(most + 1)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise InputError(f"'{file}': cannot be read, {reason}") from None


def is_standard_input(file: Path) -> bool:
    """Whether the name stands for standard input."""
    return str(file) == "-"
