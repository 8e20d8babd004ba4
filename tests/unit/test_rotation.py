from __future__ import annotations

import os
from datetime import timedelta

import pytest

from jarkeeper.errors import IntegrityError, ObjectDenied, StoreUnknown
from jarkeeper.facts import Probed
from jarkeeper.jar import parse_jar
from jarkeeper.lifecycle.conditions import conditions_of_rotation
from jarkeeper.lifecycle.drop import FolderDrop, StoreDrop
from jarkeeper.lifecycle.rotation import (
    OVERTAKEN,
    Rotation,
    Step,
    ask_backups,
    create,
    fail_over,
    rotate,
    switch,
    why_none,
)
from jarkeeper.slots import SlotState
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.youtube.messages import Answered
from vaultkit import SITES, Always, FaultyStore, Room, cookie_file, jar_of, lent_tag

JAR = "youtube"


class Asker:
    """Somebody is logged in by every jar but those with the tags."""

    def __init__(self, vault, *dead):
        self.vault, self.dead = vault, [jar_of(tag) for tag in dead]

    def probe(self, generation, *, visit=False):
        found = self.vault.probe(
            JAR, generation, lambda jar: Probed(jar not in self.dead, "1001", jar)
        )
        state = None if found.state is None else found.state.value
        return Answered(
            0, found.generation, found.slot, found.alive, state, found.kept, "", False, "", 0.0
        )


@pytest.fixture
def room():
    room = Room()
    room.fill("backup", "active")
    return room


@pytest.mark.parametrize(
    ("content", "note"),
    [(b"no cookie file", "'youtube.txt'"), (cookie_file("signed-out"), "visitor's")],
)
def test_an_export_that_cannot_be_used_holds_up_no_backup(room, content, note):
    active = room.vault.status(JAR).active.generation.id
    room.vault.mark(JAR, active, SlotState.DEAD, reason="x")
    left = MemoryStore()
    left.put("youtube.txt", content)

    done = rotate(room.vault, JAR, Asker(room.vault, "signed-out"), StoreDrop(left))

    assert done.step is Step.PROMOTED
    assert note in done.note
    assert done.next_step
    assert lent_tag(room.vault) == "backup"


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("list", StoreUnknown("no answer")),
        ("get", ObjectDenied("denied")),
        ("get", IntegrityError("too big, or not encrypted by KMS")),
    ],
)
def test_a_drop_that_gives_nothing_out_holds_up_no_backup_and_is_told(room, method, error):
    active = room.vault.status(JAR).active.generation.id
    room.vault.mark(JAR, active, SlotState.DEAD, reason="x")
    left = MemoryStore()
    left.put("youtube.txt", cookie_file("new"))
    drop = StoreDrop(FaultyStore(left, before=Always(error, method=method)))

    done = rotate(room.vault, JAR, Asker(room.vault), drop)

    assert done.step is Step.PROMOTED
    assert error.message in conditions_of_rotation(done)[0].message


def test_a_bad_export_hides_no_good_one_beside_it(room):
    left = MemoryStore()
    left.put("youtube.txt", b"no cookie file")
    left.put("youtube.json", cookie_file("new"))

    done = rotate(room.vault, JAR, Asker(room.vault), StoreDrop(left), confirmed=True)

    assert (done.step, done.is_stuck) == (Step.ROTATED, True)
    assert "'youtube.txt'" in done.note
    assert left.list("") == ["youtube.txt"]


@pytest.mark.parametrize("name", [".youtube.txt.Xy12Zq", ".youtube.txt.swp"])
def test_the_hidden_file_of_another_program_is_left_alone(room, tmp_path, name):
    (tmp_path / name).write_bytes(cookie_file("half"))
    os.utime(tmp_path / name, (0, 0))

    done = rotate(room.vault, JAR, Asker(room.vault), FolderDrop(tmp_path))

    assert done.step is Step.NOTHING
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("early", [True, False])
def test_a_rotation_that_looks_while_another_removes_breaks_neither(room, tmp_path, early):
    file = tmp_path / "youtube.txt"
    file.write_bytes(cookie_file("new"))
    os.utime(file, (0, 0))

    class Racing(FolderDrop):
        def read(self, name):
            if name.startswith(".") and early:
                FolderDrop(tmp_path).find(JAR)
            content = super().read(name)
            if name.startswith(".") and not early:
                FolderDrop(tmp_path).find(JAR)
            return content

    done = create(room.vault, JAR, Racing(tmp_path))
    create(room.vault, JAR, FolderDrop(tmp_path))

    assert (done.step, done.note) == (Step.STAGED, "")
    assert os.listdir(tmp_path) == []


def test_an_export_that_is_refused_holds_up_none_that_is_staged(room):
    left = MemoryStore()
    room.vault.stage(JAR, cookie_file("staged"))
    left.put("youtube.txt", b"no cookie file")
    asker = Asker(room.vault)
    asker.probe(room.vault.status(JAR).active.generation.id)

    done = rotate(room.vault, JAR, asker, StoreDrop(left))

    assert done.step is Step.ROTATED
    assert lent_tag(room.vault) == "staged"


class Overtaken(Asker):
    """Something happens while YouTube is asked."""

    def __init__(self, vault, happens):
        super().__init__(vault)
        self.happens = happens

    def probe(self, generation, *, visit=False):
        answer = super().probe(generation)
        self.happens()
        return answer


def lose_the_active(room):
    active = room.vault.status(JAR).active.generation.id
    room.vault.mark(JAR, active, SlotState.DEAD, reason="x")


@pytest.mark.parametrize("way", ["import", "replace"])
def test_a_backup_takes_no_place_that_somebody_filled_meanwhile(room, way):
    lose_the_active(room)
    fresh = cookie_file("fresh", account="fresh")

    def fill():
        if way == "import":
            room.vault.import_jar(JAR, fresh, confirmed=True)
        else:
            room.vault.replace(JAR, parse_jar(fresh, sites=SITES))

    done = fail_over(room.vault, JAR, Overtaken(room.vault, fill))

    assert done == Rotation(JAR, Step.NOTHING, note=OVERTAKEN)
    assert lent_tag(room.vault) == "fresh"


def test_a_backup_takes_no_place_that_somebody_emptied_meanwhile(room):
    lose_the_active(room)
    active = room.vault.status(JAR).active.generation.id

    done = fail_over(room.vault, JAR, Overtaken(room.vault, lambda: room.vault.revoke(JAR, active)))

    assert done.step is Step.NOTHING
    assert room.vault.status(JAR).active is None


@pytest.mark.parametrize("moment", ["before", "while"])
def test_of_two_fail_overs_the_loser_finds_all_in_order(room, moment):
    lose_the_active(room)

    def win():
        if room.vault.status(JAR).active.state is SlotState.DEAD:
            fail_over(room.vault, JAR, Asker(room.vault))

    class Loser(Overtaken):
        def probe(self, generation, *, visit=False):
            if moment == "before":
                self.happens()
            return super().probe(generation)

    done = fail_over(room.vault, JAR, Loser(room.vault, win))

    assert done == Rotation(JAR, Step.NOTHING, note=OVERTAKEN)
    assert lent_tag(room.vault) == "backup"


def test_a_fail_over_that_finds_the_backup_promoted_misses_none(room):
    lose_the_active(room)

    class Late:
        looks = 0

        def __getattr__(self, name):
            return getattr(room.vault, name)

        def status(self, jar):
            self.looks += 1
            if self.looks == 2:  # after it saw what is lost, before it saw the backups
                fail_over(room.vault, JAR, Asker(room.vault))
            return room.vault.status(jar)

    done = fail_over(Late(), JAR, Asker(room.vault))

    assert done == Rotation(JAR, Step.NOTHING, note=OVERTAKEN)


class Silent:
    def probe(self, generation, *, visit=False):
        return Answered(0, generation, "backup", None, None, False, "", False, "no connection", 0.0)


def test_that_nobody_answered_is_not_told_as_a_test_that_was_failed(room):
    assert why_none(ask_backups(room.vault, JAR, Silent())) == (
        "YouTube gave no answer about the backups, no connection"
    )
    assert why_none(ask_backups(room.vault, JAR, Asker(room.vault, "backup"))) == (
        "no backup passed a test"
    )
    assert why_none(()) == "there is no backup that can be tested"


def test_a_backup_of_another_account_takes_over_and_is_told(room):
    room.vault.import_jar(JAR, cookie_file("mine", account="mine"), confirmed=True)
    generation = room.vault.status(JAR).active.generation.id
    room.vault.probe(JAR, generation, lambda jar: Probed(True, "2002", jar))
    lose_the_active(room)

    done = fail_over(room.vault, JAR, Asker(room.vault))

    assert done.step is Step.PROMOTED
    assert "another account's" in done.note


def test_an_export_that_is_no_news_is_not_told_as_stored(room):
    Asker(room.vault).probe(room.vault.status(JAR).active.generation.id)
    left = MemoryStore()
    left.put("youtube.txt", cookie_file("copy"))

    done = rotate(room.vault, JAR, Asker(room.vault), StoreDrop(left))

    assert done.step is Step.NOTHING
    assert "or no older ones" in done.note
    assert left.list("") == []


def test_what_an_import_overtook_is_not_switched_to(room):
    staged = room.vault.stage(JAR, cookie_file("staged")).generation
    Asker(room.vault).probe(staged)

    def import_at_the_last_moment(method, key):
        if method == "put_if_absent" and "heads/" in key:
            store.before = lambda *_: None
            room.vault.import_jar(JAR, cookie_file("fresh", account="fresh"), confirmed=True)

    store = FaultyStore(room.store, before=import_at_the_last_moment)
    done = switch(room.reopen(store), JAR, Rotation(JAR, Step.STAGED, staged), confirmed=True)

    assert done.step is Step.NOTHING
    assert lent_tag(room.vault) == "fresh"


def test_a_login_that_rests_goes_on_resting_in_another_export_of_it(room):
    active = room.vault.status(JAR).active.generation.id
    until = room.clock.now + timedelta(hours=6)
    room.vault.mark(JAR, active, SlotState.COOLING, until=until, reason="BOT_CHECK")
    left = MemoryStore()
    left.put("youtube.txt", cookie_file("again"))

    early = rotate(room.vault, JAR, Asker(room.vault), StoreDrop(left))
    rests = room.vault.status(JAR).slots.pending
    room.clock.advance(hours=7)
    late = rotate(room.vault, JAR, Asker(room.vault), None, confirmed=True)

    assert (early.step, rests.state, rests.until) == (Step.STAGED, SlotState.COOLING, until)
    assert late.step is Step.ROTATED
