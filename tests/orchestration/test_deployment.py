"""`prefect.yaml` on a real server with a real worker: by hand, and by its schedule."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName

from orchestration.place import Place, url
from orchestration.server import PrefectServer, prefect, prefect_process, wait_for

pytestmark = pytest.mark.harness

PREFECT_YAML = Path(__file__).parents[2] / "prefect.yaml"
RUN_SECONDS = 90


@pytest.fixture(scope="module")
def place(tmp_path_factory, standin):
    standin.control.reset()
    standin.control.set_size(60_000)
    here = Place(tmp_path_factory.mktemp("deployed"), standin)
    here.prepare()
    here.import_session("first")
    return here


@pytest.fixture(scope="module")
def worker(server, place):
    # One at a time: the schedule is quicker than its runs.
    command = ["worker", "start", "--pool", "jarkeeper", "--type", "process", "--limit", "1"]
    with prefect_process(server, command, name="worker", settings=place.environment) as process:
        yield process


def deploy(server: PrefectServer, folder: Path, *, schedule: dict[str, object]) -> None:
    """Deploy a copy of the project's file whose schedule is changed as an operator would."""
    content = yaml.safe_load(PREFECT_YAML.read_text())
    content["deployments"] = [item for item in content["deployments"] if item["name"] == "download"]
    content["deployments"][0]["schedules"][0] |= schedule
    (folder / "prefect.yaml").write_text(yaml.safe_dump(content))
    prefect(server, "--no-prompt", "deploy", "--all", cwd=folder)


def deployment_of(client: SyncPrefectClient):
    only = DeploymentFilter(name=DeploymentFilterName(any_=["download"]))
    return client.read_deployments(deployment_filter=only)[0]


def runs_of(client: SyncPrefectClient, *, scheduled: bool):
    ours = deployment_of(client).id
    runs = client.read_flow_runs()
    return [run for run in runs if run.deployment_id == ours and run.auto_scheduled is scheduled]


def test_the_file_as_it_is_bakes_no_machine_into_the_deployment(server, tmp_path):
    shutil.copy(PREFECT_YAML, tmp_path)

    prefect(server, "--no-prompt", "deploy", "--all", cwd=tmp_path)
    prefect(server, "--no-prompt", "deploy", "--all", cwd=tmp_path)

    with SyncPrefectClient(server.api) as client:
        deployments = {item.name: item for item in client.read_deployments()}
        deployment = deployment_of(client)
    assert str(tmp_path) not in "".join(item.model_dump_json() for item in deployments.values())
    assert deployment.entrypoint == "flows.download.download"
    assert [(item.slug, item.active) for item in deployment.schedules] == [("nightly", False)]
    active = {name for name, item in deployments.items() if item.schedules[0].active}
    reports = {"audit-daily", "audit-weekly", "audit-monthly"}
    upkeep = {"validate", "refresh", "health", "archive", "daily", "weekly", "monthly"}
    assert active == upkeep | reports


def test_the_form_explains_every_parameter(server, tmp_path):
    deploy(server, tmp_path, schedule={"active": False})

    with SyncPrefectClient(server.api) as client:
        for item in client.read_deployments():
            described = item.parameter_openapi_schema["properties"].values()
            assert all(field.get("description") for field in described), item.name
        schema = deployment_of(client).parameter_openapi_schema
    assert schema["required"] == ["urls"]
    assert all(item.get("description") for item in schema["properties"].values())
    at_once, nothing = schema["properties"]["concurrency"]["anyOf"]
    assert (at_once["minimum"], at_once["maximum"], nothing) == (1, 32, {"type": "null"})
    assert schema["definitions"]["CookiePolicy"]["enum"] == ["always", "when_needed", "never"]


def test_a_run_by_hand_and_a_run_by_schedule_download_through_the_worker(
    server, worker, place, tmp_path
):
    by_hand = {"urls": [url("byhand00000")]}
    by_schedule = {"urls": [url("byschedule0")], "destination": str(place.downloads)}
    deploy(server, tmp_path, schedule={"active": False})

    prefect(
        server, "deployment", "run", "download/download", "--params", json.dumps(by_hand), "--watch"
    )
    every_few_seconds = {"interval": 5, "cron": None, "timezone": None, "active": True}
    deploy(server, tmp_path, schedule=every_few_seconds | {"parameters": by_schedule})

    with SyncPrefectClient(server.api) as client:
        finished = wait_for(
            lambda: [run for run in runs_of(client, scheduled=True) if run.state.is_final()],
            seconds=RUN_SECONDS,
            what="a run by schedule",
        )
        first = runs_of(client, scheduled=False)
    assert [run.state.name for run in first] == ["Completed"]
    assert finished[0].state.is_completed(), finished[0].state.message
    assert {"jar:youtube", "cookies:ok"} <= set(first[0].tags)
    assert len(place.videos()) == 1
    # A relative destination is below the home folder: the run's own folder goes with it.
    assert len(list((server.folder / "downloads").glob("*.mp4"))) == 1
