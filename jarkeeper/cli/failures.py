"""How an error reads: what is wrong, then a hint on a line of its own, both on standard error."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import click

from jarkeeper.cli.exits import Exit, Interrupted, exit_of
from jarkeeper.cli.output import print_json
from jarkeeper.cli.place import Place
from jarkeeper.errors import ConfirmationNeeded, InputError, JarkeeperError, SettingsError
from jarkeeper.words import printable


class Mistakes(InputError):
    """Several things that are wrong with what was given; each gets its line."""

    def __init__(self, mistakes: tuple[str, ...], *, hint: str | None = None) -> None:
        super().__init__("; ".join(mistakes), hint=hint)
        self.mistakes = mistakes


def report(error: Exception, *, as_json: bool, place: Place | None = None) -> Exit:
    """Print the error for people, and for machines too if they asked; return the exit code.

    That is the error's own also where nobody reads it any more.
    """
    code = exit_of(error)
    try:
        _tell(error, code, as_json=as_json, place=place or Place())
        sys.stdout.flush()
    except BrokenPipeError:
        mute_output()
    return code


def mute_output() -> None:
    """Send nowhere what is still to be printed for a reader that has gone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _tell(error: Exception, code: Exit, *, as_json: bool, place: Place) -> None:
    if code is Exit.INTERRUPTED:
        # Click has ended the terminal's line, which shows ^C, before it raised an `Abort` itself.
        start, how_far = (
            ("\n", f": {error.message}") if isinstance(error, Interrupted) else ("", "")
        )
        print(f"{start}jarkeeper: interrupted{how_far}", file=sys.stderr)
        return
    hint = place.fit(_hint(error) or "") or None
    for sentence in _sentences(error):
        print(f"jarkeeper: error: {printable(sentence)}", file=sys.stderr)
    if hint:
        print(f"hint: {printable(hint)}", file=sys.stderr)
    if as_json:
        reasons = {"reasons": error.reasons} if isinstance(error, ConfirmationNeeded) else {}
        told = {"error": "; ".join(_sentences(error)), "hint": hint, "code": int(code)}
        print_json(told | reasons)


def _sentences(error: Exception) -> tuple[str, ...]:
    match error:
        case SettingsError() | Mistakes():
            return error.mistakes
        case ConfirmationNeeded():
            return error.sentences
        case JarkeeperError():
            return (error.message,)
        case click.ClickException():
            return (_in_our_voice(error.format_message()),)
        case OSError(strerror=str(reason)):
            where = f"'{error.filename}': " if isinstance(error.filename, str) else ""
            return (f"{where}{reason.lower()}",)
        case _:
            # The message may quote anything; the type and the place are safe to show.
            return (f"internal error: {type(error).__name__} in {_place(error)}",)


def _hint(error: Exception) -> str | None:
    match error:
        case JarkeeperError():
            return error.hint
        case click.UsageError(ctx=click.Context() as context):
            return f"see `{context.command_path} --help`"
        case click.ClickException() | OSError():
            return None
        case _:
            return "this is a mistake in Jarkeeper; please report it with the line above"


def _in_our_voice(message: str) -> str:
    lines = " ".join(message.split())
    return f"{lines[:1].lower()}{lines[1:]}".removesuffix(".")


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
