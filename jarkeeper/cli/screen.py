"""What a run shows while it goes on: bars on a terminal, a line per finished video in a pipe."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Protocol, Self

from jarkeeper.cli.failures import mute_output
from jarkeeper.cli.output import Output
from jarkeeper.cli.story import counts, happened, to_do, told, video_line, waiting_line
from jarkeeper.downloads.receipts import Outcome, Preparation, Summary, Video, VideoReceipt


class Screen(Protocol):
    """Follows a run. `hear` is called from other threads and must be quick."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...

    def prepared(self, preparation: Preparation) -> None:
        """The cookies were looked at."""

    def planned(self, videos: tuple[Video, ...]) -> None:
        """Lists were expanded; these videos are wanted."""

    def hear(self, notice: object) -> None:
        """Something happened: progress, a slot's change, a video's receipt."""

    def finished(self, summary: Summary) -> None:
        """The run is over."""


def choose_screen(destination: Path, *, as_json: bool, quiet: bool) -> Screen:
    """Return the screen that fits who is reading."""
    if as_json:
        return Silent()
    if sys.stdout.isatty() and not quiet:
        from jarkeeper.cli.bars import Bars

        return Bars(destination)
    return Lines(destination, quiet=quiet)


class Silent:
    """Shows nothing: a machine reads the summary."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def prepared(self, preparation: Preparation) -> None: ...
    def planned(self, videos: tuple[Video, ...]) -> None: ...
    def hear(self, notice: object) -> None: ...
    def finished(self, summary: Summary) -> None: ...


class Lines(Silent):
    """Finished videos on standard output, one a line; the story on standard error."""

    def __init__(self, destination: Path, *, quiet: bool = False) -> None:
        self._destination = destination
        self._quiet = quiet
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._aside = Output(aside=True)

    def prepared(self, preparation: Preparation) -> None:
        """Say which cookies will be used, and what is wrong with them."""
        if not self._quiet:
            self._aside.line(f"cookies: {preparation.cookie_status}")
            if step := to_do(preparation):
                self._aside.line(f"  next: {self._aside.place.fit(step)}")

    def planned(self, videos: tuple[Video, ...]) -> None:
        """Say how much there is to do, where that is not obvious."""
        if len(videos) > 1 and not self._quiet:
            self._aside.line(f"{len(videos)} videos")

    def hear(self, notice: object) -> None:
        """Print the line of a finished video; one that waits for another try is told aside."""
        with self._lock:
            if isinstance(notice, VideoReceipt):
                self._wait(notice) if notice.curable else self._tell(notice)
            for finding in happened(notice):
                if not (self._quiet and finding[0] == "ok"):
                    self._aside.finding(*finding)

    def finished(self, summary: Summary) -> None:
        """Print what no further try has cured, then the sum of it all."""
        for receipt in summary.receipts:
            self._tell(receipt)
        if not (self._quiet and summary.succeeded):
            for finding in told(summary):
                self._aside.finding(*finding)
        if not self._quiet:
            self._aside.line(f"{counts(summary)}, in {self._destination}/")

    def _wait(self, receipt: VideoReceipt) -> None:
        if not self._quiet:
            self._aside.line(waiting_line(receipt))

    def _tell(self, receipt: VideoReceipt) -> None:
        if receipt.video_id in self._told:
            return
        self._told.add(receipt.video_id)
        line = video_line(receipt, self._destination)
        if not self._quiet:
            self._print(line)
        elif receipt.outcome is Outcome.FAILED:
            self._aside.line(line)

    def _print(self, line: str) -> None:
        try:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has what it wanted; the videos are still wanted.
            mute_output()
