"""What a person asks for: the request of one run, checked before anything happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from jarkeeper.errors import InputError
from jarkeeper.limits import LIMITS
from jarkeeper.youtube.policy import CookiePolicy
from jarkeeper.youtube.targets import Target, parse_targets


class Quality(StrEnum):
    """The best picture to take, or the sound alone."""

    BEST = "best"
    P2160 = "2160p"
    P1440 = "1440p"
    P1080 = "1080p"
    P720 = "720p"
    P480 = "480p"
    P360 = "360p"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """One run: which videos, with which cookies, to where. Raises `InputError`."""

    targets: tuple[Target, ...]
    destination: Path
    jar: str = "youtube"
    cookies: CookiePolicy = CookiePolicy.ALWAYS
    quality: Quality = Quality.BEST
    concurrency: int = 4
    beyond_limit: bool = False
    """Whether the jar may be opened also where this hour's limit is reached."""

    def __post_init__(self) -> None:
        if not self.targets:
            raise InputError("urls: expected at least one video, playlist or channel, got none")
        if not 1 <= self.concurrency <= LIMITS.concurrency_max:
            raise InputError(
                f"concurrency: expected 1 to {LIMITS.concurrency_max}, got {self.concurrency}"
            )

    @classmethod
    def of(
        cls,
        urls: tuple[str, ...],
        destination: Path,
        *,
        jar: str = "youtube",
        cookies: CookiePolicy = CookiePolicy.ALWAYS,
        quality: Quality = Quality.BEST,
        concurrency: int = 4,
        beyond_limit: bool = False,
    ) -> DownloadRequest:
        """Return the request for these URLs; the gate names every one that it refuses."""
        targets = parse_targets(urls)
        return cls(targets, destination, jar, cookies, quality, concurrency, beyond_limit)
