from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jarkeeper.errors import KeyUnavailable, WriteBackRefused
from jarkeeper.jar import Jar
from jarkeeper.slots import Slot, SlotState
from vaultkit import FAR, KEYS, LOGIN, FaultyStore, Room, jar_of, lent_tag


def borrow(room, slot=Slot.ACTIVE):
    room.fill("backup", "active")
    return room.vault.lend("youtube", slot)


def assert_refused(room, lent, jar, reason):
    before = room.vault.status("youtube")
    with pytest.raises(WriteBackRefused) as caught:
        room.vault.write_back(lent, jar)
    assert caught.value.reason == reason
    assert room.events()[-1] == ("write-back", "outcome", "refused", reason)
    assert room.vault.status("youtube") == before


@pytest.mark.parametrize(("slot", "other"), [("active", "backup"), ("backup", "active")])
def test_a_refreshed_jar_takes_the_place_of_the_lent_one(slot, other):
    room = Room()
    lent = borrow(room, Slot(slot))

    receipt = room.vault.write_back(lent, jar_of("fresh"))

    assert receipt.action == "write-back"
    assert receipt.generation != lent.generation
    assert lent_tag(room.vault, slot) == "fresh"
    assert lent_tag(room.vault, other) == other
    assert room.vault.status("youtube").slot(Slot(slot)).generation.source == "write-back"


def test_the_loan_goes_on_with_the_new_generation():
    room = Room()
    lent = borrow(room)

    for turn in range(3):
        receipt = room.vault.write_back(lent, jar_of(f"fresh{turn}"))
        lent = receipt.lent

    assert lent.generation == room.vault.status("youtube").active.generation.id
    with lent.open() as jar:
        assert jar == jar_of("fresh2")
    assert lent_tag(room.vault) == "fresh2"


def test_the_slot_keeps_its_state():
    room = Room()
    lent = borrow(room)
    until = room.clock.now + timedelta(hours=1)
    room.vault.mark("youtube", lent.generation, SlotState.COOLING, until=until, reason="BOT_CHECK")

    room.vault.write_back(lent, jar_of("fresh"))

    active = room.vault.status("youtube").active
    assert (active.state, active.until, active.reason) == (SlotState.COOLING, until, "BOT_CHECK")


def test_an_unchanged_jar_is_no_commit():
    room = Room()
    lent = borrow(room)

    receipt = room.vault.write_back(lent, jar_of("active"))

    assert receipt.generation == lent.generation
    assert receipt.lent is lent
    assert room.vault.status("youtube").seq == 2
    assert room.events()[-1] == ("write-back", "outcome", "ok", "unchanged")


def test_a_revoked_jar_does_not_come_back():
    room = Room()
    lent = borrow(room)
    room.vault.revoke("youtube", lent.generation)

    assert_refused(room, lent, jar_of("fresh"), "revoked")


def test_a_jar_that_was_rotated_out_of_its_slots_does_not_come_back():
    room = Room(backup_count=1)
    lent = borrow(room)
    room.fill("newer", "newest")

    assert_refused(room, lent, jar_of("fresh"), "not_current")


def test_a_jar_that_was_rotated_to_the_backup_is_kept_there():
    room = Room()
    lent = borrow(room)
    room.fill("newer")

    room.vault.write_back(lent, jar_of("fresh"))

    assert lent_tag(room.vault) == "newer"
    assert lent_tag(room.vault, "backup") == "fresh"


def test_a_jar_that_another_use_wrote_back_already_is_not_written_over():
    room = Room()
    lent = borrow(room)
    room.vault.write_back(lent, jar_of("first"))

    assert_refused(room, lent, jar_of("second"), "not_current")


def test_a_loan_of_another_vault_is_refused():
    room, other = Room(), Room()
    room.fill("one")
    lent = borrow(other)

    assert_refused(room, lent, jar_of("fresh"), "not_current")


def test_a_loan_of_a_jar_that_is_not_there_is_refused():
    room, other = Room(), Room()
    lent = borrow(other)

    with pytest.raises(WriteBackRefused):
        room.vault.write_back(lent, jar_of("fresh"))


def test_what_comes_back_from_a_dead_slot_is_not_kept():
    room = Room()
    lent = borrow(room)
    room.vault.mark("youtube", lent.generation, SlotState.DEAD, reason="COOKIE_ROTATED")

    assert_refused(room, lent, jar_of("fresh"), "slot_dead")


@pytest.mark.parametrize("gone", LOGIN)
def test_a_jar_that_lost_an_authentication_cookie_is_refused(gone):
    room = Room()
    lent = borrow(room)
    names = [name for name in LOGIN if name != gone]

    assert_refused(room, lent, jar_of("fresh", names=names), "login_gone")


@pytest.mark.parametrize("gone", LOGIN)
def test_a_jar_with_an_emptied_authentication_cookie_is_refused(gone):
    room = Room()
    lent = borrow(room)
    cookies = jar_of("fresh").cookies
    emptied = Jar(tuple(item.changed(value="") if item.name == gone else item for item in cookies))

    assert_refused(room, lent, emptied, "login_gone")


def test_a_jar_whose_login_expired_is_refused():
    room = Room()
    lent = borrow(room)
    past = int(room.clock.now.timestamp()) - 1

    assert_refused(room, lent, jar_of("fresh", expires=past), "login_gone")


def test_an_empty_jar_is_refused():
    room = Room()
    lent = borrow(room)

    assert_refused(room, lent, Jar(()), "login_gone")


def test_a_jar_with_foreign_domains_is_refused():
    room = Room()
    lent = borrow(room)
    fresh = jar_of("fresh").cookies
    foreign = fresh[0].changed(domain=".youtube.com.example.net", name="X")

    assert_refused(room, lent, Jar((*fresh, foreign)), "foreign_domains")


def test_a_jar_with_a_cookie_that_no_jar_may_hold_is_refused():
    room = Room()
    lent = borrow(room)
    fresh = jar_of("fresh").cookies
    strange = fresh[0].changed(name="X", value="a\tb", expires=FAR)

    assert_refused(room, lent, Jar((*fresh, strange)), "malformed")


def test_a_write_back_that_is_overtaken_is_dropped():
    room = Room()
    lent = borrow(room)

    def rival(method, key):
        if method == "put_if_absent" and "/heads/" in key:
            faulty.before = lambda *_: None
            room.fill("newer")

    faulty = FaultyStore(room.store, before=rival)
    with pytest.raises(WriteBackRefused) as caught:
        room.reopen(faulty).write_back(lent, jar_of("fresh"))

    assert caught.value.reason == "conflict"
    assert room.events()[-1] == ("write-back", "outcome", "conflict", "conflict")
    assert lent_tag(room.vault) == "newer"
    assert lent_tag(room.vault, "backup") == "active"


def test_a_new_authentication_cookie_is_welcome():
    room = Room()
    lent = borrow(room)

    room.vault.write_back(lent, jar_of("fresh", names=(*LOGIN, "__Secure-1PSIDTS")))

    assert lent_tag(room.vault) == "fresh"


def test_another_account_never_takes_the_place_of_the_one_that_was_lent():
    room = Room()
    room.fill("one")
    lent = room.vault.lend("youtube")

    assert_refused(room, lent, jar_of("fresh", account="other"), "another_login")


def test_a_key_that_gives_no_answer_is_a_refusal_and_the_next_try_keeps_the_login():
    room = Room()
    lent = borrow(room)
    broken = room.reopen()
    broken.ports = replace(broken.ports, keys=Away())

    with pytest.raises(WriteBackRefused) as caught:
        broken.write_back(lent, jar_of("fresh"))
    room.vault.write_back(lent, jar_of("fresh"))

    assert caught.value.reason == "key_unavailable"
    assert lent_tag(room.vault) == "fresh"


class Away:
    """The key while its service is down: what was derived before is there, it wraps nothing."""

    name = KEYS.name
    derive = staticmethod(KEYS.derive)

    def wrap(self, *_, **__):
        raise KeyUnavailable("key: no answer")

    unwrap = wrap
