"""A run and its worker in one process: the real ones, but for the pipe, the disk and yt-dlp."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from jarkeeper.downloads.downloader import Downloader
from jarkeeper.downloads.receipts import VideoReceipt
from jarkeeper.downloads.request import DownloadRequest
from jarkeeper.downloads.run import is_worth_a_try
from jarkeeper.errors import JarkeeperError, VaultError
from jarkeeper.media.destination import Arrival, Kind
from jarkeeper.settings import Settings
from jarkeeper.vault import BoundVault, Vault
from jarkeeper.worker import capability_of
from jarkeeper.youtube.cleaning import Cleaner
from jarkeeper.youtube.extract import WATCH, Extractor
from jarkeeper.youtube.loan import Loan
from jarkeeper.youtube.messages import Answered, Fetch, Fetched, Probe, Start
from jarkeeper.youtube.service import Service
from year.clocks import Time
from year.youtube import Visit, YouTube

SETTINGS = Settings(vault=Path("/none"), key_file=Path("/none"), state_dir=Path("/none"))


class Shelf:
    """A destination without a disk: what arrived is there in every later run."""

    parts = Path(".")

    def __init__(self) -> None:
        self.videos: set[str] = set()

    def find(self, video_id: str, *, kind: Kind = Kind.VIDEO) -> Arrival | None:
        return Arrival(f"{video_id}.mp4", 1, None) if video_id in self.videos else None

    def accept(self, staged: str, *, video_id: str, title: str | None, kind: Kind) -> Arrival:
        self.videos.add(video_id)
        return Arrival(staged, 1, title)

    @contextmanager
    def claim(self, video_id: str) -> Iterator[bool]:
        yield True


class Viewer(Extractor):
    """The real extractor, whose yt-dlp is the stand-in's world."""

    def __init__(self, youtube: YouTube, run: object) -> None:
        super().__init__(SETTINGS, quality="best", send=lambda _: None, cleaner=Cleaner())
        self._youtube, self._run = youtube, run

    def _instance(self, use: str, loan: Loan | None) -> Any:
        visit = Visit(self._run, loan and loan.generation, loan and loan._lent_at)

        def extract_info(url: str) -> dict[str, Any]:
            cookies = loan and loan.cookiejar
            video_id = url.removeprefix(WATCH)
            return self._youtube.watch(video_id, cookies, visit, self._journal.warning)

        return SimpleNamespace(extract_info=extract_info)


class NearService(Service):
    """The worker's inside, without a process of its own."""

    def __init__(self, vault: Vault, youtube: YouTube, start: Start, *, send: Any) -> None:
        bound = BoundVault(vault, capability_of(start))
        super().__init__(
            lambda: bound, settings=SETTINGS, start=start, send=send, fail=lambda _: None
        )
        self._youtube = youtube

    def _extractor(self) -> Extractor:
        if not hasattr(self._local, "extractor"):
            self._local.extractor = Viewer(self._youtube, self)
        return self._local.extractor

    def _asking(self, *, visit: bool) -> Any:
        return lambda jar: self._youtube.probe(
            jar, Visit(self, self._asked_about), pages=2 if visit else 1
        )

    def _probe(self, request: Probe) -> Answered:
        self._asked_about = request.generation
        return super()._probe(request)


class NearSession:
    """What a run has of its worker."""

    def __init__(self, vault: Vault, youtube: YouTube, *, listener: Any) -> None:
        self._vault, self._youtube, self._listener = vault, youtube, listener
        self._numbers = itertools.count(1)
        self.trouble: JarkeeperError | None = None
        self.service: NearService | None = None

    def begin(self, start: Start) -> None:
        self.service = NearService(self._vault, self._youtube, start, send=self._listener)

    def fetch(self, video_id: str, *, use: str) -> Fetched:
        with self._ends_by_failures() as service:
            for loan in service._loans.values():
                loan.look()  # in real life the watch does
            return service._fetch(Fetch(next(self._numbers), video_id, use))
        raise AssertionError

    def probe(self, generation: str, *, visit: bool = False) -> Answered:
        with self._ends_by_failures() as service:
            return service._probe(Probe(next(self._numbers), generation, visit))
        raise AssertionError

    def close(self) -> None:
        if self.trouble is not None or self.service is None:
            return
        service, self.service = self.service, None
        try:
            for loan in service._loans.values():
                loan.give_back()
        except JarkeeperError as error:
            self.trouble = error

    @contextmanager
    def _ends_by_failures(self) -> Iterator[NearService]:
        if self.trouble is not None or self.service is None:
            raise self.trouble or VaultError("worker: the run is over")
        try:
            yield self.service
        except JarkeeperError as error:  # without audit, key or store the worker ends
            self.trouble = error
            raise


@dataclass
class Run:
    """One run of some videos, a step at a time, so that two can go on side by side."""

    vault: Vault
    youtube: YouTube
    shelf: Shelf
    urls: tuple[str, ...]
    jar: str
    downloader: Downloader = field(init=False)
    receipts: dict[str, VideoReceipt] = field(default_factory=dict)

    def __enter__(self) -> Self:
        request = DownloadRequest.of(self.urls, Path("/none"), jar=self.jar)
        self.downloader = Downloader(SETTINGS, request)
        self.downloader._destination = self.shelf
        self.downloader._session = NearSession(
            self.vault, self.youtube, listener=self.downloader._hear
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or issubclass(kind, JarkeeperError):
            self.downloader._session.close()

    def steps(self, time: Time) -> Iterator[VideoReceipt]:
        """Do it, with a pause wherever another run may take its turn."""
        self.downloader.prepare()
        for video in self.downloader.expand():
            while True:
                before = self.youtube.requests
                was_stopped = self.downloader.stopped is not None
                receipt = self.downloader.attempt(video)
                asked = self.youtube.requests - before
                assert not (was_stopped and asked), "a stopped run went on asking"
                self.receipts[video.id] = receipt
                yield receipt
                if not is_worth_a_try(self.downloader, receipt):
                    break
                time.sleep(self.downloader.wait_before_retry(video.id, chance=0.5))
        self.downloader.finish()


class Errand:
    """Who asks YouTube about generations: the worker's own code."""

    def __init__(self, vault: Vault, youtube: YouTube, start: Start) -> None:
        self._session = NearSession(vault, youtube, listener=lambda _: None)
        self._session.begin(start)

    def probe(self, generation: str, *, visit: bool = False) -> Answered:
        return self._session.probe(generation, visit=visit)
