"""`jarkeeper rotate`: fresh cookies are stored, tested, and only then take over."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.inputs import name_of, read_cookies
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.place import DEFAULT_JAR

if TYPE_CHECKING:
    from jarkeeper.incidents import Condition
    from jarkeeper.lifecycle.rotation import Rotation
    from jarkeeper.settings import Settings
    from jarkeeper.vault import Vault

WORDS = {
    "nothing": "nothing was changed: no fresh cookies are there, and no active login that is over",
    "refused": "refused",
    "staged": "stored aside, not in use yet",
    "rotated": "rotated",
    "promoted": "promoted",
}


@click.command(
    "rotate",
    epilog="\b\nExamples:\n"
    "  jarkeeper rotate cookies.txt      store, test, then switch\n"
    "  jarkeeper rotate                  what is in COOKIE_DROP, or a tested backup\n"
    "  jarkeeper rotate --json\n\n"
    "Without FILE it takes what was left in COOKIE_DROP; else, where the active cookies cannot "
    "work again, the first backup that passes a test. Killed anywhere, the next rotation goes "
    "on. Exit code 1 where something was refused or not switched.",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("-y", "--yes", is_flag=True, help="Also where they may be another account's.")
@jar_option(words="The jar.", default=DEFAULT_JAR)
@common_options
@pass_invocation
def command(invocation: Invocation, file: Path | None, jar: str, *, yes: bool) -> Exit:
    """Rotate to fresh cookies once YouTube has confirmed them."""
    from jarkeeper.cli.watched import telling
    from jarkeeper.hardening import harden

    harden()
    settings = invocation.settings()
    with telling(settings):
        done = _rotated(settings, file, jar, confirmed=yes, as_json=invocation.as_json)
    return Exit.FAILED if done.step in ("refused", "staged") or done.next_step else Exit.OK


def _rotated(
    settings: Settings, file: Path | None, jar: str, *, confirmed: bool, as_json: bool
) -> Rotation:
    from jarkeeper.cli.watched import settle
    from jarkeeper.incidents import Cause, scope_of
    from jarkeeper.lifecycle.conditions import conditions_of_rotation
    from jarkeeper.wiring import open_vault

    vault = open_vault(settings)
    if file is not None:
        _stage(settings, vault, jar, file)
    done = _rotate(settings, vault, jar, is_file=file is not None, confirmed=confirmed)
    if as_json:
        print_json(asdict(done))
    else:
        _print(done)
    settle(
        settings,
        vault,
        jar,
        besides=(*conditions_of_rotation(done), *_untold(settings, vault, done)),
        scope=scope_of((Cause.DROP_REFUSED,), jar),
    )
    return done


def _untold(settings: Settings, vault: Vault, done: Rotation) -> tuple[Condition, ...]:
    """Return the end of a login that nobody was told of; one that is on record is over by now."""
    from jarkeeper.cli.attention import open_incidents
    from jarkeeper.incidents import Cause
    from jarkeeper.lifecycle.conditions import conditions_of_fail_over

    known = {(one.cause, one.jar) for one in open_incidents(vault, settings)}
    return () if (Cause.SESSION_DEAD, done.jar) in known else conditions_of_fail_over(done)


def _stage(settings: Settings, vault: Vault, jar: str, file: Path) -> None:
    before = vault.status(jar)
    receipt = vault.stage(jar, read_cookies(file, sites=settings.sites))
    told = f"is sealed aside as generation {(receipt.generation or '')[:8]}"
    if before is not None and before.seq == receipt.head_seq:
        told = f"holds nothing new: {receipt.warnings[-1].partition(',')[0]}"
    Output(aside=True).finding("ok", f"{name_of(file)} {told}")


def _rotate(
    settings: Settings, vault: Vault, jar: str, *, is_file: bool, confirmed: bool
) -> Rotation:
    from jarkeeper.lifecycle.drop import open_drop
    from jarkeeper.lifecycle.rotation import rotate
    from jarkeeper.youtube.errand import errand

    head = vault.status(jar)
    with (
        Output(aside=True).busy("rotating"),
        errand(settings, jar, base_head=head.seq if head else 0, actor="cli") as asker,
    ):
        # Whoever names a file means that one, whatever lies in the drop.
        drop = None if is_file else open_drop(settings)
        return rotate(vault, jar, asker, drop, confirmed=confirmed)


def _print(done: Rotation) -> None:
    output = Output()
    generation = f", generation {done.generation[:8]}" if done.generation else ""
    severity = "warning" if done.next_step else "ok"
    said = f"{WORDS[done.step]}{generation}"
    if done.note:
        said = done.note if done.step == "nothing" else f"{said}; {done.note}"
    output.finding(severity, said, done.next_step or None)
