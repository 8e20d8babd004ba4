"""Objects of a bucket that is no vault's: listed by folder, and fetched into files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import Any

from jarkeeper.aws.clients import Clients
from jarkeeper.aws.failures import Failure, Kind, failure_of
from jarkeeper.errors import StoreError

TRIES = 3
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Listed:
    """One object below a prefix."""

    key: str
    size: int


class Bucket:
    """Reads the objects of one bucket; `StoreError` in words that quote nothing of AWS's."""

    def __init__(self, variables: Mapping[str, str], name: str) -> None:
        self._variables = variables
        self._name = name

    def list(self, prefix: str, *, after: str = "") -> Iterator[Listed | str]:
        """Give what lies in one folder, in order: objects, and the prefixes of folders."""
        request: dict[str, Any] = {"Bucket": self._name, "Prefix": prefix, "Delimiter": "/"}
        if after:
            request["StartAfter"] = after
        while True:
            page = self._tried(lambda: self._client.list_objects_v2(**request))
            yield from (Listed(item["Key"], item["Size"]) for item in page.get("Contents", ()))
            yield from (item["Prefix"] for item in page.get("CommonPrefixes", ()))
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def fetch(self, key: str, path: Path) -> None:
        """Write the object into a new file."""
        self._tried(lambda: self._fetched(key, path))

    def _fetched(self, key: str, path: Path) -> None:
        answer = self._client.get_object(Bucket=self._name, Key=key)
        with answer["Body"] as body, path.open("wb") as file:
            copyfileobj(body, file, CHUNK_BYTES)

    @property
    def _client(self) -> Any:
        return Clients.of(self._variables).get("s3")

    def _tried(self, call: Any) -> Any:
        failure: Failure | None = None
        for _ in range(TRIES):
            try:
                return call()
            except StoreError:
                raise
            except Exception as error:
                failure = failure_of(error, what=f"logs in bucket '{self._name}'")
            if failure.kind not in (Kind.BUSY, Kind.UNKNOWN):
                break
        assert failure is not None  # noqa: S101 - the loop ends in no other way
        raise StoreError(failure.message, hint=failure.hint)
