"""What AWS would log of the cloud's requests: access log lines and CloudTrail records.

moto delivers lines of another form than S3's, without key, status or caller; so these are written
here, in the documented formats, and delivered under the names that AWS gives.
"""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from cloud import estate
from cloud.estate import ACCOUNT
from cloud.identities import HAND_KEY
from cloud.needs_s3 import split
from cloud.wire import Request, Response

OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
SUBRESOURCES = {"policy": "BUCKETPOLICY", "versioning": "VERSIONING", "logging": "LOGGING_STATUS"}
EVENTS = {"GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject", "HEAD": "HeadObject"}
KMS_CALLS = ("Decrypt", "GenerateDataKey", "DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy")


@dataclass
class Logbook:
    """Lines and records of all requests but those of the test's own hand."""

    region: str
    lines: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    offset: timedelta = timedelta()
    """What is written down happens so much later: a day need not be waited for."""

    def note(self, request: Request, response: Response, now: datetime) -> None:
        """Write down a request and how it ended."""
        if request.scope[0] == HAND_KEY:
            return
        now += self.offset
        request_id = secrets.token_hex(8).upper()
        if request.service == "s3":
            self._note_s3(request, response, now, request_id)
        elif request.service == "kms" and request.operation in KMS_CALLS:
            self._note_kms(request, response, now, request_id)

    def deliver_lines(self, s3: Any, bucket: str, prefix: str, now: datetime) -> None:
        """Deliver the access logs as one object."""
        name = f"{prefix}{now:%Y-%m-%d-%H-%M-%S}-{secrets.token_hex(8).upper()}"
        s3.put_object(Bucket=bucket, Key=name, Body="".join(self.lines).encode())

    def deliver_records(self, s3: Any, bucket: str, prefix: str, now: datetime) -> None:
        """Deliver CloudTrail's records as one object."""
        folder = f"{prefix}AWSLogs/{ACCOUNT}/CloudTrail/{self.region}/{now:%Y/%m/%d}/"
        name = f"{ACCOUNT}_CloudTrail_{self.region}_{now:%Y%m%dT%H%MZ}_{secrets.token_hex(8)}"
        raw = gzip.compress(json.dumps({"Records": self.records}).encode())
        s3.put_object(Bucket=bucket, Key=f"{folder}{name}.json.gz", Body=raw)

    def _note_s3(self, request: Request, response: Response, now: datetime, id_: str) -> None:
        bucket, key = split(request.path)
        what = next((name for word, name in SUBRESOURCES.items() if word in request.query), "")
        resource = "OBJECT" if key else what or "BUCKET"
        error = _code(response)
        self.lines.append(
            f"{OWNER} {bucket} [{now:%d/%b/%Y:%H:%M:%S} +0000] {_address(request)} "
            f"{_session(request)} {id_} REST.{request.method}.{resource} {quote(key) or '-'} "
            f'"{request.method} {request.raw_path} HTTP/1.1" {response.status} {error or "-"} '
            f'{len(response.body)} - 7 5 "-" "{request.headers.get("user-agent", "-")}" - '
            f"{secrets.token_hex(16)}= SigV4 - AuthHeader s3.amazonaws.com TLSv1.3 - - "
            f"{self.region}\n"
        )
        if not key:
            return
        record = self._record(request, "s3", EVENTS.get(request.method, "?"), now, id_, error)
        record["requestParameters"] = {"bucketName": bucket, "key": key}
        self.records.append(record)
        if request.method == "GET" and not error:
            # The bucket's own encryption: S3 asks KMS on behalf of the caller.
            call = self._record(request, "kms", "Decrypt", now, secrets.token_hex(8), "")
            arn = f"arn:aws:s3:::{bucket}/{key}"
            call["requestParameters"] = {"encryptionContext": {"aws:s3:arn": arn}}
            self.records.append(call)

    def _note_kms(self, request: Request, response: Response, now: datetime, id_: str) -> None:
        asked = json.loads(request.body)
        error = json.loads(response.body)["__type"] if response.status >= 400 else ""
        record = self._record(request, "kms", request.operation, now, id_, error)
        blob = asked.get("CiphertextBlob")
        key = estate.key_of_blob(blob, self.region) if blob else None
        key = key or estate.key(asked.get("KeyId", ""), self.region)
        context = asked.get("EncryptionContext")
        if not error:
            record["requestParameters"] = {"encryptionContext": context} if context else {}
            record["resources"] = [{"ARN": key.arn, "type": "AWS::KMS::Key"}] if key else []
        self.records.append(record)

    def _record(
        self, request: Request, service: str, name: str, now: datetime, id_: str, error: str
    ) -> dict[str, Any]:
        session = estate.session(request.scope[0])
        issuer = {"type": "Role", "arn": session.role_arn} if session else {}
        return {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole" if session else "Root",
                "arn": _session(request),
                "sessionContext": {"sessionIssuer": issuer},
            },
            "eventTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": self.region,
            "sourceIPAddress": _address(request),
            "requestID": id_,
            **({"errorCode": error} if error else {}),
        }


def _session(request: Request) -> str:
    session = estate.session(request.scope[0])
    return session.arn if session else f"arn:aws:iam::{ACCOUNT}:root"


def _address(request: Request) -> str:
    return str(request.environ.get("REMOTE_ADDR", "-"))


def _code(response: Response) -> str:
    if response.status < 400:
        return ""
    _, _, rest = response.body.decode("utf-8", "replace").partition("<Code>")
    return rest.partition("</Code>")[0] or str(response.status)
