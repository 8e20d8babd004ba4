from __future__ import annotations

from datetime import timedelta

import pytest

from jarkeeper.errors import InputError, NotFound, StoreError
from jarkeeper.slots import SlotState
from jarkeeper.stores.local import LocalStore
from jarkeeper.stores.memory import MemoryStore
from vaultkit import FaultyStore, Once, Room, cookie_file, lent_tag

DAY = timedelta(days=1)


def stored(room):
    return [key[-32:] for key in room.store.list("cookies/youtube/generations/")]


def test_what_left_every_slot_longer_ago_than_the_grace_is_deleted():
    room = Room(backup_count=1)
    one, two, three = room.fill("one", "two", "three")
    room.clock.advance(days=2)

    receipt = room.vault.gc(grace=DAY)

    assert receipt.generations == 1
    assert sorted(stored(room)) == sorted([two, three])
    assert [head.action for head in room.vault.history("youtube")][-1] == "gc"
    event = list(room.vault.trail.read())[-1]
    assert (event.action, event.outcome, event.counts["generations"]) == ("gc", "ok", 1)
    assert one not in stored(room)


def test_what_left_within_the_grace_stays():
    room = Room(backup_count=1)
    room.fill("one", "two")
    room.clock.advance(days=2)
    room.fill("three")
    room.clock.advance(hours=23)

    receipt = room.vault.gc(grace=DAY)

    assert receipt.generations == 0
    assert len(stored(room)) == 3
    assert room.vault.status("youtube").action == "import"


def test_nothing_in_a_slot_is_ever_deleted_however_old():
    room = Room()
    room.fill("one", "two")
    room.vault.mark("youtube", stored(room)[0], SlotState.DEAD)
    room.clock.advance(days=9999)

    room.vault.gc(grace=timedelta(0))

    assert len(stored(room)) == 2
    assert room.vault.check()


def test_a_revoked_generation_is_deleted_after_the_grace():
    room = Room()
    one, two = room.fill("one", "two")
    room.vault.revoke("youtube", one)
    room.clock.advance(days=2)

    room.vault.gc(grace=DAY)

    assert stored(room) == [two]


def test_a_second_clean_up_has_nothing_to_do_and_commits_nothing():
    room = Room(backup_count=1)
    room.fill("one", "two", "three")
    room.clock.advance(days=2)
    room.vault.gc(grace=DAY)
    seq = room.vault.status("youtube").seq

    receipt = room.vault.gc(grace=DAY)

    assert (receipt.generations, receipt.leftovers) == (0, 0)
    assert room.vault.status("youtube").seq == seq


def test_a_cleaned_up_generation_can_not_be_restored():
    room = Room(backup_count=1)
    one, *_ = room.fill("one", "two", "three")
    room.clock.advance(days=2)
    room.vault.gc(grace=DAY)

    with pytest.raises(NotFound, match="cleaned up"):
        room.vault.restore("youtube", one)

    assert lent_tag(room.vault) == "three"


def test_a_restore_that_comes_before_the_horizon_saves_the_generation():
    room = Room(backup_count=1)
    one, *_ = room.fill("one", "two", "three")
    room.clock.advance(days=2)

    def rival(method, key):
        if method == "put_if_absent" and "/heads/" in key:
            faulty.before = lambda *_: None
            room.vault.restore("youtube", one)

    faulty = FaultyStore(room.store, before=rival)
    room.reopen(faulty).gc(grace=DAY)

    assert one in stored(room)
    assert lent_tag(room.vault) == "one"


def test_a_restore_that_comes_after_the_horizon_is_refused():
    room = Room(backup_count=1)
    one, *_ = room.fill("one", "two", "three")
    room.clock.advance(days=2)

    def rival(method, key):
        if method == "put_if_absent" and "/heads/" in key:
            faulty.before = lambda *_: None
            room.vault.gc(grace=DAY)

    faulty = FaultyStore(room.store, before=rival)
    with pytest.raises(NotFound):
        room.reopen(faulty).restore("youtube", one)

    assert lent_tag(room.vault) == "three"


def test_a_generation_that_was_sealed_but_never_committed_is_deleted_when_it_is_old():
    room = Room()
    room.store = MemoryStore(clock=room.clock)
    room = Room(store=room.store, clock=room.clock)
    room.fill("one")
    fault = Once(StoreError("full"), part="/heads/")
    with pytest.raises(StoreError):
        room.reopen(FaultyStore(room.store, before=fault)).import_jar("youtube", cookie_file("two"))
    assert len(stored(room)) == 2

    early = room.vault.gc(grace=timedelta(0))
    room.clock.advance(hours=2)
    late = room.vault.gc(grace=timedelta(0))

    assert (early.leftovers, late.leftovers) == (0, 1)
    assert len(stored(room)) == 1
    assert lent_tag(room.vault) == "one"


def test_a_clean_up_that_was_interrupted_is_finished_by_the_next_one():
    room = Room(backup_count=1)
    room.fill("one", "two", "three", "four")
    room.clock.advance(days=2)
    fault = Once(StoreError("down"), method="delete", at=2)
    with pytest.raises(StoreError):
        room.reopen(FaultyStore(room.store, before=fault)).gc(grace=DAY)
    assert len(stored(room)) == 3

    receipt = room.vault.gc(grace=DAY)

    assert receipt.generations == 1
    assert len(stored(room)) == 2


def test_heads_and_audit_are_never_deleted():
    room = Room(backup_count=1)
    room.fill("one", "two", "three")
    kept = [key for key in room.store.list("") if "/generations/" not in key]
    room.clock.advance(days=9999)

    room.vault.gc(grace=timedelta(0))

    assert set(kept) <= set(room.store.list(""))


def test_temporary_names_of_a_local_store_are_swept(tmp_path):
    room = Room(store=LocalStore(tmp_path / "vault"))
    room.fill("one")
    (tmp_path / "vault" / "cookies" / ".tmp-0011").write_bytes(b"left")
    room.clock.advance(days=365)

    assert room.vault.gc(grace=DAY).temporary_files == 1


def test_a_negative_grace_is_refused():
    with pytest.raises(InputError):
        Room().vault.gc(grace=-DAY)
