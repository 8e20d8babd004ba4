"""Volumes: the events of a finished day in one Parquet file, and the record that vouches for it.

A volume holds each line byte for byte, and beside it the columns that it was read into, so that
SQL need not parse. The record has the digest of the whole file: columns that say something else
than their line show as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from jarkeeper.audit.events import NUMBER_MAX
from jarkeeper.audit.places import volume_key, voucher_key
from jarkeeper.errors import IntegrityError, JarkeeperError
from jarkeeper.limits import LIMITS
from jarkeeper.names import VaultId
from jarkeeper.records import read_record, write_record
from jarkeeper.stores import Readable
from jarkeeper.unnamed import unnamed_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Database: TypeAlias = "DuckDBPyConnection"
"""DuckDB's, which is loaded where a volume is at hand."""

FORMAT = 1
ROWS_AT_ONCE = 10_000
ROWS_MAX = 2 * LIMITS.volume_events_max
"""More are not read, as no volume has them: a small file may hold millions."""
MEMORY = "1GB"
"""Or a single value of any size."""
COLUMNS = {
    "at": "TIMESTAMP",
    "action": "VARCHAR",
    "phase": "VARCHAR",
    "access": "VARCHAR",
    "actor": "VARCHAR",
    "flow_run": "VARCHAR",
    "jar": "VARCHAR",
    "slot": "VARCHAR",
    "generation": "VARCHAR",
    "head_seq": "BIGINT",
    "outcome": "VARCHAR",
    "detail": "VARCHAR",
    "counts": "MAP(VARCHAR, BIGINT)",
    "seconds": "DOUBLE",
    "writer": "VARCHAR",
    "seq": "BIGINT",
}
"""What an event's line is read into."""
COUNTED = f"""abs(coalesce(seconds, 0)) <= {NUMBER_MAX}
AND coalesce(head_seq, 0) BETWEEN 0 AND {NUMBER_MAX}
AND coalesce(list_max(map_values(counts)), 0) <= {NUMBER_MAX}
AND coalesce(list_min(map_values(counts)), 0) >= 0"""
"""What holds of the numbers of every event, in SQL: an old volume may have taken others in."""


class Row(NamedTuple):
    """One event in a volume. A tuple, as there are millions."""

    leaf: int
    """Its place in the log of checkpoints."""
    writer: str
    seq: int
    line: bytes


@dataclass(frozen=True, slots=True)
class Voucher:
    """What is known of a volume: which events, and the digest of its file."""

    day: str
    number: int
    events: int
    first_leaf: int
    last_leaf: int
    digest: str

    @property
    def volume(self) -> str:
        """Where the volume lies."""
        return volume_key(self.day, self.number)


def write_volume(rows: Iterable[Row]) -> bytes:
    """Return the Parquet file with these events, in this order."""
    text = b"".join(b"%d\t%s" % (row.leaf, row.line) for row in rows)
    fields = ", ".join(f'"{name}":"{kind}"' for name, kind in COLUMNS.items())
    with connected() as database, _file(text) as source, _file(b"", writable=True) as target:
        database.execute(
            f"""COPY (
                SELECT leaf, encode(line || chr(10)) AS line,
                       unnest(from_json(line, '{{{fields}}}'))
                FROM read_csv('{source}', columns = {{'leaf': 'BIGINT', 'line': 'VARCHAR'}},
                              delim = '\t', quote = '', escape = '', header = false,
                              auto_detect = false)
            ) TO '{target}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"""  # noqa: S608
        )
        return target.read_bytes()


def read_volume(content: bytes) -> Iterator[Row]:
    """Give the events of a volume in order, or raise `IntegrityError` where it is none."""
    with connected() as database, opened(content) as place:
        yield from map(Row._make, plain_rows(database, place))


def plain_rows(database: Database, place: str) -> Iterator[tuple[int, str, int, bytes]]:
    """Give the fields of each `Row` of the volume in order."""
    # Whoever wrote the file may have had other types in mind.
    found = database.execute(
        "SELECT leaf::BIGINT, writer::VARCHAR, seq::BIGINT, line::BLOB FROM read_parquet($volume) "
        "WHERE leaf IS NOT NULL AND line IS NOT NULL LIMIT $most",
        {"volume": place, "most": ROWS_MAX},
    )
    while rows := found.fetchmany(ROWS_AT_ONCE):
        yield from rows


@contextmanager
def opened(content: bytes) -> Iterator[str]:
    """Give a place that `read_parquet` reads them from, for the length of a `with` block.

    `IntegrityError` where a query in the block finds that the bytes are no volume.
    """
    try:
        with _file(content) as source:
            yield str(source)
    except (JarkeeperError, OSError, MemoryError):
        raise
    # The engine's own errors, and what Python makes of its answers: texts and times of any bytes.
    except Exception:  # noqa: BLE001
        raise IntegrityError("volume: expected a Parquet file of events") from None


def write_voucher(voucher: Voucher, *, key: bytes, vault: VaultId) -> bytes:
    """Return the record."""
    return write_record({"format": FORMAT, **asdict(voucher)}, key=key, kind=_kind(vault))


def read_voucher(store: Readable, day: str, number: int, *, key: bytes, vault: VaultId) -> Voucher:
    """Return the record of a volume, or raise `IntegrityError` where it is not genuine."""
    place = voucher_key(day, number)
    fields: dict[str, Any] = read_record(
        store.get(place), key=key, kind=_kind(vault), name=f"record '{place}'"
    )
    if fields.pop("format", None) != FORMAT or (fields.get("day"), fields.get("number")) != (
        day,
        number,
    ):
        raise IntegrityError(f"record '{place}': expected that of this volume")
    try:
        return Voucher(**fields)
    except TypeError:
        raise IntegrityError(f"record '{place}': expected the fields of format {FORMAT}") from None


def connected() -> Database:
    """Return a database to read volumes with; it loads nothing, and ends when it is closed.

    Starting one takes longer than reading a volume.
    """
    import duckdb

    options: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "threads": 1,  # a volume is one row group: more of them only wait for each other
        "memory_limit": MEMORY,
    }
    return duckdb.connect(config=options)


@contextmanager
def _file(content: bytes, *, writable: bool = False) -> Iterator[Path]:
    with unnamed_file(content, folder=Path(gettempdir()), writable=writable) as path:
        yield path


def _kind(vault: VaultId) -> str:
    return f"volume {vault}"
