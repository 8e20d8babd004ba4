"""`jarkeeper cleanup`: delete what nobody needs any more."""

from __future__ import annotations

from pathlib import Path

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.inputs import Folder
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import InputError
from jarkeeper.words import count_of, printable

DOWNLOADS = Path("downloads")


@click.command(
    "cleanup",
    epilog="\b\nExamples:\n"
    "  jarkeeper cleanup\n"
    "  jarkeeper cleanup --to ~/Videos --json\n\n"
    "A generation goes COOKIE_GRACE_DAYS after it left every slot, and cannot be restored then; a "
    "partial file goes after a week. No head and no audit record is ever deleted.",
)
@click.option(
    "--to",
    "destination",
    type=Folder(),
    metavar="DIR",
    help="Whose partial files may go.  [default: ./downloads]",
)
@common_options
@pass_invocation
def command(invocation: Invocation, destination: Path | None) -> Exit:
    """Delete old generations, and what crashes left behind."""
    from jarkeeper.cleanup import collect, sweep_files
    from jarkeeper.wiring import open_vault

    settings = invocation.settings()
    folder = DOWNLOADS if destination is None else destination.expanduser()
    if destination is not None and not folder.is_dir():
        raise InputError(f"--to '{printable(str(folder))}': there is no such folder")
    with Output(aside=True).busy("cleaning up"):
        vault = collect(settings, open_vault(settings))
        files = sweep_files(settings, folder)
    counts = vault.counts | files.counts
    if invocation.as_json:
        print_json({"removed": counts, "warnings": list(vault.warnings)})
        return Exit.OK
    output = Output()
    for what, count in counts.items():
        if count:
            output.finding("ok", f"{count} {what} removed")
    for warning in vault.warnings:
        output.finding("warning", warning)
    output.line(f"{count_of(sum(counts.values()), 'thing')} removed")
    return Exit.OK
