"""What verification finds wrong: one record that is not what, or not where, it was written."""

from __future__ import annotations

from dataclasses import dataclass

UNFINISHED = "if a copy was interrupted, run it again"
"""A hint on what is there without what it belongs to."""

LOST = "find out who did it; records, heads and volumes can be brought back from a backup"
"""And on any other, where nothing more is known."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One record, or a row of them, that is not what or where it was written."""

    code: str
    """edited, removed, reordered, duplicated or spliced."""
    key: str
    message: str
    hint: str = ""
    """What to do, where more is known than that somebody did it."""


def missing(writer: str, first: int, last: int) -> Discrepancy:
    """Return that these events of a writer are gone."""
    message = f"writer {writer[:8]}: {removed('event', first, last)}"
    return Discrepancy("removed", f"audit/*/{writer}", message)


def removed(what: str, first: int, last: int) -> str:
    """Return the sentence that these are gone."""
    which = f"{what} {first} was" if first == last else f"{what}s {first} to {last} were"
    return f"{which} removed"
