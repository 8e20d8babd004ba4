"""One run: prepares the cookies, tries each video with the fall-back chain, tells the story."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from jarkeeper.downloads.circuit import Circuit
from jarkeeper.downloads.measuring import measure_run, record_run
from jarkeeper.downloads.preparation import prepare
from jarkeeper.downloads.putting_off import put_off
from jarkeeper.downloads.receipts import Outcome, Preparation, Summary, Video, VideoReceipt
from jarkeeper.downloads.request import DownloadRequest, Quality
from jarkeeper.downloads.summary import summarise
from jarkeeper.downloads.tries import Tries
from jarkeeper.errors import VaultError
from jarkeeper.limits import LIMITS
from jarkeeper.media.destination import Destination, Kind
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from jarkeeper.temporary import sweep
from jarkeeper.youtube.failures import FailureClass, row_of
from jarkeeper.youtube.messages import (
    Event,
    Fetched,
    Lent,
    Marked,
    Start,
    Withheld,
    WroteBack,
    encode,
)
from jarkeeper.youtube.policy import LOGINS, CookiePolicy, RetryPolicy, Use
from jarkeeper.youtube.session import WorkerSession
from jarkeeper.youtube.targets import Target, TargetKind

LOG = logging.getLogger("jarkeeper.downloads")

Notice = Event | VideoReceipt
Listener = Callable[[Notice], None]
STORY = (Lent, Withheld, Marked, WroteBack)
"""The events that tell what happened to the cookies; the summary is made from them."""


class Downloader:
    """A run of one request. Thread-safe; a context manager that ends the worker.

    `prepare`, then `expand`, then `attempt` per video while its receipt is curable, then `finish`.
    """

    def __init__(
        self,
        settings: Settings,
        request: DownloadRequest,
        *,
        listener: Listener | None = None,
        actor: str = "cli",
        flow_run: str | None = None,
    ) -> None:
        self.settings = settings
        self.request = request
        self._listener = listener
        self._actor = actor
        self._flow_run = flow_run
        self._destination = Destination(request.destination)
        self._kind = Kind.AUDIO if request.quality is Quality.AUDIO else Kind.VIDEO
        self._session: WorkerSession | None = None
        self._preparation: Preparation | None = None
        self._circuit = Circuit(settings.retry_seconds)
        self._events: list[Event] = []
        self._receipts: dict[str, VideoReceipt] = {}
        self._lists: dict[str, tuple[Video, ...]] = {}
        self._retries = RetryPolicy(settings.retry_seconds)
        self._made: Counter[str] = Counter()
        self._died = False
        self._lock = threading.Lock()
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        sweep(self.settings.temp_dir)  # what a run before us left when it was killed
        self._destination.open()
        # The worker imports yt-dlp while the cookies are being looked at.
        self._session = WorkerSession(self.settings, listener=self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            self._session.close()

    def prepare(self) -> Preparation:
        """Return which cookies can be used. Raises `VaultError` without a vault."""
        now = datetime.now(UTC)
        self._preparation = prepare(self.settings, self.request, now=now)
        self._worker().begin(self._start(base_head=self._preparation.head_seq, now=now))
        self._circuit.allow(Use(use) for use in self._preparation.usable)
        if self._preparation.stop is not None:
            self._circuit.give_up_on(FailureClass(self._preparation.stop))
        return self._preparation

    def expand(self) -> tuple[Video, ...]:
        """Return the videos of all targets, each once; an unreadable list gets a receipt.

        Called again, it looks once more at the lists whose failure a later try may cure.
        """
        videos: dict[str, Video] = {}
        for target in self.request.targets:
            if target.kind is TargetKind.VIDEO:
                found: tuple[Video, ...] = (Video(target.id),)
            else:
                found = self._list(target)
            for video in found:
                videos.setdefault(video.id, video)
        return tuple(videos.values())

    @property
    def curable_lists(self) -> tuple[VideoReceipt, ...]:
        """The lists that could not be read, where a later try may help."""
        ids = {target.id for target in self.request.targets if target.kind is not TargetKind.VIDEO}
        receipts = self._receipts.values()
        return tuple(one for one in receipts if one.video_id in ids and one.curable)

    def attempt(self, video: Video) -> VideoReceipt:
        """Return what became of one try, fall-back included; a video's failure never raises."""
        began = time.monotonic()
        self._made[video.id] += 1
        with self._destination.claim(video.id) as ours:
            if not ours:
                receipt = VideoReceipt(
                    video.id,
                    Outcome.SKIPPED,
                    title=video.title,
                    curable=self._next_wait(video.id) is not None,
                    retry_seconds=self._next_wait(video.id),
                    explanation="another run is downloading it to the same place",
                )
            elif arrival := self._destination.find(video.id, kind=self._kind):
                receipt = VideoReceipt(
                    video.id,
                    Outcome.ALREADY_THERE,
                    title=arrival.title,
                    file=arrival.file,
                    bytes=arrival.bytes,
                )
            else:
                receipt = self._try(video, began=began)
        return self._keep(receipt)

    def receipt(self, video_id: str) -> VideoReceipt | None:
        """Return the last receipt of a video."""
        return self._receipts.get(video_id)

    def wait_before_retry(self, video_id: str, *, chance: float) -> float:
        """Return the seconds before the next try; `chance` is a random number from 0 to 1."""
        return self._retries.wait(made=self._made[video_id], chance=chance)

    @property
    def stopped(self) -> str | None:
        """Why the run was stopped, in the user's words, or None."""
        return self._circuit.reason

    def abandon(self) -> None:
        """End the worker now; what it was downloading can be resumed by a later run."""
        self._circuit.abandon()
        if self._session is not None:
            self._session.close()

    def finish(self) -> Summary:
        """End the worker, which writes refreshed jars back, and return the whole run."""
        if self._session is not None:
            self._session.close()
        assert self._preparation is not None, "prepare() comes first"  # noqa: S101
        summary = summarise(
            self._preparation,
            receipts=tuple(self._receipts.values()),
            events=tuple(self._events),
            stopped=self.stopped,
            trouble=self._session.trouble if self._session else None,
            seconds=time.monotonic() - self._began,
        )
        measure_run(self.settings, summary)
        return self._on_record(summary)

    def _on_record(self, summary: Summary) -> Summary:
        warning = record_run(self.settings, summary, actor=self._actor, flow_run=self._flow_run)
        if not warning:
            return summary
        LOG.warning("%s", warning)
        return replace(summary, notices=(*summary.notices, warning))

    def _start(self, *, base_head: int, now: datetime) -> Start:
        """Return what the worker is told: what it may do in the vault, and what is wanted."""
        return Start(
            jar=self.request.jar,
            base_head=base_head,
            until=(now + timedelta(hours=LIMITS.run_hours_max)).isoformat(),
            beyond_limit=self.request.beyond_limit,
            staging=str(self._destination.parts),
            quality=self.request.quality.value,
            threads=self.request.concurrency,
            actor=self._actor,
            flow_run=self._flow_run,
        )

    def _try(self, video: Video, *, began: float) -> VideoReceipt:
        last: Fetched | None = None
        with Tries(self.request.cookies, self._circuit) as tries:
            while use := tries.next():
                last = self._worker().fetch(video.id, use=use.value)
                LOG.debug("%s", encode(last).decode().rstrip())
                tries.learn(use, last)
                if last.failure is None:
                    return self._arrived(video, last, tries=tries.count + 1, began=began)
        if tries.failure is None or last is None:
            return replace(self._skipped(video.id), title=video.title)
        return replace(
            self._failed(video.id, tries.failure),
            title=last.title or video.title,
            seconds=time.monotonic() - began,
            used=last.use,
            generation=last.generation,
            tries=tries.count,
            http_status=last.http_status,
            detail=last.detail,
        )

    def _arrived(self, video: Video, last: Fetched, *, tries: int, began: float) -> VideoReceipt:
        assert last.file is not None, "the worker names the file of a success"  # noqa: S101
        title = last.title or video.title
        try:
            arrival = self._destination.accept(
                last.file, video_id=video.id, title=title, kind=self._kind
            )
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            failure = FailureClass.DISK_FULL if full else FailureClass.LOCAL
            self._circuit.give_up_on(failure)
            return replace(
                self._failed(video.id, failure), title=title, detail=os.strerror(error.errno or 0)
            )
        return VideoReceipt(
            video.id,
            Outcome.DOWNLOADED,
            title=arrival.title,
            file=arrival.file,
            bytes=arrival.bytes,
            seconds=time.monotonic() - began,
            used=last.use,
            generation=last.generation,
            tries=tries,
        )

    def _failed(self, id: str, failure: FailureClass) -> VideoReceipt:  # noqa: A002
        row = row_of(failure)
        left = self._retries.tries_left(failure, made=self._made[id])
        curable = left > 0 and self._circuit.reason is None
        return VideoReceipt(
            id,
            Outcome.FAILED,
            failure=failure.value,
            curable=curable,
            retry_seconds=self._next_wait(id) if curable else None,
            explanation=row.explanation,
            next_step=row.next_step,
        )

    def _skipped(self, id: str) -> VideoReceipt:  # noqa: A002
        return VideoReceipt(id, Outcome.SKIPPED, explanation=self._circuit.reason)

    def _next_wait(self, id: str) -> float | None:  # noqa: A002
        made = self._made[id]
        return self._retries.waits[made - 1] if made <= len(self._retries.waits) else None

    def _list(self, target: Target) -> tuple[Video, ...]:
        known = self._receipts.get(target.id)
        if target.id in self._lists or (known is not None and not known.curable):
            return self._lists.get(target.id, ())
        self._made[target.id] += 1
        detail = ""
        with Tries(self.request.cookies, self._circuit) as tries:
            while use := tries.next():
                answer = self._worker().expand(
                    target.url, list_id=target.id, use=use.value, most=LIMITS.playlist_videos_max
                )
                tries.learn(use, answer)
                if answer.failure is None:
                    self._lists[target.id] = tuple(Video(*video) for video in answer.videos)
                    self._receipts.pop(target.id, None)
                    return self._lists[target.id]
                detail = answer.detail
        if tries.failure is None:
            self._keep(self._skipped(target.id))
        else:
            self._keep(replace(self._failed(target.id, tries.failure), detail=detail))
        return ()

    def _worker(self) -> WorkerSession:
        if self._session is None:
            raise VaultError("downloader: used outside its 'with' block")
        return self._session

    @property
    def _lacks_login(self) -> bool:
        """Whether cookies were wanted, and what there was of them is dead."""
        if self.request.cookies is CookiePolicy.NEVER or self._circuit.usable & set(LOGINS):
            return False
        return self._died or (self._preparation is not None and self._preparation.lost)

    def _keep(self, receipt: VideoReceipt) -> VideoReceipt:
        if self._lacks_login:
            receipt = put_off(receipt)
        with self._lock:
            self._receipts[receipt.video_id] = receipt
        self._hear(receipt)
        return receipt

    def _do_without(self, use: Use, failure: FailureClass) -> None:
        if row_of(failure).stops_run:  # no slot is to blame, so no other one steps in
            self._circuit.give_up_on(failure)
        else:
            self._circuit.withdraw(use)

    def _hear(self, notice: Notice) -> None:
        if isinstance(notice, Withheld):
            self._do_without(Use(notice.use), FailureClass(notice.failure))
            self._died |= notice.failure == FailureClass.COOKIE_ROTATED  # as others found
        if isinstance(notice, Marked) and notice.state == SlotState.DEAD:
            self._died = True
        if isinstance(notice, STORY):
            self._events.append(notice)
            LOG.info("%s", encode(notice).decode().rstrip())
        if self._listener is not None:
            self._listener(notice)
