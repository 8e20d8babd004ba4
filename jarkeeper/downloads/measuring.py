"""What a run measures of itself: how long it validated the cookies, and what became of videos."""

from __future__ import annotations

import time
from datetime import datetime

from jarkeeper.downloads.receipts import Summary
from jarkeeper.heads import Head
from jarkeeper.settings import Settings


def measure_validation(settings: Settings, head: Head, *, now: datetime, began: float) -> None:
    """Record the state of a jar, and how long it took to find out, by the monotonic clock."""
    if settings.metrics:
        from jarkeeper.metrics.measure import examined, validated
        from jarkeeper.metrics.record import record

        record(settings.metrics, examined(head, now))
        record(settings.metrics, [validated(head.jar, seconds=time.monotonic() - began)])


def measure_run(settings: Settings, summary: Summary) -> None:
    """Record what became of the videos of a run."""
    if settings.metrics:
        from jarkeeper.metrics.measure import downloaded
        from jarkeeper.metrics.record import record

        ends = [(receipt.outcome.value, receipt.failure) for receipt in summary.receipts]
        record(settings.metrics, downloaded(summary.jar, ends))
