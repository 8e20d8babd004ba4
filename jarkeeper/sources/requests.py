"""Requests: what AWS logged of one call, in the same words whichever log it came from. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network

KEY_CHARS_MAX = 200
WORD_CHARS_MAX = 128

VIA_S3 = "aws:s3:arn"
"""In the encryption context of the calls that S3 makes for whoever reads or writes an object."""

_SESSION = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)(?:/.*)?", re.DOTALL)
_OBJECT = re.compile(r"arn:aws[a-z-]*:s3:::([^/]*)/?(.*)", re.DOTALL)
_PATH = re.compile(r":role/.*/")
_SIGNED = re.compile(r"(?i)[?&]|x-amz-(?:signature|security-token|credential)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the vault is, as logs name it."""

    vault: str
    bucket: str | None = None
    prefix: str = ""
    """Empty, or with a slash at its end."""
    keys: tuple[str, ...] = ()
    """Ids or ARNs of the KMS keys that serve it, and the aliases by which settings name them."""
    bucket_keys: tuple[str, ...] = ()
    """Those among them that seal no jar: S3 encrypts the bucket with them, and maybe others."""

    def key_in_vault(self, bucket: str, key: str) -> str | None:
        """Return an object's key as the vault knows it, or None where it is another's."""
        if self.bucket is None or bucket != self.bucket or not key.startswith(self.prefix):
            return None
        return key[len(self.prefix) :]

    def has_key(self, named: str) -> bool:
        """Whether the KMS key of that id, ARN or alias serves the vault."""
        return _is_among(named, self.keys)

    def is_bucket_key(self, named: str) -> bool:
        """Whether that KMS key serves the bucket alone."""
        return _is_among(named, self.bucket_keys)


@dataclass(frozen=True, slots=True)
class Request:
    """One call of AWS that a log tells of; nothing in it is secret, no query, no header."""

    at: datetime
    service: str
    """`s3`, `kms` or `cloudtrail`."""
    operation: str
    """As CloudTrail names it, such as `GetObject`."""
    principal: str
    """The ARN of a role, never of its session; a user's, a service's name, or empty."""
    address: str = ""
    bucket: str = ""
    key: str = ""
    """The object's whole key; of KMS, the ARN of its key."""
    request_id: str = ""
    error: str = ""
    """The code of AWS where it did not succeed."""
    context: Mapping[str, str] = field(default_factory=dict)
    """The encryption context of a KMS call."""
    is_service: bool = False
    """Whether AWS itself acts: a lifecycle rule, the delivery of logs."""

    @property
    def is_denied(self) -> bool:
        """Whether somebody had no right to do it."""
        return self.error in ("AccessDenied", "AccessDeniedException")

    @property
    def is_visit(self) -> bool:
        """Whether somebody got at an object or at the plaintext of a data key."""
        touches = bool(self.key) if self.service == "s3" else bool(self.context)
        return touches and not self.error and not self.is_service


@dataclass(frozen=True, slots=True)
class Visit:
    """How often a principal succeeded from one address in a part of the logs."""

    principal: str
    address: str
    first: datetime
    last: datetime
    requests: int = 1


def visits_of(requests: Iterable[Request]) -> tuple[Visit, ...]:
    """Return who came from where; services of AWS and what failed do not count."""
    found: dict[tuple[str, str], Visit] = {}
    for one in requests:
        if not one.is_visit:
            continue
        key = (one.principal, one.address)
        known = found.get(key)
        found[key] = Visit(
            *key,
            first=min(one.at, known.first) if known else one.at,
            last=max(one.at, known.last) if known else one.at,
            requests=1 + (known.requests if known else 0),
        )
    return tuple(found.values())


@lru_cache(maxsize=1024)
def principal_of(arn: str) -> str:
    """Return the role of a session's ARN, without its path; any other principal as it is."""
    if match := _SESSION.fullmatch(arn):
        arn = f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}"
    return word(without_path(arn))


def without_path(arn: str) -> str:
    """Return the ARN of a role without its path, which the ARN of a session does not have."""
    return _PATH.sub(":role/", arn)


def object_of(arn: str) -> tuple[str, str]:
    """Return bucket and key of an object's ARN in any partition; of what is none, nothing."""
    match = _OBJECT.fullmatch(arn)
    return (match[1], match[2]) if match else ("", "")


def _is_among(named: str, keys: Iterable[str]) -> bool:
    wanted = _key_name(named)
    return bool(wanted) and any(_key_name(key) == wanted for key in keys)


def _key_name(named: str) -> str:
    """Return the id of a KMS key, or `alias/` and a name, as region and account leave it."""
    return named.rpartition(":")[2].removeprefix("key/")


def network_of(address: str) -> str:
    """Return the network that an address is told by: one's own cloud, a /24, or a /48 of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.is_private:
        return "private"
    return str(ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def shown_key(key: str) -> str:
    """Return the key as a report may show it: cut, and without what a signed URL would add."""
    match = _SIGNED.search(key)
    cut = f"{key[: match.start()]}…" if match else key
    return cut if len(cut) <= KEY_CHARS_MAX else f"{cut[:KEY_CHARS_MAX]}…"


def word(text: str) -> str:
    """Return one word of a log, cut to a length that a table bears; signatures stay out of it."""
    match = _SIGNED.search(text)
    return text[: match.start() if match else WORD_CHARS_MAX][:WORD_CHARS_MAX]
