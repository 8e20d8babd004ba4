"""`jarkeeper alerts`: who is told of incidents, and whether the channels work."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.automations import install, present
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import InputError, SettingsError
from jarkeeper.words import printable

if TYPE_CHECKING:
    from jarkeeper.alerts import Channel, Plan

LOOK = "see whether its address is right and the service answers; then test again"
NOBODY = "nobody is told of incidents but the log: see docs/alerts.md for JARKEEPER_ALERTS_FILE"


@click.group(
    "alerts",
    no_args_is_help=False,
    epilog="\b\nExamples:\n"
    "  jarkeeper alerts list\n"
    "  jarkeeper alerts test --to ops\n"
    "  jarkeeper alerts test --json\n\n"
    "Who is told stands in the file that JARKEEPER_ALERTS_FILE names: docs/alerts.md.",
)
def command() -> None:
    """Show and test who is told of incidents."""


command.add_command(install)


@command.command(
    "list",
    short_help="Show the recipients and the steps.",
    epilog="\b\nExamples:\n  jarkeeper alerts list\n  jarkeeper alerts list --json\n\n"
    "Recipients are shown with the kinds of their channels, never with an address.",
)
@common_options
@pass_invocation
def list_(invocation: Invocation) -> Exit:
    """Show the recipients and the steps; every mistake in the file is told."""
    plan, channels = _opened(invocation)
    if invocation.as_json:
        print_json(
            {
                "recipients": [
                    {"name": item.recipient, "channel": item.label, "kind": item.kind}
                    for item in channels
                ],
                "steps": [asdict(step) for step in plan.steps],
                "automations": present(),
            }
        )
        return Exit.OK
    if not channels:
        Output(aside=True).line(NOBODY)
    else:
        _print(Output(), plan, channels)
    if automations := present():
        Output().entry("prefect", ", ".join(automations))
    return Exit.OK


@command.command(
    "test",
    short_help="Send a message that shows whether the channels work.",
    epilog="\b\nExamples:\n  jarkeeper alerts test\n  jarkeeper alerts test --to ops\n\n"
    "Exit code 1 if a channel did not take the message, 2 if the file has a mistake.",
)
@click.option("--to", metavar="NAME", help="This recipient only.")
@common_options
@pass_invocation
def test(invocation: Invocation, to: str | None) -> Exit:
    """Send a test to every recipient, and tell what each channel answered."""
    from jarkeeper.alerts.deliver import send
    from jarkeeper.alerts.words import test_message

    plan, channels = _opened(invocation)
    if to is not None and to not in plan.recipients:
        known = ", ".join(plan.recipients) or "none"
        raise InputError(
            f"--to '{printable(to[:40])}': there is no such recipient, there is {known}",
            hint="see `jarkeeper alerts list`",
        )
    wanted = [channel for channel in channels if to in (None, channel.recipient)]
    if not wanted:
        raise InputError("alerts: there are no recipients", hint="see docs/alerts.md")
    message = test_message(place=invocation.settings().place, now=datetime.now(UTC))
    with Output(aside=invocation.as_json).busy("sending"):
        failures = send(message, wanted)
    if invocation.as_json:
        answers = [
            {"channel": item.label, "kind": item.kind, "failure": failures.get(item.label)}
            for item in wanted
        ]
        print_json({"answers": answers})
    else:
        for item in wanted:
            told = failures.get(item.label, f"channel '{item.label}' ({item.kind}): took it")
            Output().finding("critical" if item.label in failures else "ok", told, LOOK)
    return Exit.FAILED if failures else Exit.OK


def _opened(invocation: Invocation) -> tuple[Plan, tuple[Channel, ...]]:
    """Return the plan and its channels, or raise `SettingsError` with what cannot be meant."""
    from jarkeeper.alerts.channels import Broken, open_channels
    from jarkeeper.alerts.plan import read_plan, source_of

    settings = invocation.settings()
    plan = read_plan(settings)
    channels = open_channels(plan, settings)
    broken = [item for item in channels if isinstance(item, Broken)]
    if broken:
        source = source_of(settings)
        raise SettingsError(tuple(f"{source}: {item.entry}: {item.reason}" for item in broken))
    return plan, channels


def _print(output: Output, plan: Plan, channels: tuple[Channel, ...]) -> None:
    for name in plan.recipients:
        kinds = [channel.kind for channel in channels if channel.recipient == name]
        output.entry(name, ", ".join(kinds))
    rows = [
        (str(number), _when(step.after_minutes), step.severity.value, ", ".join(step.to))
        for number, step in enumerate(plan.steps, start=1)
    ]
    output.table(("step", "when", "at least", "to"), rows)


def _when(minutes: int) -> str:
    if minutes == 0:
        return "at once"
    return f"after {minutes} min" if minutes % 60 else f"after {minutes // 60} h"
