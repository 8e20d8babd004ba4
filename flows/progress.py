"""The progress bar of a run: a Prefect artifact that moves while files arrive."""

from __future__ import annotations

import contextlib
import time
from uuid import UUID

from httpx import HTTPError
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from jarkeeper.downloads.downloader import Notice
from jarkeeper.downloads.receipts import Video, VideoReceipt
from jarkeeper.words import count_of
from jarkeeper.youtube.messages import Progress

PROGRESS_KEY = "download-progress"
PROGRESS_SECONDS = 5.0
PROGRESS_PERCENT = 5.0
PROGRESS_GAP_SECONDS = 0.5
"""An update costs the server 20 ms and an event: one every five seconds or five per cent, and never
one right after another, or a short run would spend its time on them."""


class ProgressBar:
    """How much of the videos is there. Used by the flow's own thread alone."""

    def __init__(self) -> None:
        self._artifact: UUID | None = None
        self._fractions: dict[str, float] = {}
        self._sum = 0.0
        self._shown = (0.0, 0.0)

    def begin(self, videos: tuple[Video, ...]) -> None:
        """Create the artifact at nought."""
        self._fractions = dict.fromkeys((video.id for video in videos), 0.0)
        description = f"Downloading {count_of(len(videos), 'video')}"
        artifact = create_progress_artifact(0.0, key=PROGRESS_KEY, description=description)
        assert isinstance(artifact, UUID), "a sync flow creates synchronously"  # noqa: S101
        self._artifact = artifact
        self._shown = (time.monotonic(), 0.0)

    def take(self, notice: Notice) -> None:
        """Count what arrived, and show it if that is due."""
        if isinstance(notice, VideoReceipt) and not notice.curable:
            self._advance(notice.video_id, 1.0)
        elif isinstance(notice, Progress) and notice.total:
            self._advance(notice.video_id, min(notice.received / notice.total, 1.0))
        self.show()

    def show(self) -> None:
        """Update the artifact every five seconds or five per cent, if anything changed."""
        at, before = self._shown
        waited, gained = time.monotonic() - at, self.percent - before
        if waited < PROGRESS_GAP_SECONDS:
            return
        if gained >= PROGRESS_PERCENT or (gained > 0 and waited >= PROGRESS_SECONDS):
            self._update()

    def end(self, sentence: str) -> None:
        """Show where the run ended, and how."""
        self._update(sentence)

    @property
    def percent(self) -> float:
        """How much of all videos is done, from 0 to 100."""
        return round(100 * self._sum / max(len(self._fractions), 1), 1)

    def _advance(self, video_id: str, fraction: float) -> None:
        # Sound and picture may come one after the other: the bar never goes back.
        gained = fraction - self._fractions.get(video_id, fraction)
        if gained > 0:
            self._fractions[video_id] = fraction
            self._sum += gained

    def _update(self, description: str | None = None) -> None:
        if self._artifact is None:
            return
        self._shown = (time.monotonic(), self.percent)
        with contextlib.suppress(HTTPError):  # a bar that lags must not end a run that works
            update_progress_artifact(self._artifact, self.percent, description)
