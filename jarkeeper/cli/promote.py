"""`jarkeeper promote`: a backup becomes active, once YouTube has confirmed it."""

from __future__ import annotations

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.place import DEFAULT_JAR
from jarkeeper.errors import NotFound


@click.command(
    "promote",
    epilog="\b\nExamples:\n"
    "  jarkeeper promote\n"
    "  jarkeeper promote --untested     without asking YouTube first\n\n"
    "Of several backups the newest that passes the test is taken; the cookies that were active "
    "become a backup. Exit code 2, and nothing is changed, where none passes.",
)
@click.option("--untested", is_flag=True, help="Do not ask YouTube whether it works.")
@jar_option(words="The jar.", default=DEFAULT_JAR)
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str, *, untested: bool) -> Exit:
    """Make the backup active."""
    from jarkeeper.cli.changed import after
    from jarkeeper.cli.watched import settle
    from jarkeeper.lifecycle.rotation import ask_backups, passed, why_none
    from jarkeeper.lifecycle.validation import existing_head
    from jarkeeper.wiring import open_vault
    from jarkeeper.youtube.errand import errand

    settings = invocation.settings()
    vault = open_vault(settings)
    before = existing_head(vault, jar)
    generation: str | None = None
    if not untested:
        with (
            Output(aside=True).busy("asking YouTube about the backups"),
            errand(settings, jar, base_head=before.seq, actor="cli") as asker,
        ):
            answers = ask_backups(vault, jar, asker)
            generation = passed(answers)
        if generation is None:
            raise NotFound(
                f"jar '{jar}': {why_none(answers)}, nothing was promoted",
                hint="import fresh cookies; `--untested` promotes the newest all the same",
            )
    receipt = vault.promote(jar, generation)
    changed = after(vault, receipt, before=before, settings=settings)
    if invocation.as_json:
        print_json(changed.as_dict())
    else:
        how = "" if untested else ", and YouTube has confirmed it"
        changed.print(Output(), done=f"the backup is active{how}")
    settle(settings, vault, jar)
    return Exit.OK
