"""`jarkeeper doctor`: is this machine fit, and if not, what mends it?"""

from __future__ import annotations

from dataclasses import asdict

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import JarkeeperError

OF_THE_VAULT = frozenset({"settings", "keys", "vault"})


@click.command(
    "doctor",
    epilog="\b\nExamples:\n"
    "  jarkeeper doctor\n"
    "  jarkeeper doctor --quick --json\n\n"
    "Works without a vault too. Nothing is changed but the vault's view, which is repaired. Exit "
    "code 1 if something needs attention, 3 if the vault cannot be used.",
)
@click.option("--quick", is_flag=True, help="Open the vault, but do not verify all of it.")
@common_options
@pass_invocation
def command(invocation: Invocation, *, quick: bool) -> Exit:
    """Examine key, vault, disks, yt-dlp and its programs; tell what mends them."""
    from jarkeeper.doctor import examine

    output = Output(aside=invocation.as_json)
    with output.busy("examining this machine"):
        try:
            found = examine(invocation.settings(), deep=not quick)
        except JarkeeperError as error:
            found = examine(error, deep=not quick)
    code = Exit.FAILED if any(item.severity != "ok" for item in found) else Exit.OK
    if any(item.severity == "critical" and item.code in OF_THE_VAULT for item in found):
        code = Exit.VAULT
    if invocation.as_json:
        print_json({"healthy": code is Exit.OK, "findings": [asdict(item) for item in found]})
        return code
    for item in found:
        output.finding(item.severity, f"{item.code}: {item.message}", item.next_step)
    return code
