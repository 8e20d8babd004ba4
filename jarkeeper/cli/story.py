"""A run in words: what the cookies did, what failed and why, what to do next. Pure."""

from __future__ import annotations

from pathlib import Path

from jarkeeper.checks import NOTHING
from jarkeeper.downloads.receipts import Outcome, Preparation, Summary, VideoReceipt
from jarkeeper.downloads.summary import notices
from jarkeeper.words import count_of, printable, short_span, size
from jarkeeper.youtube.messages import Lent, Marked, Withheld, WroteBack

STORY = Lent | Withheld | Marked | WroteBack

Told = tuple[str, str, str | None]
"""Severity (or `failed`, of videos), message and next step."""


def to_do(preparation: Preparation) -> str | None:
    """Return the first thing to do about the cookies; their status has said what is wrong."""
    return next((item.next_step for item in preparation.findings if item.severity != "ok"), None)


def told(summary: Summary) -> list[Told]:
    """Return why videos failed, and why the run was stopped."""
    story = _failures(summary)
    if summary.stopped is not None:
        story.append(("critical", f"the run was stopped: {summary.stopped}", None))
    return story


def happened(notice: object) -> list[Told]:
    """Return what an event means for the cookies, if it is about them."""
    if not isinstance(notice, STORY):
        return []
    good = isinstance(notice, WroteBack) and notice.refused is None
    severity = "ok" if good else "warning"
    return [(severity, sentence, None) for sentence in notices((notice,))]


def counts(summary: Summary) -> str:
    """Return the sum of a run in a line, such as '3 downloaded, 1 failed; 12.3 MiB in 4 s'."""
    numbers = (
        (summary.downloaded, "downloaded"),
        (summary.already_there, "already there"),
        (summary.failed, "failed"),
        (summary.skipped, "skipped"),
    )
    words = ", ".join(f"{number} {word}" for number, word in numbers if number) or "no videos"
    if not summary.downloaded:
        return words
    speed = size(int(summary.bytes / max(summary.seconds, 0.001)))
    return f"{words}; {size(summary.bytes)} in {short_span(summary.seconds)}, {speed}/s"


def title_of(receipt: VideoReceipt) -> str:
    """Return what a person calls the video: its title, or its id while that is unknown."""
    return printable(receipt.title or receipt.video_id)


def video_line(receipt: VideoReceipt, destination: Path) -> str:
    """Return a finished video as one line: outcome, id, then its file or why there is none."""
    start = f"{receipt.outcome.value:<13}  {receipt.video_id}"
    if receipt.arrived and receipt.file is not None:
        return f"{start}  {size(receipt.bytes):>9}  {printable(str(destination / receipt.file))}"
    reason = receipt.explanation or receipt.detail or "no reason was given"
    return f"{start}  {receipt.failure or '-'}: {printable(reason)}"


def _failures(summary: Summary) -> list[Told]:
    """Return one finding for each class of failure: forty private videos need one next step."""
    classes: dict[str, list[VideoReceipt]] = {}
    for receipt in summary.receipts:
        if receipt.outcome is Outcome.FAILED:
            classes.setdefault(receipt.failure or "unknown", []).append(receipt)
    return [
        (
            "failed",
            f"{name.lower().replace('_', ' ')}, {count_of(len(receipts), 'video')}",
            None if receipts[0].next_step == NOTHING else receipts[0].next_step,
        )
        for name, receipts in classes.items()
    ]
