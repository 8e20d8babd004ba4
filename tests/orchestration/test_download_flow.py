"""The download flow on a real server, with a real vault and the real extractor."""

from __future__ import annotations

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
)

from flows.download import DownloadFailed, download
from jarkeeper.errors import NotFound, TargetError
from jarkeeper.youtube.policy import CookiePolicy
from orchestration.place import url, video_ids

pytestmark = pytest.mark.harness

VIDEO_BYTES = 60_000


@pytest.fixture
def youtube(prefect_api, place):
    control = place.standin.control
    control.set_size(VIDEO_BYTES)
    return control


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


def task_runs_of(state):
    ours = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
    with get_client(sync_client=True) as client:
        return client.read_task_runs(flow_run_filter=ours)


def artifacts_of(state):
    ours = ArtifactFilter(
        flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id])
    )
    with get_client(sync_client=True) as client:
        return {artifact.key: artifact for artifact in client.read_artifacts(artifact_filter=ours)}


def test_an_ad_hoc_call_returns_the_summary(youtube, place):
    place.import_session("first")

    summary = download([url("video000001"), "video000002"], destination=place.downloads)

    assert summary.succeeded
    assert summary.downloaded == 2
    assert len(place.videos()) == 2


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


def test_the_backup_takes_over_when_the_active_cookies_are_dead(youtube, place):
    place.import_session("older")
    place.import_session("newer")
    for video_id in video_ids(3):
        youtube.add_video(video_id, answer="age_gate")
    youtube.revoke("newer")

    state = run(place, video_ids(3))

    assert state.is_completed(), state.message
    assert {"active:dead", "used:backup"} <= set(flow_run_of(state).tags)
    assert "died" in artifacts_of(state)["download-summary"].data


def test_a_curable_failure_is_cured_by_a_task_retry(youtube, place):
    place.import_session("first")
    youtube.fault("media", video_id="video000000", status=403, times=3)

    state = run(place, video_ids(2))

    assert state.is_completed(), state.message
    assert len(place.videos()) == 2
    tries = {task.name: task.run_count for task in task_runs_of(state)}
    assert tries["videos 1 of 2"] > 1
    assert tries["videos 2 of 2"] == 1


def test_only_the_videos_that_are_not_there_are_tried_again(youtube, place):
    place.import_session("first")
    ids = video_ids(12)
    youtube.fault("media", video_id=ids[0], status=403, times=3)

    state = run(place, ids)

    watched = [seen.video_id for seen in youtube.requests("media")]
    assert state.is_completed(), state.message
    assert watched.count(ids[1]) == 1
    assert watched.count(ids[0]) > 1


def test_a_failure_that_cannot_be_cured_is_tried_once(youtube, place):
    place.import_session("first")
    youtube.add_video("video000000", answer="private")

    state = run(place, video_ids(2))

    assert state.name == "PartlyDone"
    assert "1 failed: 1 PRIVATE" in state.message
    assert {task.run_count for task in task_runs_of(state)} == {1}


def test_a_run_without_a_single_video_fails(youtube, place):
    place.import_session("first")
    youtube.add_video("video000000", answer="removed")

    state = run(place, video_ids(1))

    assert state.is_failed()
    assert "0 of 1 video" in state.message
    with pytest.raises(DownloadFailed):
        state.result()


def test_a_bot_check_stops_the_run(youtube, place):
    place.import_session("older")
    place.import_session("newer")
    ids = video_ids(20)
    youtube.set_answer("bot_check")

    state = run(place, ids, concurrency=2)

    assert state.is_failed()
    assert "stopped" in state.message
    assert len({seen.video_id for seen in youtube.requests("watch")}) < len(ids) / 2


def test_a_jar_that_is_not_there_fails_before_the_first_request(youtube, place):
    state = run(place, video_ids(1))

    assert state.is_failed()
    assert youtube.requests() == []
    with pytest.raises(NotFound):
        state.result()


def test_no_cookies_are_needed_where_none_are_wanted(youtube, place):
    state = run(place, video_ids(1), cookies=CookiePolicy.NEVER)

    assert state.is_completed(), state.message
    assert "cookies:none" in flow_run_of(state).tags
    assert {seen.session for seen in youtube.requests("watch")} == {None}


def test_a_url_that_the_gate_refuses_fails_with_the_gates_own_words(youtube, place):
    state = run(place, ["x"])
    secret = download(
        ["https://user:hunter2@example.com/?token=hunter2"],
        destination=place.downloads,
        return_state=True,
    )

    assert state.is_failed()
    with pytest.raises(TargetError):
        secret.result()
    assert "hunter2" not in secret.message
    assert youtube.requests() == []
