"""When Prefect runs Jarkeeper next, asked by plain HTTP: its client takes a second to load."""

from __future__ import annotations

import base64
import json
import os
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

TAG = "jarkeeper"
SECONDS_MAX = 1.0
"""For both questions together: `status` is looked at while somebody waits."""
ANSWER_BYTES_MAX = 4 << 20
RUNS_MAX = 200
"""Prefect plans some days ahead; the next run of each deployment is among these."""


@dataclass(frozen=True, slots=True)
class NextRun:
    """A deployment's next run."""

    deployment: str
    at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)


def next_runs() -> tuple[NextRun, ...] | str | None:
    """Return the next run of each deployment, a word on why there is no answer, or None.

    None where no server is set by `PREFECT_API_URL`: then nobody is asked.
    """
    url = os.environ.get("PREFECT_API_URL", "").rstrip("/")
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        return "PREFECT_API_URL is no http address"
    found: list[tuple[NextRun, ...]] = []
    # A thread, because a timeout of urllib's bounds neither names that do not resolve nor an answer
    # that drips.
    asking = threading.Thread(target=_ask, args=(url, found), daemon=True)
    asking.start()
    asking.join(SECONDS_MAX)
    return found[0] if found else "the Prefect server gives no answer"


def _ask(url: str, found: list[tuple[NextRun, ...]]) -> None:
    from http.client import HTTPException

    # Whatever is wrong with it: this is one line of a screen about something else.
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, HTTPException):
        found.append(_runs(url))


def _runs(url: str) -> tuple[NextRun, ...]:
    tagged = {"deployments": {"tags": {"any_": [TAG]}}}
    deployments = _post(f"{url}/deployments/filter", tagged)
    names = {str(item["id"]): str(item["name"]) for item in deployments}
    scheduled = {
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": RUNS_MAX,
    }
    runs: dict[str, NextRun] = {}
    for run in _post(f"{url}/flow_runs/filter", tagged | scheduled) if names else ():
        name = names.get(str(run["deployment_id"]))
        if name is not None and run["expected_start_time"]:
            runs.setdefault(name, NextRun(name, datetime.fromisoformat(run["expected_start_time"])))
    return tuple(runs.values())


def _post(url: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    from urllib.request import Request, urlopen

    headers = {"Content-Type": "application/json", **_credentials()}
    request = Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - http, as was checked
    with urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310
        found = json.loads(answer.read(ANSWER_BYTES_MAX))
    if not isinstance(found, list):
        raise TypeError("expected a list")
    return found


def _credentials() -> dict[str, str]:
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if login := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode('ascii')}"}
    return {}
