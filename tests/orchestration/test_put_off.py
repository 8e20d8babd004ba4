"""A dead session, as it is lived: real server, worker, schedule and webhook; nobody but one import.

A download waits, an automation tells, fresh cookies come, and everything goes on by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings

from jarkeeper.wiring import open_journal, open_vault
from orchestration.hook import Hook
from orchestration.place import Place, url
from orchestration.server import deploy, prefect_process, wait_for

pytestmark = [pytest.mark.harness, pytest.mark.timeout(240)]

PREFECT_YAML = Path(__file__).parents[2] / "prefect.yaml"
RUN_SECONDS = 180


@pytest.fixture(scope="module")
def hook():
    with Hook().running() as hook:
        yield hook


@pytest.fixture(scope="module")
def place(tmp_path_factory, standin):
    standin.control.reset()
    standin.control.set_size(60_000)
    here = Place(tmp_path_factory.mktemp("life"), standin)
    here.prepare()
    return here


@pytest.fixture(scope="module")
def jarkeeper(server, place):
    def run(*arguments, stdin="", aside=False):
        done = subprocess.run(
            [sys.executable, "-m", "jarkeeper", *arguments],
            env=server.environment | place.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stderr if aside else done.stdout

    return run


@pytest.fixture(scope="module")
def life(server, place, hook, jarkeeper, tmp_path_factory):
    """Deployed as it ships, but for one pool, so that one worker serves it; automations too."""
    folder = tmp_path_factory.mktemp("deploy")
    content = yaml.safe_load(PREFECT_YAML.read_text())
    wanted = ("download", "validate", "refresh")
    content["deployments"] = [item for item in content["deployments"] if item["name"] in wanted]
    for item in content["deployments"]:
        item["work_pool"] = {"name": "jarkeeper"}
    deploy(server, content, folder)
    with temporary_settings({PREFECT_API_URL: server.api}):
        Webhook(method="POST", url=f"http://127.0.0.1:{hook.port}/").save("hook")
    jarkeeper("alerts", "install", "--webhook-block", "hook")
    command = ["worker", "start", "--pool", "jarkeeper", "--type", "process", "--limit", "2"]
    with (
        prefect_process(server, command, name="life", settings=place.environment),
        SyncPrefectClient(server.api) as client,
    ):
        yield client


def start(client, place, *ids):
    deployment = client.read_deployment_by_name("download/download")
    parameters = {"urls": [url(i) for i in ids], "destination": str(place.downloads)}
    return client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id


def state_of(client, run, *names):
    """Return the run once it is in one of these states."""

    def look():
        found = client.read_flow_run(run)
        return found if found.state.name in names else None

    return wait_for(look, seconds=RUN_SECONDS, what=f"{names} of the run")


def is_open(place):
    journal = open_journal(place.settings, open_vault(place.settings))
    return "session-dead" in {incident.cause for incident in journal.open()}


def test_a_download_waits_for_cookies_and_goes_on_by_itself(life, place, hook, jarkeeper):
    place.import_session("first", user_id="1001")
    youtube = place.standin.control
    youtube.add_video("needslogin0", answer="age_gate")
    youtube.revoke("first")

    run = start(life, place, "needslogin0", "plainvideo0")
    listed = jarkeeper("schedule", "set", "validate", "--every", "15s", "--on")
    waiting = state_of(life, run, "Suspended")
    wait_for(
        lambda: is_open(place), seconds=RUN_SECONDS, what="an incident, by the run or a validation"
    )
    told = wait_for(lambda: hook.calls, seconds=30, what="a call of the webhook")
    fresh = youtube.new_session("fresh", user_id="1001")
    imported = jarkeeper("import", "--yes", "-", stdin=fresh, aside=True)
    closed = not is_open(place)
    ended = state_of(life, run, "Completed", "PartlyDone", "Failed", "Crashed")

    assert "waits:youtube" in waiting.tags
    assert "put off until fresh cookies come" in waiting.state.message
    assert "every 15 s" in listed
    assert told[0]["payload"]["cause"] == "session-dead"
    assert [call["payload"]["cause"] for call in hook.calls].count("session-dead") == 1
    assert closed
    assert "1 download that waited goes on" in imported
    assert ended.state.name == "Completed", ended.state.message
    assert "waits:youtube" not in ended.tags
    assert len(place.videos()) == 2


def test_automations_are_updated_in_place_and_can_be_removed(life, jarkeeper):
    again = json.loads(jarkeeper("alerts", "install", "--json"))
    gone = json.loads(jarkeeper("alerts", "install", "--remove", "--json"))

    assert {item["done"] for item in again["automations"]} == {"updated"}
    assert [item["name"] for item in gone["automations"]] == [
        item["name"] for item in again["automations"]
    ]
    assert life.read_automations() == []


def test_the_schedule_shows_what_was_and_what_comes(life, jarkeeper):
    def shown():
        told = json.loads(jarkeeper("schedule", "--json"))["deployments"]
        return {item["name"]: item for item in told}

    wait_for(
        lambda: shown()["validate"]["last"], seconds=RUN_SECONDS, what="a scheduled validation"
    )
    jarkeeper("schedule", "set", "validate", "--off")
    found = shown()

    assert found["validate"]["timetables"] == [
        {"slug": "hourly", "when": "every 15 s", "active": False}
    ]
    assert found["validate"]["last"]["state"] == "Completed"
    assert found["refresh"]["next"] is not None
    assert found["download"]["next"] is None
