"""`jarkeeper init`: make a vault and its key."""

from __future__ import annotations

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, Styled, print_json


@click.command(
    "init",
    epilog="\b\nExamples:\n"
    "  jarkeeper init\n"
    "  jarkeeper init --vault /srv/jarkeeper/vault\n\n"
    "The key is a file of its own, outside the vault (JARKEEPER_KEY_FILE). Without it nothing "
    "in the vault can ever be opened again, so keep a copy in a safe place. Running it twice "
    "changes nothing.",
)
@common_options
@pass_invocation
def command(invocation: Invocation) -> Exit:
    """Make a vault, and a key if there is none."""
    from jarkeeper.wiring import init_vault

    receipt = init_vault(invocation.settings())
    if invocation.as_json:
        print_json(
            {
                "vault": receipt.place,
                "vault_id": receipt.vault_id,
                "key": receipt.key,
                "key_file": receipt.key_file,
                "created_vault": receipt.created_vault,
                "created_key": receipt.created_key,
            }
        )
        return Exit.OK
    output = Output()
    where = receipt.key if receipt.key_file is None else str(receipt.key_file)
    output.entry("vault", receipt.place, _news(new=receipt.created_vault))
    output.entry("key", where, _news(new=receipt.created_key))
    if receipt.created_key:
        output.finding(
            "warning",
            "nothing in the vault can be opened without this key",
            "copy the key file to a safe place, not next to the vault",
        )
    output.entry("next", f"jarkeeper {'import cookies.txt' if receipt.created_vault else 'status'}")
    return Exit.OK


def _news(*, new: bool) -> Styled:
    return ("  made now", "good") if new else ("  already there", "quiet")
