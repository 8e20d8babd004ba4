from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from standin.control import Control
from standin.server import StandIn
from standin.viewer import look

TESTS = Path(__file__).parents[1]
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""yt-dlp leaves connections of refused requests open; here it runs in our own process."""

VIDEO = "abcdefghijk"
MEDIA_HOST = "rr1---sn-standin.googlevideo.com"
SIZE = 1 << 20


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_a_status_on_the_player_stands_in_a_warning_only(yt: StandIn, status: int) -> None:
    yt.control.fault("player", status=status)

    outcome = look(yt.proxy_url, VIDEO)

    assert "no video formats found" in outcome.text
    assert f"http error {status}" in outcome.warned


def test_429_on_everything_leaves_no_player_response(yt: StandIn) -> None:
    yt.control.fault(status=429)

    outcome = look(yt.proxy_url, VIDEO)

    assert "failed to extract any player response" in outcome.text
    assert "http error 429" in outcome.warned


def test_429_on_the_watch_page_alone_does_no_harm(yt: StandIn) -> None:
    yt.control.fault("watch", status=429)

    assert look(yt.proxy_url, VIDEO).error is None


@pytest.mark.parametrize("status", [403, 429])
def test_a_status_on_media_ends_the_download(yt: StandIn, tmp_path: Path, status: int) -> None:
    yt.control.fault("media", status=status)

    outcome = look(yt.proxy_url, VIDEO, folder=tmp_path, retries=3)

    assert f"unable to download video data: http error {status}" in outcome.text
    assert len(yt.control.requests("media")) == 1


def test_malformed_json_is_survived(yt: StandIn) -> None:
    yt.control.fault("player", malformed=True)

    outcome = look(yt.proxy_url, VIDEO)

    assert "no video formats found" in outcome.text
    assert "failed to parse json" in outcome.warned


def test_a_cut_body_leaves_a_part_that_the_next_run_resumes(yt: StandIn, tmp_path: Path) -> None:
    yt.control.fault("media", cut_after=300_000, times=1)

    broken = look(yt.proxy_url, VIDEO, folder=tmp_path)
    kept = (tmp_path / f"{VIDEO}.mp4.part").stat().st_size
    resumed = look(yt.proxy_url, VIDEO, folder=tmp_path)

    content = (tmp_path / f"{VIDEO}.mp4").read_bytes()
    assert "more expected" in broken.text
    assert 0 < kept <= 300_000
    assert resumed.error is None
    assert str(yt.control.requests("media")[-1].range).startswith(f"bytes={kept}-")
    assert hashlib.sha256(content).hexdigest() == yt.control.media(VIDEO).sha256


def test_a_stalled_body_times_out_and_is_resumed(yt: StandIn, tmp_path: Path) -> None:
    yt.control.fault("media", stall_after=300_000, times=1)

    started = time.monotonic()
    outcome = look(yt.proxy_url, VIDEO, folder=tmp_path, socket_timeout=0.5, retries=1)

    content = (tmp_path / f"{VIDEO}.mp4").read_bytes()
    assert outcome.error is None
    assert 0.5 < time.monotonic() - started < 10
    assert hashlib.sha256(content).hexdigest() == yt.control.media(VIDEO).sha256


def test_a_reset_is_an_error_of_the_network(yt: StandIn, tmp_path: Path) -> None:
    yt.control.fault("media", reset=True)

    outcome = look(yt.proxy_url, VIDEO, folder=tmp_path)

    assert "unable to download video data" in outcome.text or "connection" in outcome.text


def test_a_reset_in_mid_body_leaves_a_part(yt: StandIn, tmp_path: Path) -> None:
    yt.control.fault("media", reset=True, cut_after=500_000)

    outcome = look(yt.proxy_url, VIDEO, folder=tmp_path)

    assert outcome.error is not None
    assert 0 < (tmp_path / f"{VIDEO}.mp4.part").stat().st_size <= 500_000


def test_a_reset_is_a_reset_on_the_wire(yt: StandIn) -> None:
    yt.control.fault("media", reset=True, cut_after=500_000)
    request = f"GET http://{MEDIA_HOST}/videoplayback?id={VIDEO}&itag=18 HTTP/1.1\r\n\r\n"

    with socket.create_connection(("127.0.0.1", yt.port)) as plain:
        plain.sendall(request.encode())
        with pytest.raises(ConnectionResetError):
            while plain.recv(65536):
                pass


def test_a_throttled_body_takes_its_time(yt: StandIn, tmp_path: Path) -> None:
    yt.control.fault("media", bytes_per_second=2 << 20)

    started = time.monotonic()
    outcome = look(yt.proxy_url, VIDEO, folder=tmp_path)

    assert outcome.error is None
    assert 0.4 < time.monotonic() - started < 3


def test_latency_delays_every_answer(yt: StandIn, tmp_path: Path) -> None:
    yt.control.set_latency(100)

    started = time.monotonic()
    look(yt.proxy_url, VIDEO, folder=tmp_path)

    assert 0.3 < time.monotonic() - started < 3


def test_a_fault_hits_what_it_names_and_as_often_as_it_says(yt: StandIn, tmp_path: Path) -> None:
    yt.control.fault("media", video_id=VIDEO, status=403, skip=1, times=1)

    def error(video_id: str) -> str:
        return look(yt.proxy_url, video_id, folder=tmp_path, overwrites=True).text

    assert error(VIDEO) == ""
    assert "403" in error(VIDEO)
    assert error("kjihgfedcba") == ""
    assert error(VIDEO) == ""


def test_a_fault_can_be_for_one_session(yt: StandIn) -> None:
    jars = {name: yt.control.new_session(name) for name in ("active", "backup")}
    yt.control.fault("player", session="active", status=403)

    outcomes = {name: look(yt.proxy_url, VIDEO, cookies=jar) for name, jar in jars.items()}

    assert outcomes["active"].error is not None
    assert outcomes["backup"].error is None


def test_a_fault_can_be_lifted(yt: StandIn) -> None:
    first = yt.control.fault("player", status=403)
    yt.control.fault("watch", status=403)

    yt.control.clear_faults(first)

    assert look(yt.proxy_url, VIDEO).error is None
    yt.control.clear()
    assert yt.control.requests() == []


def media(yt: StandIn, range_header: str | None) -> tuple[int, str | None, bytes]:
    context = ssl.create_default_context(cafile=yt.ca_file)
    connection = http.client.HTTPSConnection("127.0.0.1", yt.port, context=context)
    headers = {"Host": MEDIA_HOST} | ({"Range": range_header} if range_header else {})
    connection.request("GET", f"/videoplayback?id={VIDEO}&itag=18", headers=headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.getheader("Content-Range"), content


def test_ranges_are_parts_of_one_whole(yt: StandIn) -> None:
    status, _, whole = media(yt, None)

    parts = [media(yt, f"bytes={start}-{start + 99_999}") for start in range(0, SIZE, 100_000)]

    assert status == 200
    assert len(whole) == SIZE
    assert hashlib.sha256(whole).hexdigest() == yt.control.media(VIDEO).sha256
    assert b"".join(content for _, _, content in parts) == whole
    assert parts[0][:2] == (206, f"bytes 0-99999/{SIZE}")
    assert media(yt, "bytes=1000000-") == (206, f"bytes 1000000-{SIZE - 1}/{SIZE}", whole[10**6 :])
    assert media(yt, f"bytes={SIZE}-")[0] == 416


def test_a_small_piece_of_half_a_gibibyte_comes_at_once(yt: StandIn) -> None:
    yt.control.add_video(VIDEO, size=500 << 20)

    _, shown, content = media(yt, "bytes=524287000-524287099")

    assert shown == "bytes 524287000-524287099/524288000"
    assert len(content) == 100


def start_process(*arguments: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "standin", *arguments],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_module_serves_another_process_until_it_is_told_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_file, ca_file = tmp_path / "state.json", tmp_path / "ca.pem"
    with start_process("--state-file", str(state_file), "--ca-file", str(ca_file)) as process:
        assert process.stdout
        state = json.loads(process.stdout.readline())
        monkeypatch.setenv("SSL_CERT_FILE", state["ca_file"])
        control = Control(state["control_url"])
        cookies = control.new_session("owner")

        outcome = look(state["proxy_url"], VIDEO, cookies=cookies, folder=tmp_path)
        written = json.loads(state_file.read_text())
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert outcome.error is None
    assert control is not None
    assert state == written
    assert state["ca_file"] == str(ca_file)
    assert state["pid"] == process.pid
    assert code == 0
    assert not state_file.exists()


def test_the_module_ends_with_its_parent_if_asked() -> None:
    with start_process("--end-with-stdin", stdin=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdin
        state = json.loads(process.stdout.readline())
        Control(state["control_url"]).ping()

        process.stdin.close()

        assert process.wait(10) == 0


def test_the_stand_in_stops_though_clients_are_idle_or_stalled() -> None:
    with StandIn() as yt:
        idle = http.client.HTTPConnection("127.0.0.1", yt.port)
        idle.request("POST", "/control/ping", "{}")
        idle.getresponse().read()
        yt.control.fault("media", stall_after=1000)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": yt.proxy_url}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=yt.ca_file)),
        )
        url = f"https://{MEDIA_HOST}/videoplayback?id={VIDEO}&itag=18"
        response = opener.open(url)
        response.read(1000)
        started = time.monotonic()

    assert time.monotonic() - started < 2
    response.close()
    idle.close()
