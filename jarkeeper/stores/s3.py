"""A store in an S3 bucket, or another that speaks S3 and honours its conditions.

Every request is sent by us alone, never again behind our back: boto3 repeats a write whose answer
got lost, and the second one is told that the object exists; and its tries would multiply with ours.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from jarkeeper.aws import Clients, Failure, failure_of
from jarkeeper.aws.failures import Kind
from jarkeeper.errors import (
    IntegrityError,
    JarkeeperError,
    ObjectDenied,
    ObjectMissing,
    StoreError,
    StoreUnknown,
)
from jarkeeper.limits import LIMITS
from jarkeeper.stores import checked_key, checked_prefix

KMS = "aws:kms"
TRIES = 4
PAUSE_SECONDS = 0.1
"""Before the second try; doubled for each further one, and varied at random."""

T = TypeVar("T")


class S3Store:
    """Objects below a prefix of a bucket, each encrypted by the bucket's own KMS key as well."""

    def __init__(
        self,
        clients: Clients,
        *,
        bucket: str,
        prefix: str = "",
        encryption: str = KMS,
        kms_key: str | None = None,
    ) -> None:
        self._clients = clients
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._encryption = encryption
        self._kms_key = kms_key

    def __repr__(self) -> str:
        return f"S3Store('{self.place}')"

    @property
    def place(self) -> str:
        """Where it is, as messages call it."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Create the object durably; False where one exists already, perhaps by this very call."""
        request = self._put_request(key, content) | {"IfNoneMatch": "*"}
        failure, unsure = None, False
        for turn in range(TRIES):
            _pause(turn)
            try:
                self._check_key(key, self._client.put_object(**request))
            except IntegrityError as error:
                raise StoreUnknown(error.message, hint=error.hint) from None
            except JarkeeperError:
                raise
            except Exception as error:
                failure = failure_of(error, what=self._name(key))
            else:
                return True
            if failure.kind is Kind.TAKEN:
                return False
            if failure.kind not in (Kind.BUSY, Kind.UNKNOWN):
                break
            unsure = unsure or failure.kind is Kind.UNKNOWN
        assert failure is not None  # noqa: S101 - the loop ends in no other way
        if unsure:
            raise StoreUnknown(f"{failure.message}, it may be stored or not", hint=failure.hint)
        raise StoreError(failure.message, hint=failure.hint)

    def get(self, key: str) -> bytes:
        """Return the object's bytes, or raise `ObjectMissing`, or `ObjectDenied` if that may be."""
        content: bytes = self._tried(key, lambda: self._read(key))
        return content

    def list(self, prefix: str) -> list[str]:
        """Return all keys that start with the prefix, sorted."""
        found = self._tried(checked_prefix(prefix), lambda: self._listed(prefix), listing=True)
        return sorted(key for key in found if _is_key(key))

    def created_at(self, key: str) -> datetime:
        """Return when the object was stored, by the store's clock, or raise `ObjectMissing`."""
        request = self._request(key)
        found: datetime = self._tried(key, lambda: self._client.head_object(**request))[
            "LastModified"
        ]
        return found.astimezone(UTC)

    def put(self, key: str, content: bytes) -> None:
        """Create or overwrite: for the view only."""
        request = self._put_request(key, content)
        answer = self._tried(key, lambda: self._client.put_object(**request))
        self._check_key(key, answer)

    def delete(self, key: str) -> None:
        """Remove the object if it is there: for the clean-up only."""
        request = self._request(key)
        self._tried(key, lambda: self._client.delete_object(**request))

    @property
    def _client(self) -> Any:
        return self._clients.get("s3")

    def _request(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._prefix + checked_key(key)}

    def _put_request(self, key: str, content: bytes) -> dict[str, Any]:
        request = self._request(key) | {"Body": content}
        if self._encryption == KMS:
            request["ServerSideEncryption"] = KMS
            if self._kms_key is not None:
                request["SSEKMSKeyId"] = self._kms_key
        return request

    def _read(self, key: str) -> bytes:
        answer = self._client.get_object(**self._request(key))
        with answer["Body"] as body:
            self._check_encryption(key, answer)
            most = LIMITS.object_bytes_max
            if answer["ContentLength"] > most:
                raise IntegrityError(f"object '{key}': expected at most {most} bytes, got more")
            content: bytes = body.read()
            return content

    def _listed(self, prefix: str) -> tuple[str, ...]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        start = len(self._prefix)
        return tuple(item["Key"][start:] for page in pages for item in page.get("Contents", ()))

    def _check_encryption(self, key: str, answer: dict[str, Any]) -> None:
        """Raise `IntegrityError` where the object is not encrypted by a KMS key of the bucket."""
        if self._encryption == KMS and answer.get("ServerSideEncryption") != KMS:
            raise IntegrityError(
                f"object '{key}' in '{self.place}': came back without server-side KMS encryption",
                hint="make the bucket encrypt with a KMS key, and look who put the object there; "
                "another store than AWS's that cannot: COOKIE_S3_ENCRYPTION=none",
            )

    def _check_key(self, key: str, answer: dict[str, Any]) -> None:
        """Check what was just put: by the very key that was asked for; KMS alone knows an alias."""
        self._check_encryption(key, answer)
        wanted, used = self._kms_key, str(answer.get("SSEKMSKeyId", ""))
        if self._encryption != KMS or wanted is None or "alias/" in wanted:
            return
        if not used.endswith(wanted.rpartition("/")[2]):
            raise IntegrityError(
                f"object '{key}' in '{self.place}': another KMS key than asked for encrypted it",
                hint="check COOKIE_S3_KMS_KEY_ID against the bucket's settings",
            )

    def _tried(self, key: str, call: Callable[[], T], *, listing: bool = False) -> T:
        """Return what the call returns, tried again where that may help."""
        failure = None
        for turn in range(TRIES):
            _pause(turn)
            try:
                return call()
            except JarkeeperError:
                raise
            except Exception as error:
                failure = failure_of(error, what=self._name("" if listing else key))
            if failure.kind not in (Kind.BUSY, Kind.UNKNOWN):
                break
        assert failure is not None  # noqa: S101 - the loop ends in no other way
        raise _error(failure, key, listing=listing)

    def _name(self, key: str) -> str:
        return f"object '{key}' in '{self.place}'" if key else f"store '{self.place}'"


def _error(failure: Failure, key: str, *, listing: bool) -> StoreError:
    if failure.kind is Kind.MISSING and not listing:
        return ObjectMissing(failure.message)
    if failure.kind is Kind.DENIED and not listing:
        return ObjectDenied(f"object '{key}': is missing, or may not be read", hint=failure.hint)
    kind = StoreUnknown if failure.kind is Kind.UNKNOWN else StoreError
    return kind(failure.message, hint=failure.hint)


def _pause(turn: int) -> None:
    if turn:
        # At random, so that writers who met once do not meet again.
        time.sleep(PAUSE_SECONDS * 2 ** (turn - 1) * random.uniform(0.5, 1.5))  # noqa: S311


def _is_key(text: str) -> bool:
    try:
        checked_key(text)
    except StoreError:
        return False
    return True
