"""`jarkeeper restore`: make a generation of the history active again."""

from __future__ import annotations

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


@click.command(
    "restore",
    epilog="\b\nExamples:\n"
    "  jarkeeper restore 1f0c2a9b\n"
    "  jarkeeper restore 1f0c2a --jar music --json\n\n"
    "GENERATION is an id of `jarkeeper history`, or its first six digits or more. The cookies that "
    "were active become the backup. What was revoked or cleaned up cannot come back.",
)
@generation_argument("generation")
@jar_option(words="The jar that it is of.", default=DEFAULT_JAR)
@common_options
@pass_invocation
def command(invocation: Invocation, generation: str, jar: str) -> Exit:
    """Make an earlier generation active again."""
    from jarkeeper.cli.changed import after
    from jarkeeper.cli.generations import history_of
    from jarkeeper.hardening import harden
    from jarkeeper.wiring import open_vault

    harden()
    settings = invocation.settings()
    vault = open_vault(settings)
    history = history_of(vault, jar)
    record = history.find(generation)
    receipt = vault.restore(jar, record.id)
    changed = after(vault, receipt, before=history.newest, settings=settings)
    if invocation.as_json:
        print_json(changed.as_dict())
        return Exit.OK
    output = Output()
    words = "is active again" if changed.is_news else "was active already: nothing was changed"
    changed.print(output, done=f"generation {record.id[:8]} {words}")
    if died := history.death_of(record):
        output.finding("warning", f"YouTube had ended this login ({died}): it may not work")
    return Exit.OK
