"""Whole runs: a real vault, a real worker, yt-dlp's real extractor, the stand-in as YouTube."""

import base64
import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jarkeeper.downloads.downloader import Downloader
from jarkeeper.downloads.receipts import Outcome, Summary, Video
from jarkeeper.downloads.request import DownloadRequest, Quality
from jarkeeper.downloads.run import run_downloads
from jarkeeper.errors import NotFound, NotInitialised, VaultError
from jarkeeper.heads import SlotState
from jarkeeper.jar import LASTING_COOKIES
from jarkeeper.names import permit_key, window_of
from jarkeeper.settings import Settings
from jarkeeper.vault import Vault
from jarkeeper.wiring import init_vault, open_vault
from jarkeeper.youtube.messages import Lent, Marked, Progress, Start, Withheld, WroteBack
from jarkeeper.youtube.policy import CookiePolicy, Use
from jarkeeper.youtube.service import WATCH_SECONDS
from jarkeeper.youtube.session import WorkerSession
from standin.server import StandIn

VIDEO = "dQw4w9WgXcQ"
OTHER = "aaaaaaaaaaa"
SMALL = 200_000


@pytest.fixture
def vault(settings: Settings, youtube: StandIn) -> Vault:
    youtube.control.set_size(SMALL)
    init_vault(settings)
    return open_vault(settings)


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Callable[..., Summary]:
    def start(
        *urls: str, listener: Callable[[object], None] | None = None, **choices: object
    ) -> Summary:
        request = DownloadRequest.of(urls, tmp_path / "videos", **choices)  # type: ignore[arg-type]
        return run_downloads(settings, request, listener=listener)

    return start


def take_in(vault: Vault, youtube: StandIn, *names: str, **kinds: object) -> None:
    """Import a session for each name; the last becomes active, the one before it the backup."""
    for name in names:
        export = youtube.control.new_session(name, **kinds)  # type: ignore[arg-type]
        vault.import_jar("youtube", export.encode(), confirmed=True)


def test_a_video_arrives_whole_with_the_active_cookies(vault, youtube, run, tmp_path) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(VIDEO, title="A song", size=SMALL)

    summary = run(VIDEO)

    (receipt,) = summary.receipts
    content = (tmp_path / "videos" / "A song [dQw4w9WgXcQ].mp4").read_bytes()
    assert receipt.outcome is Outcome.DOWNLOADED
    assert receipt.used == "active"
    assert hashlib.sha256(content).hexdigest() == youtube.control.media(VIDEO).sha256
    assert youtube.control.session("one").requests > 0


def test_separate_sound_and_picture_are_merged(vault, youtube, run, tmp_path) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(VIDEO, title="Merged", separate=True, heights=(360, 720))

    summary = run(VIDEO, quality=Quality.BEST)

    assert summary.downloaded == 1
    assert summary.receipts[0].file is not None
    assert list((tmp_path / "videos" / ".jarkeeper" / "parts").glob("*.f*")) == []


def test_a_second_run_leaves_out_what_is_there(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    run(VIDEO)
    youtube.control.clear()

    again = run(VIDEO)

    assert again.receipts[0].outcome is Outcome.ALREADY_THERE
    assert youtube.control.requests() == []


def test_a_dead_active_jar_hands_over_to_the_backup(vault, youtube, run) -> None:
    take_in(vault, youtube, "old", "new")
    youtube.control.add_video(VIDEO, answer="age_gate")
    youtube.control.revoke("new")

    summary = run(VIDEO)

    head = vault.status("youtube")
    assert summary.receipts[0].outcome is Outcome.DOWNLOADED
    assert summary.receipts[0].used == "backup"
    assert head.active.state is SlotState.DEAD
    assert head.backups[0].state is SlotState.HEALTHY
    assert any("active jar died" in notice for notice in summary.notices)


def test_a_session_that_dies_during_a_success_is_marked_and_not_kept(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    before = vault.status("youtube").active.generation.id
    youtube.control.revoke("one")

    summary = run(VIDEO)

    active = vault.status("youtube").active
    assert summary.downloaded == 1
    assert active.state is SlotState.DEAD
    assert active.generation.id == before


def test_a_refreshed_session_is_written_back_and_works_the_next_time(vault, youtube, run) -> None:
    take_in(vault, youtube, "one", rotate_every=3, grace_seconds=0)
    before = vault.status("youtube").active.generation.id
    events: list[object] = []

    first = run(VIDEO, listener=events.append)
    youtube.control.add_video(OTHER, answer="age_gate")
    second = run(OTHER)

    assert first.downloaded == second.downloaded == 1
    assert second.receipts[0].used == "active"
    assert vault.status("youtube").active.generation.id != before
    assert any(isinstance(event, WroteBack) and event.refused is None for event in events)


def test_a_bot_check_tries_the_backup_once_then_stops_the_run(vault, youtube, run) -> None:
    take_in(vault, youtube, "old", "new")
    youtube.control.set_answer("bot_check")
    ids = [f"video{number:06d}" for number in range(12)]

    summary = run(*ids, concurrency=1)

    head = vault.status("youtube")
    assert summary.stopped is not None
    assert head.active.state is SlotState.COOLING
    assert head.backups[0].state is SlotState.COOLING
    assert summary.skipped >= 10
    assert len({request.video_id for request in youtube.control.requests("watch")}) <= 2


def test_only_one_try_of_the_run_finds_out_whether_the_backup_passes(vault, youtube, run) -> None:
    take_in(vault, youtube, "old", "new")
    youtube.control.set_answer("bot_check")

    summary = run(*(f"video{number:06d}" for number in range(40)), concurrency=8)

    watched = youtube.control.requests("watch")
    assert summary.stopped is not None
    assert len([request for request in watched if request.session == "old"]) == 1
    assert len({request.video_id for request in watched}) <= 8


def test_the_run_after_a_bot_check_waits_for_the_rest_to_end(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.set_answer("bot_check")
    run(VIDEO)
    youtube.control.clear_answers()
    youtube.control.clear()

    again = run(VIDEO)

    assert again.stopped is not None
    assert "must wait" in again.cookie_status
    assert youtube.control.requests() == []


def test_a_limited_address_holds_the_whole_run_and_then_stops_it(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.fault("all", status=429)

    summary = run(*(f"video{number:06d}" for number in range(100)), concurrency=8)

    assert summary.stopped is not None
    assert vault.status("youtube").active.state is SlotState.HEALTHY
    assert len(youtube.control.requests()) < 8 * 3 * 25


def test_an_address_that_recovers_gets_everything(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.fault("media", status=429, times=2)

    summary = run(*(f"video{number:06d}" for number in range(6)), concurrency=2)

    assert summary.downloaded == 6


def test_a_broadcast_is_never_fetched(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(VIDEO, answer="live")

    summary = run(VIDEO)

    fetched = [request.path for request in youtube.control.requests("media")]
    assert summary.receipts[0].failure == "NOT_YET"
    assert all(path.endswith(".m3u8") for path in fetched)


def test_a_channel_is_listed_with_all_its_tabs(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    tabs = {"videos": ["tabvideo001", "tabvideo002"], "shorts": ["tabshort001"]}
    youtube.control.add_channel("@somebody", tabs=tabs)

    summary = run("https://www.youtube.com/@somebody")

    assert {receipt.video_id for receipt in summary.receipts} == {
        video_id for ids in tabs.values() for video_id in ids
    }


def test_a_title_that_quotes_a_cookie_is_left_out(vault, youtube, run) -> None:
    take_in(vault, youtube, "one", canary="QuotedSecretValue")
    value = youtube.control.session("one").values["SAPISID"]
    ids = [f"quoting{number:04d}" for number in range(4)]
    dressed = (
        value,
        value.swapcase(),
        "\u200b".join(value),
        base64.b64encode(value.encode()).decode(),
    )
    for video_id, text in zip(ids, dressed, strict=True):
        youtube.control.add_video(video_id, title=f"Look: {text}!")

    summary = run(*ids)

    assert summary.downloaded == len(ids)
    assert [receipt.title for receipt in summary.receipts] == [None] * len(ids)
    assert {receipt.file for receipt in summary.receipts} == {f"{one} [{one}].mp4" for one in ids}


def test_variables_in_the_destination_are_a_name_like_any_other(
    vault, youtube, settings, tmp_path
) -> None:
    take_in(vault, youtube, "one")
    place = tmp_path / "$HOME and ${PATH}"

    summary = run_downloads(settings, DownloadRequest.of((VIDEO,), place))

    assert summary.downloaded == 1
    assert [path.name for path in place.glob("*.mp4")] == [summary.receipts[0].file]


def test_a_login_of_somebody_else_never_replaces_the_one_that_was_lent(vault, youtube, run) -> None:
    take_in(vault, youtube, "one", rotate_every=2, grace_seconds=None)
    first = vault.status("youtube").active.generation

    run(VIDEO)

    with vault.lend("youtube").open() as jar:
        lasting = {one.name: one.value for one in jar.cookies if one.name in LASTING_COOKIES}
    mine = youtube.control.session("one").values
    assert vault.status("youtube").active.generation.id != first.id
    assert lasting == {name: mine[name] for name in lasting}


def test_a_private_video_fails_without_touching_a_slot(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(VIDEO, answer="private")

    summary = run(VIDEO)

    (receipt,) = summary.receipts
    assert (receipt.outcome, receipt.failure) == (Outcome.FAILED, "PRIVATE")
    assert receipt.explanation
    assert receipt.next_step
    assert vault.status("youtube").active.state is SlotState.HEALTHY


def test_a_curable_failure_is_tried_again_and_cured(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.fault("media", video_id=VIDEO, status=403, times=1)

    summary = run(VIDEO)

    assert summary.downloaded == 1


def test_an_interrupted_file_is_resumed_by_the_next_run(vault, youtube, run, tmp_path) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(VIDEO, title="Resumed", size=SMALL)
    part = tmp_path / "videos" / ".jarkeeper" / "parts" / f"{VIDEO}.mp4.part"
    youtube.control.fault("media", video_id=VIDEO, status=403)
    youtube.control.fault("media", video_id=VIDEO, cut_after=50_000, times=1)
    run(VIDEO, cookies=CookiePolicy.NEVER)
    had = part.stat().st_size
    youtube.control.clear_faults()
    youtube.control.clear()

    summary = run(VIDEO, cookies=CookiePolicy.NEVER)

    ranges = [request.range for request in youtube.control.requests("media")]
    content = (tmp_path / "videos" / summary.receipts[0].file).read_bytes()
    assert 0 < had < SMALL
    assert ranges[0].startswith(f"bytes={had}-")
    assert hashlib.sha256(content).hexdigest() == youtube.control.media(VIDEO).sha256


def test_never_uses_no_cookies_and_needs_no_vault(settings, youtube, run) -> None:
    summary = run(VIDEO, cookies=CookiePolicy.NEVER)

    assert summary.receipts[0].used == "none"
    assert not settings.vault.exists()
    assert {request.session for request in youtube.control.requests()} == {None}


def test_when_needed_uses_cookies_only_for_what_needs_them(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(OTHER, answer="age_gate")

    summary = run(VIDEO, OTHER, cookies=CookiePolicy.WHEN_NEEDED)

    assert {receipt.video_id: receipt.used for receipt in summary.receipts} == {
        VIDEO: "none",
        OTHER: "active",
    }


def test_always_without_a_vault_is_a_clear_error(run) -> None:
    with pytest.raises(NotInitialised) as failure:
        run(VIDEO)

    assert "jarkeeper init" in (failure.value.hint or "")


def test_always_without_a_jar_is_a_clear_error(vault, run) -> None:
    with pytest.raises(NotFound) as failure:
        run(VIDEO)

    assert "jarkeeper import" in (failure.value.hint or "")


def test_a_playlist_is_expanded_and_each_video_fetched_once(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    ids = [f"video{number:06d}" for number in range(5)]
    youtube.control.add_playlist("PLaaaaaaaaaaaaaaaa", ids)

    summary = run("https://www.youtube.com/playlist?list=PLaaaaaaaaaaaaaaaa", ids[0])

    assert {receipt.video_id for receipt in summary.receipts} == set(ids)
    assert summary.downloaded == 5


def test_a_list_that_cannot_be_read_at_first_is_tried_again(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_playlist("PLaaaaaaaaaaaaaaaa", [VIDEO, OTHER])
    youtube.control.fault("list", reset=True, times=4)
    youtube.control.fault("browse", reset=True, times=4)

    summary = run("https://www.youtube.com/playlist?list=PLaaaaaaaaaaaaaaaa")

    assert summary.downloaded == 2
    assert summary.succeeded


def test_a_list_that_never_can_be_read_is_a_failure_with_a_reason(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_playlist("PLaaaaaaaaaaaaaaaa", [VIDEO], fault="unknown")

    summary = run("https://www.youtube.com/playlist?list=PLaaaaaaaaaaaaaaaa")

    (receipt,) = summary.receipts
    assert receipt.outcome is Outcome.FAILED
    assert receipt.explanation


def test_a_destination_that_turns_bad_is_a_local_failure_and_touches_no_slot(
    vault, youtube, settings, tmp_path
) -> None:
    take_in(vault, youtube, "one")
    request = DownloadRequest.of((VIDEO, OTHER), tmp_path / "videos", concurrency=1)

    with Downloader(settings, request) as downloader:
        downloader.prepare()
        done = tmp_path / "videos" / ".jarkeeper" / "done"
        done.rmdir()
        done.write_text("")
        receipt = downloader.attempt(Video(VIDEO))

    assert (receipt.outcome, receipt.failure) == (Outcome.FAILED, "LOCAL")
    assert vault.status("youtube").active.state is SlotState.HEALTHY


def test_a_private_list_with_a_dead_session_falls_over_to_the_backup(vault, youtube, run) -> None:
    liked = ["likedvideo1", "likedvideo2"]
    take_in(vault, youtube, "old", "new", liked=liked)
    youtube.control.expire("new")

    summary = run("https://www.youtube.com/playlist?list=LL")

    assert {receipt.video_id for receipt in summary.receipts if receipt.arrived} == set(liked)
    assert vault.status("youtube").active.state is SlotState.DEAD


def test_hostile_titles_and_uploaders_stay_inside_the_destination(
    vault, youtube, run, tmp_path
) -> None:
    take_in(vault, youtube, "one")
    titles = [
        "../../../../tmp/evil",
        "/etc/cron.d/evil",
        "a\x00b\x1b[31m\nred",
        "%(id)s %(cookies)s %s",
        "CON",
        ".hidden",
        "-rf",
        "\u202egpj.exe",
        "💀" * 300,
        "`id`; $(id) | rm -rf ~",
    ]
    ids = [f"hostile{number:04d}" for number in range(len(titles))]
    for video_id, title in zip(ids, titles, strict=True):
        youtube.control.add_video(video_id, title=title, uploader=title, handle="@../../evil")

    summary = run(*ids)

    files = {path.name for path in (tmp_path / "videos").iterdir() if path.is_file()}
    assert summary.downloaded == len(ids)
    assert files == {receipt.file for receipt in summary.receipts}
    assert {path.name for path in tmp_path.iterdir()} <= {"videos", ".local", ".config"}


def test_a_worker_that_dies_is_started_again_once(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(VIDEO, size=2_000_000)
    youtube.control.fault("media", video_id=VIDEO, bytes_per_second=500_000, times=1)
    killed: list[int] = []

    def kill_once(event: object) -> None:
        if isinstance(event, Progress) and event.received > 0 and not killed:
            killed.extend(workers_of(os.getpid()))
            os.kill(killed[0], signal.SIGKILL)

    summary = run(VIDEO, listener=kill_once)

    assert len(killed) == 1
    assert summary.downloaded == 1


def test_a_worker_that_keeps_dying_is_a_clear_error(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")

    def kill(event: object) -> None:
        if isinstance(event, Lent):
            for pid in workers_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(Exception, match="died twice"):
        run(VIDEO, listener=kill)


def test_the_worker_is_hardened(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    seen: dict[str, object] = {}

    def look(event: object) -> None:
        if isinstance(event, Lent) and not seen:
            (pid,) = workers_of(os.getpid())
            status = Path(f"/proc/{pid}/status").read_text()
            seen["owner"] = Path(f"/proc/{pid}/environ").stat().st_uid
            seen["umask"] = next(line for line in status.splitlines() if line.startswith("Umask"))
            seen["core"] = next(
                line
                for line in Path(f"/proc/{pid}/limits").read_text().splitlines()
                if "core" in line
            ).split()[4]
            seen["environ"] = Path(f"/proc/{pid}/environ").read_bytes()
            seen["argv"] = Path(f"/proc/{pid}/cmdline").read_bytes()

    os.environ["JARKEEPER_TEST_SECRET"] = "must-not-be-passed-on"
    try:
        run(VIDEO, listener=look)
    finally:
        del os.environ["JARKEEPER_TEST_SECRET"]

    assert seen["umask"] == "Umask:\t0077"
    assert seen["core"] == "0"
    assert b"must-not-be-passed-on" not in seen["environ"]
    assert b"-m\0jarkeeper.worker" in seen["argv"]


def test_the_worker_ends_with_its_run(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")

    run(VIDEO)

    assert workers_of(os.getpid()) == []


def test_a_tampered_active_jar_gives_way_to_the_backup(vault, settings, youtube, run) -> None:
    take_in(vault, youtube, "old", "new")
    active = vault.status("youtube").active.generation.id
    sealed = settings.vault / "cookies" / "youtube" / "generations" / active
    content = bytearray(sealed.read_bytes())
    content[-1] ^= 1
    sealed.chmod(0o600)
    sealed.write_bytes(content)
    events: list[object] = []

    summary = run(VIDEO, listener=events.append)

    assert summary.receipts[0].used == "backup"
    assert any(isinstance(event, Withheld) for event in events)


@pytest.mark.parametrize("cookies", [CookiePolicy.ALWAYS, CookiePolicy.WHEN_NEEDED])
def test_a_jar_that_was_opened_too_often_stops_the_run_and_no_other_cookies_step_in(
    vault, youtube, settings, tmp_path, cookies
) -> None:
    take_in(vault, youtube, "old", "new")
    if cookies is CookiePolicy.WHEN_NEEDED:
        youtube.control.set_answer("age_gate")
    use_up_opens(vault)
    youtube.control.clear()
    events: list[object] = []
    ids = tuple(f"video{number:06d}" for number in range(20))
    request = DownloadRequest.of(ids, tmp_path / "videos", cookies=cookies, concurrency=8)

    summary = run_downloads(replace(settings, opens_per_hour=1), request, listener=events.append)

    assert summary.stopped == "the jar was opened as often as its limit for an hour allows"
    assert summary.downloaded == 0
    assert "OPEN_LIMIT" in summary.failures
    assert set(summary.failures) <= {"OPEN_LIMIT", "AGE_GATE"}
    assert summary.skipped >= 20 - 8
    assert any("was opened once since" in notice for notice in summary.notices)
    head = vault.status("youtube")
    assert {item.state for item in head.slots.records()} == {SlotState.HEALTHY}
    assert [event for event in events if isinstance(event, Lent)] == []
    assert {event.use for event in events if isinstance(event, Withheld)} == {"active"}
    if cookies is CookiePolicy.ALWAYS:
        assert youtube.control.requests() == []
    else:
        assert {request.session for request in youtube.control.requests()} == {None}


@pytest.mark.parametrize(
    ("failure", "usable", "stops"),
    [("OPEN_LIMIT", {"active", "none"}, True), ("COOKIE_FORMAT", {"none"}, False)],
)
def test_a_withheld_jar_is_done_without_unless_that_stops_the_run(
    settings, tmp_path, failure, usable, stops
) -> None:
    downloader = Downloader(settings, DownloadRequest.of((VIDEO,), tmp_path / "videos"))
    downloader._circuit.allow([Use.ACTIVE])

    downloader._hear(Withheld("active", "a reason", failure))

    assert downloader._circuit.usable == usable
    assert (downloader.stopped is not None) is stops


def test_a_run_beyond_the_limit_goes_on_and_the_trail_tells(
    vault, youtube, settings, tmp_path
) -> None:
    take_in(vault, youtube, "one")
    use_up_opens(vault)
    request = DownloadRequest.of((VIDEO,), tmp_path / "videos", beyond_limit=True)

    summary = run_downloads(replace(settings, opens_per_hour=1), request)

    lends = [event for event in vault.trail.read() if event.action == "lend"]
    assert summary.receipts[0].used == "active"
    assert [event.detail for event in lends] == ["beyond_limit", "beyond_limit"]


def test_videos_under_way_arrive_although_the_limit_is_reached_meanwhile(
    vault, youtube, settings, tmp_path
) -> None:
    take_in(vault, youtube, "one")
    use_up_opens(vault, hours=(1,))
    ours = replace(settings, opens_per_hour=1, refresh_interval=1)
    request = DownloadRequest.of((VIDEO, OTHER), tmp_path / "videos")

    with Downloader(ours, request) as downloader:
        downloader.prepare()
        first = downloader.attempt(Video(VIDEO))
        time.sleep(1.1)
        second = downloader.attempt(Video(OTHER))
        summary = downloader.finish()

    assert (first.outcome, second.failure) == (Outcome.DOWNLOADED, "OPEN_LIMIT")
    assert summary.stopped is not None


def test_a_worker_gets_nothing_beyond_its_capability(vault, youtube, settings, tmp_path) -> None:
    take_in(vault, youtube, "one")
    start = Start(
        jar="youtube",
        base_head=1,
        until="2026-01-01T00:00:00+00:00",
        beyond_limit=False,
        staging=str(tmp_path),
        quality="best",
        threads=1,
        actor="test",
    )
    youtube.control.clear()
    wrong = {
        "could use it until 2026-01-01 00:00 UTC": start,
        "the newest head is 1, but the run has seen head 9": replace(
            start, base_head=9, until="2099-01-01T00:00:00+00:00"
        ),
    }

    for message, capability in wrong.items():
        with WorkerSession(settings, listener=lambda _: None) as session:
            session.begin(capability)
            with pytest.raises(VaultError, match=message):
                session.fetch(VIDEO, use="active")

    assert youtube.control.requests() == []
    refused = [event for event in vault.trail.read() if event.outcome is not None]
    assert [event.detail for event in refused[-2:]] == ["capability", "rollback"]


def test_a_worker_that_is_never_told_to_begin_ends_in_order(settings) -> None:
    with WorkerSession(settings, listener=lambda _: None) as session:
        pass

    assert session.trouble is None


def test_a_run_that_ends_before_it_began_ends_its_worker(settings, tmp_path) -> None:
    request = DownloadRequest.of((VIDEO,), tmp_path / "videos")

    with pytest.raises(NotInitialised), Downloader(settings, request) as downloader:
        downloader.prepare()

    assert workers_of(os.getpid()) == []


def test_a_failing_audit_stops_the_run_before_any_request(vault, settings, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.clear()
    break_audit(settings)

    with pytest.raises(Exception, match="audit"):
        run(VIDEO)

    assert [r for r in youtube.control.requests() if r.session] == []


def test_a_video_that_another_run_is_downloading_is_waited_for(
    vault, youtube, settings, tmp_path
) -> None:
    take_in(vault, youtube, "one")
    youtube.control.fault("media", bytes_per_second=SMALL, times=1)
    request = DownloadRequest.of((VIDEO,), tmp_path / "videos")
    summaries: list[Summary] = []

    def start() -> None:
        summaries.append(run_downloads(replace(settings, retry_seconds=(1.0, 2.0)), request))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    outcomes = {str(summary.receipts[0].outcome) for summary in summaries}
    assert outcomes == {"downloaded", "already there"}


def test_an_audit_that_fails_at_the_end_is_told(vault, settings, youtube, tmp_path) -> None:
    take_in(vault, youtube, "one")
    request = DownloadRequest.of((VIDEO,), tmp_path / "videos")

    with Downloader(settings, request) as downloader:
        downloader.prepare()
        downloader.attempt(Video(VIDEO))
        break_audit(settings)
        summary = downloader.finish()

    assert summary.downloaded == 1
    assert any("may not have been kept" in notice for notice in summary.notices)


def test_two_runs_at_once_do_not_spoil_each_other(vault, youtube, settings, tmp_path) -> None:
    take_in(vault, youtube, "one", rotate_every=5, grace_seconds=None)
    ids = tuple(f"video{number:06d}" for number in range(6))
    summaries: list[Summary] = []

    def start() -> None:
        request = DownloadRequest.of(ids, tmp_path / "videos")
        summaries.append(run_downloads(replace(settings, retry_seconds=(0.5, 1.0)), request))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    files = [path for path in (tmp_path / "videos").iterdir() if path.is_file()]
    assert len(summaries) == 2
    assert len(files) == 6
    assert all(summary.failed == 0 for summary in summaries)
    assert vault.status("youtube").active.state is SlotState.HEALTHY


def test_the_audit_trail_tells_the_story(vault, youtube, run) -> None:
    take_in(vault, youtube, "old", "new")
    youtube.control.revoke("new")
    youtube.control.add_video(VIDEO, answer="age_gate")

    run(VIDEO)

    events = list(vault.trail.read())
    told = [(str(event.action), str(event.phase)) for event in events]
    assert ("lend", "intent") in told
    assert ("mark", "outcome") in told
    assert ("write-back", "outcome") in told
    assert ("use", "outcome") in told
    assert [event.detail for event in events if event.outcome == "refused"] == ["login_gone"]


@pytest.mark.parametrize("policy", [CookiePolicy.ALWAYS, CookiePolicy.NEVER])
def test_the_audit_trail_tells_how_the_videos_of_a_run_ended(
    vault, youtube, settings, tmp_path, policy
) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(OTHER, answer="private")
    request = DownloadRequest.of((VIDEO, OTHER), tmp_path / "videos", cookies=policy)

    for _ in range(2):  # what is there already is not counted again
        run_downloads(settings, request)

    first, second = (event for event in vault.trail.read() if event.action == "download")
    gone = {"PRIVATE": 1}
    assert (first.jar, first.outcome, dict(first.counts)) == ("youtube", "ok", {"OK": 1} | gone)
    assert dict(second.counts) == gone
    assert first.seconds > 0


def test_a_run_that_cannot_be_put_on_record_says_so(vault, settings, youtube, tmp_path) -> None:
    request = DownloadRequest.of((VIDEO,), tmp_path / "videos", cookies=CookiePolicy.NEVER)
    (settings.vault / "audit").rename(settings.vault / "elsewhere")
    (settings.vault / "audit").touch()

    summary = run_downloads(settings, request)

    assert summary.downloaded == 1
    assert any("not on record in the audit trail" in notice for notice in summary.notices)


def test_a_long_run_notices_cookies_that_were_imported_meanwhile(
    vault, settings, youtube, tmp_path
) -> None:
    take_in(vault, youtube, "old")
    request = DownloadRequest.of((VIDEO, OTHER), tmp_path / "videos")

    with Downloader(replace(settings, refresh_interval=1), request) as downloader:
        downloader.prepare()
        first = downloader.attempt(Video(VIDEO))
        take_in(vault, youtube, "new")
        time.sleep(1.1)
        second = downloader.attempt(Video(OTHER))

    assert first.generation != second.generation
    assert second.generation == vault.status("youtube").active.generation.id


def test_a_run_does_nothing_more_with_a_login_that_others_found_dead(
    vault, youtube, settings, tmp_path
) -> None:
    take_in(vault, youtube, "one")
    request = DownloadRequest.of((VIDEO, OTHER), tmp_path / "videos")
    youtube.control.add_video(OTHER, answer="age_gate")

    with Downloader(settings, request) as downloader:
        downloader.prepare()
        first = downloader.attempt(Video(VIDEO))
        youtube.control.clear()
        vault.mark("youtube", first.generation, SlotState.DEAD, reason="PROBE")
        time.sleep(WATCH_SECONDS + 1)
        second = downloader.attempt(Video(OTHER))

    assert (first.used, second.outcome) == ("active", Outcome.PUT_OFF)
    assert {request.session for request in youtube.control.requests()} == {None}


def test_marks_reach_the_listener(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.revoke("one")
    events: list[object] = []

    run(VIDEO, listener=events.append)

    assert [event.state for event in events if isinstance(event, Marked)] == ["dead"]


def test_a_run_begins_with_the_sweep_of_what_a_killed_one_left(
    vault, youtube, settings, tmp_path
) -> None:
    take_in(vault, youtube, "one")
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    left = tmp_path / "temp" / f"jarkeeper-{gone.pid}-left"
    left.mkdir(mode=0o700, parents=True)
    request = DownloadRequest.of((VIDEO,), tmp_path / "videos")

    summary = run_downloads(replace(settings, temp_dir=left.parent), request)

    assert summary.downloaded == 1
    assert list(left.parent.iterdir()) == []


def use_up_opens(vault: Vault, *, hours: tuple[int, ...] = (0, 1)) -> None:
    """Take the first permit of this hour and of the next, as the test may run from one to other."""
    for hour in hours:
        window = window_of(datetime.now(UTC) + timedelta(hours=hour))
        assert vault.ports.store.put_if_absent(permit_key("youtube", window, 1), b"taken")


def break_audit(settings: Settings) -> None:
    """Put a file where today's audit folder and every other one would have to be."""
    audit = settings.vault / "audit"
    audit.rename(settings.vault / "audit-before")
    audit.write_text("")


def workers_of(parent: int) -> list[int]:
    """Return the process ids of a process's workers."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            status = (folder / "status").read_text()
            argv = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if f"PPid:\t{parent}\n" in status and b"jarkeeper.worker" in argv:
            found.append(int(folder.name))
    return found


def test_what_needs_a_dead_session_is_put_off_and_what_does_not_arrives(
    vault, youtube, run, settings
) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(OTHER, answer="age_gate")
    youtube.control.revoke("one")

    first = run(VIDEO, OTHER)
    youtube.control.clear()
    second = run(OTHER)
    asked = {request.session for request in youtube.control.requests()}
    take_in(vault, youtube, "fresh")
    third = run(OTHER)

    assert {one.video_id: one.outcome for one in first.receipts} == {
        VIDEO: Outcome.DOWNLOADED,
        OTHER: Outcome.PUT_OFF,
    }
    assert (first.put_off, first.failed, first.succeeded, first.failures) == (1, 0, False, {})
    assert (second.put_off, asked) == (1, {None})
    assert third.downloaded == 1


def test_without_cookies_by_choice_or_during_a_rest_nothing_is_put_off(vault, youtube, run) -> None:
    take_in(vault, youtube, "one")
    youtube.control.add_video(VIDEO, answer="age_gate")
    generation = vault.status("youtube").active.generation.id
    vault.mark("youtube", generation, SlotState.DEAD, reason="x")

    never = run(VIDEO, cookies=CookiePolicy.NEVER)

    assert (never.failed, never.put_off) == (1, 0)


def test_a_worker_that_holds_a_revoked_jar_ends_at_once_and_goes_on_with_what_is_left(
    vault, youtube, settings, tmp_path
) -> None:
    take_in(vault, youtube, "old", "stolen")
    youtube.control.fault("media", video_id=VIDEO, stall_after=50_000, stall_seconds=60, times=1)
    stolen = vault.status("youtube").active.generation.id
    request = DownloadRequest.of((VIDEO,), tmp_path / "videos")

    def revoke_once_it_hangs() -> None:
        while not youtube.control.requests(endpoint="media", video_id=VIDEO):
            time.sleep(0.05)
        vault.revoke("youtube", stolen)
        vault.promote("youtube")

    operator = threading.Thread(target=revoke_once_it_hangs)
    operator.start()
    began = time.monotonic()
    summary = run_downloads(settings, request)
    operator.join()

    (receipt,) = summary.receipts
    assert receipt.outcome is Outcome.DOWNLOADED
    assert receipt.generation != stolen
    assert time.monotonic() - began < 40  # the stall alone lasts a minute
    last = [event for event in vault.trail.read() if event.generation == stolen][-1]
    assert last.action == "use"
