"""Where the parts of the audit trail lie in the store.

audit/dt=<day>/<writer>/<seq>.jsonl        one event, as it was written
audit/checkpoints/<seq>.json               how far every chain has come, signed
audit/hashes/<digest>                      the hashes of the leaves that a checkpoint added
audit/archive/dt=<day>/<number>.parquet    a volume: events of a finished day
audit/archive/dt=<day>/_<number>.json      what vouches for a volume; Athena passes it over
"""

from __future__ import annotations

import re
from datetime import date

PREFIX = "audit/"
CHECKPOINTS_PREFIX = "audit/checkpoints/"
HASHES_PREFIX = "audit/hashes/"
ARCHIVE_PREFIX = "audit/archive/"

_EVENT = re.compile(r"audit/dt=(\d{4}-\d\d-\d\d)/([0-9a-f]{32})/(\d{12})\.jsonl", re.ASCII)
_CHECKPOINT = re.compile(r"audit/checkpoints/(?!0{12})(\d{12})\.json", re.ASCII)
_HASHES = re.compile(r"audit/hashes/[0-9a-f]{64}", re.ASCII)
_VOLUME = re.compile(r"audit/archive/dt=(\d{4}-\d\d-\d\d)/(_?)(\d{6})\.(json|parquet)", re.ASCII)
_DAY = re.compile(r"audit/(?:archive/)?dt=(\d{4}-\d\d-\d\d)/.*", re.ASCII)
_VOLUME_FORMS = {("", "parquet"), ("_", "json")}


def event_key(day: date, writer: str, seq: int) -> str:
    return f"{PREFIX}dt={day:%Y-%m-%d}/{writer}/{seq:012d}.jsonl"


def parse_event_key(key: str) -> tuple[str, str, int] | None:
    """Return day, writer and seq of an event's key, or None for any other object."""
    match = _EVENT.fullmatch(key)
    return (match[1], match[2], int(match[3])) if match and _is_day(match[1]) else None


def checkpoint_key(seq: int) -> str:
    return f"{CHECKPOINTS_PREFIX}{seq:012d}.json"


def parse_checkpoint_key(key: str) -> int | None:
    """Return the seq of a checkpoint's key, or None for any other object."""
    match = _CHECKPOINT.fullmatch(key)
    return int(match[1]) if match else None


def hashes_key(digest: str) -> str:
    return f"{HASHES_PREFIX}{digest}"


def volume_key(day: str, number: int) -> str:
    return f"{ARCHIVE_PREFIX}dt={day}/{number:06d}.parquet"


def voucher_key(day: str, number: int) -> str:
    """Return where the record lies that vouches for a volume."""
    return f"{ARCHIVE_PREFIX}dt={day}/_{number:06d}.json"


def parse_volume_key(key: str) -> tuple[str, int, bool] | None:
    """Return day and number, and whether it is the volume itself; None for any other object."""
    match = _VOLUME.fullmatch(key)
    if match is None or (match[2], match[4]) not in _VOLUME_FORMS or not _is_day(match[1]):
        return None
    return match[1], int(match[3]), match[4] == "parquet"


def day_of(key: str) -> str | None:
    """Return the day below which an object lies, be it a part of the trail or not."""
    match = _DAY.fullmatch(key)
    return match[1] if match else None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_of_trail(key: str) -> bool:
    """Whether the trail itself keeps an object there."""
    known = (parse_event_key, parse_checkpoint_key, parse_volume_key, _HASHES.fullmatch)
    return any(parse(key) is not None for parse in known)
