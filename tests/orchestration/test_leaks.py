"""The detector of leaks detects: a search that finds nothing proves something only then."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import urllib.parse
import zlib

import pytest

from orchestration.leaks import is_in

SECRET = b"KANARI4f2a9c"


class Holder:
    def __init__(self):
        self.value = SECRET.decode()


def escaped(content: bytes) -> bytes:
    return "".join(f"\\u{byte:04x}" for byte in content).encode()


WRITTEN = {
    "plain": SECRET,
    "within text": b"LOGIN_INFO=" + SECRET + b"; Path=/",
    "base64": base64.b64encode(b"a jar: " + SECRET),
    "base64, one byte later": base64.b64encode(b"ab jar: " + SECRET),
    "base64, two bytes later": base64.b64encode(b"abc jar: " + SECRET),
    "base64 after text": b"id" + base64.b64encode(b"a jar: " + SECRET),
    "base64 for URLs, unpadded": base64.urlsafe_b64encode(b"\xff\xfe?>" + SECRET).rstrip(b"="),
    "base64 in lines": base64.encodebytes(b"x" * 50 + SECRET + b"y" * 50),
    "pickle": pickle.dumps(Holder()),
    "base64 of a pickle": base64.encodebytes(pickle.dumps({"jar": [SECRET.decode()]})),
    "a result as Prefect stores it": json.dumps(
        {"result": base64.encodebytes(pickle.dumps(Holder())).decode()}
    ).encode(),
    "hex": SECRET.hex().encode(),
    "upper-case hex": SECRET.hex().upper().encode(),
    "url-encoded": "".join(f"%{byte:02x}" for byte in SECRET).encode(),
    "url-encoded base64": urllib.parse.quote(base64.b64encode(b"??>>" + SECRET)).encode(),
    "JSON-escaped": escaped(SECRET),
    "JSON-escaped twice": json.dumps(escaped(SECRET).decode()).encode(),
    "zlib": zlib.compress(SECRET),
    "gzip after a header": b"header" + gzip.compress(SECRET),
    "base64 of zlib": base64.b64encode(zlib.compress(SECRET * 3)),
    "UTF-16": SECRET.decode().encode("utf-16"),
    "repr of bytes": repr(bytes([0, 255]) + SECRET).encode(),
}


@pytest.mark.parametrize("content", WRITTEN.values(), ids=WRITTEN.keys())
def test_the_secret_is_found(content):
    assert is_in(SECRET, b"before " + content + b" after")


def test_nothing_is_found_where_nothing_is():
    assert not is_in(SECRET, base64.b64encode(b"KANARI" * 100) + SECRET[:-1])
