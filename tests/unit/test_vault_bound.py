from __future__ import annotations

from datetime import timedelta

import pytest

from jarkeeper.errors import InputError, LendRefused, NotGranted, RollbackError
from jarkeeper.slots import Slot, SlotState
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import BoundVault, Capability
from vaultkit import CANARY, Room, cookie_file, jar_of, tag_of


def filled(**granted):
    """Return a room, and its vault as a run of that moment has it."""
    room = Room()
    room.fill("old", "new")
    room.vault.import_jar("second", cookie_file("second"))
    until = room.clock.now + timedelta(hours=1)
    capability = {"jar": "youtube", "base_head": 2, "until": until} | granted
    return room, BoundVault(room.vault, Capability(**capability))


def test_a_run_does_with_its_jar_what_it_needs():
    room, bound = filled()
    lent = bound.lend("youtube", Slot.ACTIVE)

    kept = bound.write_back(lent, jar_of("fresh")).lent
    bound.mark("youtube", kept.generation, SlotState.SUSPECT, reason="BOT_CHECK")
    bound.record_use(kept, counts={"OK": 1}, seconds=1.0)

    head = bound.status("youtube")
    assert (head.active.generation.id, head.active.state) == (kept.generation, SlotState.SUSPECT)
    assert [action for action, phase, _, _ in room.events()[-6:] if phase == "outcome"] == [
        *("lend", "write-back", "mark", "use")
    ]


def every_call(bound, room, jar):
    """Return each use case of a run, about that jar."""
    lent = room.vault.lend(jar)
    return [
        lambda: bound.lend(jar),
        lambda: bound.lend(jar, Slot.BACKUP),
        lambda: bound.write_back(lent, jar_of("fresh")),
        lambda: bound.mark(jar, lent.generation, SlotState.DEAD),
        lambda: bound.record_use(lent, counts={}, seconds=0.0),
        lambda: bound.status(jar),
    ]


def test_another_jar_is_refused_whatever_is_asked():
    room, bound = filled()
    before = room.vault.status("second")

    for call in every_call(bound, room, "second"):
        with pytest.raises(NotGranted, match="jar 'second': the run may use jar 'youtube' alone"):
            call()

    assert room.vault.status("second") == before


def test_nothing_is_granted_any_more_when_the_time_is_over():
    room, bound = filled()
    calls = every_call(bound, room, "youtube")
    before = room.vault.status("youtube")
    room.clock.advance(hours=1)

    for call in calls:
        with pytest.raises(NotGranted, match=r"could use it until 2026-06-01 13:00 UTC") as caught:
            call()
        assert "run it again" in caught.value.hint

    assert room.vault.status("youtube") == before


def test_all_is_granted_until_the_last_moment():
    room, bound = filled()
    room.clock.advance(minutes=59, seconds=59)

    with bound.lend("youtube").open() as jar:
        assert tag_of(jar) == "new"


def test_a_vault_that_was_set_back_since_the_run_looked_is_refused():
    room = Room()
    room.fill("old")
    copy = MemoryStore()
    copy.objects = dict(room.store.objects)
    room.fill("new")
    capability = Capability("youtube", 2, room.clock.now + timedelta(hours=1))
    forgetful = room.reopen(copy)
    bound = BoundVault(forgetful, capability)

    for call in every_call(bound, room, "youtube"):
        with pytest.raises(
            RollbackError, match="the newest head is 1, but the run has seen head 2"
        ):
            call()

    assert forgetful.lend("youtube").head_seq == 1


def test_a_jar_that_is_gone_was_set_back_too():
    room = Room()
    empty = room.reopen()
    bound = BoundVault(empty, Capability("youtube", 2, room.clock.now + timedelta(hours=1)))

    with pytest.raises(RollbackError, match="the newest head is 0"):
        bound.status("youtube")


def test_newer_cookies_that_an_operator_imports_meanwhile_are_welcome():
    room, bound = filled()
    room.fill("newer")

    with bound.lend("youtube").open() as jar:
        assert tag_of(jar) == "newer"


def test_a_refusal_is_on_record():
    room, bound = filled()

    with pytest.raises(NotGranted):
        bound.lend("second")

    intent, outcome = list(room.vault.trail.read())[-2:]
    assert (intent.action, intent.phase, intent.jar) == ("lend", "intent", "second")
    assert (outcome.outcome, outcome.detail) == ("refused", "capability")
    assert intent.access == outcome.access


def test_a_name_that_no_jar_has_does_not_reach_the_trail():
    room, bound = filled()
    before = room.events()

    with pytest.raises(InputError):
        bound.lend(f"../{CANARY}")

    assert room.events() == before


@pytest.mark.parametrize(
    "name",
    [
        *("import_jar", "restore", "revoke", "promote", "gc", "check", "history", "metadata"),
        *("jars", "trail", "ports", "verify_trail", "open", "create"),
    ],
)
def test_what_a_run_does_not_need_is_not_there(name):
    _, bound = filled()

    with pytest.raises(AttributeError):
        getattr(bound, name)


@pytest.mark.parametrize("beyond_limit", [False, True])
def test_the_capability_alone_says_whether_a_run_may_go_beyond_the_limit(beyond_limit):
    room, _ = filled()
    room.vault = room.reopen(opens_per_hour=1)
    until = room.clock.now + timedelta(hours=1)
    bound = BoundVault(room.vault, Capability("youtube", 2, until, beyond_limit=beyond_limit))
    room.vault.lend("youtube")

    if beyond_limit:
        assert bound.lend("youtube").jar_name == "youtube"
    else:
        with pytest.raises(LendRefused, match="once since"):
            bound.lend("youtube")
