"""What a command has seen of a jar goes on record, and who must know of it is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jarkeeper.cli.output import Output

if TYPE_CHECKING:
    from jarkeeper.incidents import Condition, Scope
    from jarkeeper.settings import Settings
    from jarkeeper.vault import Vault


def settle(
    settings: Settings,
    vault: Vault,
    jar: str,
    *,
    besides: Iterable[Condition] = (),
    scope: Scope = frozenset(),
) -> None:
    """Open and close the incidents of a jar as its newest head has it; say what came of it.

    `besides` is what the command found beyond that, and `scope` what it looked for.
    """
    from jarkeeper.lifecycle.conditions import conditions_of, scope_of_jar
    from jarkeeper.watch import report

    head = vault.status(jar)
    if head is None:
        return
    found = conditions_of(head, now=vault.ports.clock(), settings=settings)
    done = report(settings, vault, (*found, *besides), scope=scope_of_jar(jar) | scope)
    output = Output(aside=True)
    for incident in done.changes.closed:
        output.line((f"over: {incident.message}", "quiet"))
    for warning in done.warnings:
        output.finding("warning", warning)
