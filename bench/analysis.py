"""Measure the analysis of the trail against bare engines, and write docs/performance.md.

Each way is a process of its own; within a repetition all ways run one after the other, in an order
that moves on. Seconds are those of the answers, without imports; ratios are taken within a
repetition. All ways have to give the same answers.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from aims import word
from measure import Sample
from measure import run as measure
from report import machine, table, write_between
from services import ROOT, clean_environment

BENCH = Path(__file__).parent
OURS, PANDAS = "jarkeeper", "pandas"
BARE = ("duckdb", "polars")
MIB = 1 << 20
NAMES = {OURS: "Jarkeeper", "duckdb": "bare DuckDB", "polars": "bare polars", PANDAS: "pandas"}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    events: int
    more: int
    """For growth: ten times as many."""
    lines: int
    days: int
    repetitions: int


FULL = Plan(1_000_000, 10_000_000, 1_000_000, 365, 5)
QUICK = Plan(2_000, 20_000, 2_000, 14, 1)
"""Shows that everything works; its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where the runs take place, and what was found."""

    plan: Plan
    folder: Path
    has_polars: bool
    notes: list[str] = field(default_factory=list)

    def python(self, script: str, *words: object) -> Sample:
        """Return what one of our scripts took."""
        command = [sys.executable, str(BENCH / script), *map(str, words)]
        return self.run(*command)

    def run(self, *command: str) -> Sample:
        """Return what a command took."""
        home = self.folder / "home"
        environment = clean_environment(home) | {"PYTHONPATH": str(ROOT)}
        sample = measure(command, environment=environment, folder=self.folder)
        tell(f"{' '.join(Path(word).name for word in command[:4])}: {sample.wall:.2f} s")
        return sample

    def ask(self, way: str, place: Path, *, last: int | None = None) -> tuple[Sample, str]:
        """Return what the answers of a way took, and the answers."""
        began = datetime(2025, 1, 1)  # noqa: DTZ001 - a day's name
        until = began + timedelta(days=self.plan.days)
        since = began if last is None else until - timedelta(days=last)
        answers = self.folder / "answers.json"
        sample = self.python("analyse.py", way, place, f"{since:%F}", f"{until:%F}", answers)
        return sample, answers.read_text()


Found = dict[tuple[str, str], list[Sample]]
"""What each way took over each kind of file, repetition by repetition."""


def main() -> None:
    """Measure, print the report, and put it into the document."""
    parser = argparse.ArgumentParser(description=__doc__, prog="bench/analysis.py")
    parser.add_argument("--quick", action="store_true", help="a few thousand events, once")
    parser.add_argument("--repetitions", type=int, help="instead of 5")
    parser.add_argument("--folder", type=Path, help="for some 3 GB of files; a temporary one")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "performance.md")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    repetitions = options.repetitions or plan.repetitions
    has_polars = importlib.util.find_spec("polars") is not None
    with tempfile.TemporaryDirectory(prefix="jarkeeper-bench-", dir=options.folder) as name:
        (Path(name) / "home").mkdir()
        where = Course(plan, Path(name), has_polars)
        text = "\n\n".join(take(where, repetitions=repetitions))
    words = " ".join(sys.argv[1:])
    packages = ["duckdb", "pandas", *(["polars"] if has_polars else [])]
    text = f"{machine(f'bench/analysis.py {words}'.strip(), packages=packages)}\n\n{text}"
    print(text)
    write_between(options.into, text, mark="analysis")


def take(where: Course, *, repetitions: int) -> Iterator[str]:
    """Give the parts of the report."""
    plan = where.plan
    small, large, logs = (where.folder / name for name in ("small", "large", "logs"))
    where.python("history.py", small, plan.events, plan.days, "--lines")
    where.python("history.py", large, plan.more, plan.days)
    where.python("access_logs.py", "write", logs, plan.lines)
    kinds = {"volumes": small / "store/audit/archive", "lines": small / "lines"}
    found = compare(where, kinds, repetitions=repetitions, with_pandas=True)
    grown = compare(
        where, {"volumes": large / "store/audit/archive"}, repetitions=(repetitions + 1) // 2
    )
    week = [where.ask(OURS, kinds["volumes"], last=7)[0] for _ in range(repetitions)]
    verified = [where.python("verify.py", small / "store") for _ in range(repetitions)]
    read = compare_logs(where, logs, repetitions=repetitions)
    if not where.has_polars:
        where.notes.append("polars is not installed, so it was not measured: see `make bench`.")
    yield table(
        ("aim", "measured", ""), aims(where, found, grown, week=week, verified=verified, read=read)
    )
    yield from where.notes
    yield f"### All questions of the report, {plan.events:,} events of {plan.days} days"
    yield table(HEADS, rows(found))
    yield f"### The same, {plan.more:,} events"
    yield table((*HEADS, "times the seconds of a tenth"), grown_rows(found, grown))
    yield f"### One week of {plan.days} days, {plan.events:,} events"
    yield table(("span", "seconds", "CPU s", "MiB read", "peak MiB"), week_rows(found, week))
    yield f"### Verifying {plan.events:,} chained events in volumes"
    yield table(("seconds: median (range)", "CPU s", "events a second"), verified_rows(verified))
    yield f"### {plan.lines:,} lines of S3 access logs"
    yield table(("way", "seconds: median (range)", "CPU s"), log_rows(read))


def compare(
    where: Course, kinds: dict[str, Path], *, repetitions: int, with_pandas: bool = False
) -> Found:
    """Return the samples of all ways over all kinds; each has to give the same answers."""
    ways = [
        (way, kind)
        for way in (OURS, *BARE)
        for kind in kinds
        if way != "polars" or where.has_polars
    ]
    ways += [(PANDAS, "lines")] if with_pandas else []
    found: Found = {way: [] for way in ways}
    told: dict[tuple[str, str], str] = {}
    for number in range(repetitions):
        for way, kind in in_turn(ways, number):
            sample, told[way, kind] = where.ask(way, kinds[kind])
            found[way, kind].append(sample)
        require_same(told)
    return found


def in_turn(ways: Sequence[tuple[str, str]], number: int) -> list[tuple[str, str]]:
    """Return the ways in an order that moves on."""
    first = number % len(ways)
    return [*ways[first:], *ways[:first]]


def require_same(told: dict[tuple[str, str], str]) -> None:
    """End everything where two ways do not agree; pandas was asked nothing."""
    answers = {way: json.loads(text) for way, text in told.items() if way[0] != PANDAS}
    expected = answers[OURS, "volumes"]
    for way, answer in answers.items():
        for question, lines in expected.items():
            if answer[question] != lines:
                other = [line for line in answer[question] if line not in lines]
                raise SystemExit(f"{way}: answers {question} otherwise: {other[:3]}")


def compare_logs(where: Course, logs: Path, *, repetitions: int) -> Found:
    """Return the samples of reading access logs."""
    files = [str(path) for path in sorted(logs.iterdir())]
    goaccess = shutil.which("goaccess")
    found: Found = {(OURS, "logs"): []}
    if goaccess is None:
        where.notes.append("goaccess is not installed, so it was not measured.")
    else:
        found["goaccess", "logs"] = []
    for _ in range(repetitions):
        sample = where.python("access_logs.py", "read", logs)
        if sample.said["lines"] != where.plan.lines:
            raise SystemExit(f"access logs: {sample.said['lines']} lines were read")
        found[OURS, "logs"].append(sample)
        if goaccess:
            output = str(where.folder / "goaccess.json")
            options = ("--no-global-config", "--log-format=AWSS3", "-o", output)
            found["goaccess", "logs"].append(where.run(goaccess, *options, *files))
            told = json.loads(Path(output).read_text())["general"]
            if told["valid_requests"] != where.plan.lines:
                raise SystemExit(f"goaccess: {told['valid_requests']} lines were read")
    return found


def aims(
    where: Course,
    found: Found,
    grown: Found,
    *,
    week: list[Sample],
    verified: list[Sample],
    read: Found,
) -> Iterator[tuple[str, str, str]]:
    """Yield each aim, the figure that was measured, and whether it is reached."""
    plan = where.plan
    for kind in ("volumes", "lines"):
        bare = [samples for (way, k), samples in found.items() if way in BARE and k == kind]
        for of, unit in ((seconds, "times the seconds"), (cpu, "times the CPU seconds")):
            faster = min(bare, key=lambda samples, of=of: median(samples, of=of))
            times = ratio(found[OURS, kind], faster, of=of)
            what = f"{plan.events:,} events, {kind}: against the faster of the bare engines"
            yield at_most(what, times, 1.2, unit, digits=2)
    for kind in ("volumes", "lines"):
        faster = ratio(found[PANDAS, "lines"], found[OURS, kind])
        yield at_least(f"{plan.events:,} events, {kind}: over pandas `read_json`", faster, 8)
    peak = max(sample.said["peak"] for sample in grown[OURS, "volumes"])
    yield at_most(f"{plan.more:,} events: peak", peak * MIB / 1e6, 1200, "MB", digits=0)
    growth = median(grown[OURS, "volumes"]) / median(found[OURS, "volumes"])
    yield at_most("ten times the events", growth, 10, "times the seconds", digits=1)
    whole = found[OURS, "volumes"][0].said["read"]
    share = 100 * week[0].said["read"] / whole
    days = min(7 + 92, plan.days)
    part = 100 * days / plan.days * 1.1
    yield at_most(
        f"one week, with its quarter of history: {days} of {plan.days} days, bytes read",
        share,
        part,
        "% of the whole",
        digits=0,
    )
    yield at_most(f"{plan.events:,} chained events verified", median(verified), 5, "s", digits=2)
    if ("goaccess", "logs") in read:
        faster = ratio(read["goaccess", "logs"], read[OURS, "logs"], of=wall)
        yield at_least(f"{plan.lines:,} access log lines: over goaccess", faster, 10)


def at_most(
    aim: str, measured: float, bound: float, unit: str, *, digits: int
) -> tuple[str, str, str]:
    text = f"{aim}: at most {round(bound, 1):g} {unit}"
    return text, f"{measured:.{digits}f} {unit}", word(measured <= bound)


def at_least(aim: str, measured: float, bound: float) -> tuple[str, str, str]:
    text = f"{aim}: at least {bound:g} times as fast"
    return text, f"{measured:.2f} times", word(measured >= bound)


HEADS = ("way", "over", "seconds: median (range)", "CPU s", "process: wall s", "peak MiB")


def rows(found: Found) -> Iterator[Sequence[str]]:
    """Yield what each way took."""
    for (way, kind), samples in found.items():
        what = f"{NAMES[way]}, `read_json` and no question yet" if way == PANDAS else NAMES[way]
        yield (
            what,
            kind,
            spread(samples),
            f"{median(samples, of=cpu):.2f}",
            f"{median(samples, of=wall):.2f}",
            f"{max(sample.said['peak'] for sample in samples):.0f}",
        )


def grown_rows(found: Found, grown: Found) -> Iterator[Sequence[str]]:
    """Yield what each way took for more, and how many times as much that is."""
    for cells, (way, samples) in zip(rows(grown), grown.items(), strict=True):
        yield (*cells, f"{median(samples) / median(found[way]):.1f}")


def week_rows(found: Found, week: list[Sample]) -> Iterator[Sequence[str]]:
    """Yield the week beside the whole."""
    for name, samples in (("all", found[OURS, "volumes"]), ("the last week", week)):
        yield (
            name,
            spread(samples),
            f"{median(samples, of=cpu):.2f}",
            f"{samples[0].said['read'] / MIB:.1f}",
            f"{max(sample.said['peak'] for sample in samples):.0f}",
        )


def verified_rows(samples: list[Sample]) -> Iterator[Sequence[str]]:
    """Yield what verification took."""
    events = samples[0].said["events"]
    used = statistics.median(sample.cpu for sample in samples)
    yield spread(samples), f"{used:.2f}", f"{events / median(samples):,.0f}"


def log_rows(read: Found) -> Iterator[Sequence[str]]:
    """Yield what reading access logs took, as whole commands."""
    for (way, _), samples in read.items():
        used = statistics.median(sample.cpu for sample in samples)
        yield NAMES.get(way, way), spread(samples, of=wall), f"{used:.2f}"


def seconds(sample: Sample) -> float:
    """Return how long the work itself took."""
    found: float = sample.said["seconds"]
    return found


def cpu(sample: Sample) -> float:
    """Return the processor time of the work itself, of all threads."""
    found: float = sample.said["cpu"]
    return found


def wall(sample: Sample) -> float:
    """Return how long the process took."""
    return sample.wall


Measure = Callable[[Sample], float]


def median(samples: list[Sample], *, of: Measure = seconds) -> float:
    """Return the middle of some samples."""
    return statistics.median(map(of, samples))


def ratio(samples: list[Sample], others: list[Sample], *, of: Measure = seconds) -> float:
    """Return how many times as long `samples` took, repetition by repetition."""
    pairs = zip(samples, others, strict=True)
    return statistics.median(of(mine) / of(theirs) for mine, theirs in pairs)


def spread(samples: list[Sample], *, of: Measure = seconds) -> str:
    """Return the middle one and the extremes."""
    found = sorted(map(of, samples))
    return f"{statistics.median(found):.2f} ({found[0]:.2f} to {found[-1]:.2f})"


def tell(what: str) -> None:
    """Say what was just measured: the whole takes minutes."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
