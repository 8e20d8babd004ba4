"""The flows that look after a vault, ad hoc: what they do, put on record, and tell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest
from prefect.settings import PREFECT_API_URL

from flows.cleanup import cleanup
from flows.drill import drill
from flows.health import health
from flows.refresh import refresh
from flows.reviews import daily, monthly, weekly
from flows.rotate import rotate
from flows.validate import validate
from jarkeeper.errors import NoAnswer, NotInitialised
from jarkeeper.media.destination import Destination
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from jarkeeper.wiring import open_journal, open_vault
from orchestration.runs import artifacts_of, events_of, flow_run_of, run
from orchestration.server import wait_for

pytestmark = pytest.mark.harness

JAR = "youtube"


@pytest.fixture
def vault(place):
    return open_vault(place.settings, actor="test")


def end(vault, generation=None, *, reason="COOKIE_ROTATED"):
    """Mark the active cookies, or a generation, as dead: as a download does that found out."""
    active = vault.status(JAR).active.generation.id
    vault.mark(JAR, generation or active, SlotState.DEAD, reason=reason)


def open_causes(place, vault):
    return {incident.cause.value for incident in open_journal(place.settings, vault).open()}


def leave(place, content, monkeypatch):
    drop = place.folder / "drop"
    drop.mkdir()
    monkeypatch.setenv("COOKIE_DROP", str(drop))
    file = drop / "youtube.txt"
    file.write_text(content)
    os.utime(file, (time.time() - 60,) * 2)
    return file


def test_a_session_that_works_is_found_to_work(youtube, place, vault):
    place.import_session("older")
    place.import_session("newer")

    state = validate(return_state=True)

    assert state.is_completed(), state.message
    assert state.message == "youtube: 2 of 2 sessions logged in"
    assert open_causes(place, vault) == set()
    assert flow_run_of(state).name == "validate"
    assert "jarkeeper-validate" in artifacts_of(state)
    assert "jarkeeper.validated" in wait_for(
        lambda: events_of(state), seconds=60, what="an event of the run"
    )


def test_a_dead_session_is_replaced_by_a_backup_that_passes_a_test(youtube, place, vault):
    place.import_session("gone")
    place.import_session("good")
    place.import_session("dead")
    end(vault)
    youtube.revoke("gone")
    good = vault.status(JAR).backups[0].generation.id

    state = validate(jar=JAR, return_state=True)

    assert state.is_completed(), state.message
    assert vault.status(JAR).active.generation.id == good
    assert "session-dead" in open_causes(place, vault)
    receipt = state.result()
    assert any("session-dead" in line for line in receipt.incidents.opened)


def test_an_incident_opens_once_and_closes_after_an_import(youtube, place, vault):
    place.import_session("only")
    end(vault)

    first = validate()
    second = validate()
    place.import_session("fresh")
    third = validate()

    assert any("critical session-dead" in line for line in first.incidents.opened)
    assert second.incidents.opened == ()
    assert any("session-dead" in line for line in third.incidents.closed)
    assert youtube.session("only").requests == 0


def test_no_answer_is_asked_for_again_and_fails_the_run_in_the_end(youtube, place, vault):
    place.import_session("first")
    before = vault.status(JAR).active
    youtube.fault("other", status=503, times=1)

    cured = validate(return_state=True)
    youtube.fault("other", status=503)
    state = validate(return_state=True)

    assert cured.is_completed(), cured.message
    assert state.is_failed()
    assert "gave no answer" in state.message
    with pytest.raises(NoAnswer):
        state.result()
    assert vault.status(JAR).active.generation.id == before.generation.id
    assert vault.status(JAR).active.state is SlotState.HEALTHY


def test_a_vault_that_is_not_there_is_an_incident_too(youtube, place, monkeypatch):
    monkeypatch.setenv("JARKEEPER_VAULT", str(place.folder / "nowhere"))

    state = validate(return_state=True)

    assert state.is_failed()
    with pytest.raises(NotInitialised):
        state.result()
    (incident,) = open_journal(Settings.read(), None).open()
    assert (incident.cause, incident.severity) == ("store", "critical")


def test_what_is_found_damaged_on_the_way_is_an_incident_too(youtube, place, vault):
    place.import_session("first")
    (head,) = (place.folder / "vault").glob("cookies/youtube/heads/*")
    head.chmod(0o600)
    head.write_text("{}")

    state = validate(return_state=True)

    assert state.is_failed()
    assert [one.cause for one in open_journal(place.settings, None).open()] == ["integrity"]


def test_every_session_is_used_and_what_youtube_renews_is_kept(youtube, place, vault):
    place.import_session("older", rotate_every=1, grace_seconds=0)
    place.import_session("newer", rotate_every=1, grace_seconds=0)
    before = vault.status(JAR)

    state = refresh(return_state=True)

    after = vault.status(JAR)
    assert state.is_completed(), state.message
    assert after.active.generation.id != before.active.generation.id
    assert after.backups[0].generation.id != before.backups[0].generation.id


def test_an_export_from_the_drop_becomes_active_after_its_test(youtube, place, vault, monkeypatch):
    place.import_session("old", user_id="1001")
    validate()
    file = leave(place, youtube.new_session("new", user_id="1001"), monkeypatch)

    state = rotate(return_state=True)

    assert state.is_completed(), state.message
    assert "the tested cookies are active" in state.message
    assert not file.exists()
    assert vault.status(JAR).active.tested_at is not None


def test_what_is_refused_stays_in_the_drop_and_is_an_incident(youtube, place, vault, monkeypatch):
    place.import_session("old")
    file = leave(place, "no cookie file", monkeypatch)

    refused = rotate()
    file.unlink()
    gone = rotate()

    assert any("drop-refused" in line for line in refused.incidents.opened)
    assert any("drop-refused" in line for line in gone.incidents.closed)


def test_the_examination_finds_what_was_changed_and_closes_when_it_is_back(youtube, place, vault):
    place.import_session("first")
    sealed = next((place.folder / "vault").glob("cookies/youtube/generations/*"))
    content = sealed.read_bytes()
    sealed.chmod(0o600)
    sealed.write_bytes(content[:-1] + b"\0")

    broken = health()
    sealed.write_bytes(content)
    whole = health()

    assert any("critical integrity" in line for line in broken.incidents.opened)
    assert any("critical integrity" in line for line in whole.incidents.closed)


def test_the_cleanup_takes_what_is_past_its_grace_and_nothing_else(
    youtube, place, vault, monkeypatch
):
    monkeypatch.setenv("COOKIE_GRACE_DAYS", "0")
    monkeypatch.setenv("COOKIE_BACKUP_COUNT", "1")
    for name in ("oldest", "older", "newest"):
        text = youtube.new_session(name)
        open_vault(Settings.read()).import_jar(JAR, text.encode(), confirmed=True)
    parts = Destination(place.downloads).open().parts
    for name in ("forgotten00.mp4.part", "fresh000000.mp4.part"):
        (parts / name).write_bytes(b"half")
    os.utime(parts / "forgotten00.mp4.part", (1, 1))

    receipt = cleanup(destination=place.downloads)

    assert receipt.figures["generations"] == 1
    assert receipt.figures["partial files"] == 1
    assert (parts / "fresh000000.mp4.part").exists()
    assert [item.severity for item in vault.check() if item.severity == "critical"] == []


def test_a_drill_proves_the_copy_and_leaves_nothing(youtube, place, vault, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", None)
    place.import_session("older")
    place.import_session("newer")

    state = drill(return_state=True)

    assert state.is_completed(), state.message
    assert "1 jar, 2 generations opened with the key" in state.message
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_drill_fails_where_a_copy_could_not_take_over(youtube, place, vault):
    place.import_session("only")
    sealed = next((place.folder / "vault").glob("cookies/youtube/generations/*"))
    sealed.chmod(0o600)
    sealed.write_bytes(b"not what was sealed")

    state = drill(return_state=True)

    assert state.is_failed()
    assert "drill: " in state.message


def test_the_reviews_are_put_together_from_the_flows_steps(youtube, place, vault):
    place.import_session("first")
    run(place, ["video000000"])

    day, week, month = daily(), weekly(), monthly()

    assert "1 of 1 session logged in" in day.sentence
    # There is no backup, and this server has neither pools nor deployments.
    assert "2 incidents open" in day.sentence
    assert any("1 try, success 100.0 %" in line for line in week.lines)
    assert any(line.startswith("key: ") for line in month.lines)


KILLED_BEFORE = """
import os, signal, sys
from flows import rotate as module
def killed(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)
patient, step = module.with_retries, sys.argv[1]
module.with_retries = lambda task, policy: killed if task.name == step else patient(task, policy)
module.finish = killed
module.rotate()
"""


def killed_before(step):
    """Run the flow in a process that is killed when this step should begin."""
    command = [sys.executable, "-c", KILLED_BEFORE, step]
    done = subprocess.run(command, env=dict(os.environ), stderr=subprocess.DEVNULL, timeout=60)
    assert done.returncode == -signal.SIGKILL


def test_a_rotation_that_is_killed_between_any_two_steps_is_finished_by_the_next(
    youtube, place, vault, monkeypatch
):
    place.import_session("old", user_id="1001")
    validate()
    file = leave(place, youtube.new_session("new", user_id="1001"), monkeypatch)
    monkeypatch.setenv("PREFECT_API_URL", PREFECT_API_URL.value())

    killed_before("create")
    untouched = file.exists()
    killed_before("test")
    staged = vault.status(JAR).slots.pending
    killed_before("switch")
    tested = vault.status(JAR).slots.pending
    killed_before("finish")
    switched = vault.status(JAR)
    state = rotate(return_state=True)

    assert untouched
    assert (staged.state, tested.state) == (SlotState.SUSPECT, SlotState.HEALTHY)
    assert staged.generation.fingerprint == switched.active.generation.fingerprint
    assert switched.slots.pending is None
    assert state.is_completed(), state.message
    assert vault.status(JAR).active.generation.id == switched.active.generation.id
    assert not file.exists()
