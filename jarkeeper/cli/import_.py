"""`jarkeeper import`: seal a browser's cookies in the vault."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.inputs import is_standard_input, name_of, read_input
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.place import DEFAULT_JAR
from jarkeeper.errors import JarFormatError
from jarkeeper.limits import LIMITS
from jarkeeper.slots import SlotState
from jarkeeper.words import count_of

if TYPE_CHECKING:
    from jarkeeper.health import SlotHealth
    from jarkeeper.vault import ImportReceipt, Vault


@click.command(
    "import",
    epilog="\b\nExamples:\n"
    "  jarkeeper import cookies.txt\n"
    "  some-exporter | jarkeeper import -\n"
    "  jarkeeper import --jar second-login other.txt\n\n"
    "An export lasts longest from a private window: log in, open youtube.com/robots.txt as "
    "the only tab, export, close the window and never use that session again. Afterwards "
    "delete the exported file: the vault has it, sealed. Exit code 1 if there is something "
    "critical about what is active then.",
)
@click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), metavar="FILE"
)
@jar_option(words="The jar that takes them.", default=DEFAULT_JAR)
@click.option("--force", is_flag=True, help="Take them in although they are no login.")
@common_options
@pass_invocation
def command(invocation: Invocation, file: Path, jar: str, *, force: bool) -> Exit:
    """Seal the cookies of FILE as the active ones.

    FILE is in Netscape format, as browser extensions write it; '-' is standard input. The cookies
    that were active become the backup.
    """
    from jarkeeper.hardening import harden
    from jarkeeper.health import examine
    from jarkeeper.wiring import open_vault

    harden()
    settings = invocation.settings()
    vault = open_vault(settings)
    before = vault.status(jar)
    receipt = _import(vault, jar, file, force=force)
    changed = before is None or before.seq != receipt.head_seq
    head = vault.status(jar)
    assert head is not None, "a jar that was imported has a head"  # noqa: S101
    slots = examine(head, now=datetime.now(UTC), settings=settings)
    if invocation.as_json:
        print_json({**_document(receipt, slots), "changed": changed})
    else:
        _print(receipt, slots, file, changed=changed)
    return Exit.FAILED if slots[0].severity == "critical" else Exit.OK


def _import(vault: Vault, jar: str, file: Path, *, force: bool) -> ImportReceipt:
    try:
        return vault.import_jar(jar, read_input(file, most=LIMITS.jar_bytes_max), force=force)
    except JarFormatError as error:
        name = name_of(file)
        where = name if error.line else f"{name}:"
        raise JarFormatError(f"{where} {error.message}", hint=error.hint) from None


def _document(receipt: ImportReceipt, slots: tuple[SlotHealth, ...]) -> dict[str, Any]:
    return {
        "jar": receipt.jar,
        "generation": receipt.generation,
        "fingerprint": receipt.fingerprint,
        "head_seq": receipt.head_seq,
        "dropped": receipt.dropped,
        "warnings": list(receipt.warnings),
        "slots": [slot.as_dict() for slot in slots],
    }


def _print(
    receipt: ImportReceipt, slots: tuple[SlotHealth, ...], file: Path, *, changed: bool
) -> None:
    output = Output()
    active, *backups = slots
    if changed:
        output.finding("ok", _sealed(receipt))
    for warning in receipt.warnings:
        output.finding("warning", warning)
    for finding in active.findings:
        output.finding(finding.severity, finding.message, finding.next_step)
    if backups and backups[0].record is not None:
        generation = backups[0].record.generation.id[:8]
        state = "is dead" if backups[0].record.state is SlotState.DEAD else "stands by"
        output.finding(backups[0].severity, f"the backup, generation {generation}, {state}")
    if not is_standard_input(file):
        output.entry("next", f"delete {file}: it is not needed any more")


def _sealed(receipt: ImportReceipt) -> str:
    kept = f"{count_of(receipt.facts.cookies, 'cookie')} sealed as the active jar '{receipt.jar}'"
    dropped = f"; {receipt.dropped} of other sites left out" if receipt.dropped else ""
    return f"{kept}{dropped}"
