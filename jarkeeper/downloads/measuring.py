"""What a run measures of itself: how long it validated the cookies, and what became of videos."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from jarkeeper.audit.usage import SUCCEEDED
from jarkeeper.downloads.receipts import Summary
from jarkeeper.errors import JarkeeperError, NotInitialised
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


def record_run(settings: Settings, summary: Summary, *, actor: str, flow_run: str | None) -> str:
    """Put on record how the videos of a run ended; return a warning where that is impossible.

    Without a vault there is no trail. What was there before, was skipped or was put off is not
    counted: the run that ends it does.
    """
    from jarkeeper.wiring import open_vault

    counts = {SUCCEEDED: summary.downloaded} if summary.downloaded else {}
    counts |= summary.failures
    if not counts:
        return ""
    try:
        vault = open_vault(settings, actor=actor, flow_run=flow_run)
        vault.record_download(summary.jar, counts=counts, seconds=summary.seconds)
    except NotInitialised:
        return ""
    except JarkeeperError as error:
        return f"the run is not on record in the audit trail: {error.message}"
    return ""
