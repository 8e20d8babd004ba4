"""`jarkeeper schedule`: when the deployments run, when they last did, and how to change that."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, json_option, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.server import imported, refusals, require_server
from jarkeeper.errors import InputError
from jarkeeper.words import count_of, printable, short_span

WANTED_BY = "schedule"
COLUMNS = ("deployment", "schedule", "", "last run", "next run")
_SPAN = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
EVERY_SECONDS_MAX = 366 * 86_400
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@click.group(
    "schedule",
    invoke_without_command=True,
    no_args_is_help=False,
    epilog="\b\nExamples:\n"
    "  jarkeeper schedule\n"
    "  jarkeeper schedule set validate --every 30m\n"
    "  jarkeeper schedule set download --cron '30 3 * * *' --on\n"
    "  jarkeeper schedule set cleanup --off\n\n"
    "It asks the Prefect server that PREFECT_API_URL names. What is changed here lasts until the "
    "next `prefect deploy`, which puts back what stands in prefect.yaml.",
)
@json_option
@click.pass_context
def command(context: click.Context) -> Exit | None:
    """Show when the deployments run, or change it."""
    if context.invoked_subcommand is not None:
        return None
    found = _asked(lambda deployments: deployments.deployed())
    if context.ensure_object(Invocation).as_json:
        print_json({"deployments": [asdict(item) for item in found]})
    elif not found:
        hint = "deploy them: `prefect --no-prompt deploy --all` in the project's folder"
        Output(aside=True).finding("warning", "the server has no deployment of ours", hint)
    else:
        Output().table(COLUMNS, map(_row, found))
    return Exit.OK


@command.command(
    "set",
    short_help="Change a deployment's schedule.",
    epilog="\b\nExamples:\n"
    "  jarkeeper schedule set validate --every 30m\n"
    "  jarkeeper schedule set rotate --cron '*/10 * * * *'\n"
    "  jarkeeper schedule set download --on",
)
@click.argument("deployment")
@click.option("--cron", metavar="EXPRESSION", help="When to run, as cron says it (UTC).")
@click.option("--every", metavar="SPAN", help="How often to run, such as 30m, 12h or 1d.")
@click.option("--on/--off", "active", default=None, help="Whether the schedule runs.")
@json_option
@pass_invocation
def set_(
    invocation: Invocation,
    deployment: str,
    cron: str | None,
    every: str | None,
    *,
    active: bool | None,
) -> Exit:
    """Change when DEPLOYMENT runs, or whether it does."""
    if cron is not None and every is not None:
        raise InputError("schedule: expected --cron or --every, got both")
    if cron is None and every is None and active is None:
        raise InputError("schedule: expected --cron, --every, --on or --off, got none")
    seconds = None if every is None else parse_span(every)
    changed = _asked(
        lambda deployments: deployments.set_schedule(
            deployment, cron=cron, every=seconds, active=active
        )
    )
    if invocation.as_json:
        print_json(asdict(changed))
    else:
        Output().table(COLUMNS, [_row(changed)])
    return Exit.OK


def parse_span(text: str) -> int:
    """Return the seconds of a span such as 90s, 30m, 12h or 1d."""
    match = _SPAN.fullmatch(text)
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not 0 < seconds <= EVERY_SECONDS_MAX:
        raise InputError(
            "--every: expected a span of at most a year, such as 30m, 12h or 1d, got "
            f"'{printable(text[:40])}'"
        )
    return seconds


def _asked(question: Callable[[Any], Any]) -> Any:
    with Output(aside=True).busy("asking Prefect"):
        require_server(WANTED_BY)
        deployments = imported("tasks.deployments", wanted_by=WANTED_BY)
        with refusals(WANTED_BY):
            return question(deployments)


def _row(item: Any) -> tuple[str, ...]:
    now = datetime.now(UTC)
    whens = ", ".join(one.when for one in item.timetables) or "none"
    active = sum(one.active for one in item.timetables)
    state = "on" if active == len(item.timetables) and active else "off"
    if 0 < active < len(item.timetables):
        state = f"{count_of(active, 'schedule')} on"
    last = "never" if item.last is None else f"{item.last.state}, {_ago(now, item.last.at)} ago"
    following = "soon" if item.next is None else f"in {_ago(item.next.at, now)}"
    following = following if active else "-"
    return item.name, whens, state, last, following


def _ago(later: datetime, earlier: datetime) -> str:
    return short_span(max(0.0, (later - earlier).total_seconds()))
