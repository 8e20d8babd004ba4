from __future__ import annotations

from datetime import timedelta

import pytest

from jarkeeper.facts import Probed
from jarkeeper.jar import parse_jar
from jarkeeper.lifecycle.drop import StoreDrop
from jarkeeper.lifecycle.rotation import Rotation, Step, fail_over, rotate, switch
from jarkeeper.slots import SlotState
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.youtube.messages import Answered
from vaultkit import SITES, FaultyStore, Room, cookie_file, jar_of, lent_tag

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
    """While YouTube is asked, an operator brings another login in."""

    def __init__(self, vault, bring):
        super().__init__(vault)
        self.bring = bring

    def probe(self, generation, *, visit=False):
        answer = super().probe(generation)
        fresh = cookie_file("fresh", account="fresh")
        if self.bring == "import":
            self.vault.import_jar(JAR, fresh, confirmed=True)
        else:
            self.vault.replace(JAR, parse_jar(fresh, sites=SITES))
        return answer


@pytest.mark.parametrize("bring", ["import", "replace"])
def test_no_backup_takes_the_place_of_what_came_in_while_it_was_tested(room, bring):
    room.vault.import_jar(JAR, cookie_file("dead", account="dead"), confirmed=True)
    active = room.vault.status(JAR).active.generation.id
    room.vault.mark(JAR, active, SlotState.DEAD, reason="x")

    done = fail_over(room.vault, JAR, Overtaken(room.vault, bring))

    assert done.step is Step.NOTHING
    assert lent_tag(room.vault) == "fresh"


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
