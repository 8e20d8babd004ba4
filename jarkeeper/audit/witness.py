"""Witnesses: notes that were kept elsewhere, and that the log must not contradict. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from jarkeeper.audit.checkpoints import CheckpointLog, read_body
from jarkeeper.audit.discrepancy import Discrepancy
from jarkeeper.audit.merkle import root_of
from jarkeeper.audit.note import Verifier, open_note
from jarkeeper.errors import InputError, IntegrityError

_STATEMENT = re.compile(r"\S+ compliance \d{4}-\d\d\n")


def contradictions(
    log: CheckpointLog, notes: Mapping[str, str], *, verifier: Verifier
) -> Iterator[Discrepancy]:
    """Name each note, by the name it has here, that tells of another history than the log.

    `InputError` where a note is none of this vault's: it says nothing of it.
    """
    for name, note in notes.items():
        try:
            origin, size, root = read_body(open_note(note, verifier))
        except IntegrityError as error:
            raise InputError(
                f"witness '{name}': {_other_kind(note) or error.message.removeprefix('note: ')}",
                hint="expected what `jarkeeper audit checkpoint` printed for this vault",
            ) from None
        if origin != verifier.name:
            raise InputError(f"witness '{name}': is of another log")
        if size > log.size:
            missing = f"witness '{name}' has seen {size} events, the log holds {log.size}"
            yield Discrepancy("removed", name, missing)
        elif root_of(log.hashes[:size]) != root:
            changed = f"witness '{name}' has seen other events among the first {size}"
            yield Discrepancy("edited", name, changed)


def _other_kind(text: str) -> str:
    """Return what else of ours the text is, which says nothing of the log; empty where nothing."""
    if text.startswith("c2sp.org/tlog-proof@"):
        return "is the proof of an event, which docs/check_proof.py checks"
    if _STATEMENT.match(text):
        return "is the compliance statement of a month, which docs/check_note.py checks"
    return ""
