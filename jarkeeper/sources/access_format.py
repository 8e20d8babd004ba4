"""The format of S3's server access logs, as queries of DuckDB over the lines of files.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html

Request line, referer and user agent belong to whoever sends a request, and nobody escapes quotes
in them. So no line is given to a CSV reader's idea of quotes, which would swallow the lines that
follow an odd one: a line is one value, and its fields are counted from the left, where nothing but
S3 writes, up to the request line. That holds no more spaces than those around its path, so what
follows can be counted too. What stands after the agent is counted from the last quote.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "256MB"
LINE_BYTES_MAX = 64 << 10
"""The headers of a request have 8 KiB at S3; a longer line is none of its."""

# ruff: noqa: S608 - the queries are our own words; what others wrote is a value in them
LINES = f"""
(SELECT line FROM read_csv(getvariable('files'), columns = {{'line': 'VARCHAR'}}, delim = '\x01',
  quote = '', escape = '', new_line = '\\n', header = false, auto_detect = false,
  ignore_errors = true, store_rejects = true, max_line_size = {LINE_BYTES_MAX}) WHERE line <> '')
"""
REJECTED = """
(SELECT any_value(csv_line) AS line
  FROM reject_errors GROUP BY scan_id, file_id, reject_errors.line)
"""
"""The lines that the reader did not take, for a byte of no encoding or a mark of ours in them; in
the form in which it tells of them they are read all the same, so that nobody hides that way."""
GIVEN = "(SELECT unnest($lines) AS line)"
LINES_AT_ONCE = 1_000


def cut(lines: str) -> str:
    """Return the query that cuts lines into words, and the figures after the request line."""
    return f"""
(SELECT words, uri_end, words[uri_end + 1 : uri_end + 6] AS figures FROM (
  SELECT words, CASE WHEN words[10] = '-' THEN 10 WHEN words[10][1] <> '"' THEN NULL
    WHEN words[12] LIKE 'HTTP/%"' THEN 12 WHEN words[11] LIKE '%"' THEN 11
    WHEN words[10] LIKE '"%"' THEN 10 END AS uri_end
  FROM (SELECT string_split(line, ' ') AS words FROM {lines})))
"""


_WHOLE = f"""
(SELECT *, string_split(ltrim(CASE WHEN len(quoted) < 3 THEN array_to_string(others[3:], ' ')
  ELSE quoted[-1] END), ' ') AS tail
FROM (SELECT *, string_split(array_to_string(others, ' '), '"') AS quoted
  FROM (SELECT *, words[uri_end + 7 :] AS others FROM {cut(LINES)})))
"""
FIELDS = {
    "bucket_owner": "words[1]",
    "bucket": "words[2]",
    "time": "try_strptime(words[3] || ' ' || words[4], '[%d/%b/%Y:%H:%M:%S +0000]')",
    "remote_ip": "words[5]",
    "requester": "words[6]",
    "request_id": "words[7]",
    "operation": "words[8]",
    # S3 encodes most keys twice; no key of a vault has a `%` of its own.
    "key": "CASE WHEN contains(words[9], '%') "
    "THEN coalesce(TRY(url_decode(url_decode(words[9]))), words[9]) ELSE words[9] END",
    "request_uri": "CASE WHEN words[10] <> '-' "
    "THEN array_to_string(words[10:uri_end], ' ')[2:-2] END",
    "http_status": "try_cast(figures[1] AS INTEGER)",
    "error_code": "figures[2]",
    "bytes_sent": "try_cast(figures[3] AS BIGINT)",
    "object_size": "try_cast(figures[4] AS BIGINT)",
    "total_time": "try_cast(figures[5] AS BIGINT)",
    "turn_around_time": "try_cast(figures[6] AS BIGINT)",
    "referer": "CASE WHEN others[1][1] = '\"' THEN split_part(quoted[2:].array_to_string('\"'), "
    "'\" ', 1) ELSE others[1] END",
    "user_agent": "CASE WHEN len(quoted) < 3 THEN others[2] WHEN others[1][1] = '\"' "
    "THEN regexp_replace(quoted[2:-2].array_to_string('\"'), '^.*?\" \"', '', 's') "
    "ELSE quoted[2:-2].array_to_string('\"') END",
    "version_id": "tail[1]",
    "host_id": "tail[2]",
    "signature_version": "tail[3]",
    "cipher_suite": "tail[4]",
    "authentication_type": "tail[5]",
    "host_header": "tail[6]",
    "tls_version": "tail[7]",
    "access_point_arn": "tail[8]",
    "acl_required": "tail[9]",
    "source_region": "tail[10]",
    "further": "nullif(array_to_string(tail[11:], ' '), '')",
}
"""Every documented field, in order; `further` is what S3 will have added one day."""
TEXTS = frozenset(FIELDS) - {
    *("time", "http_status", "bytes_sent", "object_size", "total_time", "turn_around_time"),
    *("request_uri", "further"),
}
IS_READ = (
    "(time IS NOT NULL AND operation IS NOT NULL AND request_id IS NOT NULL AND "
    "turn_around IS NOT NULL AND (http_status IS NOT NULL OR no_status))"
)
"""What a line must have to be believed: all that the rules ask for, in its place."""


@contextmanager
def log_engine(
    files: Sequence[Path], *, scratch: Path | None = None
) -> Iterator[DuckDBPyConnection]:
    """Give an engine that reads these files alone, loads nothing and asks nobody.

    What does not fit into its memory goes to the scratch folder; without one, that is an error.
    """
    import duckdb

    engine = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY,
            "temp_directory": "" if scratch is None else str(scratch),
            "preserve_insertion_order": "false",
        }
    )
    try:
        engine.execute("SET allowed_paths = $paths", {"paths": [str(path) for path in files]})
        engine.execute("SET enable_external_access = false")
        engine.execute("SET lock_configuration = true")
        point_at(engine, files)
        yield engine
    finally:
        engine.close()


def point_at(engine: DuckDBPyConnection, files: Sequence[Path]) -> None:
    """Have the views look at these of the engine's files."""
    engine.execute("SET VARIABLE files = ?", [[str(path) for path in files]])


def lines_of(path: Path) -> Iterator[list[str]]:
    """Give the lines of one file, some at a time; nothing but a line feed ends one.

    The engine's reader takes no file that has a carriage return in it: whoever sends one in a
    header would hide all the other lines, or forge one of them.
    """
    batch: list[str] = []
    starts = True
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        while piece := file.readline(LINE_BYTES_MAX):
            # What follows on the first piece of an endless line is no line.
            text = piece.decode(errors="replace").rstrip("\r\n") if starts else ""
            batch += [text] if text else []
            starts = piece.endswith(b"\n")
            if len(batch) >= LINES_AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch


def columns(names: Iterable[str]) -> str:
    """Return the list of a SELECT over `cut` lines, of fields up to the figures."""
    return ", ".join(
        f"nullif({FIELDS[name]}, '-') AS {name}" if name in TEXTS else f"{FIELDS[name]} AS {name}"
        for name in names
    )


def fields_of(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Return every field of every line, for a close look at few of them; None where S3 has `-`."""
    with log_engine(files) as engine:
        rows = engine.execute(f"SELECT {columns(FIELDS)} FROM {_WHOLE}")
        names = [column[0] for column in rows.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
