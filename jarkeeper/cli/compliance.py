"""`jarkeeper audit compliance`: the signed statement of a month."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import InputError


@click.command(
    "compliance",
    epilog="\b\nExamples:\n"
    "  jarkeeper audit compliance > 2026-10.note\n"
    "  jarkeeper audit compliance --month 2026-10 --out 2026-10.note\n"
    '  python docs/check_note.py 2026-10.note "$(jarkeeper audit key)"\n\n'
    "Plain text, signed as a checkpoint is: what verification said, who opened which jar, what was "
    "changed, incidents, keys, retention, who may do what. docs/compliance.md tells what an "
    "auditor can check alone. Exit code 3 if the trail is not what was written: it says so.",
)
@click.option("--month", metavar="YYYY-MM", help="The month (UTC).  [default: the last that ended]")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it there; what exists is never overwritten.",
)
@common_options
@pass_invocation
def command(invocation: Invocation, month: str | None, out: Path | None) -> Exit:
    """Print the signed compliance statement of a month."""
    from jarkeeper.report import compliance
    from jarkeeper.report.writing import write_files
    from jarkeeper.wiring import open_vault

    now = datetime.now(UTC)
    settings = invocation.settings()
    wanted = month or compliance.month_before(now)
    try:
        compliance.month_of(wanted)
    except ValueError:
        raise InputError("--month: expected a month such as 2026-10") from None
    with Output(aside=True).busy("reading and verifying the audit trail"):
        made = compliance.state(open_vault(settings), settings, wanted, now=now)
    if out is not None:
        write_files({out: made.note}, hint="name another file")
    if invocation.as_json:
        print_json({"month": wanted, "intact": made.is_intact, "note": made.note, "file": out})
    elif out is not None:
        Output().finding("ok", f"'{out}' written")
    else:
        click.echo(made.note, nl=False)
    if made.is_intact:
        return Exit.OK
    Output(aside=True).finding(
        "critical", "the audit trail is not what was written", "run `jarkeeper audit verify`"
    )
    return Exit.VAULT
