"""Histories made by a real vault: what became of each generation, and how long logins lived."""

from datetime import timedelta

import pytest

from jarkeeper.errors import IntegrityError
from jarkeeper.lifecycle.lifetime import age_days, expected_days
from jarkeeper.lifecycle.past import past_of
from jarkeeper.slots import Slot, SlotState
from vaultkit import Room, cookie_file, jar_of

DAY = 86_400


def past(room):
    return past_of(room.vault.history("youtube"), now=room.clock.now)


def told(room):
    return [(item.generation.id, item.ended, item.reason, item.place) for item in past(room)]


def days_active(room):
    seconds = (item.active_seconds for item in past(room))
    return [None if value is None else round(value / DAY, 1) for value in seconds]


def active(room):
    return room.vault.status("youtube").active.generation.id


def renew(room, tag):
    room.vault.write_back(room.vault.lend("youtube"), jar_of(tag))
    return active(room)


def die(room, reason="COOKIE_ROTATED"):
    room.vault.mark("youtube", active(room), SlotState.DEAD, reason=reason)


def live(room, tag, *, days):
    """Import a login, renew it once on the way, and let it die."""
    room.vault.import_jar("youtube", cookie_file(tag), confirmed=True)
    room.clock.advance(days=days / 2)
    renew(room, f"{tag}b")
    room.clock.advance(days=days / 2)
    die(room)


def test_each_way_of_ending_is_told():
    room = Room(backup_count=1)
    one = room.fill("one")[0]
    room.clock.advance(days=1)
    two = renew(room, "two")
    room.clock.advance(days=2)
    die(room)
    room.clock.advance(days=4)
    (three,) = room.fill("three")
    room.clock.advance(days=8)
    (four,) = room.fill("four")
    room.vault.revoke("youtube", three)
    room.clock.advance(days=16)

    assert told(room) == [
        (four, "", "", "active"),
        (three, "revoked", "", "revoked"),
        (two, "died", "COOKIE_ROTATED", "in no slot"),
        (one, "renewed", "", "in no slot"),
    ]
    assert days_active(room) == [16.0, 8.0, 2.0, 1.0]


def test_a_restored_generation_is_in_use_again_and_its_days_add_up():
    room = Room()
    (one,) = room.fill("one")
    room.clock.advance(days=1)
    (two,) = room.fill("two")
    room.clock.advance(days=5)
    room.vault.restore("youtube", one)
    room.clock.advance(days=1)

    assert told(room) == [(two, "replaced", "", "backup"), (one, "", "", "active")]
    assert days_active(room) == [5.0, 2.0]


def test_what_was_a_backup_all_its_life_was_never_active():
    room = Room()
    room.fill("one", "two")
    lent = room.vault.lend("youtube", Slot.BACKUP)
    room.vault.write_back(lent, jar_of("three"))

    newest = past(room)[0]

    assert (newest.active_seconds, newest.ended, newest.place) == (None, "", "backup")


def test_what_the_clean_up_took_is_told():
    room = Room(backup_count=0)
    room.fill("one", "two")
    room.clock.advance(days=90)
    room.vault.gc(grace=timedelta(days=30))

    assert [item.place for item in past(room)] == ["active", "cleaned up"]


def test_a_life_goes_on_through_write_backs_and_ends_with_a_mark():
    room = Room()
    live(room, "one", days=20)
    room.fill("two")
    room.clock.advance(days=3)
    renew(room, "two-b")

    slots = room.vault.status("youtube").slots

    assert slots.lives == pytest.approx((20,), abs=0.01)
    assert age_days(slots.active, now=room.clock.now) == pytest.approx(3, abs=0.01)


def test_a_backup_renewed_beside_the_active_one_keeps_its_own_life():
    room = Room()
    room.fill("one")
    room.clock.advance(days=10)
    room.fill("two")
    room.vault.write_back(room.vault.lend("youtube", Slot.BACKUP), jar_of("one-b"))
    room.clock.advance(days=10)
    backup = room.vault.status("youtube").backups[0].generation.id
    room.vault.mark("youtube", backup, SlotState.DEAD)

    assert room.vault.status("youtube").slots.lives == pytest.approx((20,), abs=0.01)


def test_the_expected_life_is_the_median_of_the_newest_five():
    room = Room()
    for number, days in enumerate((90, 10, 20, 30, 40, 60)):
        live(room, f"g{number}", days=days)

    assert expected_days(room.vault.status("youtube").slots) == pytest.approx(30, abs=0.01)


def test_nothing_is_learned_of_what_was_dead_on_arrival():
    room = Room()
    room.fill("one")
    generation = room.vault.status("youtube").active.generation.id
    room.vault.mark("youtube", generation, SlotState.DEAD)

    assert expected_days(room.vault.status("youtube").slots) is None
    assert past_of((), now=room.clock.now) == []


def test_a_long_history_is_read_whole_and_in_order():
    room = Room()
    room.fill("one", "two")
    for _ in range(40):
        room.vault.promote("youtube")

    assert [head.seq for head in room.vault.history("youtube")] == list(range(1, 43))


def test_a_break_in_a_long_history_is_found():
    room = Room()
    room.fill("one", "two")
    for _ in range(40):
        room.vault.promote("youtube")
    room.store.delete("cookies/youtube/heads/000000000020.json")

    with pytest.raises(IntegrityError, match="head 20 is missing"):
        room.vault.history("youtube")
