"""What verification finds wrong: one record that is not what, or not where, it was written."""

from __future__ import annotations

from dataclasses import dataclass


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
    which = f"event {first} was" if first == last else f"events {first} to {last} were"
    return Discrepancy("removed", f"audit/*/{writer}", f"writer {writer[:8]}: {which} removed")
