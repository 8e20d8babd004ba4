from __future__ import annotations

import hashlib
import json
import socket
import ssl
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from standin.control import ControlError
from standin.server import StandIn
from standin.viewer import look

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""yt-dlp leaves connections of refused requests open; here it runs in our own process."""

VIDEO = "abcdefghijk"
ROTATED = "cookies are no longer valid"


def endpoints(yt: StandIn) -> list[str]:
    return [request.endpoint for request in yt.control.requests()]


def test_an_anonymous_download_takes_three_requests_and_is_complete(
    yt: StandIn, tmp_path: Path
) -> None:
    outcome = look(yt.proxy_url, VIDEO, folder=tmp_path)

    content = (tmp_path / f"{VIDEO}.mp4").read_bytes()
    facts = yt.control.media(VIDEO)
    assert outcome.error is None
    assert outcome.warnings == []
    assert endpoints(yt) == ["watch", "player", "media"]
    assert (len(content), hashlib.sha256(content).hexdigest()) == (facts.size, facts.sha256)


def test_a_signed_in_download_takes_five_requests_that_bring_the_session(
    yt: StandIn, tmp_path: Path
) -> None:
    cookies = yt.control.new_session("owner")

    outcome = look(yt.proxy_url, VIDEO, cookies=cookies, folder=tmp_path)

    seen = yt.control.requests()
    assert outcome.warnings == []
    assert endpoints(yt) == ["watch", "embed", "player", "player", "media"]
    assert [request.session for request in seen] == ["owner"] * 4 + [None]
    assert seen[-1].range
    assert seen[-1].range.startswith("bytes=0-")


def test_separate_streams_are_merged_by_ffmpeg(yt: StandIn, tmp_path: Path) -> None:
    yt.control.add_video(VIDEO, separate=True, heights=(360, 1080), size=2 << 20)

    outcome = look(yt.proxy_url, VIDEO, folder=tmp_path)

    probe = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-i", tmp_path / f"{VIDEO}.mp4"],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    assert outcome.info
    assert outcome.info["format_id"] == "137+140"
    assert "Video: h264" in probe
    assert "Audio: aac" in probe


@pytest.mark.parametrize("separate", [False, True])
def test_a_quality_can_be_chosen(yt: StandIn, separate: bool) -> None:
    yt.control.add_video(VIDEO, separate=separate, heights=(360, 720, 1080))

    outcome = look(yt.proxy_url, VIDEO, format="bv*[height<=720]+ba/b[height<=720]")

    assert outcome.info
    assert outcome.info["height"] == 720


def test_a_jar_that_is_rotated_in_use_comes_back_fresh(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", rotate_every=2, grace_seconds=0, canary="CANARY")

    first = look(yt.proxy_url, VIDEO, cookies=cookies)

    report = yt.control.session("owner")
    assert first.warnings == []
    assert report.rotations == 2
    assert first.cookies["LOGIN_INFO"] == report.values["LOGIN_INFO"]
    assert report.values["LOGIN_INFO"] not in cookies
    assert report.values["LOGIN_INFO"].startswith("CANARY-")


def test_an_outdated_jar_dies_when_the_old_values_have_no_grace(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", grace_seconds=0)
    yt.control.rotate("owner")

    outdated = look(yt.proxy_url, VIDEO, cookies=cookies)
    fresh = look(yt.proxy_url, VIDEO, cookies=yt.control.cookies("owner"))

    assert ROTATED in outdated.warned
    assert fresh.warnings == []


def test_an_outdated_jar_lives_on_while_the_old_values_have_grace(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", grace_seconds=60)
    yt.control.rotate("owner")

    outcome = look(yt.proxy_url, VIDEO, cookies=cookies)

    assert outcome.warnings == []
    assert yt.control.session("owner").requests == 4


def test_a_revoked_jar_still_gets_a_public_video_and_a_warning(yt: StandIn, tmp_path: Path) -> None:
    cookies = yt.control.new_session("owner")
    yt.control.revoke("owner")

    outcome = look(yt.proxy_url, VIDEO, cookies=cookies, folder=tmp_path)

    assert outcome.error is None
    assert ROTATED in outcome.warned
    assert "likely been rotated" in outcome.warned
    assert "LOGIN_INFO" not in outcome.cookies
    assert (tmp_path / f"{VIDEO}.mp4").stat().st_size == 1 << 20


def test_a_session_that_dies_in_the_middle_of_a_video_is_noticed(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", dies_after=2)

    outcome = look(yt.proxy_url, VIDEO, cookies=cookies)

    report = yt.control.session("owner")
    assert ROTATED in outcome.warned
    assert (report.state, report.requests, report.refused) == ("revoked", 2, 1)


def test_a_jar_that_expired_by_its_own_dates_is_not_sent(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", expires_in=-60)

    outcome = look(yt.proxy_url, VIDEO, cookies=cookies)

    assert outcome.error is None
    assert {request.session for request in yt.control.requests()} == {None}


def test_a_session_that_expired_silently_looks_alive_and_sees_nothing_private(
    yt: StandIn,
) -> None:
    cookies = yt.control.new_session("owner", liked=[VIDEO])
    yt.control.expire("owner")

    public = look(yt.proxy_url, VIDEO, cookies=cookies)
    liked = look(yt.proxy_url, "https://www.youtube.com/playlist?list=LL", cookies=cookies)

    assert public.error is None
    assert ROTATED not in public.warned
    assert "LOGIN_INFO" in public.cookies
    assert "the playlist does not exist" in liked.text


def test_cookies_without_the_right_sapisid_sign_nobody_in(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner")
    key = yt.control.session("owner").values["SAPISID"]

    look(yt.proxy_url, VIDEO, cookies=cookies.replace(key, "forged"))

    assert {request.session for request in yt.control.requests()} == {None}


def test_a_jar_of_a_session_that_nobody_knows_is_dead(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner")
    yt.control.new_session("owner")

    outcome = look(yt.proxy_url, VIDEO, cookies=cookies)

    assert ROTATED in outcome.warned


def test_an_export_holds_the_foreign_rows_that_were_asked_for(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", foreign_rows=30, canary="CANARY")

    rows = [line.split("\t") for line in cookies.splitlines() if line.count("\t") == 6]
    domains = [row[0].removeprefix("#HttpOnly_") for row in rows]
    assert domains.count(".google.com") == 10
    assert domains.count(".example.com") == 20
    login = next(row for row in rows if row[5] == "LOGIN_INFO")
    assert login[0] == "#HttpOnly_.youtube.com"
    assert login[6].startswith("CANARY-")


def test_two_sessions_do_not_mix(yt: StandIn) -> None:
    jars = {name: yt.control.new_session(name) for name in ("active", "backup")}

    for jar in jars.values():
        look(yt.proxy_url, VIDEO, cookies=jar)

    assert [yt.control.session(name).requests for name in jars] == [4, 4]


HOSTILE = [
    "../../../etc/passwd",
    'a/b\\c:d*e?f"g<h>i|j',
    "nul\x00 bell\x07 escape\x1b[31m newline\n tab\t",
    "right-to-left \u202egpj.exe",
    "</script><script>alert(1)</script> }); &amp;",
    "emoji 👩‍👩‍👧 combining é" + "\u0301" * 50,
    "lone surrogate \ud800 end",
    "CON",
    "." * 300,
    "名" * 500,
    "%(id)s %(title)s $HOME `id`",
]  # fmt: skip


@pytest.mark.parametrize("title", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_titles_arrive_unchanged(yt: StandIn, title: str) -> None:
    yt.control.add_video(VIDEO, title=title, uploader=title)

    outcome = look(yt.proxy_url, VIDEO)

    assert outcome.info
    assert outcome.info["title"] == title
    assert outcome.info["uploader"] == title


def test_a_title_cannot_end_the_script_it_stands_in(yt: StandIn) -> None:
    yt.control.add_video(VIDEO, title="</script><script>alert(1)")

    with socket.create_connection(("127.0.0.1", yt.port)) as plain:
        plain.sendall(f"GET http://www.youtube.com/watch?v={VIDEO} HTTP/1.1\r\n\r\n".encode())
        page = plain.recv(65536)

    assert page.startswith(b"HTTP/1.1 200")
    assert b"alert(1)" in page
    assert b"<script>alert" not in page


def test_a_playlist_is_continued_page_by_page(yt: StandIn) -> None:
    ids = [f"list{number:07}" for number in range(25)]
    yt.control.add_playlist("PLstandin00001", ids, title="Twenty-five")
    yt.control.set_pages(playlist=10)

    outcome = look(
        yt.proxy_url, "https://www.youtube.com/playlist?list=PLstandin00001", extract_flat=True
    )

    assert outcome.info
    assert [entry["id"] for entry in outcome.info["entries"]] == ids
    assert outcome.info["title"] == "Twenty-five"
    assert endpoints(yt) == ["list", "browse", "browse", "browse"]


def test_a_channel_is_continued_page_by_page(yt: StandIn) -> None:
    ids = [f"chan{number:07}" for number in range(25)]
    channel_id = yt.control.add_channel("@somebody", ids, title="Somebody")
    yt.control.set_pages(channel=10)

    for url in (
        "https://www.youtube.com/@somebody",
        f"https://www.youtube.com/channel/{channel_id}",
    ):
        outcome = look(yt.proxy_url, url, extract_flat=True)

        assert outcome.info
        assert [entry["id"] for entry in outcome.info["entries"]] == ids
        assert outcome.info["channel_id"] == channel_id


def test_private_lists_are_there_for_their_owner_alone(yt: StandIn) -> None:
    owner = yt.control.new_session("owner", liked=[VIDEO], watch_later=["later000000"])
    other = yt.control.new_session("other")
    yt.control.add_playlist("PLprivate00001", [VIDEO], private_to=["owner"])

    def titles(list_id: str, cookies: str | None) -> list[str] | str:
        url = f"https://www.youtube.com/playlist?list={list_id}"
        outcome = look(yt.proxy_url, url, cookies=cookies, extract_flat=True)
        return [e["id"] for e in outcome.info["entries"]] if outcome.info else outcome.text

    assert titles("LL", owner) == [VIDEO]
    assert titles("WL", owner) == ["later000000"]
    assert titles("PLprivate00001", owner) == [VIDEO]
    assert titles("LL", other) == []
    for list_id, cookies in (("LL", None), ("WL", None), ("PLprivate00001", other)):
        assert "the playlist does not exist" in titles(list_id, cookies)


def test_thumbnail_and_subtitles_are_written(yt: StandIn, tmp_path: Path) -> None:
    yt.control.add_video(VIDEO, subtitles=["en", "de"])

    outcome = look(
        yt.proxy_url,
        VIDEO,
        folder=tmp_path,
        writethumbnail=True,
        writesubtitles=True,
        subtitleslangs=["de"],
        subtitlesformat="vtt",
    )

    assert outcome.error is None
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{VIDEO}.de.vtt",
        f"{VIDEO}.jpg",
        f"{VIDEO}.mp4",
    ]


def test_a_live_broadcast_has_a_manifest_that_ends(yt: StandIn, tmp_path: Path) -> None:
    yt.control.add_video(VIDEO, answer="live")

    outcome = look(yt.proxy_url, VIDEO, folder=tmp_path)

    assert outcome.error is None
    assert outcome.info
    assert outcome.info["live_status"] == "is_live"
    assert (tmp_path / f"{VIDEO}.mp4").stat().st_size > 10_000


def test_strict_mode_knows_only_what_was_added(yt: StandIn) -> None:
    yt.control.strict()
    yt.control.add_video("known000000", title="Known")

    known, unknown = look(yt.proxy_url, "known000000"), look(yt.proxy_url, VIDEO)

    assert known.info
    assert known.info["title"] == "Known"
    assert "this video is not available" in unknown.text


def test_the_certificate_is_verified(yt: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    outcome = look(yt.proxy_url, VIDEO)

    assert "certificate_verify_failed" in (outcome.text + outcome.warned)


def test_tls_without_a_proxy_is_answered_too(yt: StandIn) -> None:
    context = ssl.create_default_context(cafile=yt.ca_file)

    with (
        socket.create_connection(("127.0.0.1", yt.port)) as plain,
        context.wrap_socket(plain, server_hostname="www.youtube.com") as secure,
    ):
        secure.sendall(f"GET /watch?v={VIDEO} HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n".encode())
        answer = secure.recv(4096)

    assert answer.startswith(b"HTTP/1.1 200")


def test_calls_that_make_no_sense_are_refused_with_a_reason(yt: StandIn) -> None:
    for call, reason in (
        (lambda: yt.control.add_video("short"), "11 letters"),
        (lambda: yt.control.set_answer("nonsense"), "expected one of"),
        (lambda: yt.control.fault("nonsense"), "endpoint 'nonsense'"),
        (lambda: yt.control.session("nobody"), "session 'nobody'"),
        (lambda: yt.control.update_session("nobody", state="odd"), "state 'odd'"),
    ):
        with pytest.raises(ControlError, match=reason):
            call()


def test_the_log_is_plain_data(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", canary="CANARY")

    look(yt.proxy_url, VIDEO, cookies=cookies)

    assert "CANARY" not in json.dumps([repr(entry) for entry in yt.control.requests()])
    assert "CANARY" not in repr(yt.control.session("owner"))
