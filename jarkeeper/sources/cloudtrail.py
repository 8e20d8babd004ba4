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
from jarkeeper.names import JARS_PREFIX
from jarkeeper.sources.meanings import MEANINGS, Meaning
from jarkeeper.sources.requests import (
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
KEYS = ("keyId", "sourceKeyId", "destinationKeyId", "targetKeyId", "aliasName")
ALIAS = "alias/"
CONTEXTS = ("encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext")
"""What `ReEncrypt` has two of."""


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
                request = _request(record, self.place)
            except _NotWhatItShouldBe:
                self.damaged += 1
                continue
            if request is None:
                continue
            self.newest = max(request.at, self.newest or request.at)
            for one in (request, _copied(request, record, self.place)):
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


def _request(record: Any, place: Place) -> Request | None:
    """Return what a record tells, None where it is of a service that is none of ours."""
    if not isinstance(record, dict) or not isinstance(record.get("eventSource"), str):
        raise _NotWhatItShouldBe
    service = SERVICES.get(record["eventSource"].removesuffix(".cn"))
    if service is None:
        return None
    asked = _mapping(record.get("requestParameters"))
    is_s3 = service == "s3"
    bucket, key = _object(record, asked) if is_s3 else ("", _kms_key(record, asked, place))
    identity = _mapping(record.get("userIdentity"))
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
        context=_context(asked, place),
        is_service=_text(identity, "type") == "AWSService",
    )


def _copied(request: Request, record: dict[str, Any], place: Place) -> Request | None:
    """Return the read that a copy is of its source, which CloudTrail tells of in passing."""
    source = _text(_mapping(record.get("requestParameters")), "x-amz-copy-source")
    if not source:
        return None
    source = unquote(source).partition("?")[0].lstrip("/")
    bucket, _, key = source.partition("/object/" if source.startswith("arn:") else "/")
    if bucket.startswith("arn:") or bucket.endswith("-s3alias"):
        # Nothing else may tell whose access point it is, so what is named as ours are is ours.
        is_ours = key.startswith(place.prefix + JARS_PREFIX)
        true = (there for there, name in _objects(record) if name == key)
        bucket = next(true, (is_ours and place.bucket) or bucket)
    return replace(request, operation="CopyObjectSource", bucket=bucket, key=key)


def _concerns(place: Place, request: Request) -> bool:
    """Whether the request touches the vault, or what keeps an eye on it."""
    if request.service == "cloudtrail":
        return True
    if request.service == "s3":
        if request.key:
            return place.key_in_vault(request.bucket, request.key) is not None
        # Rules without a bucket are an account's, or those of an access point: who knows whose.
        is_anybodys = not request.bucket and MEANINGS.get(request.operation) is Meaning.RULES
        return place.bucket is not None and (request.bucket == place.bucket or is_anybodys)
    via = request.context.get(VIA_S3, "")
    bucket, key = object_of(via)
    if bucket:
        return bool(key) and place.key_in_vault(bucket, key) is not None
    if "vault" in request.context:
        return request.context["vault"] == place.vault
    # An alias without its key may be any key's.
    is_anybodys = ALIAS in request.key and MEANINGS.get(request.operation) is Meaning.RULES
    return is_anybodys or place.has_key(request.key)


def _object(record: dict[str, Any], asked: dict[str, Any]) -> tuple[str, str]:
    """Return bucket and key; an access point goes by its own name, and its bucket is a resource."""
    told = _objects(record)
    key = _text(asked, "key") or next((name for _, name in told if name), "")
    parts = (asked, *map(_mapping, asked.values()))
    named = (_text(part, name) for part in parts for name in ("bucketName", "bucket", "Bucket"))
    bucket = next(filter(None, named), "")
    if told and bucket not in {there for there, _ in told}:
        bucket = next((there for there, name in told if name == key), told[0][0])
    return bucket, key


def _objects(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return bucket and key of what a record names as its resources; a bucket has no key."""
    return [place for arn in _resources(record) if (place := object_of(arn))[0]]


def _kms_key(record: dict[str, Any], asked: dict[str, Any], place: Place) -> str:
    """Return the key that a call names; of several, one that serves the vault, or no alias."""
    arns = [arn for arn in _resources(record) if ":kms:" in arn]
    named = [*arns, *filter(None, (_text(asked, name) for name in KEYS))]
    named.sort(key=lambda name: (not place.has_key(name), ALIAS in name))
    return word(next(iter(named), ""))


def _context(asked: dict[str, Any], place: Place) -> dict[str, str]:
    """Return the encryption context of a call; of several, one of the vault."""
    told = [_mapping(asked.get(name)) for name in CONTEXTS]
    ours = (one for one in told if one.get("vault") == place.vault)
    found: dict[str, Any] = next(ours, next(filter(None, told), {}))
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _resources(record: dict[str, Any]) -> list[str]:
    return [_text(_mapping(item), "ARN") for item in _list(record.get("resources"))]


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
