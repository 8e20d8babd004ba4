"""Generations as a person names them: by the first digits of the id, or by the slot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jarkeeper.errors import InputError, NotFound
from jarkeeper.heads import GenerationRecord, Head, SlotState
from jarkeeper.slots import Slot
from jarkeeper.vault import Vault
from jarkeeper.words import printable

DIGITS_MIN = 6
"""Of an id: a jar of ten thousand generations has two alike at six digits only by chance."""
DIGITS_SHOWN = 8
SHOWN = 5
"""Generations that a hint names; `jarkeeper history` has all."""
DEAD = "no reason is on record"
LIST_ALL = "`jarkeeper history` lists all"

_PREFIX = re.compile(rf"[0-9a-f]{{{DIGITS_MIN},32}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class JarHistory:
    """All heads of a jar, oldest first, and what a person may call its generations."""

    jar: str
    heads: tuple[Head, ...]

    @property
    def newest(self) -> Head:
        """The truth about the jar."""
        return self.heads[-1]

    def find(self, text: str) -> GenerationRecord:
        """Return the generation; `NotFound` and `InputError` tell what is there."""
        if text in set(Slot):
            return self._in_slot(Slot(text))
        text = text.lower()
        if _PREFIX.fullmatch(text) is None:
            raise InputError(
                f"generation '{printable(text[:40])}': expected at least {DIGITS_MIN} hexadecimal "
                "digits of its id",
                hint=self._what_is_there(),
            )
        records = self._records()
        found = [record for record in records if record.id.startswith(text)]
        if not found:
            raise NotFound(
                f"jar '{self.jar}': no generation {text[:DIGITS_SHOWN]} in its history",
                hint=self._what_is_there(),
            )
        if len(found) > 1:
            raise InputError(
                f"jar '{self.jar}': {len(found)} generations begin with {text}",
                hint=f"more digits, please: {', '.join(_told_apart(found)[:SHOWN])}",
            )
        return found[0]

    def place_of(self, record: GenerationRecord) -> str:
        """Return where the generation is now: a slot's name, `revoked` or `in no slot`."""
        if record.id in self.newest.revoked:
            return "revoked"
        item = self.newest.slots.find(record.id)
        return "in no slot" if item is None else self.newest.slots.role_of(item)

    def death_of(self, record: GenerationRecord) -> str:
        """Return why the generation was dead when it was last in a slot; '' if it was not."""
        for head in reversed(self.heads):
            if item := head.slots.find(record.id):
                return item.reason or DEAD if item.state is SlotState.DEAD else ""
        return ""

    def _records(self) -> list[GenerationRecord]:
        """Return every generation once, the newest first."""
        records = {
            item.generation.id: item.generation
            for head in self.heads
            for item in head.slots.records()
        }
        return list(reversed(records.values()))

    def _in_slot(self, slot: Slot) -> GenerationRecord:
        item = self.newest.slot(slot)
        if item is None:
            raise NotFound(
                f"jar '{self.jar}': has no {slot} generation", hint=self._what_is_there()
            )
        return item.generation

    def _what_is_there(self) -> str:
        records = self._records()
        names = [f"{item.id[:DIGITS_SHOWN]} ({self.place_of(item)})" for item in records[:SHOWN]]
        return f"there is {', '.join(names)}; {LIST_ALL}" if names else LIST_ALL


def history_of(vault: Vault, jar: str) -> JarHistory:
    """Return the jar's history, checked against the anchors; without the jar `NotFound`."""
    from jarkeeper.health import heads_of

    heads_of(vault, jar)
    return JarHistory(jar, vault.history(jar))


def _told_apart(records: Sequence[GenerationRecord]) -> list[str]:
    """Return ids as short as tells them apart."""
    ids = [record.id for record in records]
    digits = next(
        count for count in range(DIGITS_MIN, 33) if len({id_[:count] for id_ in ids}) == len(ids)
    )
    return [id_[: max(digits, DIGITS_SHOWN)] for id_ in ids]
