from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Outcome, Trail
from jarkeeper.audit import archive as archives
from jarkeeper.audit.archive import pack
from jarkeeper.audit.places import parse_event_key, parse_volume_key
from jarkeeper.audit.retention import retire
from jarkeeper.audit.volumes import read_volume, write_volume
from jarkeeper.errors import Conflict, IntegrityError, ObjectMissing, StoreError
from jarkeeper.limits import LIMITS
from jarkeeper.stores.local import LocalStore
from trailkit import VAULT, Days, told
from vaultkit import ACTOR, KEYS, Always, FaultyStore


def test_packed_days_read_and_verify_as_before():
    days = Days()
    before = told(days.trail())

    receipt = days.pack()

    assert (receipt.events, receipt.volumes, receipt.deleted) == (48, 3, 48)
    assert told(days.trail()) == before
    report = days.trail().verify()
    assert report.discrepancies == ()
    assert report.archived == 48
    assert {key.split("/")[1] for key in days.listed()} == {f"dt={days.today}"}


def test_a_day_that_goes_on_stays_as_it_is():
    days = Days()

    days.pack(back=1)

    left = {key.split("/")[1] for key in days.listed()}
    assert left == {f"dt={days.today - timedelta(days=1)}", f"dt={days.today}"}


def test_what_comes_late_is_packed_into_a_volume_of_its_own():
    days = Days()
    days.pack()
    days.clock.advance(days=-2)
    days.use(days.trail(), 1)
    days.clock.advance(days=2)

    receipt = days.pack()

    assert (receipt.events, receipt.volumes) == (2, 1)
    assert days.trail().verify().discrepancies == ()


def test_a_large_day_takes_several_volumes(monkeypatch):
    monkeypatch.setattr(archives, "LIMITS", type("L", (), {"volume_events_max": 5}))
    days = Days(days=1)

    receipt = days.pack()

    assert (receipt.events, receipt.volumes) == (16, 4)
    assert days.trail().verify().discrepancies == ()


def test_nothing_to_pack_leaves_nothing_on_record():
    days = Days()
    days.pack()
    before = len(days.store.list("audit/"))

    assert days.pack().events == 0

    # But for the checkpoint of the run before: it, its hashes, its intent and its outcome.
    assert len(days.store.list("audit/")) <= before + 4


def test_a_trail_that_is_not_as_written_is_not_packed():
    days = Days()
    del days.store.objects[days.listed()[1]]

    with pytest.raises(IntegrityError, match="not as it was written"):
        days.pack()

    assert days.listed(parse_volume_key) == []


@pytest.mark.parametrize("method", ["put_if_absent", "delete"])
def test_killed_at_any_write_no_event_is_lost_and_a_second_run_finishes(method):
    step, finished = 0, False
    while not finished:
        step += 1
        days = Days(days=2, accesses=1)
        expected = told(days.trail())
        left = [step]

        def kill(name, *_, left=left):
            left[0] -= name == method
            if left[0] == 0:
                raise KeyboardInterrupt

        try:
            days.pack(FaultyStore(days.store, before=kill))
            finished = True
        except KeyboardInterrupt:
            pass

        assert days.trail().verify().discrepancies == ()
        assert told(days.trail()) == expected
        days.pack()
        assert days.trail().verify().discrepancies == ()
        assert told(days.trail()) == expected
        assert not [key for key in days.listed() if f"dt={days.today}" not in key]
    assert step > 5


def test_of_two_that_pack_at_once_one_gives_way():
    days = Days(days=1)
    others = []

    def race(name, key, *_):
        if name == "put_if_absent" and parse_volume_key(key) and not others:
            others.append(True)
            days.clock.advance(days=-1)
            days.use(days.trail(), 1)
            days.clock.advance(days=1)
            days.pack()

    with pytest.raises(Conflict):
        days.pack(FaultyStore(days.store, before=race))

    assert days.trail().verify().discrepancies == ()
    assert len(days.listed(parse_volume_key)) == 2


def test_a_store_that_deletes_nothing_keeps_both_and_says_so():
    days = Days(days=1)

    def refuse(name, *_):
        if name == "delete":
            raise StoreError("may not delete")

    receipt = days.pack(FaultyStore(days.store, before=refuse))

    assert receipt.deleted == 0
    assert "may not delete" in receipt.warnings[0]
    assert days.trail().verify().discrepancies == ()
    assert len(told(days.trail())) == 16


def test_a_directory_keeps_no_empty_folders(tmp_path):
    days = Days(LocalStore(tmp_path / "vault"), days=1)

    days.pack()

    day = tmp_path / "vault" / "audit" / f"dt={days.today - timedelta(days=1)}"
    assert not day.exists()
    assert days.trail().verify().discrepancies == ()


def test_a_volume_has_room_for_what_the_limit_allows():
    assert LIMITS.volume_events_max * 320 < LIMITS.object_bytes_max


def test_a_record_that_nobody_wrote_is_named_and_stops_no_packing_for_ever():
    days = Days(days=1)
    junk = f"audit/archive/dt={days.today - timedelta(days=1)}/_999999.json"
    days.store.put_if_absent(junk, b"junk")

    (found,) = days.trail().verify().discrepancies
    with pytest.raises(IntegrityError, match="not as it was written"):
        days.pack()
    days.store.delete(junk)

    assert (found.code, found.key) == ("spliced", junk)
    assert days.pack().events == 16
    assert days.trail().verify().discrepancies == ()


def test_of_two_that_pack_the_same_days_none_packs_twice():
    days = Days(days=2)
    others = []

    def race(name, key, *_):
        # When everything is verified, and nothing is written yet.
        if name == "put_if_absent" and parse_event_key(key) and not others:
            others.append(True)
            days.pack()

    with suppress(Conflict, ObjectMissing):
        days.pack(FaultyStore(days.store, before=race))

    assert others
    assert days.trail().verify().discrepancies == ()
    assert len(told(days.trail())) == 32


@pytest.mark.parametrize("place", ["/_", ".parquet"])
@pytest.mark.parametrize("other", ["pack", "retire"])
def test_what_another_process_does_while_a_volume_is_written_leaves_a_whole_archive(place, other):
    days = Days(days=2)
    days.clock.advance(days=40)
    days.trail().checkpoint(days.trail().verify())
    days.clock.advance(days=40)
    others = []

    def race(name, key, *_):
        if name == "put_if_absent" and parse_volume_key(key) and place in key and not others:
            others.append(True)
            if other == "pack":
                days.pack()
            else:
                retire(days.trail(), before=days.clock.now - timedelta(days=35))

    with suppress(Conflict, ObjectMissing):
        days.pack(FaultyStore(days.store, before=race))

    assert others
    assert days.trail().verify().discrepancies == ()
    days.pack()
    retire(days.trail(), before=days.clock.now - timedelta(days=35))
    assert days.trail().verify().discrepancies == ()
    if other == "retire":
        young = f"{days.clock.now - timedelta(days=80):%Y-%m-%d}"
        assert [key for key in days.listed(parse_volume_key) if key[17:27] <= young] == []


def test_an_interrupted_packing_is_finished_under_its_own_number():
    days = Days(days=1)

    def kill(name, key, *_):
        if name == "put_if_absent" and key.endswith(".parquet"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        days.pack(FaultyStore(days.store, before=kill))
    announced = days.listed(parse_volume_key)

    days.pack()

    assert len(announced) == 1
    assert len(days.listed(parse_volume_key)) == 2
    assert set(announced) < set(days.listed(parse_volume_key))


def test_a_packing_gives_way_to_one_that_wrote_its_volume_meanwhile_and_was_killed():
    days = Days(days=1)
    left = [4]

    def killed(name, *_):
        left[0] -= name == "delete"
        if not left[0]:
            raise KeyboardInterrupt

    def announced(name, key, *_):
        if name == "put_if_absent" and key.endswith(".parquet"):
            raise KeyboardInterrupt

    def meanwhile():
        report = days.trail().verify()
        with pytest.raises(KeyboardInterrupt):
            days.pack(FaultyStore(days.store, before=killed))
        return report

    with pytest.raises(KeyboardInterrupt):
        days.pack(FaultyStore(days.store, before=announced))
    with pytest.raises(Conflict):
        pack(days.trail(), before=days.today, verify=meanwhile)
    days.pack()

    assert days.trail().verify().discrepancies == ()
    assert len(told(days.trail())) == 16


def test_a_packing_leaves_an_hour_to_another_release_that_announced_the_same_events(monkeypatch):
    days = Days(days=1)
    others = []

    def meanwhile(name, key, *_):
        if name == "put_if_absent" and key.endswith(".parquet") and not others:
            others.append(True)
            with monkeypatch.context() as other:
                other.setattr(archives, "write_volume", lambda rows: write_volume(rows) + b" ")
                with pytest.raises(Conflict, match="somebody else is at it"):
                    days.pack()

    days.pack(FaultyStore(days.store, before=meanwhile))

    assert others
    assert days.trail().verify().discrepancies == ()
    assert len(told(days.trail())) == 16
    ends = [one.outcome for one in days.trail().read() if one.action is Action.ARCHIVE]
    assert sorted(filter(None, ends)) == [Outcome.CONFLICT, Outcome.OK]


def test_what_another_release_announced_and_never_wrote_is_packed_after_an_hour(monkeypatch):
    days = Days(days=1)

    def kill(name, key, *_):
        if name == "put_if_absent" and key.endswith(".parquet"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        days.pack(FaultyStore(days.store, before=kill))
    days.clock.advance(hours=1)
    monkeypatch.setattr(archives, "read_volume", lambda content: read_volume(content[:-1]))
    monkeypatch.setattr(archives, "write_volume", lambda rows: write_volume(rows) + b" ")

    assert days.pack().events == 16


def test_of_two_releases_each_with_its_own_announcement_one_gives_way(monkeypatch):
    days = Days(days=1)
    others = []

    def kill(name, key, *_):
        if name == "put_if_absent" and key.endswith(".parquet"):
            raise KeyboardInterrupt

    def meanwhile(name, key, *_):
        if name == "put_if_absent" and key.endswith(".parquet") and not others:
            others.append(True)
            with pytest.raises(Conflict, match="somebody else is at it"):
                days.pack()

    with pytest.raises(KeyboardInterrupt):
        days.pack(FaultyStore(days.store, before=kill))
    days.clock.advance(days=1)
    other = Trail(
        FaultyStore(days.store, before=meanwhile),
        keys=KEYS,
        vault=VAULT,
        clock=days.clock,
        actor=ACTOR,
    )
    with monkeypatch.context() as release:
        release.setattr(archives, "read_volume", lambda content: read_volume(content[:-1]))
        release.setattr(
            archives,
            "write_volume",
            lambda rows: write_volume(rows) + (b"" if others else b" "),
        )
        pack(other, before=days.today - timedelta(days=1))

    assert others


def test_no_packing_is_built_on_a_reading_that_missed_something():
    days = Days()
    days.pack(FaultyStore(days.store, before=Always(StoreError("denied"), method="delete")))
    missed = []

    def blind(name, key):
        kinds = (parse_event_key, parse_volume_key)
        if name == "get" and len(missed) < 2 and kinds[len(missed)](key):
            if key.endswith(".json"):
                return
            missed.append(key)
            raise StoreError("no answer just now")

    with suppress(IntegrityError):
        days.pack(FaultyStore(days.store, before=blind))

    assert len(missed) == 2
    assert days.trail().verify().discrepancies == ()
