"""Run the stand-in by itself: `PYTHONPATH=tests python -m standin --port 0`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from standin.server import StandIn


def main() -> int:
    """Serve until SIGTERM or SIGINT, or until standard input ends if asked."""
    options = _parse()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with StandIn(port=options.port, ca_file=options.ca_file) as yt:
        _announce(yt, options.state_file)
        if options.end_with_stdin:
            threading.Thread(target=_wait_for_end_of_input, args=(done,), daemon=True).start()
        done.wait()
    if options.state_file:
        options.state_file.unlink(missing_ok=True)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="standin", description="A loopback YouTube.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--state-file", type=Path, help="where to write what is printed")
    parser.add_argument("--ca-file", type=Path, help="where to write the authority's certificate")
    parser.add_argument("--end-with-stdin", action="store_true", help="stop when stdin ends")
    return parser.parse_args()


def _announce(yt: StandIn, state_file: Path | None) -> None:
    """Print where everything is, as one line of JSON; the state file appears complete or not."""
    state = {
        "proxy_url": yt.proxy_url,
        "ca_file": yt.ca_file,
        "control_url": yt.control_url,
        "pid": os.getpid(),
    }
    line = json.dumps(state)
    if state_file:
        partial = state_file.with_suffix(".partial")
        partial.write_text(line + "\n")
        partial.replace(state_file)
    print(line, flush=True)


def _wait_for_end_of_input(done: threading.Event) -> None:
    # The raw descriptor: a thread blocked in `sys.stdin` makes the interpreter abort at exit.
    while os.read(0, 4096):
        pass
    done.set()


if __name__ == "__main__":
    sys.exit(main())
