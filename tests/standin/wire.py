"""One connection: HTTP/1.1 messages in and out, and the ways a connection can go wrong."""

from __future__ import annotations

import contextlib
import http
import json
import select
import socket
import ssl
import struct
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from standin.faults import Fault

HEAD_BYTES_MAX = 256 << 10
RECEIVE_BYTES = 64 << 10
QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Body(Protocol):
    """Content that is produced while it is sent."""

    @property
    def length(self) -> int: ...

    def pieces(self) -> Iterator[memoryview]: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for."""

    method: str
    target: str
    host: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urllib.parse.unquote(urllib.parse.urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query))

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}

    def json(self) -> dict[str, Any]:
        """Return the body as an object; anything else counts as empty."""
        try:
            content = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


@dataclass(slots=True)
class Response:
    """What the client gets."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)
    media: Body | None = None

    @property
    def length(self) -> int:
        return self.media.length if self.media else len(self.body)

    def pieces(self) -> Iterator[memoryview]:
        return self.media.pieces() if self.media else iter((memoryview(self.body),))

    def head(self, *, close: bool) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {http.HTTPStatus(self.status).phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {self.length}",
            *(f"{name}: {value}" for name, value in self.headers),
            f"Connection: {'close' if close else 'keep-alive'}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def as_json(content: object, *, status: int = 200) -> Response:
    """Return `content` as a JSON answer; lone surrogates survive as escapes."""
    return Response(json.dumps(content).encode("ascii"), status, "application/json; charset=utf-8")


class Wire:
    """A socket, plain or with TLS, and what was read from it but not used yet."""

    def __init__(self, sock: socket.socket, *, stopping: Callable[[], bool]) -> None:
        self.sock = sock
        self.stopping = stopping
        self._buffer = bytearray()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._acknowledge()

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def is_tls_next(self) -> bool:
        """Tell whether the client begins a TLS handshake; waits for its first byte."""
        return self.sock.recv(1, socket.MSG_PEEK) == b"\x16"

    def read_request(self, *, host: str = "") -> Request | None:
        """Return the next request, or None when the client has gone."""
        head = self._read_until(b"\r\n\r\n")
        if head is None:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = self._read_exactly(int(headers.get("content-length", 0)))
        named = urllib.parse.urlsplit(target).netloc if "://" in target else ""
        asked = (named or headers.get("host") or host).rpartition(":")
        return Request(method, target, asked[0] or asked[2], headers, body)

    def send(self, response: Response, *, fault: Fault | None = None) -> bool:
        """Write `response` as `fault` allows; False when the connection is over."""
        if fault is None or not fault.spoils_body:
            self._send_whole(response)
            return True
        return self._send_spoiled(response, fault)

    def reset(self) -> None:
        """End the connection with RST, as a broken middle box does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        """End the connection in an orderly way; TLS says good-bye, but does not wait for long."""
        with contextlib.suppress(OSError, ValueError):
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock.settimeout(0.2)
                self.sock.unwrap()
        self.sock.close()

    def _send_whole(self, response: Response) -> None:
        pieces = response.pieces()
        first = next(pieces, memoryview(b""))
        head = response.head(close=False)
        if len(first) <= RECEIVE_BYTES:
            self.sock.sendall(head + bytes(first))
        else:
            self.sock.sendall(head)
            self.sock.sendall(first)
        for piece in pieces:
            self.sock.sendall(piece)

    def _send_spoiled(self, response: Response, fault: Fault) -> bool:
        self.sock.sendall(response.head(close=False))
        sent = 0
        end = min(x for x in (fault.cut_after, fault.stall_after, response.length) if x is not None)
        for piece in response.pieces():
            allowed = piece[: end - sent]
            self._send_paced(allowed, fault.bytes_per_second)
            sent += len(allowed)
            if sent >= end:
                break
        if end >= response.length:
            return True
        if fault.stall_after == end:
            self._wait_for_departure(fault.stall_seconds)
        if fault.reset:
            self.reset()
        return False

    def _send_paced(self, piece: memoryview, bytes_per_second: int | None) -> None:
        if bytes_per_second is None:
            self.sock.sendall(piece)
            return
        step = max(1, bytes_per_second // 20)
        for start in range(0, len(piece), step):
            if self.stopping():
                return
            self.sock.sendall(piece[start : start + step])
            time.sleep(len(piece[start : start + step]) / bytes_per_second)

    def _wait_for_departure(self, seconds: float) -> None:
        """Return when the client hangs up, the stand-in stops, or the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.stopping():
            if select.select([self.sock], [], [], 0.1)[0]:
                return

    def _read_until(self, mark: bytes) -> bytes | None:
        while (at := self._buffer.find(mark)) < 0:
            if len(self._buffer) > HEAD_BYTES_MAX or not self._fill():
                return None
        head = bytes(self._buffer[:at])
        del self._buffer[: at + len(mark)]
        return head

    def _read_exactly(self, count: int) -> bytes:
        while len(self._buffer) < count and self._fill():
            pass
        content = bytes(self._buffer[:count])
        del self._buffer[:count]
        return content

    def _fill(self) -> bool:
        received = self.sock.recv(RECEIVE_BYTES)
        self._acknowledge()
        self._buffer += received
        return bool(received)

    def _acknowledge(self) -> None:
        """Acknowledge at once: urllib3 leaves Nagle on, and each POST would wait 40 ms."""
        if QUICKACK is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
