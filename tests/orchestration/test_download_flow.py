"""The download flow on a real server, with a real vault and the real extractor."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from blocks import CookieManager
from flows import download as module
from flows.download import DownloadFailed, download
from jarkeeper.errors import InputError, NotFound, TargetError
from jarkeeper.names import permit_key, window_of
from jarkeeper.wiring import open_vault
from jarkeeper.youtube.policy import CookiePolicy
from orchestration.place import url, video_ids
from orchestration.runs import artifacts_of, flow_run_of, retried, run
from orchestration.server import wait_for

pytestmark = pytest.mark.harness


def children_of(process):
    children = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for path in children for child in path.read_text().split()]


def is_running(process):
    return Path(f"/proc/{process}").exists()


def test_an_ad_hoc_call_returns_the_summary(youtube, place):
    place.import_session("first")

    summary = download([url("video000001"), "video000002"], destination=place.downloads)

    assert summary.succeeded
    assert summary.downloaded == 2
    assert len(place.videos()) == 2


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


def test_a_curable_failure_is_cured_by_a_task_retry(youtube, place, caplog):
    place.import_session("first")
    youtube.fault("media", video_id="video000000", status=403, times=3)

    state = run(place, video_ids(2))

    assert state.is_completed(), state.message
    assert len(place.videos()) == 2
    assert retried(caplog) == ["videos 1 of 2"]


def test_a_retry_leaves_alone_what_arrived_and_what_cannot_be_cured(youtube, place, caplog):
    place.import_session("first")
    forbidden, private, arrives, private_elsewhere, *others = video_ids(22)
    youtube.fault("media", video_id=forbidden, status=403, times=3)
    youtube.add_video(private, answer="private")
    youtube.add_video(private_elsewhere, answer="private")

    state = run(place, [forbidden, private, arrives, private_elsewhere, *others])

    summary = state.result()
    watched = [seen.video_id for seen in youtube.requests("watch")]
    assert retried(caplog) == ["videos 1 of 8"]
    assert (summary.downloaded, summary.already_there, summary.failed) == (20, 0, 2)
    assert watched.count(private) == watched.count(private_elsewhere)


def test_a_failure_that_cannot_be_cured_is_tried_once(youtube, place, caplog):
    place.import_session("first")
    youtube.add_video("video000000", answer="private")

    state = run(place, video_ids(2))

    assert state.name == "PartlyDone"
    assert "1 failed: 1 PRIVATE" in state.message
    assert retried(caplog) == []


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


def test_a_cookie_manager_says_where_the_vault_is_and_which_jar(youtube, place, monkeypatch):
    place.import_session("first")
    settings = place.settings
    CookieManager(vault=settings.vault, key_file=settings.key_file).save("elsewhere")
    monkeypatch.setenv("JARKEEPER_VAULT", str(place.folder / "nowhere"))

    lost = run(place, video_ids(1))
    found = run(place, video_ids(1), manager="elsewhere")
    unknown = run(place, video_ids(1), manager="nobody")

    assert lost.is_failed()
    assert found.is_completed(), found.message
    assert "jar:youtube" in flow_run_of(found).tags
    assert unknown.message.startswith("cookie manager 'nobody': there is no block of that name")
    assert "jarkeeper blocks register" in unknown.message


def test_a_cookie_manager_that_the_form_let_through_is_refused_without_quoting_it(youtube, place):
    stored = CookieManager()
    stored.__dict__["vault"] = Path("hunter2/vault")
    stored.save("wrong")

    state = run(place, video_ids(1), manager="wrong")

    assert state.is_failed()
    assert state.message == (
        "cookie manager 'wrong': vault: expected a path that starts with '/' or '~/'"
    )
    assert "hunter2" not in state.message


def test_a_cookie_manager_whose_fields_contradict_each_other_is_refused(youtube, place):
    stored = CookieManager(bucket="some-bucket")
    stored.__dict__["vault"] = Path("/srv/vault")
    stored.save("both", overwrite=True)

    state = run(place, video_ids(1), manager="both")

    assert state.is_failed()
    assert state.message == "cookie manager 'both': vault: expected it or bucket, got both"
    assert youtube.requests() == []


def test_concurrency_is_the_settings_unless_it_is_given(youtube, place, monkeypatch):
    asked = []

    def ask(_settings, request):
        asked.append(request.concurrency)
        raise InputError("asked")

    monkeypatch.setenv("JARKEEPER_CONCURRENCY", "7")
    monkeypatch.setattr(module, "run", ask)

    run(place, video_ids(1))
    run(place, video_ids(1), concurrency=2)

    assert asked == [7, 2]


def test_a_jar_that_was_opened_too_often_fails_the_run_and_goes_on_when_told_to(
    youtube, place, monkeypatch
):
    place.import_session("first")
    monkeypatch.setenv("COOKIE_OPENS_PER_HOUR", "1")
    store = open_vault(place.settings).ports.store
    for hours in (0, 1):
        window = window_of(datetime.now(UTC) + timedelta(hours=hours))
        store.put_if_absent(permit_key("youtube", window, 1), b"taken")

    refused = run(place, video_ids(1))
    told = run(place, video_ids(1), beyond_limit=True)

    assert refused.is_failed()
    assert "its limit for an hour" in refused.message
    assert told.is_completed(), told.message
    assert [event["detail"] for event in place.audit() if event["action"] == "lend"].count(
        "beyond_limit"
    ) == 2


@pytest.mark.parametrize("concurrency", [0, 33])
def test_too_many_at_once_are_refused_without_logging_the_urls(youtube, place, caplog, concurrency):
    state = download(
        ["https://www.youtube.com/watch?v=video000000&hunter2"],
        concurrency=concurrency,
        return_state=True,
    )

    assert state.is_failed()
    assert "concurrency: expected 1 to 32" in state.message
    assert "hunter2" not in caplog.text


def test_a_bad_backup_does_not_make_the_run_critical(youtube, place):
    place.import_session("older", expires_in=2 * 86_400)
    place.import_session("newer", expires_in=180 * 86_400)

    state = run(place, video_ids(1))

    assert "cookies:ok" in flow_run_of(state).tags


def test_refreshed_cookies_that_are_kept_are_told_once_and_warn_nobody(youtube, place, caplog):
    place.import_session("first", rotate_every=1)

    run(place, video_ids(2))

    told = [record for record in caplog.records if "kept as" in record.getMessage()]
    assert [record.levelname for record in told] == ["INFO"] * len(told)
    assert len({record.getMessage() for record in told}) == len(told) > 0


def test_a_run_that_is_ended_leaves_no_worker_behind(youtube, place):
    place.import_session("first")
    youtube.fault("media", video_id="video000000", stall_after=1000, stall_seconds=60)
    call = f"download(['video000000'], destination={str(place.downloads)!r})"
    code = f"from flows.download import download; {call}"
    environment = os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()}
    flow = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: youtube.requests("media"), seconds=30, what="the download")
    workers = children_of(flow.pid)

    flow.terminate()
    flow.wait(30)

    assert workers
    wait_for(lambda: not any(map(is_running, workers)), seconds=10, what="the worker's end")
    assert list((place.settings.temp_dir).iterdir()) == []
