"""One thread's way to YouTube: a reused instance of yt-dlp for each kind of cookies."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from yt_dlp.networking.exceptions import HTTPError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError

from jarkeeper.settings import Settings
from jarkeeper.youtube.cleaning import Cleaner
from jarkeeper.youtube.downloader import YouTubeOnly
from jarkeeper.youtube.failures import Classification, Observation, classify
from jarkeeper.youtube.loan import Loan
from jarkeeper.youtube.messages import Event, Expand, Expanded, Fetch, Fetched, Progress
from jarkeeper.youtube.options import download_options, list_options

PROGRESS_SECONDS = 0.25
"""Between two progress events of one video: as often as a person can read."""

WATCH = "https://www.youtube.com/watch?v="
VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")


class Journal:
    """Keeps the warnings of one video; with a logger nothing reaches standard output or error."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, message: str) -> None:
        """Keep a warning: HTTP statuses and a session's death stand nowhere else."""
        self.warnings.append(message)

    def debug(self, message: str) -> None:
        """Drop it: at this level yt-dlp prints signed media URLs."""

    info = debug

    def error(self, message: str) -> None:
        """Drop it: the exception says the same."""


class Extractor:
    """Fetches and lists for one thread. `loans` yields the jar in use, or None for no cookies."""

    def __init__(
        self, settings: Settings, *, quality: str, send: Callable[[Event], None], cleaner: Cleaner
    ) -> None:
        self._settings = settings
        self._quality = quality
        self._send = send
        self._clean = cleaner
        self._journal = Journal()
        self._instances: dict[str, YouTubeOnly] = {}
        self._told_at = 0.0
        self._received = 0

    def fetch(self, request: Fetch, loan: Loan | None) -> Fetched:
        """Return how one try at one video ended; never raises for the video's own failure."""
        began = time.monotonic()
        self._received, self._told_at = 0, 0.0
        info: dict[str, Any] = {}
        error: BaseException | None = None
        self._journal.warnings.clear()
        try:
            info = self._instance(request.use, loan).extract_info(WATCH + request.video_id) or {}
            error = None if file_of(info) else ExtractorError("No video formats found!")
        except Exception as failure:  # noqa: BLE001 - full disks and broken pages raise anything
            error = failure
        outcome = self._judge(error, loan=loan, list_id=None)
        return Fetched(
            number=request.number,
            video_id=request.video_id,
            use=request.use,
            failure=outcome.failure,
            file=file_of(info),
            title=self._clean.title(info.get("title")),
            received=self._received,
            seconds=time.monotonic() - began,
            http_status=outcome.status,
            detail=self._clean.clean(str(error) if error else ""),
            warnings=[self._clean.clean(warning) for warning in self._journal.warnings[:20]],
            slot_state=outcome.slot_verdict,
            generation=loan.generation if loan else None,
        )

    def expand(self, request: Expand, loan: Loan | None) -> Expanded:
        """Return the videos of a list; never raises for the list's own failure."""
        videos: list[tuple[str, str | None]] = []
        error: BaseException | None = None
        self._journal.warnings.clear()
        options = list_options(self._settings, most=request.most, logger=self._journal)
        with YouTubeOnly(options) as ydl:
            use_cookies(ydl, loan)
            try:
                info = ydl.extract_info(request.url, download=False) or {}
                videos = [(one, self._clean.title(title)) for one, title in videos_of(info)]
            except Exception as failure:  # noqa: BLE001 - broken pages raise anything
                error = failure
        outcome = self._judge(error, loan=loan, list_id=request.list_id)
        return Expanded(
            number=request.number,
            videos=videos,
            failure=outcome.failure,
            detail=self._clean.clean(str(error) if error else ""),
            slot_state=outcome.slot_verdict,
        )

    def _instance(self, use: str, loan: Loan | None) -> YouTubeOnly:
        ydl = self._instances.get(use)
        if ydl is None or (loan is not None and ydl.cookiejar is not loan.cookiejar):
            options = download_options(
                self._settings,
                quality=self._quality,
                logger=self._journal,
                hook=self._progress,
            )
            ydl = self._instances[use] = use_cookies(YouTubeOnly(options), loan)
        return ydl

    def _judge(
        self, error: BaseException | None, *, loan: Loan | None, list_id: str | None
    ) -> Classification:
        now = datetime.now(UTC)
        outcome = classify(
            observe_error(
                error,
                warnings=tuple(self._journal.warnings),
                used_cookies=loan is not None,
                jar_alive=loan.is_alive(now) if loan else None,
                list_id=list_id,
            ),
            succeeded=error is None,
        )
        if loan is not None and not loan.note(outcome, now=now):
            return replace(outcome, slot_verdict=None)
        return outcome

    def _progress(self, state: dict[str, Any]) -> None:
        self._received = int(state.get("downloaded_bytes") or 0)
        now = time.monotonic()
        if now - self._told_at < PROGRESS_SECONDS and state.get("status") != "finished":
            return
        self._told_at = now
        total = state.get("total_bytes") or state.get("total_bytes_estimate")
        self._send(
            Progress(
                video_id=str(state.get("info_dict", {}).get("id")),
                received=self._received,
                total=int(total) if total else None,
                bytes_per_second=state.get("speed"),
                eta_seconds=state.get("eta"),
            )
        )


def use_cookies(ydl: YouTubeOnly, loan: Loan | None) -> YouTubeOnly:
    """Give the instance the loan's jar, shared by all threads as by a browser's tabs."""
    if loan is not None:
        ydl.cookiejar = loan.cookiejar
    return ydl


def observe_error(
    error: BaseException | None,
    *,
    warnings: tuple[str, ...],
    used_cookies: bool,
    jar_alive: bool | None,
    list_id: str | None,
) -> Observation:
    """Return what the classifier judges by: the text, and what stands behind a `DownloadError`."""
    cause = error.exc_info[1] if isinstance(error, DownloadError) and error.exc_info else error
    chain = list(causes(cause))
    for link in chain:
        if isinstance(link, HTTPError):
            link.close()  # yt-dlp leaves the connection of a refused request open
    statuses = [
        status for link in chain if isinstance(status := getattr(link, "status", None), int)
    ]
    geo = next((link for link in chain if isinstance(link, GeoRestrictedError)), None)
    return Observation(
        text=str(error) if error else "",
        warnings=warnings,
        exception_type=type(chain[-1]).__name__ if chain else "",
        http_status=statuses[0] if statuses else None,
        countries=tuple(getattr(geo, "countries", None) or ()),
        used_cookies=used_cookies,
        jar_alive=jar_alive,
        list_id=list_id,
    )


def causes(error: BaseException | None) -> list[BaseException]:
    """Return the exception and what caused it, outermost first."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = getattr(error, "cause", None) or error.__cause__
    return chain


def file_of(info: dict[str, Any]) -> str | None:
    """Return the name of the finished file in staging."""
    paths = [done.get("filepath") for done in info.get("requested_downloads") or ()]
    return Path(paths[0]).name if paths and paths[0] else None


def videos_of(info: dict[str, Any]) -> list[tuple[str, object]]:
    """Return (id, title) of every video in a list, and of the lists in it; a channel has tabs."""
    found: list[tuple[str, object]] = []
    for entry in info.get("entries") or ():
        if entry and entry.get("entries") is not None:
            found += videos_of(entry)
        elif entry and VIDEO_ID.fullmatch(str(entry.get("id"))):
            found.append((str(entry["id"]), entry.get("title")))
    return found
