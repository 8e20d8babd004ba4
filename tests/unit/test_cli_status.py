import json
import os
import pty
import re
import select
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jarkeeper.checks import Severity
from jarkeeper.cli.group import run
from jarkeeper.cli.next_runs import next_runs
from jarkeeper.cli.overview import Observer
from jarkeeper.incidents import Cause, Condition, scope_of
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from jarkeeper.wiring import open_journal, open_vault
from vaultkit import Room, cookie_file


@pytest.fixture
def home(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    for name, place in (("VAULT", "vault"), ("KEY_FILE", "key"), ("STATE_DIR", "state")):
        monkeypatch.setenv(f"JARKEEPER_{name}", str(tmp_path / place))
    run(["init"])
    (tmp_path / "cookies.txt").write_bytes(cookie_file("one"))
    run(["import", "cookies.txt"])
    capsys.readouterr()
    return tmp_path


@contextmanager
def prefect(answer):
    """A server that speaks as much of Prefect's API as is asked of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = answer(self.path, body)
            self.send_response(200)
            self.end_headers()
            with suppress(BrokenPipeError):
                for piece in [found] if isinstance(found, bytes) else found:
                    self.wfile.write(piece)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()


def two_deployments(path, body):
    assert body["deployments"] == {"tags": {"any_": ["jarkeeper"]}}
    if path == "/api/deployments/filter":
        return json.dumps([{"id": "1", "name": "download"}, {"id": "2", "name": "idle"}]).encode()
    assert body["flow_runs"] == {"state": {"type": {"any_": ["SCHEDULED"]}}}
    now = datetime.now(UTC)
    begins = (now + timedelta(hours=5, minutes=1), now + timedelta(days=3))
    runs = [{"deployment_id": "1", "expected_start_time": at.isoformat()} for at in begins]
    return json.dumps(runs).encode()


def test_the_next_run_of_each_deployment_is_told(home, monkeypatch, capsys):
    with prefect(two_deployments) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        run(["status"])

    assert capsys.readouterr().out.endswith("runs     download  in 5 h\n")


@pytest.mark.parametrize("answer", [b"", b"{}", b"[1]", b'[{"id": 1}]', b"\xff"])
def test_a_server_that_talks_nonsense_is_one_quiet_line(home, monkeypatch, capsys, answer):
    with prefect(lambda path, body: answer) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)

        assert run(["status"]) == 0

    assert capsys.readouterr().out.endswith("runs     the Prefect server gives no answer\n")


def test_a_server_whose_answer_drips_takes_a_second_at_most(monkeypatch):
    enough = threading.Event()
    drops = (b" " for _ in range(40) if not enough.wait(0.2))
    with prefect(lambda path, body: drops) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        started = time.monotonic()

        told = next_runs()
        took = time.monotonic() - started
        enough.set()

    assert told == "the Prefect server gives no answer"
    assert took < 2


def test_without_a_server_nobody_is_asked(home, capsys):
    run(["status", "--json"])

    assert json.loads(capsys.readouterr().out)["next_runs"] is None


def test_last_use_and_the_share_of_opens_are_told(home, capsys):
    run(["diff", "active", "active"])
    capsys.readouterr()

    run(["status"])

    assert re.search(r"use      last opened \d s ago; 2 of 120 opens in", capsys.readouterr().out)


def test_open_incidents_are_told_with_what_to_do(home, capsys):
    settings = Settings.read()
    journal = open_journal(settings, open_vault(settings, listener=lambda event: None))
    condition = Condition(
        Cause.NO_BACKUP, "music", Severity.WARNING, "no backup is left", "nothing", "import one"
    )
    journal.reconcile([condition], scope=scope_of([Cause.NO_BACKUP], "music"))

    run(["status"])
    shown = capsys.readouterr().out
    run(["status", "--json"])
    (told,) = json.loads(capsys.readouterr().out)["incidents"]

    assert "warning: music: no backup is left (open for 0 s)\n  next: import one" in shown
    assert (told["cause"], told["jar"], told["next_step"]) == ("no-backup", "music", "import one")
    run(["status", "--jar", "youtube"])
    assert "no backup is left" not in capsys.readouterr().out
    run(["incidents"])
    assert "what Jarkeeper did: nothing\n" in capsys.readouterr().out


def test_an_incident_that_was_tampered_with_hides_nothing_else(home, capsys):
    place = home / "vault/incidents/youtube/no-backup/000000000001.json"
    place.parent.mkdir(parents=True)
    place.write_text("{}")

    assert run(["status"]) == 0

    shown = capsys.readouterr().out
    assert "critical: incident 'incidents/youtube/no-backup/000000000001.json': is not" in shown
    assert "next     " in shown


def test_a_login_is_compared_with_the_lives_of_earlier_ones():
    room = Room()
    for days in (10, 20):
        (login,) = room.fill(f"g{days}")
        room.clock.advance(days=days)
        room.vault.mark("youtube", login, SlotState.DEAD)
    room.fill("now")
    room.clock.advance(days=3)

    (jar,) = Observer(room.vault, Settings.read({})).look(None).jars

    assert (round(jar.life.days), jar.life.ended) == (15, 2)
    assert (jar.life.until - room.clock.now).days == 11


def test_a_watch_in_a_pipe_is_refused(home, capsys):
    assert run(["status", "--watch"]) == 2
    assert "no terminal" in capsys.readouterr().err


def test_a_watch_prints_one_document_after_another(home):
    watch = subprocess.Popen(
        [sys.executable, "-m", "jarkeeper", "status", "--watch", "0.2", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    text, decoder = "", json.JSONDecoder()
    while text.count("\n}\n") < 2:
        text += watch.stdout.readline()
    watch.terminate()
    watch.communicate(timeout=10)

    first, end = decoder.raw_decode(text)
    second, _ = decoder.raw_decode(text[end:].lstrip())
    assert first["at"] <= second["at"]
    assert first["jars"] == second["jars"]


def test_ctrl_c_ends_a_watch_cleanly(home):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "jarkeeper", "status", "--watch", "0.2"])
    shown = read_until(terminal, b"youtube")
    os.write(terminal, b"\x03")
    shown += read_until(terminal, None)

    _, status = os.waitpid(pid, 0)
    os.close(terminal)

    assert os.waitstatus_to_exitcode(status) == 0
    assert b"Traceback" not in shown
    assert shown.rstrip().endswith(b"\x1b[?1049l")


def read_until(terminal, word):
    shown = b""
    end = time.monotonic() + 30
    while time.monotonic() < end and (word is None or word not in shown):
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # Linux says so when the other side has gone
                break
            if not piece:
                break
            shown += piece
    return shown
