"""One command measured: wall time, processor time, and memory of all its processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WATCH_SECONDS = 0.05
"""Between two looks at memory: short against a run, long against what a look costs."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The highest sum over a command's processes, in MiB; `pss` shares out shared pages."""

    rss: float
    pss: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one command. `said` is the JSON object that its output ends with, if any."""

    began: float
    wall: float
    cpu: float
    said: Mapping[str, Any] = field(default_factory=dict)
    memory: Memory | None = None


class CommandFailed(Exception):
    """A measured command failed, so its time means nothing."""


def run(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, watched: bool = False
) -> Sample:
    """Return what one run of a command took, from before it is started until it has ended."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began, started = time.time(), time.perf_counter()
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        watch = Watch(process.pid) if watched else None
        # Unlike `wait`, this also tells what the processes took that ours had waited for.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        memory = watch.end() if watch else None
        if process.returncode != 0:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-2000:]
            raise CommandFailed(f"{command[0]}: exit code {process.returncode}\n{tail}")
        output.seek(0)
        said = _object(output.read())
    return Sample(began, wall, usage.ru_utime + usage.ru_stime, said, memory)


def _object(output: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(output[output.index(b"{") :])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Watch:
    """Looks at the memory of a process and all below it, until `end`."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = Memory(0.0, 0.0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> Memory:
        """Return the highest sums seen."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._over.wait(WATCH_SECONDS):
            found = [memory_of(pid) for pid in tree(self._pid)]
            rss = sum(memory.rss for memory in found)
            shares = [memory.pss for memory in found]
            pss = None if None in shares else sum(filter(None, shares))
            highest = self._peak.pss
            self._peak = Memory(
                max(self._peak.rss, rss),
                None if pss is None or highest is None else max(highest, pss),
            )


def tree(pid: int) -> list[int]:
    """Return the process and all below it."""
    found = [pid]
    for parent in found:
        for listing in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in _text(listing).split()]
    return found


def memory_of(pid: int) -> Memory:
    """Return what a process holds now; one that has ended holds nothing."""
    rss = _kib(_text(Path(f"/proc/{pid}/status")), "VmRSS:")
    try:
        pss = _kib(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Pss:")
    except PermissionError:  # a hardened process shows this to root alone
        return Memory(rss, None)
    except OSError:
        return Memory(rss, 0.0)
    return Memory(rss, pss)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _kib(text: str, name: str) -> float:
    lines = (line.split() for line in text.splitlines() if line.startswith(name))
    return next((int(words[1]) / 1024 for words in lines), 0.0)


@dataclass(frozen=True, slots=True)
class Spread:
    """Several figures: the middle one and the extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Return the spread of at least one figure."""
        return cls(statistics.median(figures), min(figures), max(figures))
