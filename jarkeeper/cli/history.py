"""`jarkeeper history`: every generation of a jar, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.cli.place import DEFAULT_JAR
from jarkeeper.words import short_span

if TYPE_CHECKING:
    from jarkeeper.heads import Head, SlotRecord
    from jarkeeper.lifecycle.past import Past

HEADINGS = ("generation", "came (UTC)", "from", "active", "ended", "now")
HEAD_HEADINGS = ("head", "at (UTC)", "what", "active", "backups")
ROOMY = 90
"""Columns of a terminal from which on every column of the table fits."""
PLACE_STYLES = {"active": "good", "revoked": "bad"}
STATE_SIGNS = {"healthy": "", "suspect": " suspect", "cooling": " cooling", "dead": " dead"}


@click.command(
    "history",
    epilog="\b\nExamples:\n"
    "  jarkeeper history\n"
    "  jarkeeper history --jar music --json\n"
    "  jarkeeper history --heads\n\n"
    "`renewed` is a generation that its own write-back replaced. The digits name a generation to "
    "`restore`, `revoke` and `diff`. Nothing is opened for it.",
)
@jar_option(words="The jar to tell of.", default=DEFAULT_JAR)
@click.option("--heads", is_flag=True, help="The log itself: every change of the slots.")
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str, *, heads: bool) -> Exit:
    """Show every generation of a jar, the newest first."""
    from jarkeeper.cli.generations import history_of
    from jarkeeper.lifecycle.past import past_of
    from jarkeeper.wiring import open_vault

    vault = open_vault(invocation.settings())
    with Output(aside=True).busy("reading the history"):
        history = history_of(vault, jar)
    log = history.heads[::-1] if heads else ()
    past = past_of(history.heads, now=datetime.now(UTC))
    if invocation.as_json:
        document: dict[str, Any] = {"jar": jar, "generations": [item.as_dict() for item in past]}
        print_json(document | ({"heads": [_head_document(head) for head in log]} if heads else {}))
    elif heads:
        _print_heads(Output(), log)
    else:
        _print_past(Output(), past)
    return Exit.OK


def _print_past(output: Output, past: list[Past]) -> None:
    wanted = set(HEADINGS)
    if not output.has_room(ROOMY):
        wanted.remove("from")
    if output.is_narrow:
        wanted.remove("active")
    places = [number for number, heading in enumerate(HEADINGS) if heading in wanted]
    rows = [_row(item, is_narrow=output.is_narrow) for item in past]
    output.table(
        [HEADINGS[place] for place in places], [[row[place] for place in places] for row in rows]
    )


def _row(past: Past, *, is_narrow: bool) -> tuple[Styled, ...]:
    record = past.generation
    ended = f"{past.ended}: {past.reason}" if past.reason and not is_narrow else past.ended
    seconds = past.active_seconds
    return (
        record.id[:8],
        _moment(record.created_at, is_narrow=is_narrow),
        record.source.value,
        "never" if seconds is None else short_span(seconds),
        (ended or "-", "bad" if past.ended in ("died", "revoked") else ""),
        (past.place, PLACE_STYLES.get(past.place, "")),
    )


def _print_heads(output: Output, log: tuple[Head, ...]) -> None:
    rows = [
        (
            str(head.seq),
            _moment(head.at, is_narrow=output.is_narrow),
            head.action.value,
            _slot_text(head.active) if head.active else ("none", "warn"),
            ", ".join(map(_slot_text, head.backups)) or "-",
        )
        for head in log
    ]
    columns = len(HEAD_HEADINGS) - output.is_narrow
    output.table(HEAD_HEADINGS[:columns], [row[:columns] for row in rows])


def _moment(moment: datetime, *, is_narrow: bool) -> str:
    return f"{moment:%Y-%m-%d}" if is_narrow else f"{moment:%Y-%m-%d %H:%M}"


def _slot_text(item: SlotRecord) -> str:
    return f"{item.generation.id[:8]}{STATE_SIGNS[item.state]}"


def _head_document(head: Head) -> dict[str, Any]:
    from jarkeeper.heads import slot_to_json

    return {
        "seq": head.seq,
        "at": head.at,
        "action": head.action,
        "active": None if head.active is None else slot_to_json(head.active),
        "backups": [slot_to_json(item) for item in head.backups],
        "revoked": list(head.revoked),
    }
