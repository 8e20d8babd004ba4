"""Open incidents, where this installation keeps any."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jarkeeper.settings import Settings
    from jarkeeper.vault import Vault


@dataclass(frozen=True, slots=True)
class Attention:
    """An incident that is open, as a line of a screen needs it."""

    jar: str
    """Empty where it is about the vault."""
    cause: str
    severity: str
    since: datetime
    message: str
    next_step: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def open_incidents(vault: Vault, settings: Settings) -> tuple[Attention, ...]:
    """Return what is open, the oldest first."""
    from jarkeeper.wiring import open_journal

    return tuple(
        Attention(
            incident.jar,
            incident.cause,
            incident.severity,
            incident.opened_at,
            incident.message,
            incident.next_step,
        )
        for incident in open_journal(settings, vault).open()
    )
