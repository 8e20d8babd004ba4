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
    from jarkeeper.youtube.messages import Answered


@click.command(
    "validate",
    epilog="\b\nExamples:\n"
    "  jarkeeper validate || echo 'the cookies need a hand'\n"
    "  jarkeeper validate --offline --json | jq .critical\n\n"
    "YouTube is asked, with one page, whether somebody is logged in by the active cookies, and by "
    "backups that were never tested; what it renews is kept. One bad answer makes a slot suspect, "
    "a second one ten minutes later or more ends it. Exit code 1 if there is something critical "
    "about the active cookies; the state of the backups is told, and does not count.",
)
@jar_option(words="This jar only.")
@click.option("--offline", is_flag=True, help="By what is known; nothing is sent to YouTube.")
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str | None, *, offline: bool) -> Exit:
    """Check that the cookies still make a login.

    Each slot is judged by what is known of it, and YouTube is asked; each has a next step.
    """
    return look(invocation, jar, offline=offline, visit=False)


def look(invocation: Invocation, jar: str | None, *, offline: bool, visit: bool) -> Exit:
    """Ask about the slots whose turn it is, or all on a visit; tell what is known afterwards."""
    from jarkeeper.cli.asking import as_dict, ask
    from jarkeeper.cli.watched import settle
    from jarkeeper.hardening import harden
    from jarkeeper.health import examine, heads_of
    from jarkeeper.lifecycle.conditions import scope_of_answers
    from jarkeeper.wiring import open_vault

    harden()
    settings = invocation.settings()
    vault = open_vault(settings)
    heads = heads_of(vault, jar)
    if not heads:
        raise NotFound("vault: there is no jar in it", hint="run `jarkeeper import cookies.txt`")
    answers: dict[str, tuple[Answered, ...]] = {}
    if not offline:
        found = {head.jar: ask(settings, vault, head, visit=visit) for head in heads}
        heads = tuple(one.head for one in found.values())
        answers = {name: one.answers for name, one in found.items()}
    now = datetime.now(UTC)
    jars = {head.jar: examine(head, now=now, settings=settings) for head in heads}
    critical = any(slots[0].severity == "critical" for slots in jars.values())
    if invocation.as_json:
        print_json(
            {
                "critical": critical,
                "jars": [
                    {
                        "jar": name,
                        "slots": [slot.as_dict() for slot in slots],
                        "answers": [as_dict(one) for one in answers.get(name, ())],
                    }
                    for name, slots in jars.items()
                ],
            }
        )
    else:
        for name, slots in jars.items():
            place = replace(invocation, jar=name)
            _print(Output(place=place), name, slots, answers.get(name, ()))
    if not offline:
        for name in jars:
            settled = scope_of_answers(name, answers.get(name, ()))
            settle(settings, vault, name, scope=settled)
    return Exit.FAILED if critical else Exit.OK


def _print(
    output: Output, jar: str, slots: tuple[SlotHealth, ...], answers: tuple[Answered, ...]
) -> None:
    from jarkeeper.cli.asking import sentence

    for slot in slots:
        generation = f"  generation {slot.record.generation.id[:8]}" if slot.record else ""
        output.line((f"{jar} {slot.name}", "strong"), (generation, "quiet"))
        for finding in slot.findings:
            output.finding(finding.severity, finding.message, finding.next_step)
    for answer in answers:
        output.finding(*sentence(answer))
