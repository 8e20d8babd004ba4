"""The preparation phase: the cookies are looked at before the first request."""

from __future__ import annotations

from prefect import get_run_logger, task

from jarkeeper.checks import Severity
from jarkeeper.downloads.downloader import Downloader
from jarkeeper.downloads.receipts import Preparation
from tasks.options import IN_PROCESS


@task(name="prepare", task_run_name="validate the cookies", **IN_PROCESS)
def prepare(downloader: Downloader) -> Preparation:
    """Validate the cookies and return which of them the run may use.

    Args:
        downloader: The run that the cookies are for.
    """
    preparation = downloader.prepare()
    log = get_run_logger()
    log.info("cookies: %s", preparation.cookie_status)
    for finding in preparation.findings:
        if finding.severity is not Severity.OK:
            log.warning("%s; next: %s", finding.message, finding.next_step)
    return preparation
