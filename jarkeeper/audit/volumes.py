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
from typing import TYPE_CHECKING, Any

from jarkeeper.audit.places import volume_key, voucher_key
from jarkeeper.errors import IntegrityError
from jarkeeper.names import VaultId
from jarkeeper.records import read_record, write_record
from jarkeeper.stores import Readable
from jarkeeper.unnamed import unnamed_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMAT = 1
ROWS_AT_ONCE = 10_000
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


@dataclass(frozen=True, slots=True)
class Row:
    """One event in a volume."""

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
    with _connected() as database, _file(text) as source, _file(b"", writable=True) as target:
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
    with opened(content) as database:
        found = database.execute("SELECT leaf, writer, seq, line FROM volume")
        while rows := found.fetchmany(ROWS_AT_ONCE):
            yield from (Row(*row) for row in rows)


@contextmanager
def opened(content: bytes) -> Iterator[DuckDBPyConnection]:
    """Give a database with the table `volume`, for the length of a `with` block.

    `IntegrityError` where the bytes are no volume.
    """
    import duckdb

    try:
        with _connected() as database, _file(content) as source:
            database.execute(f"CREATE VIEW volume AS SELECT * FROM read_parquet('{source}')")  # noqa: S608
            yield database
    except duckdb.Error:
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


@contextmanager
def _connected() -> Iterator[DuckDBPyConnection]:
    import duckdb

    options: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "threads": 2,
    }
    with duckdb.connect(config=options) as database:
        yield database


@contextmanager
def _file(content: bytes, *, writable: bool = False) -> Iterator[Path]:
    with unnamed_file(content, folder=Path(gettempdir()), writable=writable) as path:
        yield path


def _kind(vault: VaultId) -> str:
    return f"volume {vault}"
