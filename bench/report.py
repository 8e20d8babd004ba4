"""The figures as tables, each aim with what was reached, in a document that is otherwise prose."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from aims import aims
from measure import Memory, Sample, Spread
from ways import CORE, LIBRARY, YT_DLP, Way

PACKAGES = ("yt-dlp", "prefect", "cryptography", "aws-encryption-sdk")


@dataclass(frozen=True, slots=True)
class Round:
    """One comparison: the same videos at one latency in all ways."""

    videos: int
    size: int
    latency: int
    samples: Mapping[Way, tuple[Sample, ...]]
    memory: Mapping[Way, Memory]

    @property
    def is_large(self) -> bool:
        """Whether it is about one long file, where only throughput counts."""
        return self.videos == 1

    @property
    def title(self) -> str:
        """What was downloaded."""
        size = f"{self.size / (1 << 20):g} MiB"
        what = f"{self.videos} videos of {size}" if not self.is_large else f"One video of {size}"
        return f"{what}, {self.latency} ms latency"

    @property
    def cookies(self) -> tuple[bool, ...]:
        """Whether it was done without cookies, with them, or both."""
        return tuple(dict.fromkeys(way.has_cookies for way in self.samples))

    def way(self, name: str, *, has_cookies: bool) -> Way:
        """Return the way of that name."""
        found = (w for w in self.samples if w.name == name and w.has_cookies is has_cookies)
        return next(found)

    def seconds(self, way: Way) -> Spread:
        """Return the seconds that are compared."""
        return Spread.of([way.seconds(sample) for sample in self.samples[way]])

    def ratio(self, way: Way, other: Way) -> Spread:
        """Return how many times as long `way` took, repetition by repetition."""
        pairs = zip(self.samples[way], self.samples[other], strict=True)
        return Spread.of([way.seconds(mine) / other.seconds(theirs) for mine, theirs in pairs])


@dataclass(frozen=True, slots=True)
class Starts:
    """`jarkeeper status`, `python -c pass`, and the seconds to the first byte of each way."""

    status: tuple[Sample, ...]
    python: tuple[Sample, ...]
    first_byte: Mapping[str, Spread]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured in one run."""

    rounds: tuple[Round, ...]
    starts: Starts


def render(figures: Figures, *, command: str) -> str:
    """Return the report as Markdown."""
    others = "The cores also carried the stand-in and Prefect's server."
    parts = [
        f"{machine(command)} {others}",
        "### Aims",
        table(("aim", "measured", ""), aims(figures)),
    ]
    for item in figures.rounds:
        heads = ("way", "cookies", "seconds: median (range)", "CPU s", *_OTHERS)
        parts += [f"### {item.title}", table(heads, _rows(item))]
    parts += ["### What the flow costs", table(_COST_HEADS, _costs(figures.rounds))]
    parts += ["### Memory of the process tree", table(_MEMORY_HEADS, _memories(figures.rounds))]
    parts += ["### Starting", table(("what", "wall", "CPU"), _starts(figures.starts))]
    return "\n\n".join(parts)


def write_between(path: Path, text: str, *, mark: str = "bench") -> None:
    """Replace what stands between the two marks of the document."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, _, rest = path.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{path}: expected the marks '{begin}' and '{end}'")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


_OTHERS = (f"times `{YT_DLP}`", f"times {LIBRARY}")
_COST_HEADS = ("what", "cookies", "runs", "core", "own cost", "before it runs", "afterwards")
_MEMORY_HEADS = ("what", "way", "cookies", "RSS, summed", "PSS, summed")


def machine(command: str, *, packages: Sequence[str] = PACKAGES) -> str:
    """Return what wrote the figures, when, and where."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores "
        f"({platform.machine()}), {platform.system()}, Python {platform.python_version()}, "
        f"{versions}."
    )


def _rows(item: Round) -> Iterator[Sequence[str]]:
    for way, samples in item.samples.items():
        others = (item.way(name, has_cookies=way.has_cookies) for name in (YT_DLP, LIBRARY))
        yield (
            way.name,
            _word(way),
            _spread(item.seconds(way)),
            f"{_median([sample.cpu for sample in samples]):.1f}",
            *(f"{item.ratio(way, other).median:.2f}" for other in others),
        )


def _costs(rounds: tuple[Round, ...]) -> Iterator[Sequence[str]]:
    for item in rounds:
        for way, samples in item.samples.items():
            core = item.way(CORE, has_cookies=way.has_cookies)
            if way.is_flow:
                runs = item.seconds(way).median
                alone = _median([float(sample.said["seconds"]) for sample in item.samples[core]])
                before = _median([s.said["running_at"] - s.began for s in samples])
                after = _median([s.began + s.wall - s.said["completed_at"] for s in samples])
                figures = (runs, alone, runs - alone, before, after)
                yield (item.title, _word(way), *(f"{seconds:.2f} s" for seconds in figures))


def _memories(rounds: tuple[Round, ...]) -> Iterator[Sequence[str]]:
    for item in rounds:
        for way, memory in item.memory.items():
            pss = "not readable" if memory.pss is None else f"{memory.pss:.0f} MiB"
            yield (item.title, way.name, _word(way), f"{memory.rss:.0f} MiB", pss)


def _starts(found: Starts) -> Iterator[Sequence[str]]:
    for name, samples in (("`jarkeeper status`", found.status), ("`python -c pass`", found.python)):
        wall = Spread.of([sample.wall for sample in samples])
        cpu = Spread.of([sample.cpu for sample in samples])
        yield (name, _spread(wall), _spread(cpu))
    for name, spread in found.first_byte.items():
        yield (f"first byte of `{name}`, with cookies", _spread(spread), "")


def _median(figures: Sequence[float]) -> float:
    return Spread.of(figures).median


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"


def _word(way: Way) -> str:
    return "yes" if way.has_cookies else "no"
