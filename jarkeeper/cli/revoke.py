"""`jarkeeper revoke`: make sure that nothing uses a generation again."""

from __future__ import annotations

import sys

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import (
    Invocation,
    common_options,
    generation_argument,
    jar_option,
    pass_invocation,
)
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.place import DEFAULT_JAR
from jarkeeper.errors import InputError
from jarkeeper.heads import GenerationRecord


@click.command(
    "revoke",
    epilog="\b\nExamples:\n"
    "  jarkeeper revoke 1f0c2a9b\n"
    "  jarkeeper revoke 1f0c2a --jar music --yes --json\n\n"
    "GENERATION is an id of `jarkeeper history`, or its first six digits or more. No backup "
    "becomes active by it. Jarkeeper can only stop using the cookies: if they may be in other "
    "hands, sign out of that session in your Google account too.",
)
@generation_argument("generation")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@jar_option(words="The jar that it is of.", default=DEFAULT_JAR)
@common_options
@pass_invocation
def command(invocation: Invocation, generation: str, jar: str, *, yes: bool) -> Exit:
    """Make sure that nothing uses a generation again.

    It cannot be undone: revoked cookies come back only by another login.
    """
    from jarkeeper.cli.changed import after
    from jarkeeper.cli.generations import history_of
    from jarkeeper.wiring import open_vault

    settings = invocation.settings()
    vault = open_vault(settings)
    history = history_of(vault, jar)
    record = history.find(generation)
    place = history.place_of(record)
    if not (yes or place == "revoked" or _says_yes(invocation, record, place)):
        return Exit.USAGE
    receipt = vault.revoke(jar, record.id)
    changed = after(vault, receipt, before=history.newest, settings=settings)
    if invocation.as_json:
        print_json(changed.as_dict())
        return Exit.OK
    words = "is revoked" if changed.is_news else "was revoked already: nothing was changed"
    changed.print(Output(), done=f"generation {record.id[:8]} {words}")
    return Exit.OK


def _says_yes(invocation: Invocation, record: GenerationRecord, place: str) -> bool:
    what = f"generation {record.id[:8]} of jar '{invocation.jar}'"
    if invocation.as_json or not sys.stdin.isatty():
        raise InputError(
            f"{what}: revoking it cannot be undone, and nobody is there to ask",
            hint="add --yes if it is the right one",
        )
    output = Output(aside=True)
    came = f"{record.source} of {record.created_at:%Y-%m-%d %H:%M} UTC"
    output.finding("warning", f"{what}, {came}, {place}: nothing can use it again")
    if click.confirm("Revoke it?", err=True):
        return True
    output.line("nothing was changed")
    return False
