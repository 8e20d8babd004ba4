"""`jarkeeper recover`: put a backup in the place of the vault."""

from __future__ import annotations

import click

from jarkeeper.cli.copied import tell_copy
from jarkeeper.cli.counting import counting
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.inputs import VaultPlace
from jarkeeper.cli.output import Output


@click.command(
    "recover",
    epilog="\b\nExamples:\n"
    "  jarkeeper recover /media/stick/vault\n"
    "  jarkeeper recover s3://other-bucket/vault --region eu-west-1\n\n"
    "The place in force must be empty, an interrupted recovery, or the same vault, in which what "
    "is missing is put back. Nothing is overwritten: an old backup does no harm to a newer vault. "
    "Exit code 3 if something in the backup was damaged, or differs in the place; 1 if all was "
    "copied and there is a warning, such as an anchor that has seen a newer vault.",
)
@click.argument("source", type=VaultPlace(), metavar="SOURCE")
@click.option("--region", metavar="NAME", help="The region of the backup's bucket, if another.")
@common_options
@pass_invocation
def command(invocation: Invocation, source: str, region: str | None) -> Exit:
    """Copy the backup SOURCE into the place in force.

    SOURCE is a directory or s3://bucket/prefix. It takes the vault's own key, in the settings.
    """
    from jarkeeper.moves import elsewhere, recover_vault

    settings = invocation.settings()
    backup = elsewhere(settings, source, region=region)
    with counting(Output(aside=True), "copying") as progress:
        receipt = recover_vault(settings, backup, progress=progress)
    return tell_copy(
        receipt, source=backup.place, target=settings.place, as_json=invocation.as_json
    )
