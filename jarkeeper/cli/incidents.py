"""`jarkeeper incidents`: what is wrong now, since when, who was told, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.cli.attention import gravest_first
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.failures import report
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.output import SEVERITY_STYLES, Output, Styled, print_json
from jarkeeper.errors import IntegrityError, JarkeeperError
from jarkeeper.since import parse_since
from jarkeeper.words import count_of, short_span

if TYPE_CHECKING:
    from jarkeeper.incidents import Incident
    from jarkeeper.settings import Settings

HEADINGS = ("opened (UTC)", "cause", "jar", "lasted", "severity", "what happened")
FIND_OUT = "run `jarkeeper check`, find out who put it there, and remove it"
NARROW = HEADINGS.index("severity")
"""Of the columns, those that a narrow terminal has room for."""


@click.command(
    "incidents",
    epilog="\b\nExamples:\n"
    "  jarkeeper incidents\n"
    "  jarkeeper incidents --since 7d\n"
    "  jarkeeper incidents --all --json | jq '.incidents[].cause'\n\n"
    "An incident is one span of trouble with one cause. It is opened and closed by the checks "
    "that run on a schedule, and by `validate` and `health`. Exit code 3 if the vault cannot be "
    "used, or a record is not what was written: then that is told beside the others.",
)
@jar_option(words="This jar only.")
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@click.option("--since", metavar="WHEN", help="Also those of a span such as 7d, or since a date.")
@common_options
@pass_invocation
def command(
    invocation: Invocation, jar: str | None, since: str | None, *, everything: bool
) -> Exit:
    """Show the incidents that go on, and what to do."""
    now = datetime.now(UTC)
    start = None if since is None else parse_since(since, now=now)
    settings = invocation.settings()
    found, trouble = _gathered(settings, start, jar, everything=everything or since is not None)
    shown = [incident for incident in found if jar in (None, incident.jar)]
    if invocation.as_json:
        _print_json(shown, now, trouble)
    elif everything or since is not None:
        _print_table(shown, now)
        if not shown and trouble is None:
            Output(aside=True).line("there was no incident")
    else:
        _print_open(Output(), gravest_first(shown), now)
        if not shown and trouble is None:
            Output(aside=True).line("nothing is wrong that anybody looked for")
    if trouble is None:
        return Exit.OK
    return Exit.VAULT if invocation.as_json else report(trouble, as_json=False, place=invocation)


def _gathered(
    settings: Settings, start: datetime | None, jar: str | None, *, everything: bool
) -> tuple[list[Incident], JarkeeperError | None]:
    """Return the incidents of the vault and of its place, and what keeps others from being told."""
    from jarkeeper.health import heads_of
    from jarkeeper.wiring import open_journal, open_vault

    vault, trouble = None, None
    try:
        vault = open_vault(settings)
    except JarkeeperError as error:
        trouble = error
    found: list[Incident] = []
    journals = [open_journal(settings, place) for place in ((None, vault) if vault else (None,))]
    for journal in journals:
        try:
            look = journal.look_back(start) if everything else journal.look()
        except JarkeeperError as error:
            trouble = trouble or error
            continue
        found += [one for one in look.incidents if everything or one.is_open]
        if look.damage:
            trouble = trouble or IntegrityError("; ".join(look.damage), hint=FIND_OUT)
    if vault is not None and jar is not None and all(one.jar != jar for one in found):
        heads_of(vault, jar)  # a name that was mistyped is no all-clear
    return sorted(found, key=lambda incident: incident.opened_at), trouble


def _print_json(incidents: list[Incident], now: datetime, trouble: JarkeeperError | None) -> None:
    document: dict[str, Any] = {
        "incidents": [
            asdict(incident)
            | {"open": incident.is_open, "seconds": int(incident.lasted(now).total_seconds())}
            for incident in incidents
        ]
    }
    if trouble is not None:
        document |= {"error": trouble.message, "hint": trouble.hint}
    print_json(document)


def _print_open(output: Output, incidents: list[Incident], now: datetime) -> None:
    for incident in incidents:
        lasted = short_span(incident.lasted(now).total_seconds())
        about = f"{incident.cause} {incident.jar}".rstrip()
        output.line((about, "strong"), (f"  for {lasted}, {_told(incident)}", "quiet"))
        output.finding(incident.severity, incident.message, incident.next_step)
        if incident.done:
            output.line((f"   what Jarkeeper did: {incident.done}", "quiet"))


def _told(incident: Incident) -> str:
    sent = [notice.sent_at for notice in incident.notices if notice.sent_at is not None]
    if not sent:
        return "nobody was told"
    return f"{count_of(len(sent), 'step')} told, the last at {max(sent):%Y-%m-%d %H:%M} UTC"


def _print_table(incidents: list[Incident], now: datetime) -> None:
    if incidents:
        output = Output()
        columns = NARROW if output.is_narrow else len(HEADINGS)
        output.table(HEADINGS[:columns], [_row(item, now)[:columns] for item in incidents])


def _row(incident: Incident, now: datetime) -> tuple[Styled, ...]:
    lasted = short_span(incident.lasted(now).total_seconds())
    return (
        f"{incident.opened_at.astimezone(UTC):%Y-%m-%d %H:%M}",
        incident.cause.value,
        incident.jar or "-",
        (f"{lasted} so far", "warn") if incident.is_open else lasted,
        (incident.severity.value, SEVERITY_STYLES[incident.severity]),
        incident.message,
    )
