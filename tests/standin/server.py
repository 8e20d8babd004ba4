"""The stand-in as a server: one socket that is proxy, YouTube and control API."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import trustme

from standin import calls, routes
from standin.control import Control
from standin.faults import Fault
from standin.wire import Request, Response, Wire
from standin.world import Seen, World

HOSTS = (
    "*.youtube.com",
    "youtube.com",
    "youtu.be",
    "*.googlevideo.com",
    "*.ytimg.com",
    "*.google.com",
    "localhost",
    "127.0.0.1",
)
SORRY = b"<html><head><title>Sorry...</title></head><body>We're sorry...</body></html>"
STOP_SECONDS = 5.0


class StandIn:
    """A loopback YouTube: `with StandIn() as yt: ... yt.proxy_url, yt.ca_file, yt.control`."""

    def __init__(self, *, port: int = 0, ca_file: str | Path | None = None) -> None:
        self.world = World()
        self.port = port
        self.ca_file = str(ca_file or "")
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._context: ssl.SSLContext | None = None
        self._listener: socket.socket | None = None
        self._wires: set[Wire] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/control"

    @property
    def control(self) -> Control:
        return Control(self.control_url)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on loopback; `proxy_url`, `control_url` and `ca_file` are known then."""
        self._prepare_tls()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        """End every connection and wait for the threads."""
        self._stopped.set()
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            wires, threads = list(self._wires), list(self._threads)
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.sock.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._folder:
            self._folder.cleanup()

    def _prepare_tls(self) -> None:
        authority = trustme.CA(organization_name="Jarkeeper stand-in")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self._context)
        if not self.ca_file:
            self._folder = tempfile.TemporaryDirectory(prefix="standin-")
            self.ca_file = str(Path(self._folder.name) / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)

    def _spawn(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=self._run, args=(target, *arguments), daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _run(self, target: Callable[..., None], *arguments: Any) -> None:
        try:
            target(*arguments)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self._spawn(self._converse, sock)

    def _converse(self, sock: socket.socket) -> None:
        """Answer everything on one connection; whatever the client does ends only this one."""
        wire = Wire(sock, stopping=self._stopped.is_set)
        with self._lock:
            self._wires.add(wire)
        try:
            self._serve(wire)
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._wires.discard(wire)
            wire.close()

    def _serve(self, wire: Wire) -> None:
        host = ""
        if wire.is_tls_next():
            self._start_tls(wire)
        while not self._stopped.is_set():
            request = wire.read_request(host=host)
            if request is None:
                return
            if request.method == "CONNECT":
                host = self._tunnel(wire, request)
            elif request.target.startswith("/control"):
                wire.send(calls.respond(self.world, request))
            elif not self._exchange(wire, request):
                return

    def _start_tls(self, wire: Wire) -> None:
        assert self._context is not None
        wire.start_tls(self._context)

    def _tunnel(self, wire: Wire, request: Request) -> str:
        host = request.target.rpartition(":")[0]
        self.world.note(Seen(time.time(), "CONNECT", host, request.target, "connect"))
        wire.sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if wire.is_tls_next():
            self._start_tls(wire)
        return host

    def _exchange(self, wire: Wire, request: Request) -> bool:
        """Answer one request; False when the connection is over."""
        world = self.world
        visit = routes.classify(request)
        routes.sign_in(visit, world)
        name = visit.session.name if visit.session else None
        fault = world.faults.take(visit.endpoint, visit.video_id, name)
        self._stopped.wait((world.latency_ms + (fault.latency_ms if fault else 0)) / 1000)
        response = _spoil(fault) if fault else None
        response = response or routes.answer(visit, world)
        response.headers += visit.cookies
        world.note(_seen(visit, response))
        if fault and fault.reset and not fault.spoils_body:
            wire.reset()
            return False
        return wire.send(response, fault=fault)


def _spoil(fault: Fault) -> Response | None:
    if fault.status is not None:
        return Response(SORRY, fault.status)
    if fault.malformed:
        return Response(b'{"playabilityStatus": {"status', content_type="application/json")
    return None


def _seen(visit: routes.Visit, response: Response) -> Seen:
    request = visit.request
    return Seen(
        time.time(),
        request.method,
        request.host,
        request.path,
        visit.endpoint,
        visit.video_id,
        visit.session.name if visit.session else None,
        visit.client,
        request.headers.get("range"),
        response.status,
    )
