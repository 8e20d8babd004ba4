from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.actions import Action
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.audit.patterns import VIDEOS_OWN, find_patterns
from jarkeeper.audit.usage import COOKIE_FAILURES
from jarkeeper.checks import Severity
from jarkeeper.settings import Settings
from jarkeeper.youtube.failures import FailureClass
from vaultkit import START, Room, assert_no_canary

SETTINGS = Settings(vault=Path("v"), key_file=Path("k"), state_dir=Path("s"))
NOW = START
KNOWN = "anna@desk cli"


def event(ago=1.0, *, action=Action.LEND, **more):
    """Return an event of so many hours ago."""
    more = {"access": "x", "jar": "youtube", "actor": KNOWN, "outcome": Outcome.OK} | more
    phase = more.pop("phase", Phase.OUTCOME)
    return Event(NOW - timedelta(hours=ago), action, phase, writer="w", **more)


def chained(events):
    """Number the events as their writers do, and put them in order."""
    ordered = sorted(events, key=lambda one: one.at)
    return [replace(one, seq=seq) for seq, one in enumerate(ordered, start=1)]


def found(events, **settings):
    """Return what is wrong: severity and message by cause and jar."""
    patterns = find_patterns(chained(events), now=NOW, settings=replace(SETTINGS, **settings))
    return {
        (one.finding.code, one.jar): (one.finding.severity.value, one.finding.message)
        for one in patterns
        if one.finding.severity is not Severity.OK
    }


def uses(**counts):
    return [event(action=Action.USE, counts=counts)]


def lends(*hours, **more):
    return [event(ago, **more) for ago in hours]


def refused(count, detail="rate", ago=0.5):
    return lends(*[ago] * count, outcome=Outcome.REFUSED, detail=detail)


OLD = event(24 * 8, action=Action.CHECK)
"""A week's history, so that a stranger is one."""
STRANGER = event(action=Action.CHECK, actor="eve@cafe cli")

CRITICAL_STRANGER = {("principal", ""): "critical"}

CASES = [
    ("all well", [*uses(OK=99, NETWORK=1), *lends(*[0.5] * 20)], {}, {}),
    ("too few tries to judge", uses(BOT_CHECK=19), {}, {}),
    ("5 % is allowed", uses(OK=95, NETWORK=5), {}, {}),
    ("6 % is not", uses(OK=94, NETWORK=6), {}, {("download-failures", "youtube"): "warning"}),
    ("6 % may be", uses(OK=94, NETWORK=6), {"failure_rate": 6.0}, {}),
    ("1 % of cookies is allowed", uses(OK=99, BOT_CHECK=1), {}, {}),
    ("2 % is not", uses(OK=98, BOT_CHECK=2), {}, {("download-failures", "youtube"): "warning"}),
    ("half is broken", uses(OK=10, CAPTCHA=10), {}, {("download-failures", "youtube"): "critical"}),
    ("a video's own fact is no failure", uses(OK=20, REMOVED=80, PRIVATE=9), {}, {}),
    ("yesterday is over", [event(25, action=Action.USE, counts={"CAPTCHA": 99})], {}, {}),
    ("21 opens out of nothing", lends(*[0.5] * 21), {}, {("opens", "youtube"): "critical"}),
    ("three times the busiest hour", lends(*[0.5] * 30, *[99.5] * 10), {}, {}),
    (
        "more than three times",
        lends(*[0.5] * 31, *[99.5] * 10),
        {},
        {("opens", "youtube"): "critical"},
    ),
    ("a clock ahead of ours", lends(*[-0.1] * 21), {}, {("opens", "youtube"): "critical"}),
    ("opens that were refused are none", lends(*[0.5] * 30, outcome=Outcome.FAILED), {}, {}),
    ("four refusals", refused(4), {}, {}),
    ("five refusals in a row", refused(5), {}, {("opens", "youtube"): "warning"}),
    ("of a capability", refused(5, "capability"), {}, {("opens", "youtube"): "warning"}),
    ("a cooling jar refuses all", refused(9, "cooling"), {}, {}),
    ("an open ends the row", [*refused(4), *lends(0.4), *refused(4, ago=0.3)], {}, {}),
    ("a stranger in a new vault", [STRANGER], {}, {}),
    ("a stranger", [OLD, STRANGER], {}, {("principal", ""): "warning"}),
    ("a stranger of last week", [OLD, replace(STRANGER, at=OLD.at)], {}, {}),
    ("another program is no stranger", [OLD, event(actor="anna@desk flow")], {}, {}),
    ("one outside the list", [STRANGER], {"principals": ("*@desk",)}, CRITICAL_STRANGER),
    ("one of the list", [OLD, STRANGER], {"principals": ("anna@*", "eve@caf?")}, {}),
    (
        "damage",
        lends(0.5, outcome=Outcome.FAILED, detail="envelope"),
        {},
        {("integrity", "youtube"): "critical"},
    ),
    (
        "a rollback",
        lends(0.5, outcome=Outcome.FAILED, detail="rollback"),
        {},
        {("rollback", "youtube"): "critical"},
    ),
    ("a store that fails is no damage", lends(0.5, outcome=Outcome.FAILED, detail="store"), {}, {}),
    (
        "an intent without outcome",
        lends(2, phase=Phase.INTENT, outcome=None),
        {},
        {("audit-gap", ""): "warning"},
    ),
    ("an intent that may go on", lends(0.5, phase=Phase.INTENT, outcome=None), {}, {}),
    ("an intent that ended", [*lends(3, phase=Phase.INTENT, outcome=None), *lends(2)], {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "settings", "wrong"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_pattern_is_told_where_there_is_one(events, settings, wrong):
    told = found(events, **settings)

    assert {place: severity for place, (severity, _) in told.items()} == wrong


def test_a_removed_event_is_a_gap():
    events = chained(lends(3, 2, 1))

    patterns = find_patterns([events[0], events[2]], now=NOW, settings=SETTINGS)

    (gap,) = [one.finding for one in patterns if one.finding.code == "audit-gap"]
    assert (gap.severity, gap.message) == (
        Severity.CRITICAL,
        "1 event of the audit trail missing or changed",
    )


def test_what_a_cut_history_begins_with_is_no_gap():
    assert find_patterns(chained(lends(3, 2, 1))[1:], now=NOW, settings=SETTINGS) != ()
    assert found(lends(3, 2, 1)) == {}


def test_two_troubles_of_one_cause_are_one_pattern_with_both_messages():
    told = found([*lends(*[0.5] * 21), *refused(5)])

    severity, message = told["opens", "youtube"]
    assert severity == "critical"
    assert "21 times in an hour" in message
    assert "5 times in a row" in message


def test_what_cannot_be_judged_is_not_told_as_well():
    few = find_patterns(chained(uses(OK=3, NETWORK=2)), now=NOW, settings=SETTINGS)
    many = find_patterns(chained([OLD, *uses(OK=30), *lends(1)]), now=NOW, settings=SETTINGS)

    assert {one.finding.code for one in few} == {"audit-gap", "opens"}
    assert {one.finding.code for one in many} == {
        "audit-gap",
        "download-failures",
        "opens",
        "principal",
    }


OVER = {
    "downloads that failed": (uses(OK=5, SESSION_DEAD=25), []),
    "downloads of a jar with little to do": (uses(OK=5, NETWORK=25), uses(OK=10, NETWORK=1)),
    "damage": (lends(0.5, outcome=Outcome.FAILED, detail="integrity"), []),
    "a rollback": (lends(0.5, outcome=Outcome.FAILED, detail="rollback"), []),
    "refusals": (refused(9), []),
    "too many opens": (lends(*[0.5] * 40), []),
}


@pytest.mark.parametrize(("before", "after"), OVER.values(), ids=OVER)
def test_what_was_wrong_two_days_ago_is_told_to_be_well(before, after):
    (place,) = found(before)
    earlier = [replace(one, at=one.at - timedelta(days=2)) for one in before]

    patterns = find_patterns(chained([*earlier, *after]), now=NOW, settings=SETTINGS)

    (verdict,) = [one.finding for one in patterns if (one.finding.code, one.jar) == place]
    assert verdict.severity is Severity.OK


@given(
    st.lists(
        st.tuples(st.integers(-5, 60 * 30), st.sampled_from(["a", "b"]), st.integers(1, 40)),
        max_size=12,
    )
)
def test_opens_are_compared_as_a_count_from_scratch_does(groups):
    opened = [(minutes, jar) for minutes, jar, count in groups for _ in range(count)]
    wrong = set()
    for jar in "ab":
        last = sum(name == jar and minutes < 60 for minutes, name in opened)
        hours = [
            sum(name == jar and hour * 60 <= minutes < hour * 60 + 60 for minutes, name in opened)
            for hour in range(1, 31)
        ]
        if last > 20 and last > 3 * max(hours):
            wrong.add(("opens", jar))

    assert set(found([event(minutes / 60, jar=jar) for minutes, jar in opened])) == wrong


@pytest.mark.parametrize("failure", FailureClass)
def test_a_class_counts_unless_it_is_a_fact_about_the_video(failure):
    own = "PRIVATE MEMBERS_ONLY AGE_GATE NOT_FOUND GEO DRM NOT_YET PAID REMOVED BAD_TARGET"

    assert bool(found(uses(**{"OK": 80, str(failure): 20}))) == (failure not in own.split())


@given(st.dictionaries(st.sampled_from(["OK", *FailureClass]), st.integers(0, 30)))
def test_a_rate_is_judged_as_the_definition_says(counts):
    all_ = sum(count for name, count in counts.items() if name not in VIDEOS_OWN)
    ours = sum(count for name, count in counts.items() if name in COOKIE_FAILURES)
    wrong = all_ >= 20 and (all_ - counts.get("OK", 0) > 0.05 * all_ or ours > 0.01 * all_)

    assert bool(found(uses(**{str(name): count for name, count in counts.items()}))) == wrong


def test_a_real_trail_without_trouble_shows_none():
    room = Room()
    room.fill("a", "b")
    room.vault.record_use(room.vault.lend("youtube"), counts={"OK": 30}, seconds=1)
    room.vault.check()

    patterns = find_patterns(room.vault.trail.read(), now=room.clock(), settings=SETTINGS)

    assert {one.finding.severity for one in patterns} == {Severity.OK}
    assert_no_canary(patterns)
