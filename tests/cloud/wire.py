"""One HTTP request and its answer as plain values, and the way to and from WSGI."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

Environ = dict[str, Any]


@dataclass(slots=True)
class Request:
    """What a client sent. `raw_path` and `raw_query` are as on the wire, for the signature."""

    method: str
    raw_path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    environ: Environ = field(repr=False)

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def is_secure(self) -> bool:
        return bool(self.environ["wsgi.url_scheme"] == "https")

    @property
    def scope(self) -> tuple[str, str, str]:
        """Return access key, region and service as the signature names them, or empty texts."""
        authorization = self.headers.get("authorization", "")
        _, _, named = authorization.partition("Credential=")
        credential = named.split(",")[0] or self.query.get("X-Amz-Credential", "")
        parts = credential.split("/")
        return (parts[0], parts[2], parts[3]) if len(parts) == 5 else ("", "", "")

    @property
    def service(self) -> str:
        return self.scope[2] or "s3"

    @property
    def operation(self) -> str:
        """Return the operation's name of a service other than S3."""
        target = self.headers.get("x-amz-target", "")
        return target.rpartition(".")[2] or self.form.get("Action", "")

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def set_header(self, name: str, value: str) -> None:
        """Change a header for moto, after the signature was checked."""
        self.headers[name] = value
        self.environ["HTTP_" + name.upper().replace("-", "_")] = value


@dataclass(slots=True)
class Response:
    """An answer, complete in memory."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")


def read(environ: Environ) -> Request:
    """Read the whole request, however its body is framed."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read()
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    raw_path, _, raw_query = environ["REQUEST_URI"].partition("?")
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    return Request(environ["REQUEST_METHOD"], raw_path, raw_query, headers, body, environ)


def forward(request: Request, application: Callable[..., Iterable[bytes]]) -> Response:
    """Hand the request to a WSGI application, and return what it answers."""
    response = Response(500)

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        response.status, response.headers = int(status.split()[0]), list(headers)

    environ = dict(request.environ)
    environ["wsgi.input"] = io.BytesIO(request.body)
    environ["CONTENT_LENGTH"] = str(len(request.body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    chunks = application(environ, start)
    try:
        response.body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close:
            close()
    return response


def send(response: Response, start_response: Callable[..., object]) -> list[bytes]:
    """Answer through WSGI; a length that a fault has set stays as it is."""
    headers = list(response.headers)
    if not response.header("content-length"):
        headers.append(("Content-Length", str(len(response.body))))
    start_response(f"{response.status} {_phrase(response.status)}", headers)
    return [response.body]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def drop(environ: Environ) -> None:
    """Cut the connection, so that the client sees no answer at all."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("a fault cut the connection")
