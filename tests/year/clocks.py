"""One clock for everything: the vault, the rules of a run, yt-dlp's jars and the stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import import_module
from unittest.mock import patch

from vaultkit import Clock

TIMED = (
    "jarkeeper.downloads.circuit",
    "jarkeeper.downloads.downloader",
    "jarkeeper.vault.commit",
    "jarkeeper.youtube.extract",
    "jarkeeper.youtube.loan",
    "jarkeeper.youtube.service",
)
"""What measures or waits by the module `time`."""
PURE = ("read_head", "parse_head_key")
"""Of the vault's log: the same bytes are read again and again, which takes most of a year."""
DATED = ("jarkeeper.downloads.downloader", "jarkeeper.youtube.extract")
"""What asks `datetime` for the present moment."""


class Time:
    """Stands for the module `time`: a sleep takes no time but the clock's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def time(self) -> float:
        return self._clock.now.timestamp()

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self._clock.now += timedelta(seconds=seconds)


@contextmanager
def turned(clock: Clock, *, read_head: Callable[..., object]) -> Iterator[Time]:
    """Let the modules above live by the clock, and runs look at heads by `read_head`."""

    class Now(datetime):
        @classmethod
        def now(cls, tz=None):
            return clock.now.astimezone(tz)

    time = Time(clock)
    with ExitStack() as stack:
        for name in TIMED:
            stack.enter_context(patch.object(import_module(name), "time", time))
        for name in DATED:
            stack.enter_context(patch.object(import_module(name), "datetime", Now))
        log = import_module("jarkeeper.vault.log")
        for name in PURE:
            stack.enter_context(patch.object(log, name, lru_cache(None)(getattr(log, name))))
        stack.enter_context(patch("jarkeeper.downloads.preparation.read_head", read_head))
        stack.enter_context(patch("jarkeeper.youtube.service.forbid_ffmpeg_downloads"))
        yield time
