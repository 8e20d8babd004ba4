"""One way to analyse, in a process of its own: `analyse.py WAY PLACE SINCE UNTIL ANSWERS`.

It says how long the answers took, without the imports, and what it read and held; the answers go to
a file, in one form for all ways.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bare

Answers = dict[str, list[tuple[Any, ...]]]


def main(way: str, place: str, since: str, until: str, answers: str) -> None:
    """Answer, and say what it took."""
    modules, answer = WAYS[way]
    for module in modules:
        importlib.import_module(module)
    files = sorted(path for path in Path(place).rglob("*.[pj]*") if path.name[0] != "_")
    span = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, until)]
    read, began, used = _bytes_read(), time.perf_counter(), time.process_time()
    found = answer(files, *span)
    said = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "read": _bytes_read() - read,
        "peak": _peak(),
    }
    lines = {name: sorted(map(_plain, rows)) for name, rows in found.items()}
    Path(answers).write_text(json.dumps(lines))
    print(json.dumps(said))


def jarkeeper(files: list[Path], since: datetime, until: datetime) -> Answers:
    """Ask our table, as the report does."""
    from jarkeeper.analysis import figures, frames
    from jarkeeper.analysis.table import open_table

    names = ("outcomes", "errors", "opens", "refreshes", "incidents", "generations", "by_age")
    kind = "lines" if files[0].suffix == ".jsonl" else "volumes"
    with open_table(**{kind: files}) as table:
        figures.key_figures(table, since=since, until=until)
        days = figures.trend(table, since=since, until=until)
        shown = {name: getattr(frames, name)(table, since=since, until=until) for name in names}
    shown["errors"] = shown["errors"][["failure", "count"]]
    shown["days"] = days[days["value"].notna()]
    return {name: list(frame.itertuples(index=False)) for name, frame in shown.items()}


def pandas(files: list[Path], *_: datetime) -> Answers:
    """Read the lines with pandas, and ask nothing yet."""
    import pandas as pd

    frame = pd.concat([pd.read_json(path, lines=True) for path in files], ignore_index=True)
    return {"events": [(len(frame),)]}


def _bare(ask: Callable[..., bare.Sums]) -> Callable[..., Answers]:
    return lambda files, since, until: bare.answer(ask(files, since, until), since, until)


WAYS: dict[str, tuple[tuple[str, ...], Callable[..., Answers]]] = {
    "jarkeeper": (("pandas", "duckdb", "jarkeeper.analysis.frames"), jarkeeper),
    "duckdb": (("duckdb",), _bare(bare.with_duckdb)),
    "polars": (("polars",), _bare(bare.with_polars)),
    "pandas": (("pandas",), pandas),
}


def _plain(row: tuple[Any, ...]) -> list[Any]:
    return [_word(value) for value in row]


def _word(value: Any) -> str:
    """Return a value as text, the same for all libraries."""
    if value is None or str(value) in {"nan", "NaT"}:
        return ""
    if hasattr(value, "isoformat"):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def _peak() -> float:
    """Return the most memory that this process ever held, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(*sys.argv[1:])
