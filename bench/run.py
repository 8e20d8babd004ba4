"""Measure Jarkeeper against yt-dlp, side by side, and write docs/performance.md: `make bench`.

Every repetition runs all ways one after the other, in an order that moves on, so that what else
the machine does meets them all; figures are medians, and ratios are taken within a repetition.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from measure import Sample, Spread
from measure import run as measure
from report import Figures, Round, Starts, render, write_between
from services import BIN, ROOT, Control, clean_environment, prefect_api, standin, trusted, vault
from ways import Job, Way, ways

MIB = 1 << 20
SETTLE_SECONDS = 2.0
"""After a flow run: the server goes on digesting events, which the next way must not pay for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    repetitions: int
    videos: int
    video_bytes: int
    latencies: tuple[int, ...]
    large_bytes: int
    starts: int
    cookies: tuple[bool, ...] = (False, True)
    settle_seconds: float = SETTLE_SECONDS


FULL = Plan(5, 40, MIB, (0, 50), 500 * MIB, 10)
QUICK = Plan(0, 4, 256 << 10, (20,), 4 * MIB, 1, (True,), settle_seconds=0)
"""Shows that everything works; its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where the runs take place."""

    plan: Plan
    folder: Path
    youtube: Control
    environment: Mapping[str, str]
    cookies: Path

    def job(self, videos: int) -> Job:
        """Return what a run of that many videos is given: nothing of an earlier one is left."""
        folder = self.folder / "videos"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        urls = self.folder / "list.txt"
        lines = [f"https://www.youtube.com/watch?v=video{number:06d}" for number in range(videos)]
        urls.write_text("\n".join(lines) + "\n")
        # yt-dlp writes the file anew, so everybody gets a copy.
        cookies = Path(shutil.copy(self.cookies, self.folder / "cookies-in-use.txt"))
        return Job(urls, folder, cookies, self.environment)


def main() -> None:
    """Measure, print the report, and put it into the document."""
    options = parse()
    plan = QUICK if options.quick else FULL
    if options.repetitions is not None:
        plan = replace(plan, repetitions=options.repetitions)
    with course(plan, options.folder) as where:
        figures = take(where)
    text = render(figures, command=options.command)
    print(text)
    write_between(options.into, text)


def parse() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, prog="bench/run.py")
    parser.add_argument("--quick", action="store_true", help="a few small files, once")
    parser.add_argument("--repetitions", type=int, help="instead of 5")
    parser.add_argument("--folder", type=Path, help="where the videos go; a temporary one")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "performance.md")
    options = parser.parse_args()
    options.command = "make bench" if not sys.argv[1:] else f"bench/run.py {' '.join(sys.argv[1:])}"
    return options


@contextlib.contextmanager
def course(plan: Plan, parent: Path | None) -> Iterator[Course]:
    """Yield a folder, a stand-in, a Prefect server and a vault with one live session."""
    with (
        tempfile.TemporaryDirectory(prefix="jarkeeper-bench-", dir=parent) as name,
        standin(Path(name)) as (youtube, settings),
        prefect_api(Path(name) / "server") as prefect,
    ):
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        cookies = folder / "cookies.txt"
        cookies.write_text(youtube.new_session("bench"))
        environment = clean_environment(home) | prefect | settings
        # yt-dlp and the library are told so; Jarkeeper's worker makes its own.
        environment["SSL_CERT_FILE"] = str(trusted(Path(settings["JARKEEPER_CA_FILE"])))
        vault(environment, cookies)
        yield Course(plan, folder, youtube, environment, cookies)


def take(where: Course) -> Figures:
    """Return all figures."""
    plan = where.plan
    every = tuple(way for has_cookies in plan.cookies for way in ways(has_cookies=has_cookies))
    rounds = tuple(
        compare(where, every, videos=plan.videos, size=plan.video_bytes, latency=latency)
        for latency in plan.latencies
    )
    large = compare(
        where, ways(has_cookies=plan.cookies[0]), videos=1, size=plan.large_bytes, latency=0
    )
    return Figures((*rounds, large), starts(where))


def compare(
    where: Course, every: tuple[Way, ...], *, videos: int, size: int, latency: int
) -> Round:
    """Return the samples of all ways. The first run of each is watched for memory, and not timed
    unless it is the only one."""
    where.youtube.set_latency(latency)
    where.youtube.set_size(size)
    samples: dict[Way, list[Sample]] = {way: [] for way in every}
    for number in range(where.plan.repetitions + 1):
        first = number % len(every)
        for way in (*every[first:], *every[:first]):
            job = where.job(videos)
            samples[way].append(way.run(job, videos=videos, size=size, watched=number == 0))
            tell(f"{videos} x {size >> 10} KiB, {latency} ms, {number}: {way.name}", samples[way])
            if way.is_flow:
                time.sleep(where.plan.settle_seconds)
    shutil.rmtree(where.folder / "videos")
    timed = {way: tuple(found[1:] or found) for way, found in samples.items()}
    memory = {way: found[0].memory for way, found in samples.items() if found[0].memory}
    return Round(videos, size, latency, timed, memory)


def starts(where: Course) -> Starts:
    """Return how long commands take until they do something, in fresh processes."""
    where.youtube.set_latency(0)
    where.youtube.set_size(MIB)
    status, python = [], []
    first: dict[Way, list[float]] = {w: [] for w in ways(has_cookies=True) if not w.is_flow}
    for _ in range(where.plan.starts):
        status.append(alone(where, str(BIN / "jarkeeper"), "status"))
        python.append(alone(where, sys.executable, "-c", "pass"))
        for way, found in first.items():
            found.append(first_byte(where, way))
    return Starts(
        tuple(status),
        tuple(python),
        {way.name: Spread.of(found) for way, found in first.items()},
    )


def alone(where: Course, *command: str) -> Sample:
    """Return what a command takes that downloads nothing."""
    return measure(command, environment=where.environment, folder=where.folder)


def first_byte(where: Course, way: Way) -> float:
    """Return the seconds from starting a command to its first request for media."""
    where.youtube.clear()
    sample = way.run(where.job(1), videos=1, size=MIB, watched=False)
    asked_at: float = where.youtube.requests("media")[0].time
    return asked_at - sample.began


def tell(what: str, samples: list[Sample]) -> None:
    """Say what was just measured: the whole takes minutes."""
    print(f"{what}: {samples[-1].wall:.2f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
