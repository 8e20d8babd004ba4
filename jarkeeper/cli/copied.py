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
                "notes": [str(note) for note in receipt.notes],
            }
        )
        return code
    output = Output()
    output.entry("from", source)
    output.entry("to", target)
    output.finding("ok", _counts(receipt))
    step = "it was not copied: run `jarkeeper check`"
    _several(output, "critical", [(text, step) for text in receipt.damaged])
    step = "it stays as it is: one of the two was changed"
    differing = [(f"'{key}': holds something else there", step) for key in receipt.differing]
    _several(output, "critical", differing)
    _several(output, "warning", [(note.message, note.step) for note in receipt.notes])
    return code


def _counts(receipt: CopyReceipt) -> str:
    copied = f"{count_of(receipt.copied, 'object')} copied ({size(receipt.bytes)}) and read back"
    return f"{copied}; {receipt.present} there already, the same byte for byte"


def _several(output: Output, severity: str, told: list[tuple[str, str]]) -> None:
    for text, step in told[:SHOWN_MAX]:
        output.finding(severity, text, step)
    if (more := len(told) - SHOWN_MAX) > 0:
        output.finding(severity, f"and {more} more", "`--json` lists them all")
