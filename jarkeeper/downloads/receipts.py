"""What a run leaves behind: ids, names, counts and words; never a cookie."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from jarkeeper.checks import Finding


class Outcome(StrEnum):
    """How a video's part of a run ended."""

    DOWNLOADED = "downloaded"
    ALREADY_THERE = "already there"
    FAILED = "failed"
    SKIPPED = "skipped"
    PUT_OFF = "put off"
    """It waits for fresh cookies."""


@dataclass(frozen=True, slots=True)
class Video:
    """One video to fetch; the title is known when a list named it."""

    id: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class VideoReceipt:
    """What became of one video: `file` is a name in the destination, `used` which cookies."""

    video_id: str
    outcome: Outcome
    title: str | None = None
    file: str | None = None
    bytes: int = 0
    seconds: float = 0.0
    used: str | None = None
    generation: str | None = None
    tries: int = 0
    failure: str | None = None
    http_status: int | None = None
    curable: bool = False
    retry_seconds: float | None = None
    """The wait before the next try, where one may follow; jitter comes on top."""
    explanation: str | None = None
    next_step: str | None = None
    detail: str = ""

    @property
    def arrived(self) -> bool:
        """Whether the file is in the destination."""
        return self.outcome in (Outcome.DOWNLOADED, Outcome.ALREADY_THERE)


@dataclass(frozen=True, slots=True)
class Preparation:
    """What was found before the first request: which cookies can be used, in the user's words."""

    jar: str
    policy: str
    usable: tuple[str, ...]
    findings: tuple[Finding, ...]
    cookie_status: str
    head_seq: int = 0
    """The head that was looked at; 0 where there is none."""
    lost: bool = False
    """Whether there are cookies, and none will work again by themselves."""
    stop: str | None = None
    """The class of failure for which YouTube still wants a pause: the run must not begin."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole run: counts, the cookies' story in words, and every video's receipt."""

    jar: str
    videos: int
    downloaded: int
    already_there: int
    failed: int
    skipped: int
    bytes: int
    seconds: float
    cookie_status: str
    notices: tuple[str, ...]
    stopped: str | None
    failures: dict[str, int] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    receipts: tuple[VideoReceipt, ...] = ()
    put_off: int = 0
    slot_states: dict[str, str] = field(default_factory=dict)
    """The states that the run gave to slots, by whose cookies they were."""

    @property
    def succeeded(self) -> bool:
        """Whether every video is in the destination now."""
        missing = self.failed + self.skipped + self.put_off
        return missing == 0 and self.stopped is None

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as plain values for JSON."""
        return asdict(self)
