"""The end of a run: refreshed cookies go back into the vault, and the whole run is summed up."""

from __future__ import annotations

import logging

from prefect import get_run_logger, task

from jarkeeper.downloads.downloader import Downloader
from jarkeeper.downloads.receipts import Summary
from tasks.options import IN_PROCESS

KEPT = ", kept as generation "
"""In the one notice that is good news."""


@task(name="finish", task_run_name="write refreshed cookies back", **IN_PROCESS)
def finish(downloader: Downloader) -> Summary:
    """Have refreshed cookies written back, end the worker and return the summary of the run.

    Args:
        downloader: The run that ends.
    """
    summary = downloader.finish()
    log = get_run_logger()
    log.info("cookies: %s", summary.cookie_status)
    for notice in summary.notices:
        log.log(logging.INFO if KEPT in notice else logging.WARNING, "%s", notice)
    return summary
