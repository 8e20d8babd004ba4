"""A webhook on the loopback that shows what alerts say: `python -m standin.inbox --port 8099`."""

from __future__ import annotations

import argparse
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Inbox(HTTPServer):
    """Takes what Apprise's `json://` posts, and keeps title and text."""

    def __init__(self, port: int = 0, *, tell: bool = False) -> None:
        super().__init__(("127.0.0.1", port), _Taker)
        self.tell = tell
        self.messages: list[str] = []


class _Taker(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = f"{body['title']}\n{body['message']}".rstrip()
        self.server.messages.append(message)
        if self.server.tell:
            print(message, end="\n\n", flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="inbox", description="A webhook that prints.")
    parser.add_argument("--port", type=int, default=8099)
    try:
        Inbox(parser.parse_args().port, tell=True).serve_forever()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
