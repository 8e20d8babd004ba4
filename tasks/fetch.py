"""Videos arrive: one task for a chunk of them, tried again while a failure can be cured."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from prefect import get_run_logger, task

from jarkeeper.downloads.downloader import Downloader
from jarkeeper.downloads.receipts import Video, VideoReceipt
from jarkeeper.downloads.run import is_worth_a_try
from jarkeeper.words import count_of
from tasks.options import IN_PROCESS
from tasks.retries import CurableFailures, is_curable, is_last_try

CHUNKS = 10
"""Tasks of a run: enough to see it move; each costs the server as much as thirty videos in one."""

CHUNK_VIDEOS_MAX = 50
"""Beyond 500 videos there are more tasks instead, so that each ends within reach."""

BUSY = "BUSY"
"""No failure: another run is downloading the same video to the same place."""


class Batch:
    """What the fetch tasks of a run share: the run, and the threads that bound its downloads."""

    def __init__(self, downloader: Downloader) -> None:
        self._downloader = downloader
        self._pool = ThreadPoolExecutor(downloader.request.concurrency, "jarkeeper-video")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._downloader.abandon()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def fetch(self, videos: tuple[Video, ...]) -> tuple[VideoReceipt, ...]:
        """Try every video that has not been settled by an earlier try; return all receipts."""
        return tuple(self._pool.map(self._attempt, videos))

    def is_open(self, receipt: VideoReceipt) -> bool:
        """Return whether a further try may cure this failure."""
        return is_worth_a_try(self._downloader, receipt)

    def _attempt(self, video: Video) -> VideoReceipt:
        known = self._downloader.receipt(video.id)
        if known is None or self.is_open(known):
            return self._downloader.attempt(video)
        return known


@task(name="fetch", task_run_name="{name}", retry_condition_fn=is_curable, **IN_PROCESS)
def fetch(batch: Batch, videos: tuple[Video, ...], name: str) -> tuple[VideoReceipt, ...]:
    """Download a chunk of videos and return their receipts.

    Args:
        batch: The run that they belong to.
        videos: The videos of this chunk.
        name: What the task is called in the UI.
    """
    receipts = batch.fetch(videos)
    curable = Counter(receipt.failure or BUSY for receipt in receipts if batch.is_open(receipt))
    if curable and not is_last_try():
        raise CurableFailures(dict(curable))
    arrived = sum(receipt.arrived for receipt in receipts)
    get_run_logger().info("%s: %d of %s", name, arrived, count_of(len(receipts), "video"))
    return receipts


def chunks(videos: tuple[Video, ...]) -> tuple[tuple[Video, ...], ...]:
    """Return the videos in at most ten chunks, or in more of fifty where there are many."""
    size = min(max(-(-len(videos) // CHUNKS), 1), CHUNK_VIDEOS_MAX)
    return tuple(videos[start : start + size] for start in range(0, len(videos), size))
