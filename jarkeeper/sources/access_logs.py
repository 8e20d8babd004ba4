"""Access logs: what S3's server access logs hold of one vault, read in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jarkeeper.sources.access_format import (
    GIVEN,
    IS_READ,
    LINES,
    REJECTED,
    columns,
    cut,
    lines_of,
    log_engine,
    point_at,
)
from jarkeeper.sources.requests import Place, Request, Visit, principal_of, word

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_AT_ONCE = 10_000

OPERATIONS = {
    "REST.GET.OBJECT": "GetObject",
    "WEBSITE.GET.OBJECT": "GetObject",
    "REST.COPY.OBJECT_GET": "CopyObjectSource",
    "REST.COPY.PART_GET": "CopyObjectSource",
    "REST.SELECT.OBJECT": "SelectObjectContent",
    "REST.GET.TORRENT": "GetObjectTorrent",
    "REST.HEAD.OBJECT": "HeadObject",
    "REST.PUT.OBJECT": "PutObject",
    "REST.POST.OBJECT": "PutObject",
    "REST.COPY.OBJECT": "CopyObject",
    "REST.POST.UPLOAD": "CompleteMultipartUpload",
    "REST.DELETE.OBJECT": "DeleteObject",
    "BATCH.DELETE.OBJECT": "DeleteObject",
    "S3.EXPIRE.OBJECT": "ExpireObject",
    "S3.CREATE.DELETEMARKER": "ExpireObject",
    "REST.PUT.BUCKETPOLICY": "PutBucketPolicy",
    "REST.DELETE.BUCKETPOLICY": "DeleteBucketPolicy",
    "REST.PUT.VERSIONING": "PutBucketVersioning",
    "REST.PUT.ENCRYPTION": "PutBucketEncryption",
    "REST.DELETE.ENCRYPTION": "DeleteBucketEncryption",
    "REST.PUT.LOGGING_STATUS": "PutBucketLogging",
    "REST.PUT.PUBLIC_ACCESS_BLOCK": "PutBucketPublicAccessBlock",
    "REST.DELETE.PUBLIC_ACCESS_BLOCK": "DeleteBucketPublicAccessBlock",
    "REST.PUT.ACL": "PutBucketAcl",
    "REST.PUT.LIFECYCLE": "PutBucketLifecycle",
    "REST.DELETE.LIFECYCLE": "DeleteBucketLifecycle",
    "REST.PUT.REPLICATION": "PutBucketReplication",
    "REST.PUT.OBJECT_LOCK_CONFIGURATION": "PutObjectLockConfiguration",
    "REST.PUT.OBJECT_LOCK_RETENTION": "PutObjectRetention",
    "REST.PUT.OWNERSHIP_CONTROLS": "PutBucketOwnershipControls",
    "REST.DELETE.OWNERSHIP_CONTROLS": "DeleteBucketOwnershipControls",
    "REST.DELETE.REPLICATION": "DeleteBucketReplication",
    "REST.PUT.NOTIFICATION": "PutBucketNotification",
    "REST.DELETE.BUCKET": "DeleteBucket",
}
"""The operations that are judged, as CloudTrail names them; all others count as visits alone."""

# ruff: noqa: S608 - the queries are our own words; what others wrote is a parameter or a value
_KEPT = (
    *("time", "bucket", "remote_ip", "requester", "request_id", "operation", "key"),
    *("http_status", "error_code"),
)


def _loaded(lines: str) -> str:
    return f"""
SELECT * EXCLUDE (turn_around, no_status), coalesce({IS_READ}, false) AS is_read,
  coalesce(requester = 'AmazonS3' OR starts_with(requester, 'svc:')
    OR ((ends_with(requester, '.amazonaws.com') OR ends_with(requester, '.amazonaws.com.cn'))
      AND NOT starts_with(requester, 'arn:'))
    OR starts_with(operation, 'S3.'), false)
    AS is_service
FROM (
  SELECT {columns(_KEPT)}, figures[6] AS turn_around, figures[1] = '-' AS no_status
  FROM {cut(lines)})
"""


_OURS = """
is_read AND time < $until AND bucket = $bucket AND (key IS NULL OR starts_with(key, $prefix))
"""
_JUDGED = f"""
SELECT time, operation, requester, remote_ip, bucket, key, request_id, http_status, error_code,
  is_service
FROM access WHERE {_OURS} AND time >= $since
  AND (http_status = 403 OR list_contains($names, operation))
  -- Most of what happens, and no rule asks for it: heads that are read, events that are written.
  AND NOT (http_status = 200 AND operation IN ('REST.GET.OBJECT', 'REST.PUT.OBJECT') AND (
    operation = 'REST.GET.OBJECT' AND (
      starts_with(key, $prefix || 'audit/') OR contains(key[len($prefix) + 1 :], '/heads/')) OR
    -- On its day: what is written to it later was there before.
    starts_with(key, $prefix || 'audit/dt=') AND
      key[len($prefix) + 10 : len($prefix) + 19] BETWEEN
        strftime(time - INTERVAL 1 DAY, '%Y-%m-%d') AND
        strftime(time + INTERVAL 1 DAY, '%Y-%m-%d')))
"""
_VISITS = f"""
SELECT requester, remote_ip, min(time), max(time), count(*) FROM access
WHERE {_OURS} AND key IS NOT NULL AND NOT is_service AND coalesce(http_status, 0) < 400
GROUP BY requester, remote_ip, time >= $since
"""


@dataclass(slots=True)
class AccessLogs:
    """What the logs hold of one place, file after file; counts grow while it is read."""

    place: Place
    since: datetime
    """Of what is judged; what is older makes visits alone."""
    until: datetime
    lines: int = 0
    damaged: int = 0
    """Lines of another form than S3's: they are counted, and nothing else is known of them."""
    unreadable: list[str] = field(default_factory=list)
    """Names of files that are not what they should be."""
    newest: datetime | None = None
    visits: list[Visit] = field(default_factory=list)

    def read(self, files: Sequence[Path], *, scratch: Path | None = None) -> Iterator[Request]:
        """Give the requests of some files that are to be judged, in bounded memory."""
        if not files:
            return
        with log_engine(files, scratch=scratch) as engine:
            engine.execute(f"CREATE TEMP TABLE access AS {_loaded(LINES)} LIMIT 0")
            self._load(engine, files)
            self._count(engine)
            self.visits += self._visits(engine)
            parameters = {**self._parameters, "names": list(OPERATIONS)}
            rows = engine.execute(_JUDGED, parameters)
            while batch := rows.fetchmany(ROWS_AT_ONCE):
                yield from map(_request, batch)

    def _load(self, engine: DuckDBPyConnection, files: Sequence[Path]) -> None:
        """Read all files at once; where that fails one by one, then line by line."""
        import duckdb

        point_at(engine, files)
        try:
            engine.execute(f"INSERT INTO access {_loaded(LINES)}")
        except duckdb.Error:
            if len(files) == 1:
                self._load_slowly(engine, files[0])
                return
            for path in files:
                self._load(engine, [path])
        else:
            engine.execute(f"INSERT INTO access {_loaded(REJECTED)}")
            engine.execute("DELETE FROM reject_errors")

    def _load_slowly(self, engine: DuckDBPyConnection, path: Path) -> None:
        import duckdb

        try:
            for lines in lines_of(path):
                engine.execute(f"INSERT INTO access {_loaded(GIVEN)}", {"lines": lines})
        except (duckdb.Error, OSError, EOFError, zlib.error):
            self.unreadable.append(path.name)

    def _count(self, engine: DuckDBPyConnection) -> None:
        lines, damaged, newest = engine.execute(
            "SELECT count(*), count(*) FILTER (NOT is_read), max(time) FILTER (is_read) FROM access"
        ).fetchall()[0]
        self.lines += lines
        self.damaged += damaged
        if newest is not None:
            newest = newest.replace(tzinfo=UTC)
            self.newest = max(newest, self.newest or newest)

    def _visits(self, engine: DuckDBPyConnection) -> list[Visit]:
        return [
            Visit(
                principal_of(who or ""),
                word(address or ""),
                first=first.replace(tzinfo=UTC),
                last=last.replace(tzinfo=UTC),
                requests=number,
            )
            for who, address, first, last, number in engine.execute(
                _VISITS, self._parameters
            ).fetchall()
        ]

    @property
    def _parameters(self) -> dict[str, Any]:
        return {
            "since": _naive(self.since),
            "until": _naive(self.until),
            "bucket": self.place.bucket or "",
            "prefix": self.place.prefix,
        }


def _request(row: tuple[Any, ...]) -> Request:
    at, operation, who, address, bucket, key, request_id, status, error, is_service = row
    failed = status is not None and status >= 400
    name = OPERATIONS.get(operation, word(operation))
    return Request(
        at=at.replace(tzinfo=UTC),
        service="s3",
        operation="PutObjectAcl" if key and name == "PutBucketAcl" else name,
        principal=principal_of(who or ""),
        address=word(address or ""),
        bucket=bucket,
        key=key or "",
        request_id=word(request_id),
        error=_error(status, error) if failed else "",
        is_service=is_service,
    )


def _error(status: int, code: str | None) -> str:
    return "AccessDenied" if status == 403 else word(code or str(status))


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
