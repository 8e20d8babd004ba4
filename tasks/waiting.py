"""Downloads that wait for a login: suspended runs, found by a tag, sent on when there is one."""

from __future__ import annotations

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import SetStateStatus

WAITS = "waits:"
WAIT_SECONDS = 7 * 24 * 3600
"""Then the run fails: whoever wanted these videos has been told for a week."""
ANSWER_SECONDS = 5.0


def waits_tag(jar: str) -> str:
    """Return the tag of a run that waits for the jar."""
    return f"{WAITS}{jar}"


def resume_waiting(jar: str) -> int:
    """Send the runs on that wait for the jar; return how many did."""
    timeout = httpx.Timeout(ANSWER_SECONDS)
    with get_client(sync_client=True, httpx_settings={"timeout": timeout}) as client:
        return sum(_resumed(client, run) for run in _waiting(client, jar))


def _waiting(client: SyncPrefectClient, jar: str) -> list[FlowRun]:
    paused = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
    tagged = FlowRunFilterTags(all_=[waits_tag(jar)])
    return client.read_flow_runs(flow_run_filter=FlowRunFilter(state=paused, tags=tagged))


def _resumed(client: SyncPrefectClient, run: FlowRun) -> bool:
    # Somebody else may have sent it on meanwhile: the server says so, and that is fine.
    return client.resume_flow_run(run.id).status is SetStateStatus.ACCEPT
