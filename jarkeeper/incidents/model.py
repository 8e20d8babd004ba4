"""What an incident is made of. Pure values; there is no secret in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from jarkeeper.checks import Severity


class Cause(StrEnum):
    """One kind of trouble. `docs/runbooks/alerts.md` has a section for each."""

    SESSION_DEAD = "session-dead"
    SESSION_SUSPECT = "session-suspect"
    YOUTUBE_PAUSE = "youtube-pause"
    EXPIRY = "expiry"
    LIFETIME = "lifetime"
    ROTATION_DUE = "rotation-due"
    NO_BACKUP = "no-backup"
    BACKUP_UNTESTED = "backup-untested"
    DROP_REFUSED = "drop-refused"
    DOWNLOAD_FAILURES = "download-failures"
    STORE = "store"
    INTEGRITY = "integrity"
    ROLLBACK = "rollback"
    PRINCIPAL = "principal"
    OUTSIDE = "outside"
    AUDIT_GAP = "audit-gap"
    OPENS = "opens"
    HEALTH = "health"
    EMERGENCY = "emergency"


Scope: TypeAlias = frozenset[tuple[Cause, str]]
"""What an examination looked at: causes, each of a jar; an empty name means the vault."""


def scope_of(causes: Iterable[Cause], *jars: str) -> Scope:
    """Return the scope of an examination that looked for these causes in each of these jars."""
    wanted = tuple(causes)
    return frozenset((cause, jar) for cause in wanted for jar in jars)


@dataclass(frozen=True, slots=True)
class Condition:
    """What is true now, and somebody should know of."""

    cause: Cause
    jar: str
    """Empty where it concerns the vault."""
    severity: Severity
    message: str
    """What happened."""
    done: str
    """What Jarkeeper did about it."""
    next_step: str
    """What a person must do, with the command."""

    def __post_init__(self) -> None:
        if self.severity is Severity.OK:
            raise ValueError(f"condition '{self.cause}': expected a severity, got 'ok'")


class NoticeKind(StrEnum):
    """What a notice tells of."""

    OPENED = "opened"
    ESCALATED = "escalated"
    CLOSED = "closed"


CLOSING = 0
"""The number of the step that tells that it is over; the plan's own count from 1."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One step of alerting about one incident: who claimed it when, and how that went."""

    step: int
    kind: NoticeKind
    claimed_at: datetime
    sent_at: datetime | None = None
    tries: int = 0
    """How often some channel did not take it."""
    missed: tuple[str, ...] = ()
    """The channels that did not: the next try is for these."""


@dataclass(frozen=True, slots=True)
class Step:
    """Whom to tell of an incident that has been as severe as this for so long."""

    after_minutes: int
    severity: Severity
    to: tuple[str, ...]
    """Names of recipients."""


@dataclass(frozen=True, slots=True)
class Due:
    """One message that has to be sent now; it stands for every step that is due."""

    kind: NoticeKind
    steps: tuple[int, ...]
    to: tuple[str, ...]
    """Names of recipients, and of single channels that missed an earlier try."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One span of trouble with one cause and jar."""

    id: str
    cause: Cause
    jar: str
    severity: Severity
    """The highest so far."""
    opened_at: datetime
    seen_at: datetime
    """When it was last put on record that the trouble goes on."""
    message: str
    done: str
    next_step: str
    closed_at: datetime | None = None
    critical_at: datetime | None = None
    """Since when it is critical."""
    count: int = 1
    """How many records saw it; an examination that finds the same as before writes none."""
    notices: tuple[Notice, ...] = ()
    owed: tuple[str, ...] = ()
    """Recipients and channels that were sent word of trouble, and not yet that it is over."""

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.closed_at is None

    def lasted(self, now: datetime) -> timedelta:
        """Return how long it took, or has taken up to now."""
        return max(timedelta(0), (self.closed_at or now) - self.opened_at)

    def notice(self, step: int) -> Notice | None:
        """Return the notice of a step, None where nobody claimed it yet."""
        return next((notice for notice in self.notices if notice.step == step), None)
