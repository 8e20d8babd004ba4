"""CloudTrail: what its files hold of one vault's bucket and keys, file by file.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jarkeeper.limits import LIMITS
from jarkeeper.sources.requests import (
    S3_OBJECT,
    VIA_S3,
    Place,
    Request,
    Visit,
    object_of,
    principal_of,
    visits_of,
    without_path,
    word,
)

SERVICES = {
    "s3.amazonaws.com": "s3",
    "kms.amazonaws.com": "kms",
    "cloudtrail.amazonaws.com": "cloudtrail",
}


class _NotWhatItShouldBe(Exception):
    """A record or a file of another form; its text stays out of every message."""


@dataclass(slots=True)
class CloudTrail:
    """What CloudTrail holds of one place, file after file; counts grow while it is read."""

    place: Place
    since: datetime
    """Of what is judged; what is older makes visits alone."""
    until: datetime
    records: int = 0
    damaged: int = 0
    """Records of another form than AWS's: they are counted, and nothing else is known of them."""
    unreadable: list[str] = field(default_factory=list)
    """Names of files that are not what they should be."""
    newest: datetime | None = None
    visits: list[Visit] = field(default_factory=list)

    def read(self, files: Sequence[Path]) -> Iterator[Request]:
        """Give the requests of some files that concern the place, one file in memory at a time."""
        for path in files:
            try:
                records = _records(path)
            except _NotWhatItShouldBe:
                self.unreadable.append(path.name)
                continue
            found = [one for one in self._requests(records) if one.at < self.until]
            recent = [one for one in found if one.at >= self.since]
            self.visits += visits_of(one for one in found if one.at < self.since)
            self.visits += visits_of(recent)
            yield from recent

    def _requests(self, records: list[Any]) -> Iterator[Request]:
        for record in records:
            self.records += 1
            try:
                request = _request(record)
            except _NotWhatItShouldBe:
                self.damaged += 1
                continue
            if request is None:
                continue
            self.newest = max(request.at, self.newest or request.at)
            for one in (request, _copied(request, record)):
                if one is not None and _concerns(self.place, one):
                    yield one


def _records(path: Path) -> list[Any]:
    """Return the records of one file; one that grows beyond all measure is not unpacked."""
    most = LIMITS.log_file_bytes_max
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            raw = file.read(most + 1)
        document = json.loads(raw) if len(raw) <= most else None
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        raise _NotWhatItShouldBe from None
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list):
        raise _NotWhatItShouldBe
    return records


def _request(record: Any) -> Request | None:
    """Return what a record tells, None where it is of a service that is none of ours."""
    if not isinstance(record, dict) or not isinstance(record.get("eventSource"), str):
        raise _NotWhatItShouldBe
    service = SERVICES.get(record["eventSource"])
    if service is None:
        return None
    asked = _mapping(record.get("requestParameters"))
    bucket, key = _object(record, asked) if service == "s3" else ("", _kms_key(record, asked))
    identity = _mapping(record.get("userIdentity"))
    context = _mapping(asked.get("encryptionContext"))
    return Request(
        at=_time(record),
        service=service,
        operation=word(_text(record, "eventName")),
        principal=_principal(identity),
        address=word(_text(record, "sourceIPAddress")),
        bucket=bucket,
        key=key,
        request_id=word(_text(record, "requestID") or _text(record, "eventID")),
        error=word(_text(record, "errorCode")),
        context={name: value for name, value in context.items() if isinstance(value, str)},
        is_service=_text(identity, "type") == "AWSService",
    )


def _copied(request: Request, record: dict[str, Any]) -> Request | None:
    """Return the read that a copy is of its source, which CloudTrail tells of in passing."""
    source = _text(_mapping(record.get("requestParameters")), "x-amz-copy-source")
    if request.operation != "CopyObject" or not source:
        return None
    bucket, _, key = unquote(source).partition("?")[0].lstrip("/").partition("/")
    return replace(request, operation="CopyObjectSource", bucket=bucket, key=key)


def _concerns(place: Place, request: Request) -> bool:
    """Whether the request touches the vault, or what keeps an eye on it."""
    if request.service == "cloudtrail":
        return True
    if request.service == "s3":
        if request.key:
            return place.key_in_vault(request.bucket, request.key) is not None
        return request.bucket == place.bucket
    via = request.context.get(VIA_S3, "")
    if via.startswith(S3_OBJECT):
        bucket, key = object_of(via)
        return bool(key) and place.key_in_vault(bucket, key) is not None
    if "vault" in request.context:
        return request.context["vault"] == place.vault
    return place.has_key(request.key)


def _object(record: dict[str, Any], asked: dict[str, Any]) -> tuple[str, str]:
    bucket, key = _text(asked, "bucketName"), _text(asked, "key")
    for item in _list(record.get("resources")):
        arn = _text(_mapping(item), "ARN")
        if arn.startswith(S3_OBJECT) and not key:
            there, key = object_of(arn)
            bucket = bucket or there
    return bucket, key


def _kms_key(record: dict[str, Any], asked: dict[str, Any]) -> str:
    arns = [_text(_mapping(item), "ARN") for item in _list(record.get("resources"))]
    named = next((arn for arn in arns if ":kms:" in arn), "")
    return word(named or _text(asked, "keyId"))


def _principal(identity: dict[str, Any]) -> str:
    issuer = _mapping(_mapping(identity.get("sessionContext")).get("sessionIssuer"))
    arn = _text(issuer, "arn") if _text(issuer, "type") == "Role" else ""
    if arn:
        return word(without_path(arn))
    for name in ("arn", "invokedBy", "accountId"):
        if text := _text(identity, name):
            return principal_of(text)
    return ""


def _time(record: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(record, "eventTime"))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise _NotWhatItShouldBe from None


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
