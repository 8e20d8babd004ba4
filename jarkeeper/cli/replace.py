"""`jarkeeper replace --emergency`: somebody else may hold the cookies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.inputs import read_cookies
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.place import DEFAULT_JAR
from jarkeeper.errors import InputError, VaultError
from jarkeeper.words import count_of

if TYPE_CHECKING:
    from jarkeeper.incidents import Condition
    from jarkeeper.slots import SlotRecord
    from jarkeeper.vault import Vault

AFTERWARDS = (
    "sign the old session out in the account's security settings, and not the new one, then run "
    "`jarkeeper validate`; the backups lay in the same vault: `jarkeeper history` names them, and "
    "`jarkeeper revoke` ends each"
)


@click.command(
    "replace",
    epilog="\b\nExamples:\n"
    "  jarkeeper replace --emergency cookies.txt\n"
    "  jarkeeper replace --emergency --json - < cookies.txt\n\n"
    "In this order: the active login, or the last that was, is revoked for ever, in every slot and "
    "every copy, and with it the login whose place it took as a backup; FILE becomes active; "
    "workers that hold an old login end within seconds where they reach the vault, within two "
    "minutes where not, and their downloads go on with the new one; an incident opens, which "
    "`jarkeeper validate` closes once YouTube has confirmed it. Which logins are meant is told "
    "first, and afterwards which stay. A "
    "file that is no login, or of one of those, is refused before anything is changed.",
)
@click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), metavar="FILE"
)
@click.option("--emergency", is_flag=True, help="Say that it is meant: nothing brings them back.")
@jar_option(words="The jar.", default=DEFAULT_JAR)
@common_options
@pass_invocation
def command(invocation: Invocation, file: Path, jar: str, *, emergency: bool) -> Exit:
    """Revoke the active cookies and put others in their place."""
    from jarkeeper.cli.watched import settle
    from jarkeeper.hardening import harden
    from jarkeeper.incidents import Cause, scope_of
    from jarkeeper.wiring import open_vault

    if not emergency:
        raise InputError(
            "replace: expected --emergency, as it revokes the active cookies for ever",
            hint="`jarkeeper import cookies.txt` keeps them as the backup",
        )
    harden()
    settings = invocation.settings()
    vault = open_vault(settings)
    parsed = read_cookies(file, sites=settings.sites)
    scope = scope_of((Cause.EMERGENCY,), jar)
    _announce(vault.leaked(jar))
    try:
        receipt = vault.replace(jar, parsed)
    except VaultError as error:
        settle(settings, vault, jar, besides=(_condition(jar, error.message),), scope=scope)
        raise
    done = f"{count_of(len(receipt.revoked), 'generation')} revoked, the new cookies are active"
    settle(settings, vault, jar, besides=(_condition(jar, done),), scope=scope)
    if invocation.as_json:
        new = receipt.imported.generation
        left = [item.generation.id for item in _backups(vault, jar)]
        document = {"jar": jar, "revoked": list(receipt.revoked), "generation": new}
        print_json(document | {"backups": left, "elsewhere": list(receipt.elsewhere)})
        return Exit.OK
    output = Output()
    for generation in receipt.revoked:
        output.finding("ok", f"generation {generation[:8]} is revoked, and its login with it")
    output.finding("ok", f"generation {str(receipt.imported.generation)[:8]} is active")
    _print_left(output, vault, jar, elsewhere=receipt.elsewhere)
    output.finding("ok", "workers that hold the old login end as soon as they look, in seconds")
    output.entry("next", AFTERWARDS)
    return Exit.OK


def _announce(leaked: tuple[SlotRecord, ...]) -> None:
    """Say which logins are meant, before anything is done."""
    output = Output(aside=True)
    for item in leaked:
        since = f"in the vault since {item.login_began:%Y-%m-%d %H:%M} UTC"
        output.finding(
            "warning", f"the login of generation {item.generation.id[:8]}, {since}, ends"
        )


def _backups(vault: Vault, jar: str) -> tuple[SlotRecord, ...]:
    """Return what stays that was there before; it may be another login that others hold."""
    head = vault.status(jar)
    return () if head is None else head.backups


def _print_left(output: Output, vault: Vault, jar: str, *, elsewhere: tuple[str, ...]) -> None:
    for item in _backups(vault, jar):
        name = item.generation.id[:8]
        output.finding("ok", f"the backup, generation {name}, is another login and stays")
    for other in elsewhere:
        output.finding(
            "warning",
            f"jar '{other}' holds the same login",
            f"run `jarkeeper replace --emergency --jar {other}` with another login's export",
        )


def _condition(jar: str, done: str) -> Condition:
    from jarkeeper.checks import Severity
    from jarkeeper.incidents import Cause, Condition

    return Condition(
        Cause.EMERGENCY,
        jar,
        Severity.CRITICAL,
        "the active cookies were replaced in an emergency: somebody else may hold the old ones",
        done,
        AFTERWARDS,
    )
