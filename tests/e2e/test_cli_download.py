"""The command `jarkeeper`, as processes of its own, against the stand-in: what a user sees."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jarkeeper.names import permit_key, window_of
from jarkeeper.settings import Settings
from jarkeeper.wiring import open_vault
from standin.server import StandIn

CANARY = "canary-7f3a"
VIDEO, OTHER, PRIVATE = "dQw4w9WgXcQ", "aaaaaaaaaaa", "private0000"
PLAYLIST = "PLaaaaaaaaaaaaaaaa"
SMALL = 200_000

Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def environment(settings: Settings, tmp_path: Path) -> dict[str, str]:
    paths = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm"}
    return paths | settings.environment()


@pytest.fixture
def jarkeeper(environment: dict[str, str], tmp_path: Path) -> Callable[..., Ended]:
    """Run a command in `tmp_path` to its end."""

    def run(*words: str, text: str = "") -> Ended:
        return subprocess.run(
            [sys.executable, "-m", "jarkeeper", *words],
            cwd=tmp_path,
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def ready(jarkeeper: Callable[..., Ended], youtube: StandIn, tmp_path: Path) -> None:
    """A vault with one login in it, and a video."""
    youtube.control.set_size(SMALL)
    youtube.control.add_video(VIDEO, title="A song", size=SMALL)
    youtube.control.add_video(PRIVATE, title="Secret", answer="private")
    (tmp_path / "cookies.txt").write_text(youtube.control.new_session("one", canary=CANARY))
    assert jarkeeper("init").returncode == 0
    assert jarkeeper("import", "cookies.txt").returncode == 0


def test_from_a_cookie_file_to_a_video_and_its_audit_trail(jarkeeper, youtube, tmp_path):
    youtube.control.add_video(VIDEO, title="A song", size=SMALL)
    text = youtube.control.new_session("one", canary=CANARY)

    ended = [
        jarkeeper("init"),
        jarkeeper("import", "-", text=text),
        jarkeeper("download", VIDEO),
        jarkeeper("status"),
        jarkeeper("validate"),
        jarkeeper("check"),
        jarkeeper("audit"),
        jarkeeper("audit", "verify"),
    ]

    assert [end.returncode for end in ended] == [0] * 8, [end.stderr for end in ended]
    assert (tmp_path / "downloads" / f"A song [{VIDEO}].mp4").stat().st_size == SMALL
    actions = [line.split()[2] for line in ended[6].stdout.splitlines() if line[:2] == "20"]
    assert actions[:3] == ["init", "import", "lend"]
    assert "ok: intact" in ended[7].stdout
    assert CANARY not in "".join(end.stdout + end.stderr for end in ended)


def test_the_trail_is_proved_to_somebody_who_has_nothing_of_ours(ready, jarkeeper, tmp_path):
    note = tmp_path / "kept.note"
    note.write_text(jarkeeper("audit", "checkpoint").stdout, "utf-8")
    jarkeeper("download", VIDEO)
    event = jarkeeper("audit", "--ids").stdout.splitlines()[-1].split()[-1]
    jarkeeper("audit", "checkpoint")
    proof = tmp_path / "event.tlog-proof"
    proof.write_text(jarkeeper("audit", "prove", event).stdout, "utf-8")
    key = jarkeeper("audit", "key").stdout.strip()

    script = Path(__file__).parents[2] / "docs" / "check_proof.py"
    checked = subprocess.run(
        [sys.executable, script, proof, key], capture_output=True, text=True, check=False
    )
    verified = jarkeeper("audit", "verify", "--witness", str(note))

    assert checked.stdout.startswith("proved: leaf "), checked.stderr
    assert verified.returncode == 0, verified.stderr
    assert "1 witness agreed" in verified.stdout
    events = tmp_path.glob("**/audit/dt=*/*/*.jsonl")
    next(event for event in events if '"action":"init"' in event.read_text()).unlink()
    assert jarkeeper("audit", "verify", "--witness", str(note)).returncode == 3


def test_in_a_pipe_each_finished_video_is_one_line(ready, jarkeeper):
    ended = jarkeeper("download", VIDEO, PRIVATE, "--to", "there")

    arrived, failed = sorted(ended.stdout.splitlines())
    assert ended.returncode == 1
    assert arrived == f"downloaded     {VIDEO}  195.3 KiB  there/A song [{VIDEO}].mp4"
    assert failed == f"failed         {PRIVATE}  PRIVATE: the video is private"
    assert "cookies: active jar: cookies valid for another" in ended.stderr
    assert "failed: the video is private, 1 video\n  next: " in ended.stderr
    assert "1 downloaded, 1 failed" in ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr


def test_a_machine_gets_the_summary_as_one_document(ready, jarkeeper):
    ended = jarkeeper("download", "--json", VIDEO)

    summary = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert (summary["downloaded"], summary["uses"]) == (1, {"active": 1})
    assert summary["receipts"][0]["file"] == f"A song [{VIDEO}].mp4"


@pytest.mark.parametrize(
    "words",
    [
        ["init"],
        ["status"],
        ["validate", "--offline"],
        ["check"],
        ["audit", "verify"],
        ["audit", "key"],
    ],
    ids=" ".join,
)
def test_every_command_prints_one_document(words, ready, jarkeeper):
    ended = jarkeeper(*words, "--json")

    assert isinstance(json.loads(ended.stdout), dict)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_import_is_told_to_machines_without_a_cookie(ready, jarkeeper):
    ended = jarkeeper("import", "--json", "cookies.txt")

    receipt = json.loads(ended.stdout)
    assert receipt["jar"] == "youtube"
    assert [slot["slot"] for slot in receipt["slots"]] == ["active", "backup"]
    assert CANARY not in ended.stdout


def test_quiet_says_nothing_where_all_is_well(ready, jarkeeper):
    ended = jarkeeper("download", "-q", VIDEO)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_quiet_says_what_went_wrong(ready, jarkeeper):
    ended = jarkeeper("download", "-q", VIDEO, PRIVATE)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"failed         {PRIVATE}" in ended.stderr
    assert VIDEO not in ended.stderr


def test_a_list_is_read_from_standard_input(ready, jarkeeper):
    listed = f"\ufeff# my list\n\n  https://youtu.be/{VIDEO}  \n# {PRIVATE}\n{OTHER}\n"

    ended = jarkeeper("download", "--from-file", "-", text=listed)

    assert ended.returncode == 0
    assert {line.split()[1] for line in ended.stdout.splitlines()} == {VIDEO, OTHER}


def test_what_is_there_is_not_fetched_again(ready, jarkeeper):
    jarkeeper("download", VIDEO)

    again = jarkeeper("download", VIDEO)

    assert again.returncode == 0
    assert again.stdout.startswith(f"already there  {VIDEO}")


def test_a_stopped_run_has_an_exit_code_of_its_own(ready, jarkeeper, youtube):
    youtube.control.set_answer("bot_check")

    ended = jarkeeper("download", VIDEO, "--json")

    assert ended.returncode == 4
    assert json.loads(ended.stdout)["stopped"]


def test_a_dead_login_is_told_by_validate(ready, jarkeeper, youtube):
    youtube.control.revoke("one")
    jarkeeper("download", VIDEO)

    validated, status = jarkeeper("validate"), jarkeeper("status")

    assert validated.returncode == 1
    assert "critical: YouTube ended this login" in validated.stdout
    assert re.search(r"^active +dead ", status.stdout, re.MULTILINE)
    assert "next     export fresh cookies" in status.stdout


def test_without_a_vault_nothing_is_asked_of_youtube(jarkeeper, youtube):
    ended = jarkeeper("download", VIDEO, "--json")

    assert ended.returncode == 3
    assert json.loads(ended.stdout)["hint"].startswith("run `jarkeeper init`, or")
    assert "jarkeeper: error: vault" in ended.stderr
    assert youtube.control.requests() == []


def test_a_jar_that_was_opened_too_often_ends_with_4_and_goes_on_when_told_to(
    ready, jarkeeper, environment, settings
):
    environment["COOKIE_OPENS_PER_HOUR"] = "1"
    store = open_vault(settings).ports.store
    for hours in (0, 1):
        window = window_of(datetime.now(UTC) + timedelta(hours=hours))
        store.put_if_absent(permit_key("youtube", window, 1), b"taken")

    refused = jarkeeper("download", VIDEO)
    told = jarkeeper("download", VIDEO, "--beyond-limit")
    trail = jarkeeper("audit")

    assert refused.returncode == 4
    assert "was opened once since" in refused.stderr
    assert "--beyond-limit" in refused.stderr
    assert told.returncode == 0
    assert "rate" in trail.stdout
    assert "beyond_limit" in trail.stdout


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["https://example.org/watch?v=dQw4w9WgXcQ"],
        ["file:///etc/passwd"],
        ["--quality", "9999p", VIDEO],
        ["--concurrency", "0", VIDEO],
        ["--jar", "../x", VIDEO],
        ["--from-file", "nowhere.txt"],
    ],
    ids=" ".join,
)
def test_bad_input_is_refused_before_any_request(words, ready, jarkeeper, youtube):
    youtube.control.clear()

    ended = jarkeeper("download", *words)

    assert ended.returncode == 2
    assert ended.stderr.startswith("jarkeeper: error: ")
    assert "Traceback" not in ended.stderr
    assert youtube.control.requests() == []


def test_a_broken_cookie_file_is_told_by_line_and_changes_nothing(ready, jarkeeper, tmp_path):
    (tmp_path / "bad.txt").write_text(f".youtube.com\tTRUE\t/\tTRUE\t0\tSID {CANARY}\n")
    before = jarkeeper("status", "--json").stdout

    ended = jarkeeper("import", "bad.txt")

    assert ended.returncode == 2
    assert ended.stderr.startswith("jarkeeper: error: bad.txt line 1: expected 7 tab-separated")
    assert CANARY not in ended.stderr + ended.stdout
    assert json.loads(before)["jars"][0]["head_seq"] == 1
    assert json.loads(jarkeeper("status", "--json").stdout)["jars"][0]["head_seq"] == 1


def test_a_reader_that_goes_away_stops_no_download(ready, environment, youtube, tmp_path):
    ids = [f"video{number:06d}" for number in range(6)]
    command = f"{sys.executable} -m jarkeeper download --concurrency 1 {' '.join(ids)}; echo $? >&2"

    ended = subprocess.run(
        ["sh", "-c", f"{{ {command}; }} | head -n 1"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert len(ended.stdout.splitlines()) == 1
    assert len(list((tmp_path / "downloads").glob("*.mp4"))) == 6
    assert ended.stderr.splitlines()[-1] == "0"
    assert "Traceback" not in ended.stderr


def test_ctrl_c_ends_the_run_and_its_worker_with_a_short_word(
    ready, environment, youtube, tmp_path
):
    youtube.control.fault("media", stall_after=50_000, stall_seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-m", "jarkeeper", "download", VIDEO],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: youtube.control.requests(endpoint="media"))

    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 130
    last = errors.splitlines()[-1]
    assert last == "jarkeeper: interrupted: 0 of 1 video are there; run it again to go on"
    assert "Traceback" not in errors
    wait_until(lambda: not alive_in(process.pid))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_ended_keeps_what_youtube_refreshed(
    number, ready, environment, youtube, tmp_path, jarkeeper
):
    (tmp_path / "two.txt").write_text(youtube.control.new_session("two", rotate_every=2))
    jarkeeper("import", "two.txt", "--yes")
    youtube.control.fault("media", video_id=OTHER, stall_after=50_000, stall_seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-m", "jarkeeper", "download", VIDEO, OTHER],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: youtube.control.requests(endpoint="media", video_id=OTHER))

    process.send_signal(number)
    _, errors = process.communicate(timeout=60)

    status = json.loads(jarkeeper("status", "--json").stdout)
    assert process.returncode == 143
    assert "Traceback" not in errors
    assert status["jars"][0]["slots"][0]["source"] == "write-back"
    wait_until(lambda: not alive_in(process.pid))


def test_a_terminal_gets_bars_signs_and_no_foreign_escapes(ready, environment, youtube, tmp_path):
    youtube.control.add_video(OTHER, title="\x1b[31mred\u202e [bold]x[/nope]", size=SMALL)
    youtube.control.add_playlist(PLAYLIST, [VIDEO, OTHER, PRIVATE])
    youtube.control.fault("media", bytes_per_second=200_000)
    url = f"https://www.youtube.com/playlist?list={PLAYLIST}"

    code, seen = on_terminal(["download", url], environment, tmp_path)

    assert code == 1
    assert "━" in seen
    assert "✓" in seen
    assert "✗" in seen
    assert "[bold]x[/nope]" in seen
    assert "\x1b[31mred" not in seen
    assert "\u202e" not in seen


def test_a_narrow_terminal_shows_the_whole_status(ready, environment, tmp_path):
    _, seen = on_terminal(["status"], environment | {"COLUMNS": "80"}, tmp_path)

    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen)
    assert re.search(r"active +healthy +\d+ s +\d{4}-\d\d-\d\d +[0-9a-f]{8} +[0-9a-f]{8}", plain)


def test_a_very_narrow_terminal_shows_the_states_unbroken(ready, environment, tmp_path):
    _, seen = on_terminal(["status"], environment | {"COLUMNS": "50"}, tmp_path)

    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen)
    row = r"active +healthy +\d+ s +\d{4}-\d\d-\d\d *\r?\n"
    assert re.search(row, plain)
    assert "fingerprint" not in plain


def on_terminal(words: list[str], environment: dict[str, str], folder: Path) -> tuple[int, str]:
    """Run a command whose output is a terminal; return its code and all that was drawn."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "jarkeeper", *words],
        cwd=folder,
        env=environment | {"COLUMNS": environment.get("COLUMNS", "100"), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # Linux says so when the last writer has gone
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return process.wait(60), seen.decode()


def wait_until(claim: Callable[[], object], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def alive_in(session: int) -> list[int]:
    """Return the processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
