"""What a command reads: a file, or standard input for `-`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from jarkeeper.errors import InputError
from jarkeeper.settings.model import S3_SCHEME
from jarkeeper.words import printable


class Folder(click.Path):
    """A folder's name. An empty one, of a variable that is not set, would be the current one."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the path, or fail."""
        if value == "":
            self.fail("expected a folder, got an empty name", param, ctx)
        return super().convert(value, param, ctx)


class VaultPlace(Folder):
    """Where a vault is: a folder's name, or 's3://bucket/prefix'."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the text, or fail."""
        if not str(value).startswith(S3_SCHEME):
            super().convert(value, param, ctx)
        return str(value)


def read_input(file: Path, *, most: int) -> bytes:
    """Return the content, or raise `InputError` where it is of more than `most` bytes."""
    content = _read(file, most + 1)
    if len(content) > most:
        raise InputError(
            f"{name_of(file)}: expected at most {most} bytes, got more",
            hint="is this the right file?",
        )
    return content


def name_of(file: Path) -> str:
    """Return what an error calls the file."""
    return "standard input" if is_standard_input(file) else printable(file.name)


def _read(file: Path, size: int) -> bytes:
    if is_standard_input(file):
        return sys.stdin.buffer.read(size)
    try:
        with file.open("rb") as source:
            return source.read(size)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise InputError(f"'{file}': cannot be read, {reason}") from None


def is_standard_input(file: Path) -> bool:
    """Whether the name stands for standard input."""
    return str(file) == "-"
