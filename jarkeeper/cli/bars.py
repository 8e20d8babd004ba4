"""A run on a terminal: a bar for each video under way, a line for each that is done."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Column, Table
from rich.text import Text

from jarkeeper.cli.output import Output
from jarkeeper.cli.screen import Silent
from jarkeeper.cli.story import again, counts, happened, reason_of, title_of, to_do, told
from jarkeeper.downloads.receipts import Outcome, Preparation, Summary, Video, VideoReceipt
from jarkeeper.words import count_of, printable, short_span, size, span_taken
from jarkeeper.youtube.messages import Progress as Received

SIGNS = {
    Outcome.DOWNLOADED: (" ✓", "good"),
    Outcome.ALREADY_THERE: (" =", "good"),
    Outcome.FAILED: (" ✗", "bad"),
    Outcome.SKIPPED: (" -", "warn"),
    Outcome.PUT_OFF: (" …", "warn"),
}


class Bars(Silent):
    """Draws on standard output, which is a terminal."""

    def __init__(self, destination: Path) -> None:
        self._destination = destination
        self._output = Output()
        self._lock = threading.RLock()
        self._titles: dict[str, str] = {}
        self._bars: dict[str, TaskID] = {}
        self._wanted: frozenset[str] = frozenset()
        self._done: set[str] = set()
        self._reasons: set[str | None] = set()
        self._progress = Progress(
            SpinnerColumn(style="quiet", finished_text=" "),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=3, no_wrap=True, overflow="ellipsis"),
            ),
            BarColumn(bar_width=None, table_column=Column(ratio=2)),
            TextColumn("{task.fields[note]}", markup=False, style="quiet", justify="right"),
            console=self._output.console,
            transient=True,
            expand=True,
        )
        self._whole = self._progress.add_task("looking at the cookies …", total=None, note="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def prepared(self, preparation: Preparation) -> None:
        """Show the cookies' condition."""
        self._tell_cookies(preparation.cookie_status)
        if step := to_do(preparation):
            self._output.entry("", (f"→ {step}", "quiet"))
        self._progress.update(self._whole, description="looking for videos …")

    def planned(self, videos: tuple[Video, ...]) -> None:
        """Begin to count."""
        self._titles = {video.id: video.title for video in videos if video.title}
        self._wanted = frozenset(video.id for video in videos)
        self._progress.update(self._whole, total=len(videos))
        self._count()

    def hear(self, notice: object) -> None:
        """Move a bar, or finish one."""
        with self._lock:
            match notice:
                case Received():
                    self._move(notice)
                case VideoReceipt():
                    self._end(notice)
                case _:
                    for finding in happened(notice):
                        self._output.finding(*finding)

    def finished(self, summary: Summary) -> None:
        """Replace the bars by the sum of it all."""
        self._progress.stop()
        for receipt in summary.receipts:
            if receipt.video_id not in self._done:
                self._show(receipt)
        for finding in told(summary):
            self._output.finding(*finding)
        self._output.line((counts(summary), "strong"), (f", in {self._destination}/", "quiet"))
        self._tell_cookies(summary.cookie_status)

    def _tell_cookies(self, status: str) -> None:
        for number, part in enumerate(status.split("; ")):
            self._output.entry("" if number else "cookies", part)

    def _move(self, event: Received) -> None:
        bar = self._bars.get(event.video_id)
        if bar is None:
            title = printable(self._titles.get(event.video_id, event.video_id))
            bar = self._bars[event.video_id] = self._progress.add_task(title, total=None, note="")
        self._progress.update(bar, completed=event.received, total=event.total, note=_note(event))

    def _end(self, receipt: VideoReceipt) -> None:
        if (bar := self._bars.pop(receipt.video_id, None)) is not None:
            self._progress.remove_task(bar)
        if receipt.curable:
            self._output.line(
                (" ↻ ", "warn"),
                title_of(receipt),
                (f": {reason_of(receipt)}; {again(receipt)}", "quiet"),
            )
            return
        self._show(receipt)
        self._count()

    def _show(self, receipt: VideoReceipt) -> None:
        self._done.add(receipt.video_id)
        if receipt.outcome is Outcome.SKIPPED:
            # A stopped run skips all that is left, for one reason.
            if receipt.explanation in self._reasons:
                return
            self._reasons.add(receipt.explanation)
        self._output.console.print(_row(receipt))

    def _count(self) -> None:
        done = len(self._done & self._wanted)
        words = f"{done} of {count_of(len(self._wanted), 'video')}"
        self._progress.update(self._whole, completed=done, description=words)


def _row(receipt: VideoReceipt) -> RenderableType:
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(no_wrap=True)
    if not receipt.arrived:
        grid.add_column(ratio=1)
        grid.add_row(
            Text(*SIGNS[receipt.outcome]),
            Text.assemble(title_of(receipt), (f": {reason_of(receipt)}", "quiet")),
        )
        return grid
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column(justify="right", no_wrap=True)
    took = span_taken(receipt.seconds) if receipt.outcome is Outcome.DOWNLOADED else "there"
    grid.add_row(
        Text(*SIGNS[receipt.outcome]),
        Text(title_of(receipt)),
        Text(f"{size(receipt.bytes)}  {took:>6}", "quiet"),
    )
    return grid


def _note(event: Received) -> str:
    speed = f"{size(int(event.bytes_per_second))}/s" if event.bytes_per_second else ""
    left = f"{short_span(event.eta_seconds)} left" if event.eta_seconds is not None else ""
    return f"{size(event.received):>10} {speed:>12} {left:>10}"
