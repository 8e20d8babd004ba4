"""What a run measures of itself: how long it validated the cookies, and what became of videos."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jarkeeper.downloads.receipts import Summary
from jarkeeper.heads import Head
from jarkeeper.settings import Settings

if TYPE_CHECKING:
    from jarkeeper.vault import Vault


def measure_jar(
    settings: Settings, vault: Vault, head: Head, *, now: datetime, seconds: float
) -> None:
    """Record the state of a jar, how long it took to find out, and what is left of its hour."""
    if settings.metrics:
        from jarkeeper.metrics.measure import budget_used, examined, validated
        from jarkeeper.metrics.record import record

        limit = settings.opens_per_hour
        opens = map(vault.opens_this_hour, (head.jar,))
        record(settings.metrics, [validated(head.jar, seconds=seconds)])
        record(settings.metrics, examined(head, now))
        record(settings.metrics, (budget_used(head.jar, opens=n, limit=limit) for n in opens))


def measure_run(settings: Settings, summary: Summary) -> None:
    """Record what became of the videos of a run."""
    if settings.metrics:
        from jarkeeper.metrics.measure import downloaded
        from jarkeeper.metrics.record import record

        ends = [(receipt.outcome.value, receipt.failure) for receipt in summary.receipts]
        record(settings.metrics, downloaded(summary.jar, ends))
