"""How much of a time is on record, by where the trail begins and what retention gave up."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit.told import Told
from jarkeeper.report.reach import Cover, reach_of
from vaultkit import START, Room

RETIRED = Told(retired=3, retired_before=datetime(2026, 7, 1, tzinfo=UTC).toordinal())


@pytest.fixture(scope="module")
def trail():
    room = Room()
    return room.vault.verify_trail(), next(room.vault.trail.read())


@pytest.mark.parametrize(
    ("since", "until", "told", "cover", "is_enough"),
    [
        ("05-01", "06-01", Told(), Cover.NOTHING, False),
        ("05-01", "06-10", Told(), Cover.IN_PART, True),
        ("06-02", "06-10", Told(), Cover.WHOLE, True),
        ("05-01", "06-01", RETIRED, Cover.RETIRED, False),
        ("06-02", "07-01", RETIRED, Cover.RETIRED, False),
        ("06-30", "07-02", RETIRED, Cover.RETIRED_IN_PART, False),
        ("07-01", "08-01", RETIRED, Cover.WHOLE, True),
    ],
)
def test_a_time_is_on_record_as_far_as_the_trail_reaches(
    trail, since, until, told, cover, is_enough
):
    report, first = trail
    since, until = (datetime.fromisoformat(f"2026-{day}T00:00Z") for day in (since, until))

    reach = reach_of(replace(report, told=told), first, since=since, until=until)

    assert (reach.cover, reach.is_enough) == (cover, is_enough)
    assert bool(reach.sentence) == (cover is not Cover.WHOLE)


def test_before_a_trail_that_does_not_begin_with_its_vault_something_may_have_happened(trail):
    report, first = trail
    span = {"since": datetime(2026, 5, 1, tzinfo=UTC), "until": datetime(2026, 7, 1, tzinfo=UTC)}

    cut = reach_of(report, replace(first, action=Action.LEND), **span)
    none = reach_of(report, None, **span)

    assert not cut.is_enough
    assert cut.sentence.startswith("what happened earlier in this time is not on record")
    assert cut.from_day == f"{START:%Y-%m-%d}"
    assert none.sentence == "nothing of this time is on record: no event is on record"
