"""From what was asked for to the videos it means."""

from __future__ import annotations

from prefect import get_run_logger, task

from jarkeeper.cli.words import count_of
from jarkeeper.downloads.downloader import Downloader
from jarkeeper.downloads.receipts import Video
from tasks.options import IN_PROCESS


@task(name="expand", task_run_name="list the videos", **IN_PROCESS)
def expand(downloader: Downloader) -> tuple[Video, ...]:
    """Return the videos of all URLs, each once; playlists and channels are listed.

    Args:
        downloader: The run that was asked for the URLs.
    """
    videos = downloader.expand()
    targets = count_of(len(downloader.request.targets), "target")
    get_run_logger().info("%s from %s", count_of(len(videos), "video"), targets)
    return videos
