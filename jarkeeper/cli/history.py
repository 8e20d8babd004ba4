"""Every generation that ever was in a slot, and what became of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jarkeeper.heads import GenerationRecord, Head
from jarkeeper.words import utc_text

HEADINGS = ("generation", "created (UTC)", "source", "now")


@dataclass(frozen=True, slots=True)
class Past:
    """A generation and the place where it is now."""

    generation: GenerationRecord
    now: str
    """The slot's name, `revoked`, or `in no slot`."""

    def as_dict(self) -> dict[str, object]:
        """Return it as plain values for JSON; there is no secret in it."""
        return {
            "generation": self.generation.id,
            "fingerprint": self.generation.fingerprint,
            "created_at": self.generation.created_at,
            "source": self.generation.source,
            "login_until": self.generation.facts.login_until,
            "now": self.now,
        }

    def row(self) -> tuple[str, ...]:
        """Return it as a row under `HEADINGS`; the id in full, since commands ask for it."""
        record = self.generation
        return record.id, utc_text(record.created_at)[:16], record.source.value, self.now


def past_of(history: Iterable[Head]) -> list[Past]:
    """Return the generations of a jar's heads, oldest first."""
    heads = list(history)
    records = {item.generation.id: item.generation for h in heads for item in h.slots.records()}
    return [Past(record, _place(heads[-1], record)) for record in records.values()]


def _place(newest: Head, record: GenerationRecord) -> str:
    if record.id in newest.revoked:
        return "revoked"
    if newest.active is not None and newest.active.generation.id == record.id:
        return "active"
    if newest.slots.find(record.id) is not None:
        return "backup"
    return "in no slot"
