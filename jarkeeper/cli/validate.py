"""`jarkeeper validate`: do the cookies still make a login, and what to do if not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import NotFound

if TYPE_CHECKING:
    from jarkeeper.heads import Head
    from jarkeeper.health import SlotHealth
    from jarkeeper.settings import Settings
    from jarkeeper.vault import Vault
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
    from jarkeeper.cli.watched import telling

    settings = invocation.settings()
    with telling(settings):
        return _look(invocation, settings, jar, offline=offline, visit=visit)


def _look(
    invocation: Invocation, settings: Settings, jar: str | None, *, offline: bool, visit: bool
) -> Exit:
    from jarkeeper.cli.watched import settle
    from jarkeeper.health import heads_of
    from jarkeeper.lifecycle.conditions import scope_of_answers
    from jarkeeper.wiring import open_vault

    vault = open_vault(settings)
    heads = heads_of(vault, jar)
    if not heads:
        raise NotFound("vault: there is no jar in it", hint="run `jarkeeper import cookies.txt`")
    seen = [_seen(settings, vault, head, offline=offline, visit=visit) for head in heads]
    critical = any(one.slots[0].severity == "critical" for one in seen)
    if invocation.as_json:
        print_json({"critical": critical, "jars": [one.as_dict() for one in seen]})
    else:
        for one in seen:
            _print(Output(place=replace(invocation, jar=one.jar)), one)
    for one in () if offline else seen:
        (head,) = heads_of(vault, one.jar)
        settle(settings, vault, one.jar, scope=scope_of_answers(head, one.answers))
    return Exit.FAILED if critical else Exit.OK


@dataclass(frozen=True, slots=True)
class Seen:
    """A jar's slots as they are now, and what YouTube answered."""

    jar: str
    slots: tuple[SlotHealth, ...]
    answers: tuple[Answered, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; there is no secret in it."""
        from jarkeeper.cli.asking import as_dict

        return {
            "jar": self.jar,
            "slots": [slot.as_dict() for slot in self.slots],
            "answers": [as_dict(one) for one in self.answers],
        }


def _seen(settings: Settings, vault: Vault, head: Head, *, offline: bool, visit: bool) -> Seen:
    from jarkeeper.cli.asking import ask
    from jarkeeper.health import examine

    answers: tuple[Answered, ...] = ()
    if not offline:
        validation = ask(settings, vault, head, visit=visit)
        head, answers = validation.head, validation.answers
    return Seen(head.jar, examine(head, now=datetime.now(UTC), settings=settings), answers)


def _print(output: Output, seen: Seen) -> None:
    from jarkeeper.cli.asking import sentence

    for slot in seen.slots:
        generation = f"  generation {slot.record.generation.id[:8]}" if slot.record else ""
        output.line((f"{seen.jar} {slot.name}", "strong"), (generation, "quiet"))
        for finding in slot.findings:
            output.finding(finding.severity, finding.message, finding.next_step)
    for answer in seen.answers:
        output.finding(*sentence(answer))
