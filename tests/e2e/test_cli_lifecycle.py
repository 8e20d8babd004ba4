"""The commands of a session's life, against the stand-in: what an operator types and sees."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jarkeeper.cli.group import run
from jarkeeper.lifecycle import waiting
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_journal, open_vault
from standin.server import StandIn

CANARY = "canary-7f3a"
ME = "1001"


@pytest.fixture
def place(
    youtube: StandIn, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A vault, and the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drop").mkdir()
    told = {"HOME": str(tmp_path), "COOKIE_DROP": str(tmp_path / "drop")}
    for name, value in {**settings.environment(), **told}.items():
        monkeypatch.setenv(name, value)
    assert run(["init"]) == 0
    return tmp_path


@pytest.fixture
def vault(place: Path, settings: Settings) -> Vault:
    return open_vault(settings)


@pytest.fixture
def export(youtube: StandIn, place: Path) -> Callable[..., Path]:
    """Write the cookies of a new session to a file, as if a minute ago."""

    def write(name: str, file: str = "cookies.txt", **kinds: Any) -> Path:
        path = place / file
        kinds = {"user_id": ME, "canary": CANARY} | kinds
        path.write_text(youtube.control.new_session(name, **kinds))
        os.utime(path, (time.time() - 60,) * 2)
        return path

    return write


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command; return its code and all that it said, in which no cookie may be."""

    def command(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(list(words))
        out, err = capsys.readouterr()
        assert CANARY not in out + err
        return code, out + err

    return command


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command with --json; return its document."""

    def command(*words: str) -> Any:
        capsys.readouterr()
        run([*words, "--json"])
        return json.loads(capsys.readouterr().out)

    return command


def states(vault: Vault) -> list[str]:
    return [item.state.value for item in vault.status("youtube").slots.records()]


def test_validate_asks_and_a_second_bad_answer_opens_an_incident_that_an_import_closes(
    vault, youtube, export, said, answer
) -> None:
    run(["import", str(export("one"))])
    alive = said("validate")
    youtube.control.revoke("one")
    once = said("validate")
    active = vault.status("youtube").active.generation.id
    vault.mark("youtube", active, SlotState.DEAD, reason="probe")
    dead = said("validate")
    opened = {one["cause"] for one in answer("incidents")["incidents"]}

    run(["import", str(export("two")), "--yes"])
    left = {one["cause"] for one in answer("incidents")["incidents"]}

    assert alive[0] == 0
    assert "YouTube says that somebody is logged in" in alive[1]
    assert once[0] == 0
    assert "one answer ends no login" in once[1]
    assert dead[0] == 1
    assert opened == {"session-dead", "no-backup"}
    assert left == {"no-backup"}


def test_offline_nothing_is_asked(vault, youtube, export, said) -> None:
    run(["import", str(export("one"))])

    code, words = said("validate", "--offline")

    assert (code, "cookies valid for another" in words) == (0, True)
    assert youtube.control.requests() == []


def test_an_unreachable_youtube_is_a_warning_and_changes_nothing(
    vault, youtube, export, said
) -> None:
    run(["import", str(export("one"))])
    youtube.control.fault("other", status=503, times=9)

    code, words = said("validate")

    assert code == 0
    assert "no answer" in words
    assert "503" in words
    assert states(vault) == ["healthy"]


def test_refresh_keeps_what_youtube_renews_of_every_slot(vault, export, answer) -> None:
    for name in ("one", "two"):
        run(["import", str(export(name, rotate_every=1, grace_seconds=0)), "--yes"])

    first = answer("refresh")["jars"][0]["answers"]
    second = answer("refresh")["jars"][0]["answers"]

    assert [(one["slot"], one["kept"]) for one in first] == [("active", True), ("backup", True)]
    assert [one["alive"] for one in second] == [True, True]


def test_rotate_tests_a_file_before_it_switches(vault, youtube, export, said) -> None:
    run(["import", str(export("one"))])
    run(["validate"])

    good = said("rotate", str(export("two", "two.txt")))
    dead = export("three", "three.txt")
    youtube.control.revoke("three")
    bad = said("rotate", str(dead))

    assert good[0] == 0
    assert "the tested cookies are active" in good[1]
    assert bad[0] == 1
    assert "tested again" in bad[1]
    assert states(vault) == ["healthy", "healthy", "suspect"]
    assert youtube.control.session("two").requests == 1


def test_rotate_empties_the_drop_and_tells_what_it_cannot_use(vault, export, said, answer) -> None:
    run(["import", str(export("one"))])
    run(["validate"])

    taken = said("rotate") if export("two", "drop/youtube.txt") else None
    stranger = export("three", "drop/youtube.txt", user_id="2002")
    refused = said("rotate")
    opened = {one["cause"] for one in answer("incidents")["incidents"]}

    assert taken[0] == 0
    assert refused[0] == 1
    assert "another account" in refused[1]
    assert not stranger.exists()  # it lies sealed in the vault, and waits for a person
    assert "drop-refused" in opened
    assert len(vault.status("youtube").backups) == 1


def test_promote_takes_a_backup_that_youtube_confirms(vault, youtube, export, said) -> None:
    for name in ("good", "gone", "active"):
        run(["import", str(export(name)), "--yes"])
    good = vault.status("youtube").backups[1].generation.id
    youtube.control.revoke("gone")

    code, words = said("promote")
    youtube.control.revoke("active")
    none = said("promote")

    assert (code, "YouTube has confirmed it" in words) == (0, True)
    assert vault.status("youtube").active.generation.id == good
    assert none[0] == 2
    assert "no backup passed a test" in none[1]
    assert said("promote", "--untested")[0] == 0


def test_an_emergency_revokes_every_copy_of_the_login_and_ends_when_the_new_one_is_confirmed(
    vault, export, said, answer
) -> None:
    stolen = export("stolen", "stolen.txt")
    run(["import", str(export("older")), "--yes"])
    run(["import", str(stolen), "--yes"])
    before = vault.status("youtube")
    fresh = export("fresh", "fresh.txt")
    bare = said("replace", str(fresh))
    same = said("replace", "--emergency", str(stolen))
    (vault_untouched,) = {vault.status("youtube").seq == before.seq}

    code, words = said("replace", "--emergency", str(fresh))
    opened = {one["cause"] for one in answer("incidents")["incidents"]}
    run(["validate"])
    left = {one["cause"] for one in answer("incidents")["incidents"]}

    head = vault.status("youtube")
    assert (bare[0], same[0], vault_untouched) == (2, 2, True)
    assert "the very login that is to be replaced" in same[1]
    assert code == 0
    assert "is revoked" in words
    assert f"the login of generation {before.active.generation.id[:8]}, in the vault" in words
    assert f"{head.backups[0].generation.id[:8]}, is another login and stays" in words
    assert head.revoked == (before.active.generation.id,)
    assert len(head.backups) == 1  # another login stays
    assert "emergency" in opened
    assert "emergency" not in left


def test_a_file_that_is_no_login_replaces_nothing(vault, export, said, place) -> None:
    run(["import", str(export("one"))])
    before = vault.status("youtube").seq
    (place / "visitor.txt").write_text(
        "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t0\tPREF\tx\n"
    )

    code, words = said("replace", "--emergency", "visitor.txt")

    assert (code, vault.status("youtube").seq) == (2, before)
    assert "expected a login" in words


def test_what_was_put_off_goes_on_after_an_import(vault, youtube, export, said, answer) -> None:
    run(["import", str(export("one"))])
    youtube.control.set_size(100_000)
    youtube.control.add_video("aaaaaaaaaaa", answer="age_gate")
    youtube.control.revoke("one")

    off = said("download", "aaaaaaaaaaa")
    told = {one["cause"] for one in answer("incidents")["incidents"]}
    run(["import", str(export("two")), "--yes"])
    then = said("download", "aaaaaaaaaaa")

    assert off[0] == 5
    assert "put off" in off[1]
    assert "session-dead" in told  # nobody has to wait for the next validation to learn of it
    assert then[0] == 0


def test_who_waits_is_told_of_and_goes_on_after_the_import(
    vault, youtube, export, settings, monkeypatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.1)
    run(["import", str(export("one"))])
    youtube.control.set_size(100_000)
    youtube.control.add_video("aaaaaaaaaaa", answer="age_gate")
    youtube.control.revoke("one")
    fresh, told = export("two").read_bytes(), []

    def operate() -> None:
        for _ in range(300):
            told[:] = [one.cause for one in open_journal(settings, vault).open()]
            if "session-dead" in told:
                break
            time.sleep(0.1)
        vault.import_jar("youtube", fresh, confirmed=True)

    operator = threading.Thread(target=operate)
    operator.start()
    code = run(["download", "aaaaaaaaaaa", "--wait"])
    operator.join()

    assert "session-dead" in told
    assert code == 0


def test_a_pending_jar_is_shown_and_a_lasting_doubt_is_told(vault, export, said) -> None:
    run(["import", str(export("one"))])
    vault.stage("youtube", export("two", "two.txt").read_bytes())
    clock = vault.ports.clock
    head = vault.status("youtube")
    vault.mark("youtube", head.active.generation.id, SlotState.SUSPECT, reason="probe")

    code, words = said("status")

    assert code == 0
    assert "pending" in words
    assert clock() - head.at < timedelta(minutes=1)


def test_health_opens_an_incident_for_what_is_damaged_and_closes_it_when_it_is_whole(
    vault, export, said, answer, settings
) -> None:
    run(["import", str(export("one"))])
    generation = vault.status("youtube").active.generation.id
    file = Path(settings.vault) / "cookies" / "youtube" / "generations" / generation
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    damaged = said("health")
    opened = {(one["cause"], one["severity"]) for one in answer("incidents")["incidents"]}
    file.write_bytes(whole)
    run(["health"])
    left = {one["cause"] for one in answer("incidents")["incidents"]}

    assert damaged[0] == 3
    assert ("integrity", "critical") in opened
    assert "integrity" not in left


def test_a_drill_proves_that_a_copy_can_take_the_vaults_place_and_leaves_nothing(
    vault, export, answer, place, monkeypatch
) -> None:
    run(["import", str(export("one"))])
    (place / "scratch").mkdir(mode=0o700)
    monkeypatch.setenv("COOKIE_TEMP_DIR", str(place / "scratch"))

    proof = answer("drill")

    assert (proof["jars"], proof["generations"]) == (1, 1)
    assert list((place / "scratch").iterdir()) == []


def test_cleanup_removes_what_is_past_its_grace_and_tells_how_much(
    vault, export, answer, place, monkeypatch
) -> None:
    monkeypatch.setenv("COOKIE_GRACE_DAYS", "0")
    monkeypatch.setenv("COOKIE_BACKUP_COUNT", "1")
    for name in ("one", "two", "three"):
        run(["import", str(export(name)), "--yes"])

    removed = answer("cleanup")["removed"]

    assert removed["generations"] == 1
    assert len(vault.history("youtube")) == vault.status("youtube").seq


def test_a_backup_that_takes_over_by_hand_is_an_incident(vault, export, said, answer) -> None:
    for name in ("backup", "active"):
        run(["import", str(export(name)), "--yes"])
    active = vault.status("youtube").active.generation.id
    vault.mark("youtube", active, SlotState.DEAD, reason="probe")

    said("rotate")

    (told,) = [one for one in answer("incidents")["incidents"] if one["cause"] == "session-dead"]
    assert vault.status("youtube").active.generation.id != active
    assert told["done"] == "a backup that was tested took its place"


def test_a_file_that_is_named_is_rotated_to_whatever_lies_in_the_drop(
    vault, youtube, export, said
) -> None:
    run(["import", str(export("one"))])
    run(["validate"])
    dropped = export("dropped", "drop/youtube.txt")

    code, _ = said("rotate", str(export("named", "named.txt")))

    assert code == 0
    assert dropped.exists()
    assert youtube.control.session("dropped").requests == 0
    assert youtube.control.session("named").requests == 1


def test_a_drop_that_cannot_be_emptied_is_told_and_holds_up_nothing(
    vault, export, said, answer, place
) -> None:
    run(["import", str(export("one"))])
    run(["validate"])
    file = export("two", "drop/youtube.txt")
    real = Path.rename

    def denied(self: Path, target: Path) -> Path:
        if self == file:
            raise PermissionError(13, "Permission denied")
        return real(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", denied)
        code, words = said("rotate")

    opened = {one["cause"] for one in answer("incidents")["incidents"]}
    assert code == 1
    assert "rotated" in words
    assert "lies there in clear" in words
    assert "drop-refused" in opened
    assert vault.status("youtube").active.generation.source == "import"
    assert len(vault.status("youtube").backups) == 1
