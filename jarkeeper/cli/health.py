"""`jarkeeper health`: everything is examined, and incidents open and close by it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.doctor import examine_server
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json

if TYPE_CHECKING:
    from jarkeeper.checks import Finding
    from jarkeeper.settings import Settings


@click.command(
    "health",
    epilog="\b\nExamples:\n"
    "  jarkeeper health\n"
    "  jarkeeper health --json | jq '.findings[] | select(.severity != \"ok\")'\n\n"
    "The vault is read and verified, then two weeks of its audit trail, the machine, and Prefect "
    "where a server is set. What is wrong becomes an incident, what is well again ends one, and "
    "those who must know are told; `jarkeeper doctor` looks without telling anybody. Exit code as "
    "of `jarkeeper check`.",
)
@common_options
@pass_invocation
def command(invocation: Invocation) -> Exit:
    """Examine vault, trail and machine, and keep incidents true."""
    from jarkeeper.cli.watched import telling

    settings = invocation.settings()
    with telling(settings):
        return _examine(settings, as_json=invocation.as_json)


def _examine(settings: Settings, *, as_json: bool) -> Exit:
    from jarkeeper.audit.patterns import HISTORY, find_patterns
    from jarkeeper.cli.watched import put_on_record
    from jarkeeper.doctor import examine_machine, worst_first
    from jarkeeper.lifecycle.soundness import seen_in_findings, seen_in_patterns
    from jarkeeper.wiring import open_vault

    vault = open_vault(settings)
    with Output(aside=True).busy("examining vault, trail and machine"):
        around = (*examine_machine(settings), *examine_server())
        findings = (*vault.check(checkpoint=True), *map(_named, around))
        now = vault.ports.clock()
        patterns = find_patterns(vault.trail.read(now - HISTORY), now=now, settings=settings)
    shown = worst_first((*findings, *(one.finding for one in patterns)))
    code = _code(shown)
    if as_json:
        print_json({"healthy": code is Exit.OK, "findings": [asdict(item) for item in shown]})
    else:
        for item in shown:
            Output().finding(item.severity, item.message, item.next_step)
    seen = seen_in_findings(findings) + seen_in_patterns(patterns)
    put_on_record(settings, vault, seen.conditions, scope=seen.scope)
    return code


def _named(finding: Finding) -> Finding:
    return replace(finding, message=f"{finding.code}: {finding.message}")


def _code(findings: tuple[Finding, ...]) -> Exit:
    severities = {str(finding.severity) for finding in findings}
    if "critical" in severities:
        return Exit.VAULT
    return Exit.FAILED if "warning" in severities else Exit.OK
