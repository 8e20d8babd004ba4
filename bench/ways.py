"""The ways that are compared: the same videos, through the same proxy, in as many files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from measure import CommandFailed, Sample, run
from services import BIN

CONCURRENCY = 8
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Job:
    """What one run is given: a file of URLs, an empty folder, cookies and an environment."""

    urls: Path
    folder: Path
    cookies: Path
    environment: Mapping[str, str]

    @property
    def proxy(self) -> str:
        return self.environment["JARKEEPER_PROXY"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to download. `seconds` picks the figure that is compared from a sample."""

    name: str
    has_cookies: bool
    command: Callable[[Job, bool], list[str]]
    seconds: Callable[[Sample], float]
    is_flow: bool = False

    def run(self, job: Job, *, videos: int, size: int, watched: bool) -> Sample:
        """Return one run's figures, after a look at whether every byte arrived."""
        sample = run(
            self.command(job, self.has_cookies),
            environment=job.environment,
            folder=job.folder,
            watched=watched,
        )
        sizes = [path.stat().st_size for path in job.folder.glob("*.mp4")]
        if sizes != [size] * videos:
            raise CommandFailed(
                f"{self.name}: expected {videos} files of {size} bytes, got {len(sizes)}: "
                f"{sorted(set(sizes))[:5]}"
            )
        return sample


def _command_line(job: Job, has_cookies: bool) -> list[str]:
    command = [str(BIN / "yt-dlp"), "--ignore-config", "--quiet", "--no-warnings"]
    # The stand-in's certificate is checked, as Jarkeeper checks it.
    command += ["--proxy", job.proxy, "--compat-options", "no-certifi", "-a", str(job.urls)]
    return [*command, "--cookies", str(job.cookies)] if has_cookies else command


def _library(job: Job, has_cookies: bool) -> list[str]:
    command = [sys.executable, str(HERE / "library.py"), str(job.urls), job.proxy]
    return [*command, str(CONCURRENCY), *([str(job.cookies)] if has_cookies else [])]


def _core(job: Job, has_cookies: bool) -> list[str]:
    command = [str(BIN / "jarkeeper"), "download", "--json", "--from-file", str(job.urls)]
    command += ["--to", str(job.folder), "--concurrency", str(CONCURRENCY)]
    return [*command, "--cookies", "always" if has_cookies else "never"]


def _flow(job: Job, has_cookies: bool) -> list[str]:
    command = [sys.executable, str(HERE / "flow_run.py"), str(job.urls), str(job.folder)]
    return [*command, str(CONCURRENCY), "always" if has_cookies else "never"]


def _whole(sample: Sample) -> float:
    return sample.wall


def _running(sample: Sample) -> float:
    return float(sample.said["completed_at"] - sample.said["running_at"])


YT_DLP, LIBRARY, CORE, FLOW = "yt-dlp -a", "library, 8 threads", "jarkeeper download", "flow"


def ways(*, has_cookies: bool) -> tuple[Way, ...]:
    """Return all ways, with or without cookies."""
    return (
        Way(YT_DLP, has_cookies, _command_line, _whole),
        Way(LIBRARY, has_cookies, _library, _whole),
        Way(CORE, has_cookies, _core, _whole),
        Way(FLOW, has_cookies, _flow, _running, is_flow=True),
    )
