"""Reports as files: entirely there or not at all, for their owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from jarkeeper.durable import create_file, make_directories, replace_file
from jarkeeper.errors import InputError
from jarkeeper.report.content import Content


def name_of(content: Content) -> str:
    """Return the name of the report's files, without an ending: the range is in it."""
    return f"jarkeeper-report-{content.since:%Y-%m-%d}-to-{content.last_day:%Y-%m-%d}"


def place_of(out: Path | None, name: str) -> Path:
    """Return the file that is meant: a folder gets a file of that name."""
    out = Path.cwd() if out is None else out.expanduser()
    is_folder = out.is_dir() or out.suffix == ""
    return out / name if is_folder else out


def write_files(
    texts: Mapping[Path, str], *, overwrite: bool = False, hint: str = "--force writes over it"
) -> tuple[Path, ...]:
    """Write every file, or raise `InputError`: before the first, where one is there already."""
    for path in texts:
        if path.is_dir():
            raise InputError(f"'{path}': is a folder", hint="name another file")
    if not overwrite:
        _refuse_taken((path for path in texts if os.path.lexists(path)), hint)
    for path, text in texts.items():
        try:
            make_directories(path.parent)
            _write(path, text.encode(), overwrite=overwrite, hint=hint)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise InputError(f"'{path}': cannot be written, {reason.lower()}") from None
    return tuple(texts)


def _write(path: Path, content: bytes, *, overwrite: bool, hint: str) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if overwrite:
            replace_file(folder, path.name, content)
        elif not create_file(folder, path.name, content):
            _refuse_taken([path], hint)
    finally:
        os.close(folder)


def _refuse_taken(paths: Iterable[Path], hint: str) -> None:
    for path in paths:
        raise InputError(f"'{path}': is there already", hint=hint)
