"""Putting off: what needs a login is not failed, but left for later, while the session is dead."""

from __future__ import annotations

from jarkeeper.downloads.receipts import Outcome, VideoReceipt
from jarkeeper.slots import SlotState
from jarkeeper.youtube.failures import TABLE, FailureClass, Help

NEEDING_LOGIN = frozenset(
    row.failure
    for row in TABLE
    if not row.stops_run and (row.helps_login is Help.YES or row.slot_verdict is SlotState.DEAD)
)
"""The classes that a login would have helped with, had there been one."""
EXPLANATION = "it needs a login, and the session is dead"
NEXT_STEP = "export fresh cookies and run `jarkeeper import cookies.txt`, then run it again"


def put_off(receipt: VideoReceipt) -> VideoReceipt:
    """Return the receipt of a failure as one that waits, where only a login was missing."""
    if receipt.outcome is not Outcome.FAILED or receipt.failure not in NEEDING_LOGIN:
        return receipt
    return VideoReceipt(
        receipt.video_id,
        Outcome.PUT_OFF,
        title=receipt.title,
        seconds=receipt.seconds,
        tries=receipt.tries,
        failure=FailureClass(receipt.failure).value,
        explanation=EXPLANATION,
        next_step=NEXT_STEP,
        detail=receipt.detail,
    )
