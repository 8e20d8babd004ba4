from __future__ import annotations

from datetime import timedelta

import pytest

from jarkeeper.facts import Probed
from jarkeeper.jar import parse_jar
from jarkeeper.lifecycle.drop import StoreDrop
from jarkeeper.lifecycle.rotation import (
    OVERTAKEN,
    Rotation,
    Step,
    ask_backups,
    fail_over,
    rotate,
    switch,
    why_none,
)
from jarkeeper.slots import SlotState
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.youtube.messages import Answered
from vaultkit import SITES, Room, cookie_file, jar_of, lent_tag

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


def test_a_copy_of_a_login_that_rests_waits_and_is_not_asked_about(room):
    until = room.clock() + timedelta(hours=12)
    active = room.vault.status(JAR).active.generation.id
    room.vault.mark(JAR, active, SlotState.COOLING, until=until, reason="BOT_CHECK")
    left = MemoryStore()
    left.put("youtube.txt", cookie_file("copy"))

    class NobodyIsAsked:
        def probe(self, generation, *, visit=False):
            raise AssertionError(generation)

    done = rotate(room.vault, JAR, NobodyIsAsked(), StoreDrop(left))
    room.clock.advance(hours=12)
    later = rotate(room.vault, JAR, Asker(room.vault), StoreDrop(left))

    assert done.step is Step.STAGED
    assert "rests until" in done.note
    assert not done.is_stuck
    assert later.step is Step.ROTATED


def test_an_import_that_overtakes_a_rotation_is_no_failure(room):
    Asker(room.vault).probe(room.vault.status(JAR).active.generation.id)
    receipt = room.vault.stage(JAR, cookie_file("staged", account="staged"))
    Asker(room.vault).probe(receipt.generation)

    class Faster:
        def __getattr__(self, name):
            return getattr(room.vault, name)

        def rotate(self, jar, *, confirmed=False):
            room.vault.import_jar(JAR, cookie_file("fresh"), confirmed=True)
            return room.vault.rotate(jar, confirmed=confirmed)

    done = switch(Faster(), JAR, Rotation(JAR, Step.STAGED, receipt.generation))

    assert done == Rotation(JAR, Step.NOTHING, note="the staged cookies are not there any more")
    assert lent_tag(room.vault) == "fresh"


def test_an_export_that_is_no_news_is_not_told_as_stored(room):
    Asker(room.vault).probe(room.vault.status(JAR).active.generation.id)
    left = MemoryStore()
    left.put("youtube.txt", cookie_file("copy"))

    done = rotate(room.vault, JAR, Asker(room.vault), StoreDrop(left))

    assert done.step is Step.NOTHING
    assert "or no older ones" in done.note
    assert left.list("") == []
