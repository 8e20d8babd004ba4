"""Open incidents, as lines of a screen: `jarkeeper incidents` tells more of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from jarkeeper.errors import JarkeeperError

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
    since: datetime | None
    """None for trouble with the journal."""
    message: str
    next_step: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


class Grave(Protocol):
    """What has a severity."""

    @property
    def severity(self) -> str:
        """How much it matters."""


AnyGrave = TypeVar("AnyGrave", bound=Grave)


def gravest_first(items: Iterable[AnyGrave]) -> list[AnyGrave]:
    """Return what is critical before the rest, each in the order in which it came."""
    return sorted(items, key=lambda item: item.severity != "critical")


def open_incidents(vault: Vault, settings: Settings) -> tuple[Attention, ...]:
    """Return what is open, the gravest first; a journal that cannot be read is trouble itself."""
    from jarkeeper.wiring import open_journal

    try:
        look = open_journal(settings, vault).look()
    except JarkeeperError as error:
        message = f"open incidents cannot be told, {error.message}"
        return (_of_journal("store", "warning", message, error.hint or "try again"),)
    told = tuple(
        _of_journal("integrity", "critical", damage, "run `jarkeeper check`")
        for damage in look.damage[:1]
    )
    found = told + tuple(
        Attention(
            jar=item.jar,
            cause=item.cause,
            severity=item.severity,
            since=item.opened_at,
            message=item.message,
            next_step=item.next_step,
        )
        for item in look.incidents
        if item.is_open
    )
    return tuple(gravest_first(found))


def _of_journal(cause: str, severity: str, message: str, next_step: str) -> Attention:
    return Attention("", cause, severity, None, message, next_step)
