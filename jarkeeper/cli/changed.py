"""What a jar looks like after its slots were changed, in words and as a document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jarkeeper.cli.output import Output
from jarkeeper.heads import Head
from jarkeeper.settings import Settings
from jarkeeper.vault import Receipt, Vault

if TYPE_CHECKING:
    from jarkeeper.health import SlotHealth


@dataclass(frozen=True, slots=True)
class Changed:
    """A receipt, and the slots as they are now."""

    receipt: Receipt
    slots: tuple[SlotHealth, ...]
    is_news: bool
    """Whether anything was changed: saying the same twice changes nothing."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; there is no secret in it."""
        from jarkeeper.health import next_step

        receipt = self.receipt
        return {
            "jar": receipt.jar,
            "action": receipt.action,
            "generation": receipt.generation,
            "fingerprint": receipt.fingerprint,
            "head_seq": receipt.head_seq,
            "changed": self.is_news,
            "warnings": list(receipt.warnings),
            "slots": [slot.as_dict() for slot in self.slots],
            "next": next_step(self.slots),
        }

    def print(self, output: Output, *, done: str) -> None:
        """Say what was done, and what is in the slots now."""
        from jarkeeper.health import next_step

        output.finding("ok", done)
        for warning in self.receipt.warnings:
            output.finding("warning", warning)
        for slot in self.slots:
            if slot.record is None:
                output.finding(slot.severity, slot.findings[0].message)
                continue
            name, state = slot.record.generation.id[:8], slot.record.state
            output.finding(slot.severity, f"{slot.name} is generation {name}, {state}")
        output.entry("next", next_step(self.slots))


def after(vault: Vault, receipt: Receipt, *, before: Head, settings: Settings) -> Changed:
    """Return what holds after the receipt's change."""
    from jarkeeper.health import examine

    head = vault.status(receipt.jar) or before
    slots = examine(head, now=datetime.now(UTC), settings=settings)
    return Changed(receipt, slots, is_news=before.seq != receipt.head_seq)
