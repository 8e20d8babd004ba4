"""The table `events`: the trail in SQL, wherever its parts lie, in bounded memory.

Volumes and lines are read where they are and only as far as a query needs them: `dt` stands in
their paths, so a condition on it leaves whole days unread. DuckDB may open these files and its
own scratch folder, and nothing else: no other file, no network, no extension.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from jarkeeper.audit.events import Event
from jarkeeper.audit.volumes import COLUMNS, COUNTED
from jarkeeper.errors import InputError, VaultError
from jarkeeper.records import write_time

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pandas import DataFrame

MEMORY = "512MB"
"""What DuckDB may hold before it spills: a report runs beside downloads."""
THREADS = 2

_DAY = re.compile(r"dt=\d{4}-\d\d-\d\d", re.ASCII)
_GLOB = re.compile(r"[*?\[]")
_MACROS = (
    # What Athena calls otherwise.
    "CREATE MACRO to_unixtime(moment) AS epoch(moment)",
    "CREATE MACRO sequence(first, last, step) AS generate_series(first, last, step)",
)


class Table:
    """The events as the table `events`; see `COLUMNS` of volumes, and the day as `dt`."""

    def __init__(self, database: DuckDBPyConnection) -> None:
        self._database = database
        self._prepared: object = None

    def frame(self, sql: str, parameters: Mapping[str, Any] | None = None) -> DataFrame:
        """Return what a query finds as a frame; `$name` in it stands for a parameter."""
        with _ours():
            return self._database.execute(sql, dict(parameters or {})).df()

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return what a query finds; `$name` in it stands for a parameter."""
        with _ours():
            return self._database.execute(sql, dict(parameters or {})).fetchall()

    def prepare(self, key: object, parts: Mapping[str, str]) -> None:
        """Make the parts temporary tables, in this order, unless those of the same key are there.

        So several queries share one pass over the events.
        """
        if self._prepared == key:
            return
        self._prepared = None
        with _ours():
            for name, sql in parts.items():
                self._database.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
        self._prepared = key


@contextmanager
def open_table(
    *,
    volumes: Iterable[Path] = (),
    lines: Iterable[Path] = (),
    events: Iterable[Event] = (),
    memory: str = MEMORY,
    scratch: Path | None = None,
) -> Iterator[Table]:
    """Give the table over all events of these volumes, JSON lines and events, each given once.

    Paths are files or folders below which they lie, in a folder `dt=YYYY-MM-DD` either way.
    `scratch` is where what does not fit into memory may go for a while.
    """
    import duckdb

    with TemporaryDirectory(prefix="jarkeeper-", dir=scratch) as private:
        place = Path(private).resolve()
        parquet = _files(volumes, "*.parquet")
        jsonl = _files([*lines, *_written(events, place / "events")], "*.jsonl")
        with duckdb.connect(config=_config(place, memory)) as database:
            with _ours():
                _confine(database, [*parquet, *jsonl])
                for macro in _MACROS:
                    database.execute(macro)
                database.execute(f"CREATE VIEW events AS {_union(parquet, jsonl)}")
            yield Table(database)


def _config(place: Path, memory: str) -> dict[str, Any]:
    return {
        "memory_limit": memory,
        "threads": THREADS,
        "temp_directory": str(place / "spill"),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def _confine(database: DuckDBPyConnection, files: Sequence[str]) -> None:
    """Let the connection open these files and no others, for good."""
    database.execute(f"SET allowed_paths = {_list({*files, *map(_escaped, files)})}")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _files(paths: Iterable[Path], pattern: str) -> list[str]:
    """Return the files, the newest day first: DuckDB looks at the first one whatever is asked."""
    found = (file for path in paths for file in _below(path.resolve(), pattern))
    return [str(file) for file in sorted(found, key=_day, reverse=True)]


def _below(path: Path, pattern: str) -> Iterable[Path]:
    return path.rglob(pattern) if path.is_dir() else (path,)


def _day(file: Path) -> tuple[str, str]:
    day = next((part for part in file.parts if _DAY.fullmatch(part)), None)
    if day is None:
        raise InputError(f"file '{file}': expected it in a folder dt=YYYY-MM-DD")
    return day, str(file)


def _written(events: Iterable[Event], folder: Path) -> Iterator[Path]:
    """Write the events as files of lines in the layout of the trail, and give the folder."""
    for day, found in groupby(events, key=lambda event: f"{event.at.astimezone(UTC):%Y-%m-%d}"):
        place = folder / f"dt={day}"
        place.mkdir(parents=True, exist_ok=True)
        with (place / "events.jsonl").open("a") as file:
            file.writelines(f"{_line(event)}\n" for event in found)
    if folder.exists():
        yield folder


def _line(event: Event) -> str:
    fields: dict[str, Any] = {name: getattr(event, name) for name in COLUMNS}
    fields |= {"at": write_time(event.at), "counts": dict(event.counts)}
    return json.dumps(fields)


def _union(volumes: Sequence[str], lines: Sequence[str]) -> str:
    """Return the query over all files; of none it finds nothing."""
    nothing = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in COLUMNS.items())
    kinds = ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in COLUMNS.items())
    hive = "hive_partitioning = true, hive_types = {'dt': VARCHAR}"
    parts = [_select(f"(SELECT {nothing}, NULL::VARCHAR AS dt WHERE false)")]
    if volumes:
        parts.append(_select(f"read_parquet({_list(map(_escaped, volumes))}, {hive})"))
    if lines:
        form = f"format = 'newline_delimited', columns = {{{kinds}}}"
        parts.append(_select(f"read_json({_list(map(_escaped, lines))}, {form}, {hive})"))
    return " UNION ALL ".join(parts)


def _select(source: str) -> str:
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    return f"SELECT {names}, dt FROM {source} WHERE {COUNTED}"  # noqa: S608 - names of our own


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _escaped(file: str) -> str:
    """Return the pattern that only this name fits."""
    return _GLOB.sub(r"[\g<0>]", file)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@contextmanager
def _ours() -> Iterator[None]:
    """Raise DuckDB's errors as `VaultError`."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise VaultError(f"audit trail: cannot be analysed, {reason}") from error
