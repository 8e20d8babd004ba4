"""`jarkeeper status`: what is in the vault, on one screen, without opening a jar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.words import date_of, short_span

if TYPE_CHECKING:
    from jarkeeper.heads import Head
    from jarkeeper.health import SlotHealth

HEADINGS = ("slot", "state", "age", "login until", "generation", "fingerprint", "source")
NARROW = HEADINGS.index("fingerprint")
"""Of the columns, those that a narrow terminal has room for."""
STATE_STYLES = {"healthy": "good", "suspect": "warn", "cooling": "warn", "dead": "bad"}


@click.command(
    "status",
    epilog="\b\nExamples:\n"
    "  jarkeeper status\n"
    "  jarkeeper status --jar youtube --json\n\n"
    "Generations and fingerprints are safe to show. Exit code 0, whatever the state; "
    "`jarkeeper validate` is the one for scripts.",
)
@jar_option(words="This jar only.")
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str | None) -> Exit:
    """Show the jars, their slots and states, and what to do next."""
    from jarkeeper.health import examine, heads_of
    from jarkeeper.wiring import open_vault

    settings = invocation.settings()
    vault = open_vault(settings)
    now = datetime.now(UTC)
    shown = [
        Shown(
            head,
            slots=examine(head, now=now, settings=settings),
        )
        for head in heads_of(vault, jar)
    ]
    if invocation.as_json:
        jars = [item.as_dict() for item in shown]
        print_json({"vault": settings.place, "vault_id": vault.id, "jars": jars})
        return Exit.OK
    output = Output()
    output.entry("vault", settings.place)
    for item in shown:
        place = replace(invocation, jar=item.head.jar)
        _print_jar(Output(place=place), item, now=now)
    if not shown:
        output.entry("next", "jarkeeper import cookies.txt")
    return Exit.OK


@dataclass(frozen=True)
class Shown:
    """What is shown of a jar."""

    head: Head
    slots: tuple[SlotHealth, ...]

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values for JSON."""
        from jarkeeper.health import next_step

        return {
            "jar": self.head.jar,
            "head_seq": self.head.seq,
            "at": self.head.at,
            "slots": [slot.as_dict() for slot in self.slots],
            "revoked": len(self.head.revoked),
            "next": next_step(self.slots),
        }


def _print_jar(output: Output, shown: Shown, *, now: datetime) -> None:
    from jarkeeper.health import next_step

    head = shown.head
    ago = short_span((now - head.at).total_seconds())
    output.entry(
        "jar",
        (head.jar, "strong"),
        (f"  last change: {head.action}, {ago} ago", "quiet"),
    )
    columns = NARROW if output.is_narrow else len(HEADINGS)
    output.table(HEADINGS[:columns], [_row(slot, now)[:columns] for slot in shown.slots])
    output.entry("next", next_step(shown.slots))


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
