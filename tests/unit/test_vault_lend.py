from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import timedelta

import pytest

from jarkeeper.errors import LendRefused, NotFound, VaultError
from jarkeeper.jar import Jar
from jarkeeper.slots import Slot, SlotState
from jarkeeper.vault import SealedJar
from vaultkit import CANARY, Room, cookie_file, jar_of, tag_of


def test_a_loan_says_what_it_is():
    room = Room()
    (one,) = room.fill("one")

    lent = room.vault.lend("youtube")

    head = room.vault.status("youtube")
    assert (lent.jar_name, lent.slot, lent.generation) == ("youtube", Slot.ACTIVE, one)
    assert lent.fingerprint == head.active.generation.fingerprint
    assert (lent.head_seq, lent.facts) == (1, head.active.generation.facts)


def test_a_loan_opens_as_often_as_it_is_needed():
    room = Room()
    room.fill("one")
    lent = room.vault.lend("youtube")

    for _ in range(2):
        with lent.open() as jar:
            assert isinstance(jar, Jar)
            assert jar == jar_of("one")


def test_a_closed_loan_does_not_open():
    room = Room()
    room.fill("one")
    lent = room.vault.lend("youtube")

    lent.close()

    with pytest.raises(VaultError), lent.open():
        pass


@pytest.mark.parametrize("key", [None, bytes(32)])
def test_a_jar_lies_encrypted_in_memory(key):
    sealed = SealedJar(jar_of("one"), key=key)

    assert CANARY.encode() not in sealed._sealed
    with sealed.open() as jar:
        assert jar == jar_of("one")


def test_a_jar_is_encrypted_anew_each_time():
    one, two = (SealedJar(jar_of("one")) for _ in range(2))

    assert one._sealed != two._sealed


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps])
def test_a_sealed_jar_refuses_to_be_taken_along(way):
    sealed = SealedJar(jar_of("one"))

    with pytest.raises(TypeError):
        way(sealed)


@pytest.mark.parametrize("way", [pickle.dumps, copy.deepcopy, json.dumps, dataclasses.asdict])
def test_a_loan_refuses_to_be_taken_along(way):
    room = Room()
    room.fill("one")
    lent = room.vault.lend("youtube")

    with pytest.raises(TypeError):
        way(lent)


def test_a_loan_shows_no_content():
    room = Room()
    room.fill("one")
    lent = room.vault.lend("youtube")

    for text in (repr(lent), str(lent), f"{lent}", repr(lent.sealed), f"{lent.sealed!s}"):
        assert CANARY not in text
        assert "LOGIN_INFO" not in text


def test_a_dead_slot_is_lent_to_probes_alone():
    room = Room()
    (one,) = room.fill("one")
    room.vault.mark("youtube", one, SlotState.DEAD, reason="COOKIE_ROTATED")

    with pytest.raises(LendRefused, match="COOKIE_ROTATED") as caught:
        room.vault.lend("youtube")

    assert caught.value.reason == "dead"
    assert "jarkeeper import" in caught.value.hint
    assert room.events()[-1] == ("lend", "outcome", "refused", "dead")
    with room.vault.lend("youtube", allow_dead=True).open() as jar:
        assert tag_of(jar) == "one"


def test_a_cooling_slot_is_lent_when_its_time_is_over():
    room = Room()
    (one,) = room.fill("one")
    until = room.clock.now + timedelta(hours=1)
    room.vault.mark("youtube", one, SlotState.COOLING, until=until, reason="RATE_LIMIT_ACCOUNT")

    with pytest.raises(LendRefused, match="cooling until 2026-06-01 13:00 UTC") as caught:
        room.vault.lend("youtube")
    assert caught.value.reason == "cooling"
    with pytest.raises(LendRefused):
        room.vault.lend("youtube", allow_dead=True)

    room.clock.advance(hours=1)
    assert room.vault.lend("youtube").generation == one


def test_a_suspect_slot_is_lent():
    room = Room()
    (one,) = room.fill("one")
    room.vault.mark("youtube", one, SlotState.SUSPECT)

    assert room.vault.lend("youtube").generation == one


def test_a_missing_backup_is_not_found_and_audited():
    room = Room()
    room.fill("one")

    with pytest.raises(NotFound):
        room.vault.lend("youtube", Slot.BACKUP)

    assert room.events()[-1] == ("lend", "outcome", "refused", "not_found")


def test_a_dead_backup_hides_no_healthy_one():
    room = Room()
    one, two, _ = room.fill("one", "two", "three")
    room.vault.mark("youtube", two, SlotState.DEAD)

    assert room.vault.lend("youtube", Slot.BACKUP).generation == one


def test_a_loan_is_on_record_before_and_after():
    room = Room()
    (one,) = room.fill("one")

    room.vault.lend("youtube")

    intent, outcome = list(room.vault.trail.read())[-2:]
    for event in (intent, outcome):
        assert (event.action, event.jar, event.slot) == ("lend", "youtube", "active")
        assert (event.generation, event.head_seq) == (one, 1)
    assert (intent.phase, outcome.phase, outcome.outcome) == ("intent", "outcome", "ok")


def test_the_use_of_a_loan_is_recorded_in_numbers():
    room = Room()
    (one,) = room.fill("one")
    lent = room.vault.lend("youtube")

    room.vault.record_use(lent, counts={"OK": 3, "PRIVATE": 1}, seconds=12.5)

    event = list(room.vault.trail.read())[-1]
    assert (event.action, event.phase, event.outcome) == ("use", "outcome", "ok")
    assert (event.generation, dict(event.counts), event.seconds) == (
        one,
        {"OK": 3, "PRIVATE": 1},
        12.5,
    )


def test_each_jar_is_lent_by_its_own_name():
    room = Room()
    room.fill("one")
    room.vault.import_jar("second", cookie_file("two"))

    with room.vault.lend("second").open() as jar:
        assert tag_of(jar) == "two"
    assert room.vault.jars() == ["second", "youtube"]
    assert room.store.get("cookies/second-cookies-active.txt")
