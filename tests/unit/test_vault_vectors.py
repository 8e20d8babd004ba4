"""A vault that was frozen together with its format: every later version must read it.

`PYTHONPATH=tests python tests/unit/test_vault_vectors.py` freezes one, for a new format alone.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest

from jarkeeper.slots import Slot, SlotState
from jarkeeper.stores.memory import MemoryStore
from vaultkit import Room, cookie_file, jar_of, tag_of

PATH = Path(__file__).parent.parent / "vectors" / "vault" / "format-1.json"
ACTIONS = ["import", "import", "write-back", "mark", "import", "revoke", "restore", "mark"]


def make_frozen():
    room = Room()
    one, _ = room.fill("one", "two")
    fresh = room.vault.write_back(room.vault.lend("youtube"), jar_of("fresh")).generation
    room.vault.mark("youtube", one, SlotState.SUSPECT)
    (gone,) = room.fill("gone")
    room.vault.revoke("youtube", gone)
    room.vault.restore("youtube", fresh)
    room.vault.check()
    until = room.clock.now + timedelta(hours=1)
    room.vault.mark("youtube", fresh, SlotState.COOLING, until=until, reason="BOT_CHECK")
    return {key: base64.b64encode(item).decode() for key, item in room.store.objects.items()}


@pytest.fixture
def room():
    room = Room()
    objects = json.loads(PATH.read_text())
    room.store = MemoryStore()
    room.store.objects = {key: base64.b64decode(text) for key, text in objects.items()}
    room.clock.advance(days=1)
    room.vault = room.reopen()
    return room


def test_the_frozen_vault_is_whole(room):
    codes = {finding.code for finding in room.vault.check() if finding.severity != "ok"}

    assert codes == {"unknown"}, "nothing outside this vault has seen it yet"
    assert room.vault.verify_trail().events == len(room.store.list("audit/"))


@pytest.mark.parametrize(("slot", "tag"), [("active", "fresh"), ("backup", "one")])
def test_the_frozen_jars_open(room, slot, tag):
    with room.vault.lend("youtube", Slot(slot)).open() as jar:
        assert tag_of(jar) == tag
        assert jar == jar_of(tag, account=tag)


def test_the_frozen_log_reads_as_it_was_written(room):
    history = room.vault.history("youtube")

    assert [head.action for head in history] == ACTIONS
    active = history[-1].active
    assert (active.state, active.reason) == (SlotState.COOLING, "BOT_CHECK")
    assert timedelta(0) < active.until - history[-1].at < timedelta(hours=1)
    assert history[-1].backups[0].state is SlotState.SUSPECT
    assert len(history[-1].revoked) == 1


def test_the_frozen_trail_reads_as_it_was_written(room):
    events = list(room.vault.trail.read())

    assert {event.actor for event in events} == {"tester@here pytest"}
    assert [event.action for event in events if event.outcome == "ok"][-1] == "mark"
    assert events[0].action == "init"


def test_a_frozen_vault_goes_on_growing(room):
    room.vault.import_jar("youtube", cookie_file("new"), confirmed=True)

    with room.vault.lend("youtube").open() as jar:
        assert tag_of(jar) == "new"


if __name__ == "__main__":
    PATH.write_text(json.dumps(make_frozen(), indent=1, sort_keys=True) + "\n")
