"""The format of S3's server access logs, as views of DuckDB over the lines of files.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html

Request line, referer and user agent belong to whoever sends a request, and nobody escapes quotes
in them. So no line is given to a CSV reader's idea of quotes, which would swallow the lines that
follow an odd one: a line is one value, and its fields are counted from the left, where nothing but
S3 writes, up to the request line. That ends at the first quote before a space, because it holds
no more spaces than S3 puts in it. What stands after the agent is counted from the last quote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "256MB"
LINE_BYTES_MAX = 64 << 10
"""The headers of a request have 8 KiB at S3; a longer line is none of its."""

_LINES = """
CREATE TEMP VIEW lines AS
SELECT line, string_split(split_part(line, '"', 1), ' ') AS head
FROM read_csv(getvariable('files'), columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '',
  escape = '', header = false, auto_detect = false, encoding = 'latin-1', ignore_errors = true,
  store_rejects = true, max_line_size = %d)
WHERE line <> ''
"""
_CUT = """
CREATE TEMP VIEW cut AS
SELECT line, head, string_split(CASE WHEN head[10] = '' THEN split_part(line, '" ', 2)
  ELSE array_to_string(head[11:], ' ') END, ' ') AS figures
FROM lines
"""
_WHOLE = """
CREATE TEMP VIEW whole AS
SELECT *, string_split(ltrim(CASE WHEN len(quoted) < 3 THEN array_to_string(words[9:], ' ')
  ELSE quoted[-1] END), ' ') AS tail
FROM (SELECT *, string_split(rest, ' ') AS words, string_split(rest, '"') AS quoted FROM (
  SELECT *, CASE WHEN uri IS NULL THEN substr(line, len(array_to_string(head[1:10], ' ')) + 2)
    ELSE substr(line, instr(line, '"') + len(uri) + 3) END AS rest
  FROM (
    SELECT *, CASE WHEN head[10] = ''
      THEN split_part(substr(line, instr(line, '"') + 1), '" ', 1) END AS uri
    FROM cut)))
"""
FIELDS = {
    "bucket_owner": "head[1]",
    "bucket": "head[2]",
    "time": "try_strptime(head[3] || ' ' || head[4], '[%d/%b/%Y:%H:%M:%S +0000]')",
    "remote_ip": "head[5]",
    "requester": "head[6]",
    "request_id": "head[7]",
    "operation": "head[8]",
    "key": "CASE WHEN contains(head[9], '%') THEN url_decode(head[9]) ELSE head[9] END",
    "request_uri": "uri",
    "http_status": "try_cast(figures[1] AS INTEGER)",
    "error_code": "figures[2]",
    "bytes_sent": "try_cast(figures[3] AS BIGINT)",
    "object_size": "try_cast(figures[4] AS BIGINT)",
    "total_time": "try_cast(figures[5] AS BIGINT)",
    "turn_around_time": "try_cast(figures[6] AS BIGINT)",
    "referer": "CASE WHEN words[7][1] = '\"' THEN split_part(quoted[2:].array_to_string('\"'), "
    "'\" ', 1) ELSE words[7] END",
    "user_agent": "CASE WHEN len(quoted) < 3 THEN words[8] WHEN words[7][1] = '\"' "
    "THEN split_part_after(quoted[2:-2].array_to_string('\"'), '\" \"') "
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
_MACROS = """
CREATE TEMP MACRO split_part_after(whole, mark) AS
  CASE WHEN instr(whole, mark) = 0 THEN NULL
  ELSE substr(whole, instr(whole, mark) + len(mark)) END
"""


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
        for statement in (_MACROS, _LINES % LINE_BYTES_MAX, _CUT, _WHOLE):
            engine.execute(statement)
        yield engine
    finally:
        engine.close()


def point_at(engine: DuckDBPyConnection, files: Sequence[Path]) -> None:
    """Have the views look at these of the engine's files."""
    engine.execute("SET VARIABLE files = ?", [[str(path) for path in files]])


def columns(names: Iterable[str]) -> str:
    """Return the list of a SELECT over `cut`, or over `whole` where one stands behind the agent."""
    return ", ".join(
        f"nullif({FIELDS[name]}, '-') AS {name}" if name in TEXTS else f"{FIELDS[name]} AS {name}"
        for name in names
    )


def fields_of(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Return every field of every line, for a close look at few of them; None where S3 has `-`."""
    with log_engine(files) as engine:
        rows = engine.execute(f"SELECT {columns(FIELDS)} FROM whole")  # noqa: S608 - our own words
        names = [column[0] for column in rows.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
