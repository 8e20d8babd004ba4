"""The hardened child process: the only place where a run's cookies are plaintext.

Started as `python -I -m jarkeeper.worker PARENT_PID` with an allow-listed environment. It reads
requests from standard input and writes events to what standard output was; both are then closed to
everybody else, so no library's print can reach the run.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from jarkeeper.errors import JarkeeperError
from jarkeeper.hardening import end_with_parent, harden
from jarkeeper.settings import AWS_VARIABLES, RENEWING, VARIABLES, Settings
from jarkeeper.youtube.messages import Close, Event, Start, Stopped, decode, encode

if TYPE_CHECKING:
    from jarkeeper.vault import Capability


def main() -> None:
    """Serve one run, then end; an error goes to the run as the last event."""
    harden()
    end_with_parent(int(sys.argv[1]))
    requests, send = take_streams()

    def end(error: Exception | None) -> None:
        send(last_words(error))
        # Threads stuck on a stalled socket must not keep plaintext alive.
        os._exit(0)

    try:
        serve(requests, send, fail=end)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run must hear of it
        end(error)
    end(None)


def serve(
    requests: BinaryIO, send: Callable[[Event], None], *, fail: Callable[[Exception], None]
) -> None:
    """Answer requests until `Close`; the vault is opened by its settings when a jar is needed."""
    settings = Settings.read()
    # Imports leave nothing to collect, and what they make stays: no collection need look at it.
    gc.disable()
    from jarkeeper.vault import BoundVault
    from jarkeeper.wiring import connect, open_vault
    from jarkeeper.youtube.service import Service

    connect(settings)
    gc.freeze()
    gc.enable()
    ours = {variable.name for variable in VARIABLES.values()} | set(AWS_VARIABLES)
    for name in ours - set(RENEWING):
        os.environ.pop(name, None)  # what yt-dlp starts, ffmpeg and deno, inherits no key

    # While all that was imported, the run has looked at the cookies.
    start = decode(requests.readline())
    if isinstance(start, Close):
        return
    if not isinstance(start, Start):
        raise JarkeeperError("worker: expected 'Start' as the first message")
    capability = capability_of(start)

    listener = None
    if settings.metrics:
        from jarkeeper.youtube.measuring import told_to_run

        listener = told_to_run(send)

    def vault() -> BoundVault:
        whole = open_vault(settings, actor=start.actor, flow_run=start.flow_run, listener=listener)
        return BoundVault(whole, capability)

    Service(vault, settings=settings, start=start, send=send, fail=fail).serve(requests)


def capability_of(start: Start) -> Capability:
    """Return what the run may do in the vault."""
    from jarkeeper.vault import Capability

    return Capability(
        jar=start.jar,
        base_head=start.base_head,
        until=datetime.fromisoformat(start.until),
        beyond_limit=start.beyond_limit,
    )


def last_words(error: Exception | None) -> Stopped:
    """Return what the run may know; a foreign error's text may quote anything, so only its type."""
    if isinstance(error, JarkeeperError):
        return Stopped(error.message, error.hint)
    return Stopped(f"the worker failed: {type(error).__name__}" if error else None, None)


def take_streams() -> tuple[BinaryIO, Callable[[Event], None]]:
    """Return the requests and a thread-safe way to send events; nothing else can write there."""
    requests = os.fdopen(os.dup(0), "rb")
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    lock = threading.Lock()

    def send(event: Event) -> None:
        with lock:
            events.write(encode(event))

    return requests, send


if __name__ == "__main__":
    main()
