"""After fresh cookies: downloads that waited for a login go on, where a Prefect server has them."""

from __future__ import annotations

import os

from jarkeeper.cli.output import Output
from jarkeeper.cli.server import check_server, imported, refusals
from jarkeeper.errors import JarkeeperError
from jarkeeper.words import count_of

WANTED_BY = "downloads that wait"
NEXT_STEP = "nothing to do: the next validation sends them on"


def go_on(jar: str) -> int:
    """Send on what waited for the jar, say so in one line, and return how many they were.

    What goes wrong is a warning: the cookies are in the vault, whatever a server says.
    """
    if not os.environ.get("PREFECT_API_URL", "").strip():
        return 0
    try:
        count = _sent_on(jar)
    except JarkeeperError as error:
        Output(aside=True).finding("warning", error.message, NEXT_STEP)
        return 0
    if count:
        verb = "goes" if count == 1 else "go"
        # Aside: standard output may be a document.
        Output(aside=True).finding("ok", f"{count_of(count, 'download')} that waited {verb} on")
    return count


def _sent_on(jar: str) -> int:
    waiting = imported("tasks.waiting", wanted_by=WANTED_BY)
    check_server()
    with refusals(WANTED_BY):
        return int(waiting.resume_waiting(jar))
