"""The trail as Athena sees it: tables over what lies in the bucket, and the same queries."""

from __future__ import annotations

from jarkeeper.analysis.queries import PARTS, QUERIES, Span, filled
from jarkeeper.audit.volumes import COLUMNS

PLACE = "BUCKET"
FIRST_DAY = "2026-01-01"
"""Before it no day is looked for."""

_TABLE = """-- {comment}
CREATE EXTERNAL TABLE {name} (
{columns}
)
PARTITIONED BY (dt STRING)
{form}
LOCATION 's3://{place}/{folder}'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '{first_day},NOW',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'storage.location.template' = 's3://{place}/{folder}dt=${{dt}}'
);
"""
_VIEW = """-- All of them, each once: what was packed lies by itself too until a rule deletes it.
CREATE OR REPLACE VIEW events AS
SELECT {names}, dt FROM archived_events
UNION ALL
SELECT {read}, dt FROM raw_events
WHERE NOT EXISTS (
    SELECT 1 FROM archived_events AS packed
    WHERE packed.dt = raw_events.dt
        AND packed."writer" = raw_events."writer" AND packed."seq" = raw_events."seq"
);
"""
_VOLUMES = "Volumes: finished days as Parquet."
_LINES = "Raw events: one JSON line each, with the time as text."
_JSON_LINES = """ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS TEXTFILE"""
_KINDS = {"VARCHAR": "STRING", "MAP(VARCHAR, BIGINT)": "MAP<STRING, BIGINT>"}
_READ_AT = 'CAST(from_iso8601_timestamp("at") AS TIMESTAMP)'


def tables(place: str = PLACE) -> str:
    """Return the tables of a vault's trail in a bucket, and the view that the queries read."""
    place = place.removeprefix("s3://").strip("/")
    columns = {name: _KINDS.get(kind, kind) for name, kind in COLUMNS.items()}
    raw = columns | {"at": "STRING"}
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    return "\n".join(
        (
            _table(
                _VOLUMES, "archived_events", columns, "STORED AS PARQUET", place, "audit/archive/"
            ),
            _table(_LINES, "raw_events", raw, _JSON_LINES, place, "audit/"),
            _VIEW.format(names=names, read=names.replace('"at"', f'{_READ_AT} AS "at"')),
        )
    )


def for_athena(name: str, span: Span) -> str:
    """Return the query of that name as one statement over the table `events`."""
    parts = PARTS[: PARTS.index(name)] if name in PARTS else PARTS
    common = ",\n".join(f"{part} AS (\n{filled(part, span)})" for part in parts)
    query = filled(name, span)
    comment, query = query.split("\n", 1) if query.startswith("--") else ("", query)
    more = f",\n{query.removeprefix('WITH ')}" if query.startswith("WITH ") else f"\n{query}"
    return f"{comment}\nWITH {common}{more}"


def written(span: Span, *, place: str = PLACE) -> dict[str, str]:
    """Return the contents of all files by name: the tables of a bucket, the queries of a span."""
    queries = {f"queries/{name}.sql": for_athena(name, span) for name in QUERIES}
    return {"tables.sql": tables(place), **queries}


def _table(
    comment: str, name: str, columns: dict[str, str], form: str, place: str, folder: str
) -> str:
    rows = ",\n".join(f"    `{column}` {kind}" for column, kind in columns.items())
    return _TABLE.format(
        comment=comment,
        name=name,
        columns=rows,
        form=form,
        place=place,
        folder=folder,
        first_day=FIRST_DAY,
    )
