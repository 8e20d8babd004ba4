"""The flow `download`, called in a process of its own, with a clock at its states.

Usage: flow_run.py URLS FOLDER CONCURRENCY POLICY
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from flows.download import download
from jarkeeper.youtube.policy import CookiePolicy

CLOCK: dict[str, float] = {}


def note(_flow: Any, _run: Any, state: Any) -> None:
    """Note when Prefect set the run to this state."""
    CLOCK[state.type.value] = time.time()


def main(urls: str, folder: str, concurrency: str, policy: str) -> None:
    """Run the flow, and say when it was running and when it was completed."""
    download.with_options(on_running=[note], on_completion=[note])(
        Path(urls).read_text().split(),
        destination=Path(folder),
        cookies=CookiePolicy(policy),
        concurrency=int(concurrency),
    )
    print(json.dumps({"running_at": CLOCK["RUNNING"], "completed_at": CLOCK["COMPLETED"]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
