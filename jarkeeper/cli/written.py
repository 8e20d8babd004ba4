"""`--out FILE`: a text that a command made, as a file that is whole or not there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from jarkeeper.cli.group import Invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import InputError

HINT = "name another file"

out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it there; what exists is never overwritten.",
)


def require_free(out: Path | None) -> None:
    """Raise `InputError` where something is there already, before anything is done."""
    if out is not None and os.path.lexists(out):
        raise InputError(f"'{out}': is there already", hint=HINT)


def give(invocation: Invocation, text: str, *, out: Path | None, document: dict[str, Any]) -> None:
    """Write the text where it is wanted; print the document, that it was written, or the text."""
    from jarkeeper.report.writing import write_files

    if out is not None:
        write_files({out: text}, hint=HINT)
    if invocation.as_json:
        print_json({**document, "file": out})
    elif out is not None:
        Output().finding("ok", f"'{out}' written")
    else:
        click.echo(text, nl=False)
