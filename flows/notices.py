"""What a run says while it goes: log lines, events and a progress bar."""

from __future__ import annotations

import queue
from typing import Any

from prefect import get_run_logger
from prefect.events import emit_event
from prefect.futures import PrefectFuture

from flows.progress import ProgressBar
from jarkeeper.downloads.downloader import Notice
from jarkeeper.downloads.receipts import Outcome, Video, VideoReceipt
from jarkeeper.words import printable, size
from jarkeeper.youtube.messages import Lent, Marked, Withheld, WroteBack

HEARTBEAT_SECONDS = 1.0
"""How often the flow looks up from waiting, so that the bar moves within one long video."""


class Notices:
    """What the run reports: taken from its threads, told by the flow's, which has the context."""

    def __init__(self, jar: str) -> None:
        self._jar = jar
        self._queue: queue.SimpleQueue[Notice | PrefectFuture[Any]] = queue.SimpleQueue()
        self._log = get_run_logger()
        self._bar = ProgressBar()
        self.slot_states: dict[str, str] = {}

    def hear(self, notice: Notice) -> None:
        """Take a notice; safe and quick from any thread."""
        self._queue.put(notice)

    def begin(self, videos: tuple[Video, ...]) -> None:
        """Show the progress bar for these videos."""
        self.tell()
        self._bar.begin(videos)

    def until_done(self, futures: list[PrefectFuture[Any]]) -> None:
        """Tell what happens until all of these task runs ended."""
        for future in futures:
            future.add_done_callback(self._queue.put)
        running = len(futures)
        while running:
            running -= self._tell_next(HEARTBEAT_SECONDS)

    def tell(self) -> None:
        """Tell what is waiting to be told, without waiting for more."""
        while not self._queue.empty():
            self._tell_next(0)

    def end(self, sentence: str) -> None:
        """Tell the rest and leave the progress bar where the run ended, with what became of it."""
        self.tell()
        self._bar.end(sentence)

    def _tell_next(self, seconds: float) -> int:
        try:
            item = self._queue.get(timeout=seconds)
        except queue.Empty:
            self._bar.show()
            return 0
        if isinstance(item, PrefectFuture):
            return 1
        self._tell(item)
        self._bar.take(item)
        return 0

    def _tell(self, notice: Notice) -> None:
        match notice:
            case VideoReceipt():
                self._video(notice)
            case Lent():
                self._log.info(
                    "%s cookies opened: generation %s", notice.use, notice.generation[:8]
                )
            case Withheld():
                self._log.warning("%s cookies not used: %s", notice.use, printable(notice.reason))
            case Marked():
                self._marked(notice)
            case WroteBack():
                self._wrote_back(notice)

    def _video(self, receipt: VideoReceipt) -> None:
        if receipt.outcome is Outcome.DOWNLOADED:
            what = f"{size(receipt.bytes)}, {receipt.seconds:.1f} s, cookies: {receipt.used}"
            self._log.info("%s downloaded: %s (%s)", receipt.video_id, receipt.file, what)
        elif receipt.outcome is Outcome.ALREADY_THERE:
            self._log.info("%s already there: %s", receipt.video_id, receipt.file)
        else:
            why = ": ".join(filter(None, (receipt.failure, receipt.explanation)))
            detail = f" ({printable(receipt.detail)})" if receipt.detail else ""
            outcome = "failed, may be cured" if receipt.curable else receipt.outcome.value
            self._log.warning("%s %s: %s%s", receipt.video_id, outcome, why, detail)

    def _marked(self, notice: Marked) -> None:
        self.slot_states[notice.use] = notice.state
        until = f" until {notice.until}" if notice.until else ""
        self._log.warning(
            "%s cookies are %s%s: %s", notice.use, notice.state, until, printable(notice.reason)
        )
        self._emit(
            f"jarkeeper.slot.{notice.state}",
            slot=notice.use,
            generation=notice.generation,
            until=notice.until or "",
            reason=notice.reason,
        )

    def _wrote_back(self, notice: WroteBack) -> None:
        # Only events: the summary has the words, and the last task of the run logs them.
        if notice.refused is not None:
            self._emit("jarkeeper.write-back.refused", slot=notice.use, reason=notice.refused)
        elif notice.generation is not None:
            self._emit("jarkeeper.write-back.kept", slot=notice.use, generation=notice.generation)

    def _emit(self, event: str, **payload: str) -> None:
        resource = {
            "prefect.resource.id": f"jarkeeper.jar.{self._jar}",
            "prefect.resource.name": self._jar,
        }
        emit_event(event, resource=resource, payload={"jar": self._jar, **payload})
