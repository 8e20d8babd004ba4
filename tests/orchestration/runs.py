"""Running the flow in a test, and asking the server what it made of it."""

from __future__ import annotations

import json
import urllib.request

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
)
from prefect.settings import PREFECT_API_URL

from flows.download import download
from orchestration.place import url


def run(place, ids, **options):
    """Return the final state of a run."""
    return download(
        [url(video_id) for video_id in ids],
        destination=place.downloads,
        return_state=True,
        **options,
    )


def flow_run_of(state):
    with get_client(sync_client=True) as client:
        return client.read_flow_run(state.state_details.flow_run_id)


def retried(caplog):
    """Return the names of the task runs that were tried again, once for each further try.

    From the log, because the server records task runs late, and not always all.
    """
    retries = (record for record in caplog.records if " - Retry " in record.getMessage())
    return [record.task_run_name for record in retries]


def events_of(state):
    filters = {"related": {"id": [f"prefect.flow-run.{state.state_details.flow_run_id}"]}}
    request = urllib.request.Request(
        f"{PREFECT_API_URL.value()}/events/filter",
        data=json.dumps({"filter": filters}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {event["event"]: event for event in json.load(answer)["events"]}


def artifacts_of(state):
    ours = ArtifactFilter(
        flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id])
    )
    with get_client(sync_client=True) as client:
        return {artifact.key: artifact for artifact in client.read_artifacts(artifact_filter=ours)}
