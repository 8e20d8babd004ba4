"""What a person reads afterwards: a table of receipts and a summary, as Prefect artifacts."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from jarkeeper.downloads.receipts import Summary, VideoReceipt
from jarkeeper.words import count_of, printable, short_span, size
from tasks.options import IN_PROCESS
from tasks.retries import words_of

RECEIPTS_KEY = "download-receipts"
SUMMARY_KEY = "download-summary"

ROWS_MAX = 1000
"""Of the table: the browser draws them all at once, and the database keeps them as one value."""


@task(name="report", task_run_name="write the report", **IN_PROCESS)
def report(summary: Summary) -> str:
    """Publish the receipts and the summary as artifacts; return the run in one sentence.

    Args:
        summary: The run that ended.
    """
    failures_first = sorted(summary.receipts, key=lambda receipt: receipt.arrived)
    left_out = max(0, len(failures_first) - ROWS_MAX)
    create_table_artifact(
        table=[_row(receipt) for receipt in failures_first[:ROWS_MAX]],
        key=RECEIPTS_KEY,
        description="What became of each video, failures first"
        + (f"; {left_out} more are not shown" if left_out else ""),
    )
    create_markdown_artifact(
        markdown=markdown_of(summary), key=SUMMARY_KEY, description=sentence_of(summary)
    )
    return sentence_of(summary)


def sentence_of(summary: Summary) -> str:
    """Return the run in one sentence, such as '37 of 40 videos are there; 3 failed: 3 PRIVATE'."""
    there = summary.downloaded + summary.already_there
    parts = [f"{there} of {count_of(summary.videos, 'video')} there"]
    if summary.already_there:
        parts.append(f"{summary.already_there} of them from earlier")
    if summary.failed:
        parts.append(f"{summary.failed} failed: {words_of(summary.failures)}")
    if summary.put_off:
        parts.append(f"{summary.put_off} put off until fresh cookies come")
    if summary.skipped:
        parts.append(f"{summary.skipped} skipped")
    if summary.stopped:
        parts.append(f"stopped: {summary.stopped}")
    return "; ".join(parts)


def markdown_of(summary: Summary) -> str:
    """Return the summary as a page: what arrived, the cookies' story, what needs a person."""
    lines = [
        f"# {escaped(sentence_of(summary))}",
        f"**Cookies:** {escaped(summary.cookie_status)}",
        f"**Time:** {short_span(summary.seconds)} · **Size:** {size(summary.bytes)}",
    ]
    if summary.uses:
        uses = ", ".join(f"{count} with {_cookies(use)}" for use, count in summary.uses.items())
        lines.append(f"**Downloads:** {escaped(uses)}")
    lines += _section("What happened to the cookies", summary.notices)
    lines += _section("What to do", _steps(summary.receipts))
    return "\n\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return foreign text so that it is shown as it is: no markup, no control characters."""
    shown = printable(" ".join(text.split()))
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>()#|!~" else sign for sign in shown)


def _section(heading: str, items: tuple[str, ...]) -> list[str]:
    if not items:
        return []
    return [f"## {heading}", "\n".join(f"- {escaped(item)}" for item in items)]


def _steps(receipts: tuple[VideoReceipt, ...]) -> tuple[str, ...]:
    """Return what to do about each class of failure, once."""
    steps: dict[str, str] = {}
    for receipt in receipts:
        if receipt.failure and not receipt.arrived and receipt.next_step:
            steps.setdefault(receipt.failure, f"{receipt.explanation}: {receipt.next_step}")
    return tuple(steps.values())


def _row(receipt: VideoReceipt) -> dict[str, Any]:
    name = receipt.file or receipt.title or ""
    return {
        "video": receipt.video_id,
        "outcome": receipt.outcome.value,
        "failure": receipt.failure or "",
        "file": printable(name),
        "size": size(receipt.bytes) if receipt.bytes else "",
        "seconds": round(receipt.seconds, 1),
        "cookies": receipt.used or "",
        "explanation": printable(receipt.explanation or ""),
    }


def _cookies(use: str) -> str:
    return "no cookies" if use == "none" else f"the {use} cookies"
