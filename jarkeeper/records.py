"""Records: one line of canonical JSON whose last field is a MAC over all that stands before it.

The MAC is checked on the stored bytes, before anything is parsed, and every byte counts: a
record has one form only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jarkeeper.errors import IntegrityError

GENESIS = "0" * 64
"""Stands for the predecessor of the first record of a chain."""

_OPEN = b',"mac":"'
_CLOSE = b'"}\n'
_TAIL = len(_OPEN) + 64 + len(_CLOSE)
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def write_record(fields: Mapping[str, Any], *, key: bytes, kind: str) -> bytes:
    """Return the record's bytes. `kind` is authenticated too, so no record passes for another."""
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
    body = text.encode("ascii")
    return _signed(body, key=key, kind=kind)


def read_record(raw: bytes, *, key: bytes, kind: str, name: str) -> dict[str, Any]:
    """Return the fields of an authentic record, or raise `IntegrityError`."""
    body = raw[:-_TAIL] + b"}"
    if not hmac.compare_digest(_signed(body, key=key, kind=kind), raw):
        raise IntegrityError(f"{name}: is not what was written")
    fields = json.loads(body)
    if not isinstance(fields, dict):
        raise IntegrityError(f"{name}: expected a record")
    return fields


def digest(raw: bytes) -> str:
    """Return the SHA-256 of stored bytes, in hexadecimal: what chains and heads refer to."""
    return hashlib.sha256(raw).hexdigest()


def write_time(moment: datetime) -> str:
    """Return the moment in the only form that records use."""
    return moment.astimezone(UTC).strftime(_TIME)


def read_time(text: str) -> datetime:
    """Return the moment; anything but the form of `write_time` is a `ValueError`."""
    # Not `strptime`, which takes most of the time of reading a head.
    moment = datetime.fromisoformat(text)
    if write_time(moment) != text:
        raise ValueError(f"moment: expected the form {_TIME}")
    return moment


def _signed(body: bytes, *, key: bytes, kind: str) -> bytes:
    mac = hmac.digest(key, kind.encode("ascii") + b"\n" + body, "sha256").hex()
    return body[:-1] + _OPEN + mac.encode("ascii") + _CLOSE
