"""`jarkeeper blocks`: the form for vaults in Prefect's UI."""

from __future__ import annotations

from typing import Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, json_option, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.server import (
    imported,
    refusals,
    require_server,
    server_url,
    without_login,
)

REGISTER = "blocks register"
NO_CREDENTIALS = "without prefect-aws, the form has no field for AWS credentials"
INSTALL = "where flows use a bucket: `pip install 'jarkeeper[aws]'`, then register again"


@click.group(
    "blocks",
    no_args_is_help=False,
    epilog="\b\nExamples:\n"
    "  jarkeeper blocks register\n"
    "  jarkeeper blocks register --json\n\n"
    "A block of the type Cookie Manager says where a vault is. Flows load it by its name.",
)
def command() -> None:
    """Make the form for vaults known to a Prefect server."""


@command.command(
    "register",
    short_help="Register the block type Cookie Manager with Prefect.",
    epilog="\b\nExamples:\n"
    "  jarkeeper blocks register\n"
    "  PREFECT_API_URL=http://127.0.0.1:4200/api jarkeeper blocks register\n\n"
    "Once for each server, and again after an update. Twice changes nothing.",
)
@json_option
@pass_invocation
def register(invocation: Invocation) -> Exit:
    """Register the block type Cookie Manager with the Prefect server in force."""
    with Output(aside=invocation.as_json).busy("asking Prefect"):
        require_server(REGISTER)
        manager = imported("blocks", wanted_by=REGISTER).CookieManager
        with refusals(REGISTER):
            manager.register_type_and_schema()
    document = _document(manager)
    if invocation.as_json:
        print_json(document)
    else:
        _print(document)
    return Exit.OK


def _document(manager: Any) -> dict[str, Any]:
    """Return what was registered and where, as plain values."""
    settings = imported("prefect.settings", wanted_by=REGISTER)
    slug, server, ui = manager.get_block_type_slug(), server_url(), settings.PREFECT_UI_URL.value()
    return {
        "name": manager.get_block_type_name(),
        "slug": slug,
        "fields": list(manager.model_json_schema()["properties"]),
        "server": without_login(server or ""),
        "form": f"{without_login(ui)}/blocks/catalog/{slug}/create" if ui else None,
    }


def _print(document: dict[str, Any]) -> None:
    output = Output()
    output.entry("block", f"{document['name']} ({document['slug']})", ("  registered", "good"))
    output.entry("server", document["server"])
    if "aws_credentials" not in document["fields"]:
        output.finding("warning", NO_CREDENTIALS, INSTALL)
    output.entry("next", "fill in the form: ", document["form"] or "in Prefect's UI, under Blocks")
