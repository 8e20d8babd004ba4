"""`jarkeeper status`: what is in the vault, on one screen, without opening a jar."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.cli.words import date_of, short_span

if TYPE_CHECKING:
    from jarkeeper.cli.health import SlotHealth
    from jarkeeper.heads import Head

HEADINGS = ("slot", "state", "age", "login until", "generation", "fingerprint", "source")
STATE_STYLES = {"healthy": "good", "suspect": "warn", "cooling": "warn", "dead": "bad"}


@click.command(
    "status",
    epilog="\b\nExamples:\n"
    "  jarkeeper status\n"
    "  jarkeeper status --jar youtube --json\n\n"
    "Generations and fingerprints are safe to show. Exit code 0, whatever the state; "
    "`jarkeeper validate` is the one for scripts.",
)
@click.option("--jar", metavar="NAME", help="This jar only.")
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str | None) -> Exit:
    """Show the jars, their slots and states, and what to do next."""
    from jarkeeper.cli.health import examine, heads_of
    from jarkeeper.wiring import open_vault

    settings = invocation.settings()
    vault = open_vault(settings)
    now = datetime.now(UTC)
    jars = [(head, examine(head, now=now, settings=settings)) for head in heads_of(vault, jar)]
    if invocation.as_json:
        print_json(
            {
                "vault": settings.vault,
                "vault_id": vault.id,
                "jars": [_document(head, slots) for head, slots in jars],
            }
        )
        return Exit.OK
    output = Output()
    output.line(("vault  ", "quiet"), str(settings.vault))
    for head, slots in jars:
        _print_jar(output, head, slots, now=now)
    if not jars:
        output.line(("next   ", "quiet"), "jarkeeper import cookies.txt")
    return Exit.OK


def _document(head: Head, slots: tuple[SlotHealth, ...]) -> dict[str, object]:
    from jarkeeper.cli.health import next_step

    return {
        "jar": head.jar,
        "head_seq": head.seq,
        "at": head.at,
        "slots": [slot.as_dict() for slot in slots],
        "revoked": len(head.revoked),
        "next": next_step(slots),
    }


def _print_jar(output: Output, head: Head, slots: tuple[SlotHealth, ...], *, now: datetime) -> None:
    from jarkeeper.cli.health import next_step

    ago = short_span((now - head.at).total_seconds())
    output.line(
        ("jar    ", "quiet"), (head.jar, "strong"), (f"  {head.action}, {ago} ago", "quiet")
    )
    output.table(HEADINGS, [_row(slot, now) for slot in slots])
    output.line(("next   ", "quiet"), next_step(slots))


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
    return date_of(until)
