"""What a row of the classifier's table is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jarkeeper.slots import SlotState


class FailureClass(StrEnum):
    """Why a video did not arrive."""

    COOKIE_FORMAT = "COOKIE_FORMAT"
    COOKIE_IO = "COOKIE_IO"
    COOKIE_ROTATED = "COOKIE_ROTATED"
    COOKIE_MISSING = "COOKIE_MISSING"
    PRIVATE = "PRIVATE"
    MEMBERS_ONLY = "MEMBERS_ONLY"
    AGE_GATE = "AGE_GATE"
    BOT_CHECK = "BOT_CHECK"
    CAPTCHA = "CAPTCHA"
    RATE_LIMIT_ACCOUNT = "RATE_LIMIT_ACCOUNT"
    RATE_LIMIT_GUEST = "RATE_LIMIT_GUEST"
    ACCOUNT_FLAGGED = "ACCOUNT_FLAGGED"
    IP_BLOCK = "IP_BLOCK"
    WEBPAGE_BLOCKED = "WEBPAGE_BLOCKED"
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    NOT_FOUND = "NOT_FOUND"
    RATE_LIMIT_IP = "RATE_LIMIT_IP"
    MEDIA_FORBIDDEN = "MEDIA_FORBIDDEN"
    NO_FORMATS = "NO_FORMATS"
    GEO = "GEO"
    DRM = "DRM"
    NOT_YET = "NOT_YET"
    PAID = "PAID"
    REMOVED = "REMOVED"
    UNAVAILABLE = "UNAVAILABLE"
    EXTRACT_TRANSIENT = "EXTRACT_TRANSIENT"
    NETWORK = "NETWORK"
    CONFIG = "CONFIG"
    DISK_FULL = "DISK_FULL"
    LOCAL = "LOCAL"
    BAD_TARGET = "BAD_TARGET"
    OPEN_LIMIT = "OPEN_LIMIT"
    UNKNOWN = "UNKNOWN"


class Help(StrEnum):
    """Whether another try with other cookies, or with none, can end differently."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How often a later try may follow; each extracts afresh."""

    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: what is looked for, and what is done about it.

    A pattern is a part of the normalised text; `…` in it stands for anything. The row applies if
    one of `patterns` is there, or the exception is one of `types`, and none of `unless` is there.
    """

    number: int
    """Its place in the table; the first row that applies wins."""
    failure: FailureClass
    patterns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    defers: bool = False
    """The text says little: a status or a broken connection among the warnings says more."""
    helps_login: Help = Help.NO
    """Whether cookies help where none were used."""
    helps_backup: Help = Help.NO
    """Whether another jar helps where one was used."""
    helps_none: Help = Help.NO
    """Whether leaving cookies out helps where some were used."""
    slot_verdict: SlotState | None = None
    """What becomes of the slot whose cookies were used; None leaves it as it is."""
    cool_minutes: int | None = None
    retry: RetryRule | None = None
    stops_run: bool = False
    """Once nothing else is left to try, further videos would fail alike, or do harm."""
    explanation: str
    next_step: str

    @property
    def curable(self) -> bool:
        """Whether the same video may succeed later in the same run."""
        return self.retry is not None
