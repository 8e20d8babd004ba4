"""`jarkeeper doctor`: is this machine fit, and if not, what mends it?"""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime

import click

from jarkeeper.checks import Finding, Severity
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.server import check_server, imported, refusals
from jarkeeper.errors import InputError, JarkeeperError

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
    """Examine the machine and the vault, and tell what mends them."""
    from jarkeeper.doctor import examine, worst_first

    output = Output(aside=invocation.as_json)
    with output.busy("examining this machine"):
        try:
            found = examine(invocation.settings(), deep=not quick)
        except JarkeeperError as error:
            found = examine(error, deep=not quick)
        found = worst_first((*found, *examine_server()))
    code = Exit.FAILED if any(item.severity != "ok" for item in found) else Exit.OK
    if any(item.severity == "critical" and item.code in OF_THE_VAULT for item in found):
        code = Exit.VAULT
    if invocation.as_json:
        print_json({"healthy": code is Exit.OK, "findings": [asdict(item) for item in found]})
        return code
    for item in found:
        output.finding(item.severity, f"{item.code}: {item.message}", item.next_step)
    return code


def examine_server() -> tuple[Finding, ...]:
    """Return what is wrong with Prefect's server, where one is set."""
    from jarkeeper.checks import NOTHING

    if not os.environ.get("PREFECT_API_URL", "").strip():
        message = "no server is set: flows start a temporary one, and nothing runs by itself"
        return (Finding("prefect", Severity.OK, message, NOTHING),)
    try:
        deployments = imported("tasks.deployments", wanted_by="doctor")
        check_server()
        with refusals("doctor"):
            return tuple(deployments.examine_server(now=datetime.now(UTC)))
    except InputError as error:
        hint = error.hint or "install Jarkeeper with what it requires"
        return (Finding("prefect", Severity.WARNING, error.message, hint),)
