from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit.archive import ArchiveReceipt
from jarkeeper.audit.places import parse_volume_key
from jarkeeper.audit.retention import retire
from jarkeeper.errors import Conflict
from trailkit import Days, told
from vaultkit import FaultyStore


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


def test_what_was_given_up_is_told_with_the_day_and_what_remains():
    day = date(2026, 10, 10)

    assert ArchiveReceipt(deleted=2).given_up(day) == (
        "events from before 2026-10-10 given up: 2 objects deleted, hashes and proofs remain"
    )
    assert ArchiveReceipt().given_up(day) == "nothing from before 2026-10-10 is left to give up"


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
