"""What a command reads: a file, or standard input for `-`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.errors import InputError, JarFormatError
from jarkeeper.limits import LIMITS
from jarkeeper.settings.model import S3_SCHEME
from jarkeeper.words import printable

if TYPE_CHECKING:
    from jarkeeper.jar import ParsedJar


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


class Count(click.IntRange):
    """A whole number from 1 on."""

    def __init__(self, most: int | None = None) -> None:
        super().__init__(1, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, or fail."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            reach = f"from 1 to {self.max}" if self.max else "from 1 on"
            got = printable(str(value)[:40])
            self.fail(f"expected a whole number {reach}, got '{got}'", param, ctx)


def read_input(file: Path, *, most: int) -> bytes:
    """Return the content, or raise `InputError` where it is of more than `most` bytes."""
    content = _read(file, most + 1)
    if len(content) > most:
        raise InputError(
            f"{name_of(file)}: expected at most {most} bytes, got more",
            hint="is this the right file?",
        )
    return content


def read_cookies(file: Path, *, sites: tuple[str, ...]) -> ParsedJar:
    """Return the cookies of an export, or raise `InputError` that names the file."""
    from jarkeeper.jar import read_export

    content = read_input(file, most=LIMITS.jar_bytes_max)
    try:
        return read_export(content, sites=sites)
    except JarFormatError as error:
        where = name_of(file) if error.line else f"{name_of(file)}:"
        raise JarFormatError(f"{where} {error.message}", hint=error.hint) from None


def name_of(file: Path) -> str:
    """Return what an error calls the file: the path as it was given."""
    return "standard input" if is_standard_input(file) else printable(str(file))


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
