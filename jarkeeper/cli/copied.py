"""What `backup` and `recover` tell of a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.output import Output, print_json
from jarkeeper.words import count_of, size

if TYPE_CHECKING:
    from jarkeeper.vault.copying import CopyReceipt

SHOWN_MAX = 20


def tell_copy(receipt: CopyReceipt, *, source: str, target: str, as_json: bool) -> Exit:
    """Print the receipt; the code says whether all is there as it was written, and all is well."""
    code = Exit.VAULT
    if receipt.is_whole:
        code = Exit.FAILED if receipt.notes else Exit.OK
    if as_json:
        print_json(
            {
                "whole": receipt.is_whole,
                "vault_id": receipt.vault,
                "from": source,
                "to": target,
                "copied": receipt.copied,
                "present": receipt.present,
                "differing": list(receipt.differing),
                "damaged": list(receipt.damaged),
                "bytes": receipt.bytes,
                "notes": list(receipt.notes),
            }
        )
        return code
    output = Output()
    output.entry("from", source)
    output.entry("to", target)
    output.finding("ok", _counts(receipt))
    _several(output, "critical", receipt.damaged, "it was not copied: run `jarkeeper check`")
    differing = tuple(f"'{key}': holds something else there" for key in receipt.differing)
    _several(output, "critical", differing, "it stays as it is: one of the two was changed")
    _several(output, "warning", receipt.notes, None)
    return code


def _counts(receipt: CopyReceipt) -> str:
    copied = f"{count_of(receipt.copied, 'object')} copied ({size(receipt.bytes)}) and read back"
    return f"{copied}; {receipt.present} there already, the same byte for byte"


def _several(output: Output, severity: str, texts: tuple[str, ...], step: str | None) -> None:
    for text in texts[:SHOWN_MAX]:
        output.finding(severity, text, step)
    if (more := len(texts) - SHOWN_MAX) > 0:
        output.finding(severity, f"and {more} more", "`--json` lists them all")
