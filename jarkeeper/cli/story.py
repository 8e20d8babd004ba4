"""A run in words: what the cookies did, what failed and why, what to do next. Pure."""

from __future__ import annotations

import re
from pathlib import Path

from jarkeeper.checks import NOTHING
from jarkeeper.downloads.putting_off import EXPLANATION, NEXT_STEP
from jarkeeper.downloads.receipts import Outcome, Preparation, Summary, VideoReceipt
from jarkeeper.downloads.summary import notices
from jarkeeper.words import count_of, printable, size, span_taken
from jarkeeper.youtube.messages import Lent, Marked, Withheld, WroteBack

STORY = Lent | Withheld | Marked | WroteBack

NETWORK = "NETWORK"
CLAUSE_CHARS_MAX = 80

_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}", re.ASCII)
_OPENING = re.compile(r": |\(['\"]")
_CLOSING = re.compile(r"['\"]\)*$")
_NUMBER = re.compile(r"\[(?:Errno|SSL:) [-\w]+\] ")

Told = tuple[str, str, str | None]
"""Severity (or `failed`, of videos), message and next step."""


def to_do(preparation: Preparation) -> str | None:
    """Return the first thing to do about the cookies; their status has said what is wrong."""
    return next((item.next_step for item in preparation.findings if item.severity != "ok"), None)


def told(summary: Summary) -> list[Told]:
    """Return why videos failed, and why the run was stopped."""
    story = _failures(summary)
    if summary.put_off:
        count = count_of(summary.put_off, "video")
        story.append(("warning", f"{EXPLANATION}: {count} put off", NEXT_STEP))
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
        (summary.put_off, "put off"),
    )
    words = ", ".join(f"{number} {word}" for number, word in numbers if number) or "no videos"
    if not summary.downloaded:
        return words
    speed = size(int(summary.bytes / max(summary.seconds, 0.001)))
    return f"{words}; {size(summary.bytes)} in {span_taken(summary.seconds)}, {speed}/s"


def title_of(receipt: VideoReceipt) -> str:
    """Return what a person calls the video: its title, or its id while that is unknown."""
    return printable(receipt.title or receipt.video_id)


def video_line(receipt: VideoReceipt, destination: Path) -> str:
    """Return a finished video as one line: outcome, id, then its file or why there is none."""
    start = f"{receipt.outcome.value:<13}  {receipt.video_id}"
    if receipt.arrived and receipt.file is not None:
        return f"{start}  {size(receipt.bytes):>9}  {printable(str(destination / receipt.file))}"
    return f"{start}  {receipt.failure or '-'}: {reason_of(receipt)}"


def waiting_line(receipt: VideoReceipt) -> str:
    """Return a video that waits for its next try as one line."""
    reason = f"{receipt.failure or '-'}: {reason_of(receipt)}"
    return f"{'waiting':<13}  {receipt.video_id}  {reason}; {again(receipt)}"


def again(receipt: VideoReceipt) -> str:
    """Return when the next try begins, such as 'again in 90 s'."""
    seconds = receipt.retry_seconds
    return "again soon" if seconds is None else f"again in {span_taken(seconds)}"


def reason_of(receipt: VideoReceipt) -> str:
    """Return why there is no file; of a broken connection also what it said."""
    reason = receipt.explanation or receipt.detail or "no reason was given"
    clause = _clause(receipt.detail)
    if receipt.failure == NETWORK and receipt.explanation and clause:
        reason = f"{reason} ({clause})"
    return printable(reason)


def _clause(detail: str) -> str:
    """Return the end of yt-dlp's message: the innermost of the errors that it quotes."""
    message = " ".join(detail.partition(" (caused by ")[0].split())
    text = _NUMBER.sub("", _CLOSING.sub("", _OPENING.split(message)[-1])).rstrip(" .")
    return text if len(text) <= CLAUSE_CHARS_MAX else f"{text[: CLAUSE_CHARS_MAX - 1]}…"


def _failures(summary: Summary) -> list[Told]:
    """Return one finding for each class of failure: forty private videos need one next step."""
    classes: dict[str, list[VideoReceipt]] = {}
    for receipt in summary.receipts:
        if receipt.outcome is Outcome.FAILED:
            classes.setdefault(receipt.failure or "unknown", []).append(receipt)
    return [
        (
            "failed",
            f"{receipts[0].explanation or name.lower().replace('_', ' ')}, {_things(receipts)}",
            None if receipts[0].next_step == NOTHING else receipts[0].next_step,
        )
        for name, receipts in classes.items()
    ]


def _things(receipts: list[VideoReceipt]) -> str:
    """Return how many they are, such as '2 videos and 1 list'; a list that failed has a receipt."""
    videos = sum(_VIDEO_ID.fullmatch(receipt.video_id) is not None for receipt in receipts)
    numbers = ((videos, "video"), (len(receipts) - videos, "list"))
    return " and ".join(count_of(number, noun) for number, noun in numbers if number)
