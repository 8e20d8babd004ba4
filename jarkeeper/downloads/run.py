"""A run without Prefect: threads for the videos, tenacity for the waits. Needs no server."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import tenacity

from jarkeeper.downloads.downloader import Downloader, Listener
from jarkeeper.downloads.receipts import Summary, Video, VideoReceipt
from jarkeeper.downloads.request import DownloadRequest
from jarkeeper.settings import Settings


def run_downloads(
    settings: Settings,
    request: DownloadRequest,
    *,
    listener: Listener | None = None,
    actor: str = "cli",
) -> Summary:
    """Download everything that was asked for and return the summary.

    Raises `InputError` or `VaultError` when the run cannot begin; receipts tell of the videos.
    """
    with Downloader(settings, request, listener=listener, actor=actor) as downloader:
        downloader.prepare()
        fetch_all(downloader, expand_all(downloader))
        return downloader.finish()


def expand_all(downloader: Downloader) -> tuple[Video, ...]:
    """Return the videos of all targets; lists are tried again while that may help."""

    def wait(_: tenacity.RetryCallState) -> float:
        chance = random.random()  # noqa: S311 - spreads load, protects nothing
        lists = downloader.curable_lists
        return max(downloader.wait_before_retry(one.video_id, chance=chance) for one in lists)

    tries = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda _: bool(downloader.curable_lists)), wait=wait
    )
    return tries(downloader.expand)


def fetch_all(downloader: Downloader, videos: tuple[Video, ...]) -> None:
    """Try every video until it arrived, cannot be cured, or was tried often enough."""
    over = threading.Event()

    def fetch(video: Video) -> None:
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda receipt: is_worth_a_try(downloader, receipt)),
            stop=tenacity.stop_when_event_set(over),
            wait=lambda _: downloader.wait_before_retry(video.id, chance=random.random()),  # noqa: S311
            sleep=tenacity.sleep_using_event(over),
            retry_error_callback=lambda _: None,
        )
        tries(downloader.attempt, video)

    with ThreadPoolExecutor(downloader.request.concurrency, "jarkeeper-video") as pool:
        try:
            for done in [pool.submit(fetch, video) for video in videos]:
                done.result()
        except BaseException:
            over.set()
            downloader.abandon()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def is_worth_a_try(downloader: Downloader, receipt: VideoReceipt) -> bool:
    """Return whether a further try may cure this failure."""
    return receipt.curable and downloader.stopped is None
