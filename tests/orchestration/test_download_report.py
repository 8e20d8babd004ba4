"""What a flow run tells: its name, tags, artifacts, events and log lines."""

from __future__ import annotations

import pytest

from flows import progress
from orchestration.place import video_ids
from orchestration.runs import artifacts_of, events_of, flow_run_of, run
from orchestration.server import wait_for

pytestmark = pytest.mark.harness


def test_a_run_shows_its_cookies_in_name_tags_and_artifacts(youtube, place):
    place.import_session("first")

    state = run(place, video_ids(3))

    flow_run = flow_run_of(state)
    artifacts = artifacts_of(state)
    assert state.is_completed()
    assert flow_run.name == "download 3 urls with youtube"
    assert {"jar:youtube", "cookies:ok", "used:active"} <= set(flow_run.tags)
    assert artifacts["download-progress"].data == 100
    assert "video000002" in str(artifacts["download-receipts"].data)
    assert "active jar worked" in artifacts["download-summary"].data


def test_the_progress_bar_moves_while_a_file_downloads(youtube, place, monkeypatch):
    place.import_session("first")
    youtube.add_video("slow0000000", size=900_000)
    youtube.fault("media", video_id="slow0000000", bytes_per_second=300_000)
    shown = []
    update = progress.update_progress_artifact
    monkeypatch.setattr(
        progress,
        "update_progress_artifact",
        lambda *arguments: (shown.append(arguments[1]), update(*arguments)),
    )

    run(place, ["slow0000000"])

    assert len({percent for percent in shown if 0 < percent < 100}) >= 2
    assert shown == sorted(shown)
    assert shown[-1] == 100


def test_what_happens_to_cookies_becomes_an_event_with_ids_only(youtube, place):
    place.import_session("older")
    receipt = place.import_session("newer")
    youtube.add_video("video000000", answer="age_gate")
    youtube.revoke("newer")

    state = run(place, video_ids(1))

    event = wait_for(
        lambda: events_of(state).get("jarkeeper.slot.dead"), seconds=60, what="the event"
    )
    assert event["resource"]["prefect.resource.id"] == "jarkeeper.jar.youtube"
    assert event["payload"] == {
        "jar": "youtube",
        "slot": "active",
        "generation": receipt.generation,
        "until": "",
        "reason": "COOKIE_ROTATED",
    }


def test_every_video_has_a_line_in_the_flows_log(youtube, place, caplog):
    place.import_session("first")
    youtube.add_video("video000001", answer="private")

    run(place, video_ids(2))

    lines = [record.getMessage() for record in caplog.records if record.name == "prefect.flow_runs"]
    assert any(line.startswith("video000000 downloaded: ") for line in lines)
    assert any(line.startswith("video000001 failed: PRIVATE: ") for line in lines)
