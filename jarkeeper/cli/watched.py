"""What a command has seen of a jar goes on record, and who must know of it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jarkeeper.cli.going_on import go_on
from jarkeeper.cli.output import Output

if TYPE_CHECKING:
    from jarkeeper.incidents import Condition, Scope
    from jarkeeper.settings import Settings
    from jarkeeper.vault import Vault


@contextmanager
def telling(settings: Settings) -> Iterator[None]:
    """Have an examination that finds the vault of no use tell who must know, as flows do."""
    from jarkeeper.watch import KEPT_HERE, LOCKED_OUT, lock_out

    try:
        yield
    except LOCKED_OUT as error:
        put_on_record(settings, None, (lock_out(error),), scope=KEPT_HERE)
        raise


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
    from jarkeeper.lifecycle.waiting import has_login

    head = vault.status(jar)
    if head is None:
        return
    found = conditions_of(head, now=vault.ports.clock(), settings=settings)
    put_on_record(settings, vault, (*found, *besides), scope=scope_of_jar(jar) | scope)
    if has_login(vault, jar):
        go_on(jar)


def put_on_record(
    settings: Settings, vault: Vault | None, found: Iterable[Condition], *, scope: Scope
) -> None:
    """Open and close incidents by what was found, tell who must know, say what is over."""
    from jarkeeper.watch import report

    done = report(settings, vault, found, scope=scope)
    output = Output(aside=True)
    for incident in done.changes.closed:
        output.line((f"over, {incident.cause}: {incident.message}", "quiet"))
    for warning in done.warnings:
        output.finding("warning", warning)


def cured(settings: Settings, vault: Vault, jar: str) -> None:
    """Close what fresh cookies end, and send on what waited for them; nothing new is opened."""
    from jarkeeper.incidents import Cause, scope_of

    causes = (Cause.SESSION_DEAD, Cause.SESSION_SUSPECT, Cause.EXPIRY, Cause.LIFETIME)
    put_on_record(settings, vault, (), scope=scope_of((*causes, Cause.ROTATION_DUE), jar))
    go_on(jar)
