"""`jarkeeper refresh`: use every login a little, and keep what YouTube returns."""

from __future__ import annotations

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.validate import look


@click.command(
    "refresh",
    epilog="\b\nExamples:\n"
    "  jarkeeper refresh\n"
    "  jarkeeper refresh --jar music --json\n\n"
    "Two pages are looked at with each login that can be used, backups too, as a person does who "
    "comes by; what YouTube renews goes back into the vault, guarded. It cannot bring a dead login "
    "back: for that, import a fresh export. Exit code as of `jarkeeper validate`.",
)
@jar_option(words="This jar only.")
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str | None) -> Exit:
    """Use every login gently, and keep what YouTube renews."""
    return look(invocation, jar, offline=False, visit=True)
