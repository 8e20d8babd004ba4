import pytest

from jarkeeper.errors import AuditUnavailable, LendRefused, NotFound, StoreError
from vaultkit import Always, FaultyStore, Room, assert_no_canary, cookie_file


def names(outlines):
    return [item.name for item in outlines]


def test_an_outline_tells_everything_but_the_value():
    room = Room()
    (one,) = room.fill("one")

    outlines = room.vault.outline("youtube", one)

    assert names(outlines) == sorted(names(outlines))
    assert len(outlines) == 7
    assert {item.domain for item in outlines} == {".youtube.com"}
    assert all(item.secure and item.expires for item in outlines)
    assert_no_canary(*outlines, *(item.value_digest for item in outlines))


def test_equal_values_are_told_for_the_same_cookie_alone():
    room = Room()
    one, two = room.fill("one", "two")

    before, after = (
        {item.name: item.value_digest for item in room.vault.outline("youtube", generation)}
        for generation in (one, two)
    )

    assert {name for name in before if before[name] != after[name]} == {"LOGIN_INFO", "PREF"} | {
        name for name in before if name.endswith("PSIDTS")
    }


def test_that_two_cookies_have_one_value_is_not_told():
    room = Room()
    content = cookie_file("one").replace(b"-account-HSID", b"-account-SID")
    generation = str(room.vault.import_jar("youtube", content).generation)

    digests = {item.name: item.value_digest for item in room.vault.outline("youtube", generation)}

    assert digests["HSID"] != digests["SID"]


def test_an_outline_of_a_dead_or_forgotten_generation_is_possible():
    room = Room(backup_count=0)
    one, _ = room.fill("one", "two")

    assert len(room.vault.outline("youtube", one)) == 7


def test_an_outline_is_on_record_before_and_after():
    room = Room()
    (one,) = room.fill("one")

    room.vault.outline("youtube", one)

    intent, outcome = list(room.vault.trail.read())[-2:]
    for event in (intent, outcome):
        assert (event.action, event.jar, event.generation) == ("outline", "youtube", one)
    assert (intent.phase, outcome.outcome) == ("intent", "ok")


def test_without_a_record_nothing_is_opened():
    room = Room()
    (one,) = room.fill("one")
    opened = []
    store = FaultyStore(
        room.store,
        before=Always(StoreError("store: is read-only"), part="audit/"),
        after=lambda method, key: opened.append(key) if "/generations/" in key else None,
    )

    with pytest.raises(AuditUnavailable):
        room.reopen(store).outline("youtube", one)

    assert opened == []


def test_an_outline_counts_as_an_open():
    room = Room()
    (one,) = room.fill("one")
    vault = room.reopen(opens_per_hour=2)
    vault.outline("youtube", one)
    vault.lend("youtube")

    with pytest.raises(LendRefused, match="limit") as caught:
        vault.outline("youtube", one)

    assert caught.value.reason == "rate"
    opens = vault.opens("youtube")
    assert (opens.this_hour, opens.per_hour) == (2, 2)
    assert room.events()[-1] == ("outline", "outcome", "refused", "rate")


def test_what_was_revoked_is_not_opened():
    room = Room()
    one, _ = room.fill("one", "two")
    room.vault.revoke("youtube", one)

    with pytest.raises(LendRefused, match="revoked"):
        room.vault.outline("youtube", one)


def test_a_generation_of_another_jar_is_not_found():
    room = Room()
    room.fill("one")
    other = str(room.vault.import_jar("music", cookie_file("two")).generation)

    with pytest.raises(NotFound):
        room.vault.outline("youtube", other)


def test_the_last_open_is_told_until_its_permit_is_gone():
    room = Room()
    room.fill("one")
    assert room.vault.opens("youtube").last is None

    room.vault.lend("youtube")
    lent_at = room.clock.now
    room.clock.advance(hours=3)
    told = room.vault.opens("youtube")

    assert told.this_hour == 0
    assert abs((told.last - lent_at).total_seconds()) < 1


def test_a_planted_permit_tells_nothing():
    room = Room()
    room.fill("one")
    room.vault.lend("youtube")
    room.store.put("opens/youtube/29990101T00/0001", b"planted")

    assert room.vault.opens("youtube").last is None
