"""Finds a secret in whatever form it was written down: encoded, escaped, packed, or all of it."""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator

DEPTH = 3
BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
HEX_RUN = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
ESCAPE = re.compile(rb"\\+u([0-9a-fA-F]{4})|\\+x([0-9a-fA-F]{2})")
PERCENT = re.compile(rb"%[0-9a-fA-F]{2}")
PACKED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
UNPACKED_BYTES_MAX = 1 << 24


def is_in(secret: bytes, content: bytes, *, depth: int = DEPTH) -> bool:
    """Return whether the content holds the secret, plainly or through up to `depth` encodings."""
    return any(secret in form for form in forms(content, depth=depth))


def forms(content: bytes, *, depth: int) -> Iterator[bytes]:
    """Yield the content and everything that can be decoded out of it."""
    seen: set[bytes] = set()
    layer: Iterable[bytes] = (content,)
    for _ in range(depth + 1):
        fresh = [form for form in dict.fromkeys(layer) if form and form not in seen]
        seen.update(fresh)
        yield from fresh
        layer = (decoded for form in fresh for decoded in _decoded(form))


def _decoded(content: bytes) -> Iterator[bytes]:
    yield from _base64(content)
    for match in HEX_RUN.finditer(content):
        yield binascii.unhexlify(match.group())
    if PERCENT.search(content):
        yield urllib.parse.unquote_to_bytes(content)
    if b"\\" in content:
        yield ESCAPE.sub(_unescaped, content)
    if b"\0" in content:
        yield content.replace(b"\0", b"")  # UTF-16 and UTF-32
    for match in PACKED.finditer(content):
        unpacked = _unpacked(content[match.start() :])
        if unpacked:
            yield unpacked


def _base64(content: bytes) -> Iterator[bytes]:
    for match in BASE64_RUN.finditer(content.replace(b"\\n", b"").replace(b"\n", b"")):
        run = match.group().rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):  # text may stand right before the run
            part = run[start:]
            part = part[: len(part) - len(part) % 4] if len(part) % 4 == 1 else part
            yield base64.b64decode(part + b"=" * (-len(part) % 4))


def _unescaped(match: re.Match[bytes]) -> bytes:
    return chr(int(match[1] or match[2], 16)).encode("utf-8", "surrogatepass")


def _unpacked(content: bytes) -> bytes | None:
    try:
        return zlib.decompressobj(wbits=47).decompress(content, UNPACKED_BYTES_MAX)
    except zlib.error:
        return None
