"""`jarkeeper check`: is everything in the vault what was written?"""

from __future__ import annotations

from dataclasses import asdict

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json


@click.command(
    "check",
    epilog="\b\nExamples:\n"
    "  jarkeeper check\n"
    "  jarkeeper check --json\n\n"
    "Every head, every generation and the audit trail are read and verified, and the view is "
    "repaired. Exit code 1 if something needs attention, 3 if the vault is not what was "
    "written.",
)
@common_options
@pass_invocation
def command(invocation: Invocation) -> Exit:
    """Verify the whole vault and tell its health in words."""
    from jarkeeper.wiring import open_vault

    settings = invocation.settings()
    output = Output(aside=invocation.as_json)
    with output.busy("reading everything in the vault"):
        findings = open_vault(settings).check()
    severities = {str(finding.severity) for finding in findings}
    code = Exit.OK
    if "warning" in severities:
        code = Exit.FAILED
    if "critical" in severities:
        code = Exit.VAULT
    if invocation.as_json:
        print_json({"healthy": code is Exit.OK, "findings": [asdict(item) for item in findings]})
        return code
    output.entry("vault", settings.place)
    for finding in findings:
        output.finding(finding.severity, finding.message, finding.next_step)
    return code
