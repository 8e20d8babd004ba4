"""`jarkeeper audit`: who did what with which jar."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import TYPE_CHECKING

import click

from jarkeeper.actions import Action
from jarkeeper.audit.places import parse_event_key, parse_volume_key
from jarkeeper.audit.told import BEFORE
from jarkeeper.cli.audit_archive import pack, retire
from jarkeeper.cli.audit_proof import checkpoint, key, prove, verify
from jarkeeper.cli.compliance import command as compliance
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.inputs import Count
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.cli.report import named as report
from jarkeeper.cli.sources import command as sources
from jarkeeper.errors import InputError
from jarkeeper.since import parse_since
from jarkeeper.words import count_of

if TYPE_CHECKING:
    from jarkeeper.audit import Event

HEADINGS = ("time (UTC)", "action", "jar", "slot", "generation", "result", "by")
ROOMY = 100
"""Columns of a terminal from which on a table with everything in it can be read."""
WIDE = 72
"""Columns from which on who did it has room beside what came of it."""
RESULT_STYLES = {"ok": "good", "refused": "warn", "failed": "bad", "conflict": "warn"}
NEWS = (Action.USE, Action.DOWNLOAD)
"""What counts videos by class: `OK`, and each class of failure."""
SHORT = 8
"""Digits of a writer that tell it from others well enough."""
COUNTS_SHOWN = 6
"""Of a run's outcomes by class; `--json` has all."""


@click.group(
    "audit",
    invoke_without_command=True,
    epilog="\b\nExamples:\n"
    "  jarkeeper audit --since 7d\n"
    "  jarkeeper audit --since 2026-01-01 --jar youtube --limit 1000\n"
    "  jarkeeper audit --ids --since 1d\n"
    "  jarkeeper audit verify\n\n"
    "One line for each access, oldest first, at the time of its last event; with --json every "
    "event, the intent before and the outcome after. `no outcome` is an access whose process was "
    "ended in between, and in "
    "a copy the copying itself: what it came to stands in the vault that was copied.",
)
@jar_option(words="This jar only.")
@click.option("--since", metavar="WHEN", help="A span such as 12h or 7d, or a date (UTC).")
@click.option(
    "--limit",
    type=Count(),
    metavar="N",
    default=100,
    show_default=True,
    help="The newest N accesses only.",
)
@click.option("--ids", is_flag=True, help="Name each event, as `audit prove` wants it.")
@common_options
@pass_invocation
@click.pass_context
def command(
    context: click.Context,
    invocation: Invocation,
    jar: str | None,
    since: str | None,
    limit: int,
    *,
    ids: bool,
) -> Exit | None:
    """Show the audit trail; its commands prove, pack and explain it."""
    if context.invoked_subcommand is not None:
        _require_none_of_the_list(context)
        return None
    from jarkeeper.health import heads_of
    from jarkeeper.wiring import open_vault

    start = None if since is None else parse_since(since, now=datetime.now(UTC))
    vault = open_vault(invocation.settings())
    left_out: list[str] = []
    events = (
        event for event in vault.trail.read(start, left_out=left_out) if jar in (None, event.jar)
    )
    with Output(aside=invocation.as_json).busy("reading the audit trail"):
        accesses, total = newest(events, most=limit)
    if jar is not None and not accesses:
        heads_of(vault, jar)
    if invocation.as_json:
        shown = chain.from_iterable(access.events for access in accesses)
        print_json({"events": [asdict(event) for event in shown], "left_out": left_out})
    else:
        print_accesses(accesses, total, ids=ids)
        if left_out:
            said = f"{_in_words(left_out)} left out: not what was written"
            Output(aside=True).finding("critical", said, "run `jarkeeper audit verify`")
    return Exit.VAULT if left_out else Exit.OK


_REPORT = report("audit report")
for _part in (_REPORT, verify, checkpoint, key, prove, sources, compliance, pack, retire):
    command.add_command(_part)


def _require_none_of_the_list(context: click.Context) -> None:
    """Refuse what only the list takes in front of another command, which would not heed it."""
    for name in ("jar", "since", "limit", "ids"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise InputError(
                f"--{name}: goes with the list of `jarkeeper audit` alone, not before "
                f"'{context.invoked_subcommand}'",
                hint=f"`jarkeeper audit {context.invoked_subcommand} --help` tells what that takes",
            )


def _in_words(left_out: list[str]) -> str:
    """Return how much of the trail is not shown."""
    events = sum(parse_event_key(key) is not None for key in left_out)
    volumes = len({place[:2] for place in map(parse_volume_key, left_out) if place})
    counted = ((events, "event"), (volumes, "volume"))
    words = [count_of(count, noun) for count, noun in counted if count]
    if volumes:
        words.append(f"all events in {'it' if volumes == 1 else 'them'}")
    return f"{', '.join(words[:-1])} and {words[-1]}" if words[1:] else words[0]


@dataclass(slots=True)
class Access:
    """The events of one access: an intent, and an outcome unless the process was ended."""

    events: list[Event]

    @property
    def last(self) -> Event:
        """The event that tells the most."""
        return self.events[-1]

    @property
    def result(self) -> str:
        """How it ended, with the reason or the counts on record."""
        event = self.last
        if event.outcome is None:
            return "no outcome"
        if event.action is Action.INCIDENT:
            return f"{event.detail}: {', '.join(event.counts)}"
        if event.action is Action.RETIRE and BEFORE in event.counts:
            return f"events before {_day(event.counts[BEFORE])}"
        if event.counts:
            counted = [f"{name} {count}" for name, count in event.counts.items()]
            return ", ".join(counted[:COUNTS_SHOWN]) + (", …" if counted[COUNTS_SHOWN:] else "")
        return f"{event.outcome.value}: {event.detail}" if event.detail else event.outcome.value

    @property
    def style(self) -> str:
        """How well it ended: what was recorded in good order may be bad news."""
        event = self.last
        if event.action is Action.INCIDENT and "closed" not in event.counts:
            return "bad" if "critical" in event.counts else "warn"
        if event.action in NEWS and set(event.counts) - {"OK"}:
            return "warn"
        return RESULT_STYLES.get(event.outcome or "", "warn")


def newest(events: Iterable[Event], *, most: int) -> tuple[list[Access], int]:
    """Return the accesses that began last, by their last event, and how many there were in all."""
    accesses: dict[str, Access] = {}
    total = 0
    for event in events:
        if event.access not in accesses:
            total += 1
            accesses[event.access] = Access([])
            if len(accesses) > most:
                # A trail may be of many years: what is not shown is not kept.
                del accesses[next(iter(accesses))]
        accesses[event.access].events.append(event)
    return sorted(accesses.values(), key=lambda access: access.last.at), total


def _day(ordinal: int) -> str:
    """Return the day of that number; whatever a trail has on record must not break its list."""
    try:
        return f"{date.fromordinal(ordinal)}"
    except (ValueError, OverflowError):
        return f"day {ordinal}"


def print_accesses(accesses: list[Access], total: int, *, ids: bool) -> None:
    """Print a row for each access, and how many there are besides."""
    if accesses:
        _print_table(Output(), [_row(access, ids=ids) for access in accesses], ids=ids)
    aside = Output(aside=True)
    if not accesses:
        aside.line("nothing is on record for that")
    elif total > len(accesses):
        words = f"the newest {len(accesses)} of {total} accesses; --limit shows more"
        aside.line((words, "quiet"))


def _print_table(output: Output, rows: list[tuple[Styled, ...]], *, ids: bool) -> None:
    """Print the rows; on a terminal, what is the same in all of them stands above, once.

    Where there is too little room, slot and generation are left out, then who did it.
    """
    headings: tuple[str, ...] = (*HEADINGS, "event") if ids else HEADINGS
    narrow = not output.has_room(WIDE)
    left_out, above = ({"by"} if narrow else set()), set()
    for column in ("by", "jar") if output.on_terminal else ():
        values = {row[headings.index(column)] for row in rows} - {"-"}
        if len(values) == 1:
            output.entry(column, *values)
            above.add(column)
    if not ("by" in above or output.has_room(ROOMY)) or narrow:
        left_out |= {"slot", "generation"}
    places = [place for place, heading in enumerate(headings) if heading not in left_out | above]
    output.table(
        [headings[place] for place in places], [[row[place] for place in places] for row in rows]
    )
    if missing := [heading for heading in headings if heading in left_out - above]:
        words = f"a wider window, a pipe and --json show more: {', '.join(missing)}"
        Output(aside=True).line((words, "quiet"))


def _row(access: Access, *, ids: bool) -> tuple[Styled, ...]:
    event = access.last
    cells: tuple[Styled, ...] = (
        f"{event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        event.action.value,
        event.jar or "-",
        event.slot or "-",
        event.generation[:8] or "-",
        (access.result, access.style),
        event.actor,
    )
    return (*cells, f"{event.writer[:SHORT]}/{event.seq}") if ids else cells
