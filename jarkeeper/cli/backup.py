"""`jarkeeper backup`: copy the whole vault elsewhere."""

from __future__ import annotations

import click

from jarkeeper.cli.copied import tell_copy
from jarkeeper.cli.counting import counting
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.inputs import VaultPlace
from jarkeeper.cli.output import Output


@click.command(
    "backup",
    epilog="\b\nExamples:\n"
    "  jarkeeper backup /media/stick/vault\n"
    "  jarkeeper backup s3://other-bucket/vault --region eu-west-1\n\n"
    "Every object is verified before it is copied, and read back after. Run it again and only "
    "what is new is copied; nothing is ever overwritten or deleted there. The key is not in the "
    "copy: keep it elsewhere. Exit code 3 if something was damaged and so not copied, or differs "
    "there; 1 if all was copied and there is a warning, such as a destination that is newer.",
)
@click.argument("destination", type=VaultPlace(), metavar="DEST")
@click.option("--region", metavar="NAME", help="The region of the other bucket, if it is another.")
@click.option(
    "--kms-key-id",
    "bucket_key",
    metavar="ID",
    help="The KMS key by which the other bucket encrypts; else the vault's, in another region its "
    "default.",
)
@common_options
@pass_invocation
def command(
    invocation: Invocation, destination: str, region: str | None, bucket_key: str | None
) -> Exit:
    """Copy the whole vault, sealed as it is, to DEST.

    DEST is a directory or s3://bucket/prefix: empty, or an earlier copy of this vault.
    """
    from jarkeeper.moves import backup_vault, elsewhere

    settings = invocation.settings()
    target = elsewhere(settings, destination, region=region, bucket_key=bucket_key)
    with counting(Output(aside=True), "copying") as progress:
        receipt = backup_vault(settings, target, progress=progress)
    return tell_copy(
        receipt, source=settings.place, target=target.place, as_json=invocation.as_json
    )
