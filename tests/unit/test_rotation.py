from __future__ import annotations

import pytest

from jarkeeper.facts import Probed
from jarkeeper.lifecycle.drop import StoreDrop
from jarkeeper.lifecycle.rotation import Step, rotate
from jarkeeper.slots import SlotState
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.youtube.messages import Answered
from vaultkit import Room, cookie_file, jar_of, lent_tag

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
