"""`jarkeeper audit verify`, `checkpoint`, `key` and `prove`: the record is whole, and proved."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.written import give, out_option, require_free
from jarkeeper.errors import Conflict, InputError, IntegrityError, VaultError
from jarkeeper.words import count_of

if TYPE_CHECKING:
    from jarkeeper.audit import Discrepancy, TrailReport
    from jarkeeper.audit.checkpoints import Checkpoint
    from jarkeeper.vault import Vault

NOTE_BYTES_MAX = 1 << 20
SHOWN_MAX = 100


@click.command(
    "verify",
    epilog="\b\nExamples:\n"
    "  jarkeeper audit verify\n"
    "  jarkeeper audit verify --witness kept/2026-10.checkpoint.note\n"
    "  jarkeeper audit verify --json\n\n"
    "Follows the chain of every writer, compares stored and archived events with the checkpoints, "
    "and every head with the intent that announced it. A witness is a note that `audit "
    "checkpoint` printed once and that was kept elsewhere: the log must still begin with what it "
    "says. Exit code 3 if a record was edited, removed, reordered, duplicated or put in.",
)
@click.option(
    "--witness",
    "witnesses",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A checkpoint's note that was kept elsewhere; may be given several times.",
)
@common_options
@pass_invocation
def verify(invocation: Invocation, witnesses: tuple[Path, ...]) -> Exit:
    """Prove that the audit trail is whole, or name what is not."""
    vault = _open(invocation)
    with Output(aside=invocation.as_json).busy("reading and verifying the audit trail"):
        report = vault.verify_trail()
        found = [*report.discrepancies, *_contradicted(vault, report, witnesses)]
    if invocation.as_json:
        print_json(_document(report, found, witnesses=len(witnesses)))
    else:
        _print(Output(), report, found, witnesses=len(witnesses))
    return Exit.VAULT if found else Exit.OK


@click.command(
    "checkpoint",
    epilog="\b\nExamples:\n"
    "  jarkeeper audit checkpoint --out 2026-11.checkpoint.note\n"
    "  jarkeeper audit checkpoint --json\n\n"
    "Prints the newest note (c2sp.org/tlog-checkpoint). Keep one where nobody who can reach the "
    "vault can change it: `audit verify --witness` then shows whether history was rewritten. "
    "`jarkeeper health` writes checkpoints too.",
)
@out_option
@common_options
@pass_invocation
def checkpoint(invocation: Invocation, out: Path | None) -> Exit:
    """Append what is new to the signed log, and print the newest note."""
    require_free(out)
    vault = _open(invocation)
    with Output(aside=True).busy("reading and verifying the audit trail"):
        report = vault.verify_trail()
        if report.discrepancies:
            raise IntegrityError(
                f"audit trail: is not as it was written, {report.discrepancies[0].message}",
                hint="run `jarkeeper audit verify`; no checkpoint vouches for that",
            )
        newest = _newest(vault, report)
    document = {
        "checkpoint": newest.seq,
        "at": newest.at,
        "events": newest.size,
        "root": newest.root.hex(),
        "note": newest.note,
    }
    give(invocation, newest.note, out=out, document=document)
    return Exit.OK


@click.command(
    "key",
    epilog="\b\nExamples:\n  jarkeeper audit key\n  jarkeeper audit key --json\n\n"
    "No secret: whoever has it can check notes and proofs, and can write none. Hand it out by "
    "another way than the notes.",
)
@common_options
@pass_invocation
def key(invocation: Invocation) -> Exit:
    """Print the key that checks this vault's checkpoints, proofs and reports."""
    verifier = _open(invocation).trail.signer.verifier
    if invocation.as_json:
        print_json({"origin": verifier.name, "key": str(verifier)})
    else:
        click.echo(verifier)
    return Exit.OK


@click.command(
    "prove",
    epilog="\b\nExamples:\n"
    "  jarkeeper audit --ids --since 1d\n"
    "  jarkeeper audit prove 3f9a1c22/12 --out event.tlog-proof\n"
    '  python docs/check_proof.py event.tlog-proof "$(jarkeeper audit key)"\n\n'
    "The form is c2sp.org/tlog-proof; the event itself is in it. docs/check_proof.py checks it "
    "with nothing of Jarkeeper.",
)
@click.argument("event")
@out_option
@common_options
@pass_invocation
def prove(invocation: Invocation, event: str, out: Path | None) -> Exit:
    """Print the proof that an event is in the signed log; EVENT is writer/seq."""
    from jarkeeper.audit.proof import prove as proof_of

    require_free(out)
    vault = _open(invocation)
    with Output(aside=True).busy("reading the log of checkpoints"):
        proof = proof_of(vault.trail, event)
    give(invocation, proof, out=out, document={"event": event, "proof": proof})
    return Exit.OK


def _open(invocation: Invocation) -> Vault:
    from jarkeeper.wiring import open_vault

    return open_vault(invocation.settings())


def _newest(vault: Vault, report: TrailReport) -> Checkpoint:
    newest = None
    with suppress(Conflict):  # another process was faster: its checkpoint is as good
        newest = vault.checkpoint(report)
    newest = newest or vault.trail.checkpoints().newest
    if newest is None:
        raise VaultError("audit trail: holds no event that a checkpoint could vouch for")
    return newest


def _contradicted(
    vault: Vault, report: TrailReport, witnesses: tuple[Path, ...]
) -> list[Discrepancy]:
    from jarkeeper.audit.witness import contradictions

    notes = {str(path): _read(path) for path in witnesses}
    return list(contradictions(report.log, notes, verifier=vault.trail.signer.verifier))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(NOTE_BYTES_MAX).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(f"witness '{path}': expected the text of a note") from None


def _document(report: TrailReport, found: list[Discrepancy], *, witnesses: int) -> dict[str, Any]:
    return {
        "intact": not found,
        "events": report.events,
        "archived": report.archived,
        "retired": report.given_up,
        "checkpoints": len(report.log.checkpoints),
        "unanchored": report.unanchored,
        "witnesses": witnesses,
        "anchors": [name.strip("'") for name in report.anchors],
        "discrepancies": [asdict(item) for item in found],
    }


def _print(
    output: Output, report: TrailReport, found: list[Discrepancy], *, witnesses: int
) -> None:
    from jarkeeper.audit.discrepancy import LOST

    for item in found[:SHOWN_MAX]:
        output.finding("critical", f"{item.code}: {item.message}", item.hint or None)
    if (more := len(found) - SHOWN_MAX) > 0:
        output.finding("critical", f"and {more:,} more", "`--json` lists them all")
    if found:
        output.line((f"NOT INTACT: {count_of(len(found), 'discrepancy')}", "bad"))
        output.line((f"   next: {LOST}", "quiet"))
        return
    chains = count_of(len(report.tails), "chain")
    output.finding("ok", f"intact: {count_of(report.events, 'event')} in {chains} verified")
    for line in _details(report, witnesses):
        output.line((f"   {line}", "quiet"))


def _details(report: TrailReport, witnesses: int) -> list[str]:
    from jarkeeper.audit.verify import UNREMEMBERED

    newest = report.log.newest
    lines = []
    if newest is not None:
        events = count_of(newest.size, "event")
        lines.append(f"checkpoint {newest.seq} of {newest.at:%Y-%m-%d %H:%M} vouches for {events}")
    if report.archived:
        verb = "is" if report.archived == 1 else "are"
        lines.append(f"{report.archived:,} of them {verb} in the archive")
    if report.given_up:
        past = count_of(report.given_up, "event")
        lines.append(f"past retention: {past} that it vouches for, of which the hashes are left")
    if witnesses:
        lines.append(f"{count_of(witnesses, 'witness')} agreed")
    if report.anchors:
        lines.append(f"not set back since {', '.join(report.anchors)} first saw it")
    elif report.is_unremembered and not witnesses:
        note = "keep a note of `jarkeeper audit checkpoint` elsewhere for `--witness`"
        lines.append(f"{UNREMEMBERED}; {note}")
    if report.has_news:
        count = report.unanchored
        events = "event" if count == 1 else f"{count:,} events"
        what = f"no checkpoint vouches yet for the newest {events}"
        if newest is None:
            these = "this" if count == 1 else "these"
            what = f"there is no checkpoint yet that vouches for {these} {events}"
        lines.append(f"{what}: `jarkeeper audit checkpoint` writes one")
    return lines
