"""The run's side of the worker: starts it, asks it, hears it, starts it once more if it dies."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from jarkeeper.errors import JarkeeperError, VaultError
from jarkeeper.limits import LIMITS
from jarkeeper.settings import Settings
from jarkeeper.temporary import private_home
from jarkeeper.youtube.messages import (
    Answered,
    Close,
    Event,
    Expand,
    Expanded,
    Fetch,
    Fetched,
    Measured,
    MessageError,
    Probe,
    Request,
    Start,
    Stopped,
    decode,
    encode,
)

PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
"""Of the run's environment. Everything else the worker needs is in its settings."""


REVOKED_EXIT = 75
"""The exit code of a worker that held a revoked jar: it is started again, and asks anew."""


class WorkerSession:
    """One worker process for one run. Thread-safe; a context manager. `begin` comes first.

    A worker that dies is started again once, and what it had not answered is asked again.
    `listener` hears every event that answers no question, from a thread of the session's own.
    """

    def __init__(self, settings: Settings, *, listener: Callable[[Event], None]) -> None:
        self._settings = settings
        self._start: Start | None = None
        self._listener = listener
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._open: dict[int, tuple[Request, Future[Any]]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = False
        self._ended: JarkeeperError | None = None
        self.trouble: JarkeeperError | None = None
        """Why the worker ended, if not in order; known after `close`."""
        self._keeper = threading.Thread(target=self._keep, name="jarkeeper-worker", daemon=True)
        self._keeper.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, start: Start) -> None:
        """Tell the worker what the run is about: it has imported yt-dlp meanwhile."""
        with self._lock:
            self._start = start
            self._send(start)

    def fetch(self, video_id: str, *, use: str) -> Fetched:
        """Return how one try at a video ended. Raises `VaultError` when the worker cannot go on."""
        answer = self._ask(Fetch(next(self._numbers), video_id, use))
        assert isinstance(answer, Fetched)  # noqa: S101 - for the type checker
        return answer

    def expand(self, url: str, *, list_id: str, use: str, most: int) -> Expanded:
        """Return the videos of a list. Raises `VaultError` when the worker cannot go on."""
        answer = self._ask(Expand(next(self._numbers), url, list_id, use, most))
        assert isinstance(answer, Expanded)  # noqa: S101 - for the type checker
        return answer

    def probe(self, generation: str, *, visit: bool = False) -> Answered:
        """Return what YouTube says of a generation. Raises `VaultError` when the worker cannot."""
        answer = self._ask(Probe(next(self._numbers), generation, visit))
        assert isinstance(answer, Answered)  # noqa: S101 - for the type checker
        if self._settings.metrics and self._start is not None:
            from jarkeeper.metrics.record import record
            from jarkeeper.youtube.measuring import measured_by_answer

            found = measured_by_answer(answer, jar=self._start.jar, visit=visit)
            record(self._settings.metrics, found)
        return answer

    def close(self) -> None:
        """Have refreshed jars written back and the worker ended, by force if it does not listen."""
        with self._lock:
            self._closing = True
            self._send(Close())
        self._keeper.join(LIMITS.worker_stop_seconds)
        if self._keeper.is_alive() and self._process is not None:
            self._process.kill()
            self._keeper.join(LIMITS.worker_stop_seconds)

    def _ask(self, request: Fetch | Expand | Probe) -> Any:
        future: Future[Any] = Future()
        with self._lock:
            if self._ended is not None or self._closing:
                raise self._ended or VaultError("worker: the run is over")
            self._open[request.number] = (request, future)
            self._send(request)
        return future.result()

    def _send(self, request: Request) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return  # not started yet: what is open is sent when it is
        with contextlib.suppress(OSError, ValueError):  # it died: the keeper sees that too
            process.stdin.write(encode(request))
            process.stdin.flush()

    def _keep(self) -> None:
        # The kernel ends the worker with the thread that started it, so this thread lives as long.
        error: JarkeeperError | None = VaultError("worker: it ended without a word")
        try:
            error = self._run_twice_at_most()
        except JarkeeperError as failure:
            error = failure
        except OSError as failure:
            error = VaultError(f"worker: cannot be started: {failure.strerror}")
        finally:
            self._end(error)

    def _run_twice_at_most(self) -> JarkeeperError | None:
        deaths = 0
        while deaths < 2:
            with private_home(self._settings.temp_dir) as home:
                last, code = self._run_once(home)
            # One that held a revoked jar did what it must, and starts again without it.
            deaths += code != REVOKED_EXIT
            if last is not None:
                return VaultError(last.error, hint=last.hint) if last.error else None
            if self._closing and not self._open:
                return VaultError("worker: it ended before it gave the jars back")
        return VaultError(
            "worker: it died twice",
            hint="look for a kernel message about memory, and try a lower concurrency",
        )

    def _run_once(self, home: Path) -> tuple[Stopped | None, int | None]:
        with start_worker(self._settings, home) as process:
            with self._lock:
                self._process = process
                if self._start is not None:
                    self._send(self._start)
                for request, _ in self._open.values():
                    self._send(request)
                if self._closing:
                    self._send(Close())
            try:
                last = self._hear(process)
            finally:
                # It leads a session of its own; what it started, such as ffmpeg, ends with it.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                with self._lock:
                    self._process = None
        return last, process.returncode

    def _hear(self, process: subprocess.Popen[bytes]) -> Stopped | None:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        while line := process.stdout.readline(LIMITS.message_bytes_max):
            try:
                event = decode(line)
            except MessageError:
                return None  # half a line: it died while it spoke
            if isinstance(event, Stopped):
                return event
            if isinstance(event, Fetched | Expanded | Answered):
                self._answer(event)
            else:
                self._tell(event)  # type: ignore[arg-type]  # requests never come this way
        return None

    def _tell(self, event: Event) -> None:
        if self._settings.metrics and self._start is not None:
            from jarkeeper.metrics.record import record
            from jarkeeper.youtube.measuring import measured_by

            record(self._settings.metrics, measured_by(event, jar=self._start.jar))
        if not isinstance(event, Measured):
            with contextlib.suppress(Exception):  # who listens must not end the run
                self._listener(event)

    def _answer(self, event: Fetched | Expanded | Answered) -> None:
        with self._lock:
            _, future = self._open.pop(event.number, (None, None))
        if future is not None:
            future.set_result(event)

    def _end(self, error: JarkeeperError | None) -> None:
        with self._lock:
            self.trouble = error
            self._ended = error or VaultError("worker: the run is over")
            waiting = [future for _, future in self._open.values()]
            self._open.clear()
        for future in waiting:
            future.set_exception(self._ended)


def start_worker(settings: Settings, home: Path) -> subprocess.Popen[bytes]:
    """Start the hardened child with an empty home and an environment of settings alone."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    # Whoever downloads tells nobody: recipients hold tokens.
    environment |= replace(settings, alerts_file=None, alerts=None).environment()
    environment |= {"HOME": str(home), "TMPDIR": str(home), "YTDLP_NO_PLUGINS": "1"}
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "jarkeeper.worker", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=home,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the run, which then closes the worker in order
    )
