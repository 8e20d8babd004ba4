"""`jarkeeper alerts install`: Prefect's automations for what no flow can notice by itself."""

from __future__ import annotations

import os
from dataclasses import asdict

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, json_option, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.server import imported, refusals, require_server
from jarkeeper.errors import JarkeeperError

WANTED_BY = "alerts install"


@click.command(
    "install",
    short_help="Put automations in place on the Prefect server.",
    epilog="\b\nExamples:\n"
    "  jarkeeper alerts install\n"
    "  jarkeeper alerts install --notify slack-webhook/ops\n"
    "  jarkeeper alerts install --webhook-block pager\n"
    "  jarkeeper alerts install --remove\n\n"
    "They notice a critical incident, a run that failed, a run whose process is gone, and jars "
    "that nobody refreshes or validates any more. Without a block they show in Prefect's UI "
    "alone. Again after an update; twice changes nothing.",
)
@click.option("--notify", metavar="TYPE/NAME", help="The notification block that is told.")
@click.option("--webhook-block", metavar="NAME", help="The Webhook block that is called.")
@click.option("--remove", is_flag=True, help="Remove them.")
@json_option
@pass_invocation
def install(
    invocation: Invocation, notify: str | None, webhook_block: str | None, *, remove: bool
) -> Exit:
    """Create or update the automations on the Prefect server that PREFECT_API_URL names."""
    with Output(aside=invocation.as_json).busy("asking Prefect"):
        require_server(WANTED_BY)
        automations = imported("flows.automations", wanted_by=WANTED_BY)
        with refusals(WANTED_BY):
            done = (
                automations.remove()
                if remove
                else automations.install(notify=notify, webhook=webhook_block)
            )
    if invocation.as_json:
        print_json({"automations": [asdict(item) for item in done]})
    else:
        for item in done:
            Output().entry(item.done, item.name)
    return Exit.OK


def present() -> list[str] | None:
    """Return the names of our automations on the server; None where there is none to be asked."""
    if not os.environ.get("PREFECT_API_URL", "").strip():
        return None
    try:
        require_server(WANTED_BY)
        with refusals(WANTED_BY):
            found = imported("flows.automations", wanted_by=WANTED_BY).installed()
    except JarkeeperError as error:
        Output(aside=True).finding("warning", error.message)
        return None
    return [item.name for item in found]
