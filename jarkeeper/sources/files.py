"""Files of logs: found in a folder, or fetched from S3 into a private one, for a range of days.

Names tell the day: CloudTrail's and partitioned access logs have it in their folders, access logs
in the name itself. What tells no day is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jarkeeper.errors import InputError
from jarkeeper.limits import LIMITS

if TYPE_CHECKING:
    from jarkeeper.aws.objects import Bucket, Listed

S3_SCHEME = "s3://"
T = TypeVar("T")
DELIVERY = timedelta(days=1)
"""AWS delivers most lines within hours; a name tells when that was, or when it happened."""
BATCH_BYTES = 128 << 20
BATCH_FILES = 2_000
"""What is fetched, read and removed again in one go."""

NAME_CHARS = 100

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)
_FOLDERS = re.compile(r"/(\d{4})/(?:(\d\d)/)?(?:(\d\d)/)?")
_NAME = re.compile(r"(?:^|/)[^/]*?(\d{4})-(\d\d)-(\d\d)-\d\d-\d\d-\d\d-[^/]*$")


@dataclass(frozen=True, slots=True)
class Days:
    """The days whose files may hold what happened in a range."""

    first: date
    last: date

    @classmethod
    def of(cls, since: datetime, until: datetime) -> Days:
        """Return the days from the range's begin to its end, and what is delivered late."""
        return cls(since.astimezone(UTC).date(), (until + DELIVERY).astimezone(UTC).date())

    def may_hold(self, name: str) -> bool:
        """Whether a file, or a folder whose name ends with a slash, may hold something of them."""
        match = _NAME.search(name)
        parts = match.groups() if match else _last_folders(name)
        first, last = self.first.isoformat().split("-"), self.last.isoformat().split("-")
        known = [part for part in parts if part is not None]
        return first[: len(known)] <= known <= last[: len(known)]


def batches(
    place: str, days: Days, *, scratch: Path, aws: Mapping[str, str]
) -> Iterator[list[Path]]:
    """Give the files of a folder or of `s3://bucket/prefix`, some at a time.

    What was fetched is gone when the next batch is asked for. `InputError` where there is no such
    folder, `StoreError` where S3 does not give it.
    """
    if not place.startswith(S3_SCHEME):
        yield from _batched(_found(Path(place), days))
        return
    from jarkeeper.aws.objects import Bucket

    bucket, _, prefix = place.removeprefix(S3_SCHEME).partition("/")
    store = Bucket(aws, bucket)
    listed = _listed(store, f"{prefix}/" if prefix else "", days)
    for batch in _batched((item, item.size) for item in listed):
        yield from _fetched(store, batch, scratch)


def _fetched(store: Bucket, batch: list[Listed], scratch: Path) -> Iterator[list[Path]]:
    paths = []
    try:
        for number, item in enumerate(batch):
            path = scratch / f"{number:06d}-{_UNSAFE.sub('_', item.key)[-NAME_CHARS:]}"
            paths.append(path)
            store.fetch(item.key, path)
        yield paths
    finally:
        for path in paths:
            with suppress(OSError):
                path.unlink()


def _listed(store: Bucket, prefix: str, days: Days) -> Iterator[Listed]:
    """Give the objects of the days, without looking into folders of other days."""
    # Digits sort before letters: what tells its day in the name comes first, and in order.
    after = f"{prefix}{days.first.isoformat()}"
    flat = _NAME.search(next((_key(x) for x in store.list(prefix)), "")) is not None
    for item in store.list(prefix, after=after if flat else ""):
        name = _key(item)
        if not days.may_hold(f"/{name}"):
            if flat and name > f"{prefix}{days.last.isoformat()}~" and _NAME.search(name):
                return
            continue
        if isinstance(item, str):
            if "CloudTrail-Digest/" not in item and "CloudTrail-Insight/" not in item:
                yield from _listed(store, item, days)
        elif item.size > LIMITS.log_file_bytes_max:
            most = LIMITS.log_file_bytes_max
            raise InputError(
                f"logs: expected files of at most {most} bytes, got a larger one",
                hint="does the prefix hold logs alone?",
            )
        elif item.size:
            yield item


def _key(item: Listed | str) -> str:
    return item if isinstance(item, str) else item.key


def _found(folder: Path, days: Days) -> Iterator[tuple[Path, int]]:
    if not folder.is_dir():
        raise InputError(f"logs '{folder}': expected a folder, or 's3://bucket/prefix'")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        # A link may lead anywhere, a pipe would hold everything up.
        if path.is_symlink() or not path.is_file() or name.startswith("."):
            continue
        if days.may_hold(f"/{name}") and "CloudTrail-Digest/" not in name:
            yield path, path.stat().st_size


def _batched(items: Iterable[tuple[T, int]]) -> Iterator[list[T]]:
    batch: list[T] = []
    total = 0
    for item, size in items:
        if batch and (total + size > BATCH_BYTES or len(batch) >= BATCH_FILES):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size
    if batch:
        yield batch


def _last_folders(name: str) -> tuple[str | None, ...]:
    """Return year, month and day of the folders, as far as they tell."""
    found = None
    for match in _FOLDERS.finditer(name):
        found = match
    return found.groups() if found else ()
