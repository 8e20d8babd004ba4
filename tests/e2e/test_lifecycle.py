"""A session's life against the stand-in: the worker asks, the vault remembers, rotations switch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from jarkeeper.facts import Probed
from jarkeeper.lifecycle.drop import FolderDrop
from jarkeeper.lifecycle.rotation import Step, create, rotate
from jarkeeper.lifecycle.validation import Validation, validate
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from jarkeeper.states import PROBE
from jarkeeper.vault import Vault
from jarkeeper.wiring import init_vault, open_vault
from jarkeeper.youtube.errand import errand
from jarkeeper.youtube.session import WorkerSession
from standin.server import StandIn

JAR = "youtube"


@pytest.fixture
def vault(settings: Settings) -> Vault:
    init_vault(settings)
    return open_vault(settings)


@pytest.fixture
def asker(settings: Settings) -> Iterator[WorkerSession]:
    with errand(settings, JAR, base_head=0, actor="test") as session:
        yield session


@pytest.fixture
def look(vault: Vault, asker: WorkerSession) -> Callable[..., Validation]:
    return lambda **how: validate(vault, JAR, asker, **how)


@pytest.fixture
def drop(tmp_path: Path) -> FolderDrop:
    (tmp_path / "drop").mkdir()
    return FolderDrop(tmp_path / "drop")


def take_in(vault: Vault, youtube: StandIn, *names: str, **kinds: object) -> None:
    for name in names:
        export = youtube.control.new_session(name, **kinds)
        vault.import_jar(JAR, export.encode(), confirmed=True)


def leave(tmp_path: Path, content: str, *, name: str = "youtube.txt") -> Path:
    file = tmp_path / "drop" / name
    file.write_text(content)
    then = time.time() - 60
    os.utime(file, (then, then))
    return file


def sooner(vault: Vault, **passed: float) -> Vault:
    """Return the vault as it is seen some time later."""
    clock = vault.ports.clock
    return Vault(replace(vault.ports, clock=lambda: clock() + timedelta(**passed)))


def test_a_live_login_is_found_alive_and_remembered(vault, youtube, look) -> None:
    take_in(vault, youtube, "one", user_id="1001")

    found = look()

    active = vault.status(JAR).active
    assert [answer.alive for answer in found.answers] == [True]
    assert active.state is SlotState.HEALTHY
    assert active.tested_at is not None
    assert active.generation.facts.account != ""
    assert "1001" not in str(found)


def test_what_youtube_renews_during_a_probe_is_kept(vault, youtube, look) -> None:
    take_in(vault, youtube, "one", rotate_every=1, grace_seconds=0)

    first, second = look().answers + look().answers

    assert (first.alive, second.alive) == (True, True)
    assert first.kept
    assert first.generation != second.generation


def test_one_answer_ends_no_login_and_a_later_one_does(vault, youtube, look) -> None:
    take_in(vault, youtube, "one")
    youtube.control.revoke("one")

    look()
    once = vault.status(JAR).active
    look()
    at_once = vault.status(JAR).active
    later = sooner(vault, minutes=11)
    later.probe(JAR, once.generation.id, lambda jar: Probed(alive=False, account=None, jar=jar))

    assert (once.state, once.reason) == (SlotState.SUSPECT, PROBE)
    assert at_once == once
    assert vault.status(JAR).active.state is SlotState.DEAD


def test_no_answer_changes_nothing(vault, youtube, look) -> None:
    take_in(vault, youtube, "one")
    before = vault.status(JAR)
    youtube.control.fault("other", status=503, times=5)

    found = look(waits=(0.01,))

    assert [one.alive for one in found.unanswered] == [None]
    assert "503" in found.unanswered[0].detail
    assert vault.status(JAR) == before


def test_a_backup_is_tested_once_and_a_dead_one_never_asked(vault, youtube, look) -> None:
    take_in(vault, youtube, "older", "old", "new")
    dead = vault.status(JAR).backups[1].generation.id
    vault.mark(JAR, dead, SlotState.DEAD, reason="x")

    first = [answer.slot for answer in look().answers]
    second = [answer.slot for answer in look().answers]
    visited = [answer.slot for answer in look(visit=True).answers]

    assert first == ["active", "backup"]
    assert second == ["active"]
    assert visited == ["active", "backup"]
    assert youtube.control.session("older").requests == 0


def test_a_dropped_export_is_tested_before_it_is_used(
    vault, youtube, asker, drop, tmp_path, look
) -> None:
    take_in(vault, youtube, "old", user_id="1001")
    look()
    file = leave(tmp_path, youtube.control.new_session("new", user_id="1001"))

    done = rotate(vault, JAR, asker, drop)

    head = vault.status(JAR)
    assert done.step is Step.ROTATED
    assert not file.exists()
    assert head.active.tested_at is not None
    assert head.slots.pending is None
    assert len(head.backups) == 1
    assert youtube.control.session("new").requests == 1


@pytest.mark.parametrize("account", ["1001", "2002"])
def test_an_export_that_does_not_work_or_is_anothers_never_becomes_active(
    vault, youtube, asker, drop, tmp_path, look, account
) -> None:
    take_in(vault, youtube, "old", user_id="1001")
    look()
    before = vault.status(JAR).active
    leave(tmp_path, youtube.control.new_session("new", user_id=account))
    if account == "1001":
        youtube.control.revoke("new")

    done = rotate(vault, JAR, asker, drop)

    assert done.step is (Step.STAGED if account == "1001" else Step.REFUSED)
    assert vault.status(JAR).active == before
    assert vault.status(JAR).slots.pending is not None


def test_a_rotation_goes_on_where_it_was_killed(
    vault, youtube, asker, drop, tmp_path, look
) -> None:
    take_in(vault, youtube, "old", user_id="1001")
    look()
    export = youtube.control.new_session("new", user_id="1001", rotate_every=1, grace_seconds=0)
    leave(tmp_path, export)
    create(vault, JAR, drop)
    leave(tmp_path, export)  # as if it had died before it removed the file
    staged = vault.status(JAR).slots.pending.generation.id

    again = create(vault, JAR, drop)
    done = rotate(vault, JAR, asker, drop)

    assert again.generation == staged
    assert done.step is Step.ROTATED
    assert vault.status(JAR).active.generation.id != staged  # the test renewed the session
    assert list((tmp_path / "drop").iterdir()) == []


def test_an_import_overtakes_what_was_staged(vault, youtube, asker, drop, tmp_path) -> None:
    take_in(vault, youtube, "old")
    leave(tmp_path, youtube.control.new_session("staged"))
    create(vault, JAR, drop)

    take_in(vault, youtube, "newer")
    newer = vault.status(JAR).active
    done = rotate(vault, JAR, asker, drop)

    assert done.step is Step.NOTHING
    assert vault.status(JAR).active == newer


@pytest.mark.parametrize("content", ["no cookie file", "a\tb\n" * 600_000])
def test_a_drop_that_is_no_export_stays_and_is_named(
    vault, youtube, asker, drop, tmp_path, content
) -> None:
    take_in(vault, youtube, "old")
    before = vault.status(JAR)
    file = leave(tmp_path, content)

    done = rotate(vault, JAR, asker, drop)

    assert done.step is Step.REFUSED
    assert "'youtube.txt'" in done.note
    assert file.exists()
    assert vault.status(JAR) == before


def test_a_backup_takes_over_only_after_a_test(vault, youtube, asker) -> None:
    take_in(vault, youtube, "good", "gone", "active")
    head = vault.status(JAR)
    youtube.control.revoke("gone")
    vault.mark(JAR, head.active.generation.id, SlotState.DEAD, reason="x")

    done = rotate(vault, JAR, asker, None)

    assert done.step is Step.PROMOTED
    assert vault.status(JAR).active.generation.id == head.backups[1].generation.id
    assert vault.status(JAR).active.tested_at is not None


def test_nobody_takes_over_where_no_backup_passes(vault, youtube, asker) -> None:
    take_in(vault, youtube, "gone", "active")
    head = vault.status(JAR)
    youtube.control.revoke("gone")
    vault.mark(JAR, head.active.generation.id, SlotState.DEAD, reason="x")

    done = rotate(vault, JAR, asker, None)

    assert (done.step, done.next_step != "") == (Step.NOTHING, True)
    assert vault.status(JAR).active.generation.id == head.active.generation.id


def test_a_working_active_jar_is_never_replaced_by_a_backup(vault, youtube, asker) -> None:
    take_in(vault, youtube, "old", "new")
    before = vault.status(JAR)

    done = rotate(vault, JAR, asker, None)

    assert done.step is Step.NOTHING
    assert vault.status(JAR) == before


def test_an_export_that_came_while_the_one_before_was_taken_is_not_removed(
    vault, youtube, drop, tmp_path
) -> None:
    take_in(vault, youtube, "old")
    file = leave(tmp_path, youtube.control.new_session("first"))
    newer = youtube.control.new_session("second")

    class Late(FolderDrop):
        def remove(self, name: str, content: bytes) -> None:
            file.write_text(newer)
            super().remove(name, content)

    done = create(vault, JAR, Late(tmp_path / "drop"))

    assert done.step is Step.STAGED
    assert [one.name for one in (tmp_path / "drop").iterdir()] == ["youtube.txt"]
    assert file.read_text() == newer


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_plain_file_in_a_drop_is_left_alone(
    vault, youtube, drop, tmp_path, kind
) -> None:
    take_in(vault, youtube, "old")
    place = tmp_path / "drop" / "youtube.txt"
    if kind == "link":
        place.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()

    assert create(vault, JAR, drop).step is Step.NOTHING
    assert place.is_symlink() or place.exists()


def test_what_a_killed_removal_had_put_aside_is_taken_up_again(
    vault, youtube, drop, tmp_path
) -> None:
    take_in(vault, youtube, "old")
    leave(tmp_path, youtube.control.new_session("new"), name=".youtube.txt.0a1b2c3d4e5f6071")

    done = create(vault, JAR, drop)

    assert done.step is Step.STAGED
    assert list((tmp_path / "drop").iterdir()) == []
