from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.audit import archive as archives
from jarkeeper.audit.archive import ArchiveReceipt, pack
from jarkeeper.audit.places import parse_event_key, parse_volume_key
from jarkeeper.audit.retention import retire
from jarkeeper.audit.volumes import read_volume, write_volume
from jarkeeper.errors import Conflict, IntegrityError, ObjectMissing, StoreError
from jarkeeper.limits import LIMITS
from jarkeeper.stores.local import LocalStore
from jarkeeper.stores.memory import MemoryStore
from vaultkit import ACTOR, KEYS, Always, Clock, FaultyStore

VAULT = "a" * 32


class Days:
    """A trail of several days and writers."""

    def __init__(self, store=None, *, days=3, writers=2, accesses=4):
        self.clock = Clock()
        self.store = store if store is not None else MemoryStore(clock=self.clock)
        for _ in range(days):
            for _ in range(writers):
                self.use(self.trail(), accesses)
            self.clock.advance(days=1)

    def trail(self, store=None):
        return Trail(store or self.store, keys=KEYS, vault=VAULT, clock=self.clock, actor=ACTOR)

    def use(self, trail, accesses):
        for number in range(accesses):
            access = trail.intent(Access(Action.LEND, jar="youtube", head_seq=number))
            trail.outcome(access, Outcome.OK, counts={"OK": number})

    @property
    def today(self):
        return self.clock.now.date()

    def pack(self, store=None, *, back=0):
        return pack(self.trail(store), before=self.today - timedelta(days=back))

    def listed(self, parse=parse_event_key):
        return [key for key in self.store.list("audit/") if parse(key)]


def told(trail):
    """Every event but those of the archive's own doing."""
    own = (Action.CHECKPOINT, Action.ARCHIVE, Action.RETIRE)
    return [event for event in trail.read() if event.action not in own]


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


def test_what_is_past_its_retention_goes_and_every_proof_stays():
    days = Days()
    days.pack(back=1)
    log = days.trail().verify().log
    days.clock.advance(days=40)
    days.use(days.trail(), 1)

    receipt = retire(days.trail(), before=days.clock.now - timedelta(days=30))

    assert receipt.deleted > 0
    report = days.trail().verify()
    assert report.discrepancies == ()
    assert 0 < report.given_up == report.told.retired
    assert report.log.hashes[: log.size] == log.hashes
    assert days.listed(parse_volume_key) == []


def test_what_is_within_its_retention_is_missed_as_before():
    days = Days()
    days.pack()
    days.clock.advance(days=40)
    retire(days.trail(), before=days.clock.now - timedelta(days=30))
    days.use(days.trail(), 1)
    days.trail().checkpoint(days.trail().verify())

    doomed = next(key for key in days.listed() if b'"youtube"' in days.store.get(key))
    del days.store.objects[doomed]

    assert {item.code for item in days.trail().verify().discrepancies} == {"removed"}


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


def test_a_checkpoint_of_an_early_clock_gives_nothing_young_up():
    days = Days(days=3)
    at = days.clock.now
    days.clock.now = at - timedelta(days=500)
    days.trail().checkpoint(days.trail().verify())
    days.clock.now = at
    before = told(days.trail())

    receipt = retire(days.trail(), before=at - timedelta(days=30))

    assert receipt.deleted == 0
    assert told(days.trail()) == before


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


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_retention_leaves_the_record_of_a_volume_that_is_being_written(is_killed):
    days = Days(days=3)
    days.trail().checkpoint(days.trail().verify())
    days.clock.advance(days=40)
    before = days.clock.now - timedelta(days=35)
    others = []

    def killed(name, *_):
        if name == "delete":
            raise KeyboardInterrupt

    def meanwhile(name, key, *_):
        if name == "put_if_absent" and key.endswith(".parquet") and not others:
            others.append(True)
            for _ in range(2):
                retire(days.trail(), before=before)

    if is_killed:
        with pytest.raises(KeyboardInterrupt):
            retire(days.trail(FaultyStore(days.store, before=killed)), before=before)
    with suppress(Conflict):
        days.pack(FaultyStore(days.store, before=meanwhile))
    retire(days.trail(), before=before)
    days.pack()

    assert is_killed or others
    assert days.trail().verify().discrepancies == ()


def test_what_an_interrupted_retention_left_is_deleted_with_a_record_of_its_own():
    days = Days(days=3)
    days.trail().checkpoint(days.trail().verify())
    days.clock.advance(days=40)
    before = days.clock.now - timedelta(days=35)

    def killed(name, *_):
        if name == "delete":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retire(days.trail(FaultyStore(days.store, before=killed)), before=before)
    days.clock.advance(days=1)
    again = days.clock.now
    assert retire(days.trail(), before=before).deleted > 0

    # The decision, and what came of it: an hour may lie between the two.
    assert [event.action for event in days.trail().read(again)] == [Action.RETIRE] * 2
    assert retire(days.trail(), before=before).deleted == 0
    assert len(list(days.trail().read(again))) == 2


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


def test_what_was_given_up_is_told_with_the_day_and_what_remains():
    day = date(2026, 10, 10)

    assert ArchiveReceipt(deleted=2).given_up(day) == (
        "events from before 2026-10-10 given up: 2 objects deleted, hashes and proofs remain"
    )
    assert ArchiveReceipt().given_up(day) == "nothing from before 2026-10-10 is left to give up"


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


@pytest.mark.parametrize("what", ["event", "checkpoint"])
def test_a_clock_that_was_ahead_once_holds_up_no_retention(what):
    days = Days(days=3)
    now, days.clock.now = days.clock.now, days.clock.now + timedelta(days=9000)
    if what == "event":
        days.use(days.trail(), 1)
    else:
        days.trail().checkpoint(days.trail().verify())
    days.clock.now = now
    days.use(days.trail(), 1)
    days.trail().checkpoint(days.trail().verify())
    days.clock.advance(days=40)

    assert retire(days.trail(), before=days.clock.now - timedelta(days=35)).deleted >= 48
    assert days.trail().verify().discrepancies == ()


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


def test_what_is_dated_ahead_is_not_given_up_before_its_day():
    days = Days(days=2)
    now, days.clock.now = days.clock.now, days.clock.now + timedelta(days=60)
    ahead = days.today.isoformat()
    days.use(days.trail(), 1)
    days.clock.now = now
    days.trail().checkpoint(days.trail().verify())
    days.clock.advance(days=40)

    assert retire(days.trail(), before=days.clock.now - timedelta(days=5)).deleted > 0

    assert any(ahead in key for key in days.listed())
    report = days.trail().verify()
    assert report.discrepancies == ()
    assert report.told.retired_before <= days.today.toordinal()
