"""`jarkeeper validate`: do the cookies still make a login, and what to do if not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import NotFound

if TYPE_CHECKING:
    from jarkeeper.health import SlotHealth


@click.command(
    "validate",
    epilog="\b\nExamples:\n"
    "  jarkeeper validate || echo 'the cookies need a hand'\n"
    "  jarkeeper validate --json | jq .critical\n\n"
    "Exit code 1 if there is something critical about the active cookies; the state of the "
    "backups is told, and does not count. Nothing is sent to YouTube.",
)
@jar_option(words="This jar only.")
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str | None) -> Exit:
    """Check that the cookies still make a login.

    Each slot is judged by what is known of it, with a next step.
    """
    from jarkeeper.health import examine, heads_of
    from jarkeeper.wiring import open_vault

    settings = invocation.settings()
    heads = heads_of(open_vault(settings), jar)
    if not heads:
        raise NotFound("vault: there is no jar in it", hint="run `jarkeeper import cookies.txt`")
    now = datetime.now(UTC)
    jars = {head.jar: examine(head, now=now, settings=settings) for head in heads}
    critical = any(slots[0].severity == "critical" for slots in jars.values())
    if invocation.as_json:
        print_json(
            {
                "critical": critical,
                "jars": [
                    {"jar": name, "slots": [slot.as_dict() for slot in slots]}
                    for name, slots in jars.items()
                ],
            }
        )
    else:
        for name, slots in jars.items():
            _print(Output(place=replace(invocation, jar=name)), name, slots)
    return Exit.FAILED if critical else Exit.OK


def _print(output: Output, jar: str, slots: tuple[SlotHealth, ...]) -> None:
    for slot in slots:
        generation = f"  generation {slot.record.generation.id[:8]}" if slot.record else ""
        output.line((f"{jar} {slot.name}", "strong"), (generation, "quiet"))
        for finding in slot.findings:
            output.finding(finding.severity, finding.message, finding.next_step)
