"""The benchmark runs, and its document says what it measured."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AIM = re.compile(r"\| .*at (most|least) ([\d.]+) [^|]*\| ([\d.]+) [^|]*\| (\S.*) \|")
OPENING = re.compile(r"^\| ([a-zA-Z, ]+) \| (\d+) \| [\d.]+ \| [\d.]+ \|", re.MULTILINE)
VERDICT = re.compile(r"at (?:most|least) [^|]*\| [\d.]+ [^|]*\| (?:reached|\*\*not reached\*\*) \|")
ROW = re.compile(r"\| flow \| yes \| .*\| ([\d.]+) \| ([\d.]+) \|")


@pytest.fixture(scope="module")
def document(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("bench") / "performance.md"
    path.write_text("before\n<!-- bench: begin -->\nwhat stood there\n<!-- bench: end -->\nafter\n")
    command = [sys.executable, "bench/run.py", "--quick", "--into", str(path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr
    return path.read_text()


def test_the_benchmark_replaces_only_what_is_between_its_marks(document) -> None:
    assert document.startswith("before\n<!-- bench: begin -->\nWritten by `bench/run.py --quick")
    assert document.endswith("\n<!-- bench: end -->\nafter\n")
    assert "what stood there" not in document


def test_every_way_is_measured_with_time_and_memory(document) -> None:
    for way in ("yt-dlp -a", "library, 8 threads", "jarkeeper download", "flow"):
        assert len(re.findall(rf"^\| {way} \|", document, re.MULTILINE)) == 2
        assert re.search(rf"\| {way} \| yes \| [1-9]\d+ MiB \|", document)


def test_each_aim_is_judged_by_its_own_figure(document) -> None:
    aims = AIM.findall(document)

    assert len(aims) == 6
    for kind, bound, measured, verdict in aims:
        is_reached = (
            float(measured) <= float(bound) if kind == "most" else float(measured) >= float(bound)
        )
        assert verdict == ("reached" if is_reached else "**not reached**")


def test_the_aims_quote_the_tables(document) -> None:
    times_command, times_library = (float(text) for text in ROW.search(document).groups())

    figures = [float(measured) for _, _, measured, _ in AIM.findall(document)]
    assert figures[1] == pytest.approx(1 / times_command, rel=0.02)
    assert figures[2] == times_library


def test_opening_is_measured_beside_the_bare_requests(tmp_path) -> None:
    path = tmp_path / "performance.md"
    path.write_text("before\n<!-- opening: begin -->\n<!-- opening: end -->\nafter\n")
    command = [sys.executable, "bench/open_path.py", "--rounds", "2", "--into", str(path)]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert ended.returncode == 0, ended.stderr
    document = path.read_text()
    made = dict(
        re.findall(r"^\| ([a-zA-Z, ]+) \| (\d+) \| [\d.]+ \| [\d.]+ \|", document, re.MULTILINE)
    )
    assert made == {
        "bare GET and Decrypt": "2",
        "cold": "2",
        "cached, once": "0",
        "cached": "0",
        "revalidated": "3",
        "lend": "10",
    }
    assert len(AIM.findall(document)) == 3


def test_the_analysis_is_measured_beside_bare_engines_that_answer_the_same(tmp_path) -> None:
    path = tmp_path / "performance.md"
    path.write_text("before\n<!-- analysis: begin -->\n<!-- analysis: end -->\nafter\n")
    command = [sys.executable, "bench/analysis.py", "--quick", "--into", str(path)]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert ended.returncode == 0, ended.stderr
    document = path.read_text()
    absent = set(re.findall(r"^(polars|goaccess) is not installed", document, re.MULTILINE))
    assert absent == {
        name
        for name, found in (
            ("polars", importlib.util.find_spec("polars")),
            ("goaccess", shutil.which("goaccess")),
        )
        if found is None
    }
    ways = re.findall(r"^\| ([a-zA-Z ]+)[^|]* \| (volumes|lines) \|", document, re.MULTILINE)
    bare = ["bare DuckDB"] + ["bare polars"] * ("polars" not in absent)
    assert ways == [
        *((way, kind) for way in ("Jarkeeper", *bare) for kind in ("volumes", "lines")),
        ("pandas", "lines"),
        *((way, "volumes") for way in ("Jarkeeper", *bare)),
    ]
    assert len(VERDICT.findall(document)) == 11 - ("goaccess" in absent)
