from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jarkeeper.errors import LendRefused, NotFound, StoreError, StoreUnknown
from jarkeeper.records import read_record
from jarkeeper.slots import Slot, SlotState
from vaultkit import Always, FaultyStore, Once, Room, assert_no_canary, jar_of


def filled(*tags, limit=2):
    room = Room()
    room.fill(*(tags or ("one",)))
    room.vault = room.reopen(opens_per_hour=limit)
    return room


def permits(room):
    return [key.replace("/youtube/", "/") for key in room.store.list("opens/youtube/")]


def exhaust(room, *, times=2):
    for _ in range(times):
        room.vault.lend("youtube")


def test_each_open_takes_the_next_permit_of_the_hour():
    room = filled()

    exhaust(room)

    assert permits(room) == ["opens/20260601T12/0001", "opens/20260601T12/0002"]


def test_an_open_too_many_is_refused_and_says_when_to_come_back():
    room = filled()
    exhaust(room)

    with pytest.raises(LendRefused) as caught:
        room.vault.lend("youtube")

    assert caught.value.reason == "rate"
    assert caught.value.message == (
        "jar 'youtube': was opened 2 times since 12:00 UTC, which is the limit for an hour; "
        "the next begins at 13:00 UTC"
    )
    assert "--beyond-limit" in caught.value.hint
    assert room.events()[-2:] == [
        ("lend", "intent", "", ""),
        ("lend", "outcome", "refused", "rate"),
    ]


def test_the_next_hour_admits_again():
    room = filled()
    exhaust(room)
    room.clock.now = datetime(2026, 6, 1, 12, 59, 59, tzinfo=UTC)
    with pytest.raises(LendRefused):
        room.vault.lend("youtube")

    room.clock.now = datetime(2026, 6, 1, 13, tzinfo=UTC)

    assert room.vault.lend("youtube").jar_name == "youtube"


def test_slots_share_the_limit_of_their_jar():
    room = filled("one", "two")
    exhaust(room)

    with pytest.raises(LendRefused, match="2 times"):
        room.vault.lend("youtube", Slot.BACKUP)


def test_another_jar_has_a_limit_of_its_own():
    room = filled()
    room.vault.import_jar("second", b"# Netscape HTTP Cookie File\n" + rows_of("one"))
    exhaust(room)

    assert room.vault.lend("second").jar_name == "second"
    assert room.vault.jars() == ["second", "youtube"]


def test_a_probe_of_a_dead_slot_counts():
    room = filled(limit=1)
    room.vault.mark("youtube", room.vault.status("youtube").active.generation.id, SlotState.DEAD)
    room.vault.lend("youtube", allow_dead=True)

    with pytest.raises(LendRefused) as caught:
        room.vault.lend("youtube", allow_dead=True)

    assert caught.value.reason == "rate"


def test_what_opens_nothing_takes_no_permit():
    room = filled()
    room.vault.mark("youtube", room.vault.status("youtube").active.generation.id, SlotState.DEAD)

    with pytest.raises(LendRefused, match="dead"):
        room.vault.lend("youtube")
    with pytest.raises(NotFound):
        room.vault.lend("youtube", Slot.BACKUP)

    assert permits(room) == []


def test_a_loan_that_goes_on_after_a_write_back_takes_no_permit():
    room = filled(limit=1)
    lent = room.vault.lend("youtube")

    for tag in ("two", "three"):
        lent = room.vault.write_back(lent, jar_of(tag)).lent
        with lent.open() as jar:
            assert jar == jar_of(tag)

    assert len(permits(room)) == 1


def test_beyond_the_limit_is_on_record_before_and_after():
    room = filled()
    exhaust(room)

    lent = room.vault.lend("youtube", beyond_limit=True)

    with lent.open() as jar:
        assert jar == jar_of("one")
    assert room.events()[-2:] == [
        ("lend", "intent", "", "beyond_limit"),
        ("lend", "outcome", "ok", "beyond_limit"),
    ]
    assert len(permits(room)) == 2
    assert room.vault.verify_trail().discrepancies == ()


def test_no_override_opens_what_must_not_be_opened():
    room = filled()
    room.vault.mark("youtube", room.vault.status("youtube").active.generation.id, SlotState.DEAD)

    with pytest.raises(LendRefused, match="dead"):
        room.vault.lend("youtube", beyond_limit=True)

    assert room.events()[-2][3] == "beyond_limit"


@pytest.mark.parametrize("method", ["list", "put_if_absent"])
@pytest.mark.parametrize("error", [StoreError("denied"), StoreUnknown("no answer")])
def test_a_store_that_fails_on_the_permit_opens_nothing(method, error):
    room = filled()
    opened = []

    def fault(called, key):
        Always(error, method=method, part="opens/")(called, key)
        if called == "get" and "/generations/" in key:
            opened.append(key)

    with pytest.raises(type(error)):
        room.reopen(FaultyStore(room.store, before=fault)).lend("youtube")

    assert opened == []
    assert room.events()[-1][:3] == (
        "lend",
        "outcome",
        "unknown" if isinstance(error, StoreUnknown) else "failed",
    )


def test_a_permit_whose_answer_got_lost_is_taken_once():
    room = filled()
    lost = Once(StoreUnknown("no answer"), part="opens/")

    room.reopen(FaultyStore(room.store, after=lost)).lend("youtube")

    assert permits(room) == ["opens/20260601T12/0001"]


def test_taking_permits_away_brings_no_fresh_ones():
    room = filled(limit=3)
    exhaust(room, times=3)
    for number in ("0001", "0002"):
        room.store.delete(f"opens/youtube/20260601T12/{number}")

    with pytest.raises(LendRefused):
        room.vault.lend("youtube")


def test_a_lower_limit_holds_for_what_was_opened_before():
    room = filled(limit=3)
    exhaust(room, times=3)

    with pytest.raises(LendRefused, match="since 12:00 UTC"):
        room.reopen(opens_per_hour=2).lend("youtube")


def test_a_permit_says_which_access_took_it_and_no_secret():
    room = filled()

    room.vault.lend("youtube")

    raw = room.store.get("opens/youtube/20260601T12/0001")
    fields = read_record(
        raw, key=room.vault.trail.key, kind=f"permit {room.vault.id}", name="permit"
    )
    (access,) = {event.access for event in room.vault.trail.read() if event.action == "lend"}
    assert fields["access"] == access
    assert set(fields) == {"format", "access", "at"}
    assert_no_canary(raw)


def test_a_permit_is_no_stranger_to_a_check():
    room = filled()
    room.vault.lend("youtube")
    assert "stranger" not in {finding.code for finding in room.vault.check()}

    room.store.put("opens/youtube/20260601T12/0000", b"")

    assert "stranger" in {finding.code for finding in room.vault.check()}


def test_the_clean_up_takes_permits_that_are_older_than_a_day():
    room = filled()
    exhaust(room)
    room.clock.advance(hours=24)
    room.vault.lend("youtube")
    early = room.vault.gc(grace=timedelta(days=7))
    room.clock.advance(hours=1)

    late = room.vault.gc(grace=timedelta(days=7))

    assert (early.permits, late.permits) == (0, 2)
    assert permits(room) == ["opens/20260602T12/0001"]
    assert list(room.vault.trail.read())[-1].counts["permits"] == 2


def rows_of(tag):
    return b"".join(
        f".youtube.com\tTRUE\t/\tTRUE\t0\t{name}\t{tag}-{name}\n".encode()
        for name in ("LOGIN_INFO", "SAPISID")
    )
