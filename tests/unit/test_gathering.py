"""What a report is made of, from a vault itself: the same before and after its days are packed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from jarkeeper.actions import Action
from jarkeeper.analysis.figures import State
from jarkeeper.audit import Outcome
from jarkeeper.audit.archive import pack
from jarkeeper.audit.places import parse_volume_key, volume_key, voucher_key
from jarkeeper.audit.retention import retire
from jarkeeper.audit.trail import Access
from jarkeeper.audit.volumes import read_volume, read_voucher, write_volume, write_voucher
from jarkeeper.checks import Severity
from jarkeeper.errors import InputError
from jarkeeper.records import digest, read_record, write_record
from jarkeeper.report.compliance import state
from jarkeeper.report.content import FRAMES
from jarkeeper.report.exports import as_csv, as_json
from jarkeeper.report.gathering import gather
from jarkeeper.report.headline import judge
from jarkeeper.report.page import page
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from vaultkit import START, FaultyStore, Room, jar_of


@pytest.fixture
def settings(tmp_path):
    return Settings.read({"HOME": str(tmp_path)})


@pytest.fixture
def room():
    """Ten days of two logins: used every day, renewed now and then, the second one dies."""
    room = Room()
    room.fill("one", "two")
    for day in range(10):
        lent = room.vault.lend("youtube")
        room.vault.record_use(lent, counts={"OK": 5, "BOT_CHECK": day % 3}, seconds=1.0)
        room.vault.record_download("youtube", counts={"OK": 5, "GEO": 1}, seconds=2.0)
        if day % 4 == 1:
            room.vault.write_back(lent, jar_of(f"renewed-{day}"))
        room.clock.advance(days=1)
    active = room.vault.status("youtube").active.generation.id
    room.vault.mark("youtube", active, SlotState.DEAD)
    return room


def gathered(room, settings, *, since=START - timedelta(hours=1), until=None):
    now = room.clock.now
    return gather(room.vault, settings, since=since, until=until or now, now=now)


def test_packed_days_make_the_same_report(room, settings):
    before = gathered(room, settings)

    pack(room.vault.trail, before=room.clock.now.date() - timedelta(days=2))
    after = gathered(room, settings)

    assert after.integrity.is_intact
    assert (after.retention.archived_days, before.retention.archived_days) == (8, 0)
    assert after.retention.first_day == before.retention.first_day == "2026-06-01"
    assert after.figures == before.figures
    assert before.figures[0].n == 50
    for name in FRAMES:
        one, other = getattr(before, name), getattr(after, name)
        pd.testing.assert_frame_equal(one, other, check_dtype=False, obj=name)


def test_events_that_lie_in_both_forms_count_once(room, settings):
    before = gathered(room, settings)
    objects = dict(room.store.objects)
    pack(room.vault.trail, before=room.clock.now.date())
    room.store.objects = objects | room.store.objects

    after = gathered(room, settings)

    assert after.integrity.is_intact
    assert after.figures == before.figures
    assert after.opens["opens"].sum() == before.opens["opens"].sum() == 10


def test_one_damage_of_the_trail_is_one_critical(room, settings):
    room.vault.check(checkpoint=True)
    assert not gathered(room, settings).integrity.is_unremembered
    room.vault = room.reopen()
    assert gathered(room, settings).integrity.is_unremembered
    keys = room.store.list("audit/dt=")
    key = keys[len(keys) // 2]
    room.store.objects[key] = room.store.objects[key].replace(b"tester", b"nobody")
    at = pd.Timestamp(room.clock.now)

    found = gathered(room, settings)
    gap = {"cause": ["audit-gap"], "jar": [""], "severity": ["critical"], "opened_at": [at]}
    found = replace(found, incidents=pd.DataFrame(gap | {"closed_at": [pd.NaT], "hours": [1.0]}))

    points = [point for point in judge(found).points if point.severity is Severity.CRITICAL]
    assert [point.what[:15] for point in points] == ["the audit trail"]
    assert [one for one in found.findings if one.severity is Severity.OK] == []
    assert [one.code for one in found.findings if one.severity is Severity.CRITICAL] == []
    assert len(found.integrity.discrepancies) == 1


NOT_COUNTED = (
    {"counts": {"OK": 2**63}},
    {"counts": {"OK": -1}},
    {"counts": {"OK": "many"}},
    {"counts": {"OK": 0.5}},
    {"counts": ["OK"]},
    {"head_seq": 2**63},
    {"seconds": 1e308},
    {"seconds": 1e11},
    {"seconds": "long"},
)


def test_numbers_that_nobody_counted_are_named_and_stop_no_report(room, settings):
    before = gathered(room, settings)
    trail = room.vault.trail
    for _ in NOT_COUNTED:
        trail.outcome(Access(Action.INCIDENT), Outcome.OK, detail="opens", counts={"closed": 1})
    stored = [item for item in room.store.objects.items() if b'"incident"' in item[1]]
    for (name, line), numbers in zip(stored, NOT_COUNTED, strict=True):
        fields = read_record(line, key=trail.key, kind=f"event {trail.vault}", name=name)
        room.store.objects[name] = write_record(
            fields | numbers, key=trail.key, kind=f"event {trail.vault}"
        )

    after = gathered(room, settings)

    found = [message for code, message in after.integrity.discrepancies if code == "edited"]
    assert len(found) == len(NOT_COUNTED)
    assert after.figures[:3] == before.figures[:3]
    assert "NOT INTACT" in page(after)


def test_a_volume_with_such_numbers_is_named_and_stops_no_report(room, settings):
    trail, objects = room.vault.trail, room.store.objects
    trail.outcome(Access(Action.INCIDENT), Outcome.OK, detail="opens", counts={"closed": 1})
    room.clock.advance(days=2)
    pack(trail, before=room.clock.now.date())
    day, number, _ = max(filter(None, map(parse_volume_key, objects)))
    name, kind = volume_key(day, number), f"event {trail.vault}"
    rows = [*read_volume(objects[name])]
    fields = read_record(rows[-1].line, key=trail.key, kind=kind, name=name) | {"seconds": 1e300}
    rows[-1] = rows[-1]._replace(line=write_record(fields, key=trail.key, kind=kind))
    objects[name] = write_volume(rows)
    voucher = read_voucher(room.store, day, number, key=trail.key, vault=trail.vault)
    voucher = replace(voucher, digest=digest(objects[name]))
    objects[voucher_key(day, number)] = write_voucher(voucher, key=trail.key, vault=trail.vault)

    found = gathered(room, settings)

    assert "has a number beyond any count" in str(found.integrity.discrepancies)
    assert "NOT INTACT" in page(found)


def damaged_volume(objects, one, other):
    objects[one] = objects[one][:-9] + b"x" + objects[one][-8:]


def volumes_swapped(objects, one, other):
    objects[one], objects[other] = objects[other], objects[one]


def record_removed(objects, one, other):
    del objects[record_of(one)]


def record_edited(objects, one, other):
    objects[record_of(one)] = objects[record_of(one)].replace(b"1", b"2", 1)


def record_of_another_day(objects, one, other):
    objects[record_of(one)] = objects[record_of(other)]


def both_under_another_number(objects, one, other):
    for name in (one, record_of(one)):
        objects[name.replace("000001", "000002")] = objects[name]


def record_of(volume):
    day, number, _ = parse_volume_key(volume)
    return voucher_key(day, number)


@pytest.mark.parametrize(
    ("damage", "left_out"),
    [
        (damaged_volume, 1),
        (volumes_swapped, 2),
        (record_removed, 1),
        (record_edited, 1),
        (record_of_another_day, 1),
        (both_under_another_number, 1),
    ],
)
def test_a_damaged_archive_gives_a_red_report_of_what_is_left(room, settings, damage, left_out):
    pack(room.vault.trail, before=room.clock.now.date())
    one, other, *_ = (name for name in sorted(room.store.objects) if name.endswith(".parquet"))
    damage(room.store.objects, one, other)

    found = gathered(room, settings)
    statement = state(room.vault, settings, "2026-06", now=room.clock.now)

    assert not found.integrity.is_intact
    assert len(found.integrity.left_out) == left_out
    assert judge(found).severity is Severity.CRITICAL
    assert {found.state_of(figure) for figure in found.figures} == {State.NOT_KNOWN}
    text = page(found)
    assert "NOT INTACT" in text
    assert all(name in text for name in found.integrity.left_out)
    assert json.loads(as_json(found))["integrity"]["left_out"] == [*found.integrity.left_out]
    assert "figures.csv" in as_csv(found)
    assert 0 < found.figures[0].n <= 50
    assert not statement.is_intact


def test_a_time_past_retention_is_never_green(room, settings):
    room.vault.check(checkpoint=True)
    room.clock.advance(days=60)
    room.vault.check(checkpoint=True)
    retire(room.vault.trail, before=room.clock.now - timedelta(days=40))
    last_day = START + timedelta(days=29)  # the events before it are retired

    past, partly, since = (
        gathered(room, settings, since=since, until=until)
        for since, until in (
            (START, START + timedelta(days=9)),
            (START, room.clock.now),
            (last_day + timedelta(days=2), room.clock.now),
        )
    )

    for found, words in ((past, "this time is past"), (partly, "part of this time is past")):
        assert {found.state_of(figure) for figure in found.figures} == {State.NOT_ON_RECORD}
        headline = judge(found)
        assert headline.severity is Severity.WARNING
        assert headline.sentence.startswith("No key figure can be judged: not all of this time")
        assert headline.points[0].what.startswith(f"{words} retention: events before 2026-07-01")
        assert headline.points[0].step.startswith("run `jarkeeper report --since 2026-07-01`")
        assert found.retention.retired_before == "2026-07-01"
        assert "<dd>all before 2026-07-01</dd>" in page(found)
        assert json.loads(as_json(found))["reach"]["is_enough"] is False
    assert past.findings == ()
    assert State.NOT_ON_RECORD not in {since.state_of(figure) for figure in since.figures}


def test_a_time_before_the_vault_is_not_judged_and_one_that_it_began_in_is(room, settings):
    day = timedelta(days=1)

    before = gathered(room, settings, since=START - 9 * day, until=START - day)
    begun = gathered(room, settings, since=START - 9 * day, until=START + 5 * day)

    assert judge(before).points[0].what == (
        "nothing of this time is on record: the trail begins 2026-06-01 12:00:00"
    )
    assert {before.state_of(figure) for figure in before.figures} == {State.NOT_ON_RECORD}
    assert before.findings == ()
    assert State.MET in {begun.state_of(figure) for figure in begun.figures}
    said = "The trail begins 2026-06-01 12:00:00, with its vault: all numbers are of the time since"
    assert said in page(begun)


def test_a_time_that_is_not_over_is_refused(room, settings):
    with pytest.raises(InputError, match="expected a span of time that has passed"):
        gathered(room, settings, until=room.clock.now + timedelta(days=3))


def test_logs_that_cannot_be_read_are_a_finding(room, settings, tmp_path):
    elsewhere = replace(settings, access_logs=str(tmp_path / "nowhere"))

    found = gathered(room, elsewhere).findings

    assert ("sources", Severity.WARNING) in {(one.code, one.severity) for one in found}


@pytest.mark.parametrize("call", [30, 110, 160])
def test_a_day_that_is_packed_meanwhile_counts_once(room, settings, call):
    before = gathered(room, settings)
    trail, listed = room.vault.trail, []

    def meanwhile(method, key):
        listed.append(key)
        if len(listed) == call:
            room.vault = room.reopen()
            pack(room.vault.trail, before=room.clock.now.date())

    store = FaultyStore(room.store, before=meanwhile)
    other = room.reopen(store)
    span = {"since": START - timedelta(hours=1), "until": room.clock.now}
    after = gather(other, settings, now=room.clock.now, **span)

    assert trail.verify().archived > 0
    assert after.figures[0] == before.figures[0]
