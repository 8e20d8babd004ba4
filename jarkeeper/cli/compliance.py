"""`jarkeeper audit compliance`: the signed statement of a month."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output
from jarkeeper.cli.written import give, out_option, require_free
from jarkeeper.errors import InputError


@click.command(
    "compliance",
    epilog="\b\nExamples:\n"
    "  jarkeeper audit compliance\n"
    "  jarkeeper audit compliance --month 2026-10 --out 2026-10.statement.note\n"
    '  python docs/check_note.py 2026-10.statement.note "$(jarkeeper audit key)"\n\n'
    "Plain text, signed as a checkpoint is: what verification said, who opened which jar, what was "
    "changed, incidents, keys, retention, who may do what. docs/compliance.md tells what an "
    "auditor can check alone. Exit code 3 if the trail is not what was written: it says so.",
)
@click.option("--month", metavar="YYYY-MM", help="The month (UTC).  [default: the last that ended]")
@out_option
@common_options
@pass_invocation
def command(invocation: Invocation, month: str | None, out: Path | None) -> Exit:
    """Print the signed compliance statement of a month."""
    from jarkeeper.report import compliance
    from jarkeeper.wiring import open_vault

    require_free(out)
    now = datetime.now(UTC)
    settings = invocation.settings()
    wanted = compliance.month_before(now) if month is None else month
    try:
        compliance.month_of(wanted)
    except ValueError:
        raise InputError("--month: expected a month such as 2026-10") from None
    with Output(aside=True).busy("reading and verifying the audit trail"):
        made = compliance.state(open_vault(settings), settings, wanted, now=now)
    document = {"month": wanted, "intact": made.is_intact, "note": made.note}
    give(invocation, made.note, out=out, document=document)
    if made.is_intact:
        return Exit.OK
    Output(aside=True).finding(
        "critical", "the audit trail is not what was written", "run `jarkeeper audit verify`"
    )
    return Exit.VAULT
