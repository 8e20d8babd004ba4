"""`jarkeeper status`: the whole vault on one screen, without opening a jar."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.errors import InputError, JarkeeperError
from jarkeeper.words import DAY, date_of, short_span

if TYPE_CHECKING:
    from jarkeeper.cli.attention import Attention
    from jarkeeper.cli.overview import JarOverview, Observer, Overview
    from jarkeeper.health import SlotHealth

HEADINGS = ("slot", "state", "age", "login until", "generation", "fingerprint", "source")
NARROW = HEADINGS.index("generation")
"""Of the columns, those that a narrow terminal has room for."""
STATE_STYLES = {"healthy": "good", "suspect": "warn", "cooling": "warn", "dead": "bad"}
WATCH_SECONDS = 5.0


class Seconds(click.FloatRange):
    """How long to wait between two looks."""

    def __init__(self) -> None:
        super().__init__(min=0.2, max=86_400)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or fail."""
        try:
            return float(super().convert(value, param, ctx))
        except click.BadParameter:
            got = f"expected a number of seconds from {self.min} to {self.max}, got '{value}'"
            self.fail(got, param, ctx)


@click.command(
    "status",
    epilog="\b\nExamples:\n"
    "  jarkeeper status\n"
    "  jarkeeper status --jar youtube --json\n"
    "  jarkeeper status --watch 10\n\n"
    "Generations and fingerprints are safe to show. Ctrl-C ends --watch. Where PREFECT_API_URL is "
    "set, the next runs are told. Exit code 0, whatever the state; `jarkeeper validate` is the "
    "one for scripts.",
)
@jar_option(words="This jar only.")
@click.option(
    "--watch",
    type=Seconds(),
    is_flag=False,
    flag_value=WATCH_SECONDS,
    metavar="[SECONDS]",
    help=f"Look again every {WATCH_SECONDS:.0f} s, or as often as you say.",
)
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str | None, watch: float | None) -> Exit:
    """Show the jars, their slots and states, and what to do next."""
    from jarkeeper.cli.overview import Observer
    from jarkeeper.wiring import open_vault

    output = Output()
    if watch is not None and not (invocation.as_json or output.on_terminal):
        raise InputError(
            "--watch: standard output is no terminal", hint="add --json for a document each time"
        )
    settings = invocation.settings()
    observer = Observer(open_vault(settings), settings)
    if watch is not None:
        _watch(observer, invocation, every=watch, jar=jar)
    elif invocation.as_json:
        print_json(observer.look(jar).as_dict())
    else:
        with output.busy("looking at the vault"):
            shown = observer.look(jar)
        _print(output, shown)
    return Exit.OK


def _watch(observer: Observer, invocation: Invocation, *, every: float, jar: str | None) -> None:
    try:
        if invocation.as_json:
            while True:
                print_json(observer.look(jar).as_dict())
                sys.stdout.flush()
                time.sleep(every)
        _redraw(observer, every=every, jar=jar)
    except KeyboardInterrupt:
        return  # the only way to end it, so nothing went wrong


def _redraw(observer: Observer, *, every: float, jar: str | None) -> None:
    from rich.live import Live

    console = Output().console
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            canvas = Output(drawn=[])
            try:
                _print(canvas, observer.look(jar))
            except JarkeeperError as error:
                # A store that does not answer now may do so the next time.
                canvas.finding("critical", error.message, error.hint)
            live.update(canvas.picture(), refresh=True)
            time.sleep(every)


def _print(output: Output, shown: Overview) -> None:
    output.entry("vault", shown.vault)
    for jar in shown.jars:
        place = replace(output.place, jar=jar.head.jar)
        _print_jar(replace(output, place=place), jar, now=shown.at)
    if not shown.jars:
        output.entry("next", "jarkeeper import cookies.txt")
    said = {(jar.head.jar, jar.next_step) for jar in shown.jars}
    for incident in shown.incidents:
        known = (incident.jar, incident.next_step) in said
        _print_incident(output, incident, now=shown.at, step=None if known else incident.next_step)
        said.add((incident.jar, incident.next_step))
    _print_runs(output, shown)


def _print_incident(
    output: Output, incident: Attention, *, now: datetime, step: str | None
) -> None:
    about = f"{incident.jar}: " if incident.jar else ""
    age = "" if incident.since is None else short_span((now - incident.since).total_seconds())
    since = f" (open for {age})" if age else ""
    output = replace(output, place=replace(output.place, jar=incident.jar or None))
    output.finding(incident.severity, f"{about}{incident.message}{since}", step)


def _print_runs(output: Output, shown: Overview) -> None:
    match shown.runs:
        case None:
            return
        case str() as trouble:
            output.entry("runs", (trouble, "quiet"))
        case ():
            output.entry("runs", ("none is scheduled", "quiet"))
        case runs:
            for number, run in enumerate(runs):
                wait = short_span((run.at - shown.at).total_seconds())
                when = "now" if run.at <= shown.at else f"in {wait}"
                output.entry("" if number else "runs", run.deployment, (f"  {when}", "quiet"))


def _print_jar(output: Output, jar: JarOverview, *, now: datetime) -> None:
    head = jar.head
    ago = short_span((now - head.at).total_seconds())
    output.entry(
        "jar",
        (head.jar, "strong"),
        (f"  last change: {head.action}, {ago} ago", "quiet"),
    )
    columns = NARROW if output.is_narrow else len(HEADINGS)
    output.table(HEADINGS[:columns], [_row(slot, now)[:columns] for slot in jar.slots])
    if life := _life(jar, now):
        output.entry("life", *life)
    output.entry("use", *_use(jar, now))
    output.entry("next", jar.next_step)


def _life(jar: JarOverview, now: datetime) -> tuple[Styled, ...]:
    """Return what earlier logins let expect of this one; nothing as long as none has ended."""
    life = jar.life
    if life.began is None or life.days is None:
        return ()
    lasted = short_span(life.days * DAY)
    lived = short_span((now - life.began).total_seconds())
    over = life.until is not None and life.until <= now
    others = "the last one" if life.ended == 1 else f"the last {life.ended}"
    mine = f"this login is {lived} old"
    return (mine, "warn" if over else ""), (f"; {others} lasted {lasted}", "quiet")


def _use(jar: JarOverview, now: datetime) -> tuple[Styled, ...]:
    opens = jar.opens
    if opens.last is None:
        return (("not opened lately", "quiet"),)
    ago = short_span((now - opens.last).total_seconds())
    share = f"; {opens.this_hour} of {opens.per_hour} opens in this hour"
    return f"last opened {ago} ago", (share, "quiet")


def _row(slot: SlotHealth, now: datetime) -> tuple[Styled, ...]:
    record = slot.record
    if record is None:
        return (slot.name, ("missing", "warn"), "-", "-", "-", "-", "-")
    generation = record.generation
    return (
        slot.name,
        _state(slot, now),
        short_span((now - generation.created_at).total_seconds()),
        _login(slot, now),
        generation.id[:8],
        generation.fingerprint[:8],
        generation.source.value,
    )


def _state(slot: SlotHealth, now: datetime) -> Styled:
    record = slot.record
    assert record is not None  # noqa: S101 - its caller looked
    if record.is_cooling(now) and record.until is not None:
        return f"cooling, {short_span((record.until - now).total_seconds())}", "warn"
    return record.state.value, STATE_STYLES[record.state]


def _login(slot: SlotHealth, now: datetime) -> Styled:
    record = slot.record
    assert record is not None  # noqa: S101 - its caller looked
    until = record.generation.facts.login_until
    if until is None:
        return "no login", "bad"
    if until == 0:
        return "unknown"
    if until <= now.timestamp():
        return "expired", "bad"
    soon = any(item.code == "expires-soon" for item in slot.findings)
    return (date_of(until), "warn") if soon else date_of(until)
