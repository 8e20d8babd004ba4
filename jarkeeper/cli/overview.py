"""What `jarkeeper status` tells: gathered here, drawn in `status`. No jar is opened for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jarkeeper.health import SlotHealth, examine, heads_of, next_step
from jarkeeper.lifecycle.lifetime import expected_days

if TYPE_CHECKING:
    from jarkeeper.cli.attention import Attention
    from jarkeeper.cli.next_runs import NextRun
    from jarkeeper.heads import Head
    from jarkeeper.settings import Settings
    from jarkeeper.vault import Opens, Vault


@dataclass(frozen=True, slots=True)
class Expectation:
    """How long the active login has lived, and how long the jar's earlier ones did."""

    began: datetime | None
    days: float | None
    """The median of those that ended; None while none has."""
    ended: int
    """How many that was learned from, the newest five."""

    @property
    def until(self) -> datetime | None:
        """When the active login will have lived as long as the others."""
        if self.began is None or self.days is None:
            return None
        return self.began + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class JarOverview:
    """What is shown of a jar."""

    head: Head
    slots: tuple[SlotHealth, ...]
    life: Expectation
    opens: Opens

    @property
    def next_step(self) -> str:
        """The one thing to do now."""
        return next_step(self.slots)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; there is no secret in it."""
        return {
            "jar": self.head.jar,
            "head_seq": self.head.seq,
            "at": self.head.at,
            "slots": [slot.as_dict() for slot in self.slots],
            "revoked": len(self.head.revoked),
            "login_began": self.life.began,
            "expected_days": self.life.days,
            "expected_until": self.life.until,
            "last_opened": self.opens.last,
            "opens_this_hour": self.opens.this_hour,
            "opens_per_hour": self.opens.per_hour,
            "next": self.next_step,
        }


@dataclass(frozen=True, slots=True)
class Overview:
    """All that one screen shows, at one moment."""

    vault: str
    vault_id: str
    at: datetime
    jars: tuple[JarOverview, ...]
    incidents: tuple[Attention, ...]
    runs: tuple[NextRun, ...] | str | None
    """The next runs, why there is no answer, or None where no server is set."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; there is no secret in it."""
        runs = self.runs if isinstance(self.runs, tuple) else None
        return {
            "vault": self.vault,
            "vault_id": self.vault_id,
            "at": self.at,
            "jars": [jar.as_dict() for jar in self.jars],
            "incidents": [incident.as_dict() for incident in self.incidents],
            "next_runs": None if runs is None else [run.as_dict() for run in runs],
        }


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks again and again."""

    vault: Vault
    settings: Settings

    def look(self, jar: str | None) -> Overview:
        """Return what there is now; `NotFound` for a jar that is not there."""
        from jarkeeper.cli.attention import open_incidents
        from jarkeeper.cli.next_runs import next_runs

        now = self.vault.ports.clock()
        heads = heads_of(self.vault, jar)
        return Overview(
            vault=self.settings.place,
            vault_id=self.vault.id,
            at=now,
            jars=tuple(self._jar(head, now) for head in heads),
            incidents=tuple(
                item
                for item in open_incidents(self.vault, self.settings)
                if jar is None or item.jar in ("", jar)
            ),
            runs=next_runs(),
        )

    def _jar(self, head: Head, now: datetime) -> JarOverview:
        return JarOverview(
            head=head,
            slots=examine(head, now=now, settings=self.settings),
            life=_expectation(head),
            opens=self.vault.opens(head.jar),
        )


def _expectation(head: Head) -> Expectation:
    return Expectation(
        began=None if head.active is None else head.active.login_began,
        days=expected_days(head.slots),
        ended=len(head.slots.lives),
    )
