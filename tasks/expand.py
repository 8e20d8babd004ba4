"""From what was asked for to the videos it means."""

from __future__ import annotations

from collections import Counter

from prefect import get_run_logger, task

from jarkeeper.downloads.downloader import Downloader
from jarkeeper.downloads.receipts import Video
from jarkeeper.words import count_of
from tasks.options import IN_PROCESS
from tasks.retries import CurableFailures, is_curable, is_last_try


@task(name="expand", task_run_name="list the videos", retry_condition_fn=is_curable, **IN_PROCESS)
def expand(downloader: Downloader) -> tuple[Video, ...]:
    """Return the videos of all URLs, each once; playlists and channels are listed.

    Args:
        downloader: The run that was asked for the URLs.
    """
    videos = downloader.expand()
    curable = Counter(str(receipt.failure) for receipt in downloader.curable_lists)
    if curable and not is_last_try():
        raise CurableFailures(dict(curable))
    targets = count_of(len(downloader.request.targets), "target")
    get_run_logger().info("%s from %s", count_of(len(videos), "video"), targets)
    return videos
