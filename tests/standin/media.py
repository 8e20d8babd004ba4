"""Media of any size: a short real clip, filled up with an ISO-BMFF `free` box.

The clips are two seconds of ffmpeg's `testsrc2` and `sine` sources.
"""

from __future__ import annotations

import functools
import hashlib
import random
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from standin.wire import Response

CLIPS = Path(__file__).parent / "clips"
CLIP_SECONDS = 2
PIECE_BYTES = 1 << 20
FILLING_BYTES = (1 << 20) - 3
"""No multiple of anything: a piece written at a wrong offset shows."""


@functools.cache
def clip(name: str) -> bytes:
    """Return the content of a bundled clip."""
    return (CLIPS / name).read_bytes()


@functools.cache
def _filling() -> memoryview:
    block = random.Random(2026).randbytes(FILLING_BYTES)
    return memoryview(block + block + block[:8])


@dataclass(frozen=True, slots=True)
class Media:
    """One downloadable file: head (clip, box header, label), then filling up to `size`."""

    head: bytes
    size: int

    @classmethod
    def of(cls, clip_name: str, *, size: int, label: str) -> Media:
        """Return a file of `size` bytes, or of the smallest possible size above it."""
        content = clip(clip_name)
        mark = label.encode()
        box = size - len(content)
        if box < 16 + len(mark):
            return cls(content, len(content))
        return cls(content + struct.pack(">I4sQ", 1, b"free", box) + mark, size)

    def pieces(self, start: int, end: int) -> Iterator[memoryview]:
        """Yield bytes `start` to `end` (exclusive)."""
        while start < end:
            piece = self._piece(start, min(end - start, PIECE_BYTES))
            yield piece
            start += len(piece)

    def _piece(self, start: int, length: int) -> memoryview:
        if start < len(self.head):
            return memoryview(self.head)[start : start + length]
        at = (start - len(self.head)) % FILLING_BYTES
        return _filling()[at : at + min(length, FILLING_BYTES)]

    def sha256(self) -> str:
        """Return the digest of the whole file, for comparison with what was downloaded."""
        digest = hashlib.sha256()
        for piece in self.pieces(0, self.size):
            digest.update(piece)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file, as a response body."""

    media: Media
    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def pieces(self) -> Iterator[memoryview]:
        return self.media.pieces(self.start, self.end)


def respond(media: Media, *, content_type: str, asked: str | None) -> Response:
    """Return the whole file, the part that the `Range` header asks for, or 416."""
    headers = [("Accept-Ranges", "bytes")]
    if asked is None:
        return Response(
            content_type=content_type, headers=headers, media=Slice(media, 0, media.size)
        )
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.strip())
    start = int(found[1]) if found else media.size
    if start >= media.size:
        headers.append(("Content-Range", f"bytes */{media.size}"))
        return Response(status=416, content_type="text/plain", headers=headers)
    end = min(int(found[2]) + 1 if found and found[2] else media.size, media.size)
    headers.append(("Content-Range", f"bytes {start}-{end - 1}/{media.size}"))
    return Response(
        status=206, content_type=content_type, headers=headers, media=Slice(media, start, end)
    )
