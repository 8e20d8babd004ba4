"""`jarkeeper rewrap`: move the vault to another key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.counting import counting
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import InputError
from jarkeeper.settings import VARIABLES, Settings
from jarkeeper.words import count_of

if TYPE_CHECKING:
    from jarkeeper.vault.rewrap import RewrapReceipt


@click.command(
    "rewrap",
    epilog="\b\nExamples:\n"
    "  jarkeeper rewrap --to-kms-key alias/jarkeeper\n"
    "  jarkeeper rewrap --to-key-file ~/.config/jarkeeper/key-2\n\n"
    "Every login in a slot is sealed anew; the history and the audit trail stay proved. Run it "
    "while nothing else uses the vault: a run under way loses its refreshed cookies. Interrupted, "
    "run it again. Exit code 3 if something still depends on the old key.",
)
@click.option("--to-kms-key", metavar="ID", help="The id, ARN or alias of a key in KMS.")
@click.option(
    "--to-key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="A key file; made if it is missing.",
)
@common_options
@pass_invocation
def command(invocation: Invocation, to_kms_key: str | None, to_key_file: Path | None) -> Exit:
    """Move the vault from the key in force to another one."""
    from jarkeeper.hardening import harden
    from jarkeeper.moves import rewrap_vault

    harden()
    settings = invocation.settings()
    to = _settings_then(settings, to_kms_key, to_key_file)
    with counting(Output(aside=True), "sealing anew") as progress:
        receipt = rewrap_vault(settings, to, progress=progress)
    change = _change(settings, to, receipt)
    if invocation.as_json:
        print_json(
            {
                "vault_id": receipt.vault,
                "key": receipt.key,
                "moved": receipt.moved,
                "sealed": receipt.sealed,
                "problems": list(receipt.problems),
                "warnings": list(receipt.warnings),
                "settings": change,
                "old_key_encrypts_bucket": _encrypts_bucket(settings),
            }
        )
    else:
        _print(receipt, change, bucket_too=_encrypts_bucket(settings))
    return Exit.VAULT if receipt.problems else Exit.OK


def _settings_then(settings: Settings, kms_key: str | None, key_file: Path | None) -> Settings:
    """Return the settings that the vault will need."""
    if kms_key is not None and key_file is None:
        try:
            return replace(settings, kms_key_id=VARIABLES["kms_key_id"].parse(kms_key))
        except ValueError as error:
            raise InputError(f"--to-kms-key: {error}") from None
    if key_file is not None and kms_key is None:
        path = key_file.expanduser().absolute()
        return replace(
            settings,
            kms_key_id=None,
            encryption_key=None,
            encryption_key_parameter=None,
            key_file=path,
        )
    raise InputError("rewrap: expected one of --to-kms-key and --to-key-file")


def _change(settings: Settings, to: Settings, receipt: RewrapReceipt) -> dict[str, str | None]:
    """Return which variables to set, and to what; None for those to be removed."""
    change: dict[str, str | None] = {}
    if to.kms_key_id is not None:
        # An alias may point elsewhere one day, and then nothing would open.
        change["COOKIE_KMS_KEY_ID"] = receipt.key_id
        if settings.kms_key_id is None:
            # Beside a KMS key it would encrypt jars in memory: not with the key that was left.
            change |= dict.fromkeys(_set_of(settings, "encryption_key", "encryption_key_parameter"))
        return change
    change["JARKEEPER_KEY_FILE"] = str(to.key_file)
    names = _set_of(settings, "kms_key_id", "encryption_key", "encryption_key_parameter")
    return change | dict.fromkeys(names)


def _set_of(settings: Settings, *names: str) -> list[str]:
    """Return the variables of those settings that are set."""
    return [VARIABLES[name].name for name in names if getattr(settings, name) is not None]


def _encrypts_bucket(settings: Settings) -> bool:
    """Whether the old key may also be the one by which the bucket encrypts its objects."""
    if settings.s3_bucket is None or settings.kms_key_id is None:
        return False
    return settings.s3_kms_key_id in (None, settings.kms_key_id)


def _print(receipt: RewrapReceipt, change: dict[str, str | None], *, bucket_too: bool) -> None:
    output = Output()
    output.entry("key", receipt.key, ("  now" if receipt.moved else "  already", "good"))
    output.finding("ok", f"{count_of(receipt.sealed, 'generation')} sealed anew under it")
    for problem in receipt.problems:
        step = "make the former key usable, or import fresh cookies, and run this again"
        output.finding("critical", problem, step)
    for warning in receipt.warnings:
        output.finding("warning", warning)
    for name, value in change.items():
        output.entry(
            "set" if value is not None else "unset", name if value is None else f"{name}={value}"
        )
    output.entry("next", "change that wherever the vault is used, and restart what runs there")
    if not receipt.moved:
        return
    if "JARKEEPER_KEY_FILE" in change:
        output.finding(
            "warning",
            "nothing in the vault can be opened without this key",
            "copy the key file to a safe place, not next to the vault",
        )
    if bucket_too:
        output.finding(
            "warning",
            "the old key may encrypt the bucket's objects as well: then it must stay enabled",
            "to be rid of it, copy the vault: `jarkeeper backup s3://… --kms-key-id …`, and use "
            "the copy",
        )
    elif not receipt.problems:
        output.line(
            "Once that is done, the former key is not needed for what is in a slot. Keep it all "
            "the same, disabled if KMS has it: earlier generations need it to be restored."
        )
