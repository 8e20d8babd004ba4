"""`jarkeeper audit pack` and `retire`: finished days into volumes, and what is past its time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import InputError
from jarkeeper.words import count_of

if TYPE_CHECKING:
    from jarkeeper.audit import Trail
    from jarkeeper.audit.archive import ArchiveReceipt


@click.command(
    "pack",
    epilog="\b\nExamples:\n  jarkeeper audit pack\n  jarkeeper audit pack --json\n\n"
    "Days older than COOKIE_ARCHIVE_DAYS become Parquet files, which hold every line byte for "
    "byte and are verified like it; the single objects are deleted once their volume was read "
    "back. The flow `archive` does it every night.",
)
@common_options
@pass_invocation
def pack(invocation: Invocation) -> Exit:
    """Pack finished days of the audit trail into volumes."""
    from jarkeeper.audit import archive
    from jarkeeper.wiring import open_vault

    settings = invocation.settings()
    vault = open_vault(settings)
    with Output(aside=True).busy("packing finished days of the audit trail"):
        before = vault.trail.now().date() - timedelta(days=settings.archive_days)
        receipt = archive.pack(vault.trail, before=before, verify=vault.verify_trail)
    volumes = count_of(receipt.volumes, "volume")
    sentence = f"{count_of(receipt.events, 'event')} packed into {volumes}"
    if not receipt.events:
        sentence = f"nothing to pack: {_why(vault.trail, before, settings.archive_days)}"
    _tell(invocation, receipt, sentence, before=before)
    return Exit.OK


def _why(trail: Trail, before: date, days: int) -> str:
    """Return what keeps the trail's oldest single events from being packed."""
    from jarkeeper.audit.places import PREFIX, parse_event_key

    places = filter(None, map(parse_event_key, trail.store.list(PREFIX)))
    oldest = min((day for day, _, _ in places), default="")
    if oldest and oldest < before.isoformat():
        return f"the archive holds all from before {before} that a checkpoint vouches for"
    words = f"days from before {before} are packed (COOKIE_ARCHIVE_DAYS is {days})"
    return f"{words}, the oldest that is unpacked is {oldest}" if oldest else words


@click.command(
    "retire",
    epilog="\b\nExamples:\n  COOKIE_AUDIT_DAYS=400 jarkeeper audit retire\n\n"
    "Deletes events older than COOKIE_AUDIT_DAYS, on record first. Their hashes stay: every proof "
    "and every witness holds as before.",
)
@common_options
@pass_invocation
def retire(invocation: Invocation) -> Exit:
    """Delete what is past its retention; proofs stay."""
    from jarkeeper.audit import retention
    from jarkeeper.wiring import open_vault

    settings = invocation.settings()
    if not settings.audit_days:
        raise InputError(
            "COOKIE_AUDIT_DAYS: is 0, the audit trail is kept for ever",
            hint="set it to a number of days first; nothing was changed",
        )
    vault = open_vault(settings)
    with Output(aside=True).busy("verifying the audit trail"):
        before = vault.trail.now() - timedelta(days=settings.audit_days)
        receipt = retention.retire(vault.trail, before=before, verify=vault.verify_trail)
    sentence = receipt.given_up(before.date())
    _tell(invocation, receipt, sentence, before=before.date())
    return Exit.OK


def _tell(invocation: Invocation, receipt: ArchiveReceipt, sentence: str, *, before: date) -> None:
    if invocation.as_json:
        print_json({**asdict(receipt), "before": before.isoformat()})
        return
    Output().finding("ok", sentence)
    for warning in receipt.warnings:
        Output().finding("warning", warning)
