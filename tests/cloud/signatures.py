"""Signature Version 4, on the server's side: in the header, or in a presigned URL."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from cloud.refusals import Refused
from cloud.wire import Request

SKEW = timedelta(minutes=15)
UNHASHED = ("UNSIGNED-PAYLOAD", "STREAMING-")
STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says about its own signature."""

    credential: str
    signed_headers: tuple[str, ...]
    value: str
    at: datetime
    expires: timedelta | None
    token: str

    @property
    def scope(self) -> str:
        return self.credential.partition("/")[2]


def parse(request: Request) -> Signature | None:
    """Return the signature, or nothing for an unsigned request."""
    if request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
        return _from_header(request)
    return _from_query(request) if "X-Amz-Signature" in request.query else None


def _from_header(request: Request) -> Signature:
    fields = request.headers["authorization"].partition(" ")[2].split(",")
    named = dict(x.strip().partition("=")[::2] for x in fields)
    return Signature(
        named["Credential"],
        tuple(named["SignedHeaders"].split(";")),
        named["Signature"],
        _moment(request.headers.get("x-amz-date", "")),
        None,
        request.headers.get("x-amz-security-token", ""),
    )


def _from_query(request: Request) -> Signature:
    query = request.query
    return Signature(
        query["X-Amz-Credential"],
        tuple(query["X-Amz-SignedHeaders"].split(";")),
        query["X-Amz-Signature"],
        _moment(query["X-Amz-Date"]),
        timedelta(seconds=int(query["X-Amz-Expires"])),
        query.get("X-Amz-Security-Token", ""),
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise Refused("signature", "AWS authentication requires a valid Date header") from None


def check(request: Request, signature: Signature, *, secret: str, now: datetime) -> None:
    """Refuse a signature that does not fit the request, the secret or the time."""
    if not hmac.compare_digest(_sign(request, signature, secret), signature.value):
        message = "The request signature we calculated does not match the signature you provided."
        raise Refused("signature", message)
    _check_time(request, signature, now)
    _check_body(request)


def _check_time(request: Request, signature: Signature, now: datetime) -> None:
    if signature.expires is not None:
        if now > signature.at + signature.expires:
            raise Refused("denied", "Request has expired")
        return
    if abs(now - signature.at) > SKEW:
        if request.service == "s3":
            message = "The difference between the request time and the current time is too large."
        else:
            message = f"Signature expired: {signature.at:{STAMP}} is too far from {now:{STAMP}}"
        raise Refused("skewed", message)


def _check_body(request: Request) -> None:
    claimed = request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    if not claimed.startswith(UNHASHED) and claimed != hashlib.sha256(request.body).hexdigest():
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise Refused("body digest", message)


def _sign(request: Request, signature: Signature, secret: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in signature.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    canonical = hashlib.sha256(_canonical(request, signature).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{signature.at:{STAMP}}\n{signature.scope}\n{canonical}"
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical(request: Request, signature: Signature) -> str:
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n"
        for name in signature.signed_headers
    )
    names = ";".join(signature.signed_headers)
    lines = (request.method, request.raw_path or "/", _query(request), headers, names)
    return "\n".join((*lines, _payload(request, signature)))


def _payload(request: Request, signature: Signature) -> str:
    if signature.expires is not None and request.service == "s3":
        return request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    digest = hashlib.sha256(request.body).hexdigest()
    return request.headers.get("x-amz-content-sha256", digest)


def _query(request: Request) -> str:
    pairs = [x.partition("=")[::2] for x in request.raw_query.split("&") if x]
    encoded = sorted((_encode(k), _encode(v)) for k, v in pairs if k != "X-Amz-Signature")
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encode(text: str) -> str:
    return quote(unquote(text.replace("+", "%20")), safe="-_.~")
