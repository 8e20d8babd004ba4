from dataclasses import replace
from datetime import timedelta

import pytest

from incidentkit import STEPS, condition
from jarkeeper.checks import Severity
from jarkeeper.incidents import Due, NoticeKind, due_steps, rules
from jarkeeper.incidents.model import CLOSING
from vaultkit import START

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
OTHER = "another id"


def opened(severity="critical", **changed):
    return rules.opened(condition(severity, **changed), now=START, id="id")


def after(known, found, passed):
    return rules.next_state(known, found, now=START + passed, new_id=OTHER)


def told(incident, at):
    """Return the incident once everything that is due at that moment was sent."""
    due = due_steps(incident, STEPS, now=at)
    return rules.settled(rules.claimed(incident, due, now=at), due, missed=(), now=at)


def test_trouble_opens_an_incident():
    incident = after(None, condition(), MINUTE)

    assert (incident.id, incident.opened_at, incident.closed_at) == (OTHER, START + MINUTE, None)
    assert incident.critical_at == START + MINUTE


@pytest.mark.parametrize("known", [None, replace(opened(), closed_at=START)])
def test_no_trouble_changes_nothing(known):
    assert after(known, None, MINUTE) is None


@pytest.mark.parametrize(
    ("severity", "changed", "passed", "is_news"),
    {
        "the same": ("warning", {}, HOUR, False),
        "only a number differs": ("warning", {"message": "it ends in 13 days"}, HOUR, False),
        "other words": ("warning", {"message": "it ends today"}, HOUR, True),
        "other words at once": ("warning", {"message": "it ends today"}, MINUTE, False),
        "another step": ("warning", {"next_step": "wait"}, HOUR, True),
        "more severe": ("critical", {}, MINUTE, True),
        "the same for hours": ("warning", {}, 6 * HOUR, True),
    }.values(),
)
def test_the_same_trouble_goes_on_record_only_where_it_is_news(severity, changed, passed, is_news):
    known = opened("warning", message="it ends in 14 days")

    news = after(known, condition(severity, **{"message": "it ends in 14 days"} | changed), passed)

    assert (news is not None) is is_news
    if news is not None:
        assert (news.id, news.opened_at, news.count) == (known.id, START, 2)


def test_severity_never_falls():
    known = opened("critical")

    assert after(known, condition("warning"), 7 * HOUR).severity is Severity.CRITICAL


def test_the_end_knows_how_long_it_took():
    closed = after(opened(), None, 3 * HOUR)

    assert closed.lasted(START + 9 * HOUR) == 3 * HOUR
    assert after(closed, None, 4 * HOUR) is None


@pytest.mark.parametrize(
    ("was_told", "passed", "same"),
    {
        "at once": (True, MINUTE, True),
        "within the half hour": (True, 29 * MINUTE, True),
        "later, but nobody heard of the end": (True, 5 * HOUR, True),
        "days later": (True, 25 * HOUR, False),
        "later, and nobody knew of it": (False, 30 * MINUTE, False),
    }.values(),
)
def test_trouble_that_returns_is_the_same_incident_until_its_end_is_told(was_told, passed, same):
    known = told(opened(), START) if was_told else opened()
    closed = after(known, None, HOUR)

    back = after(closed, condition(), HOUR + passed)

    assert (back.id == "id") is same
    assert back.is_open
    if same:
        assert due_steps(back, STEPS[:2], now=START + HOUR + passed) is None


def test_trouble_that_returns_after_its_end_was_told_is_another_incident():
    closed = after(told(opened(), START), None, HOUR)
    over = told(closed, START + HOUR + 30 * MINUTE)

    assert after(over, condition(), HOUR + 31 * MINUTE).id == OTHER


@pytest.mark.parametrize(
    ("severity", "age", "steps", "to"),
    [
        ("warning", 0 * HOUR, (1,), ("ops",)),
        ("critical", 0 * HOUR, (1, 2), ("ops",)),
        ("critical", HOUR, (1, 2, 3), ("ops", "boss")),
        ("warning", 9 * HOUR, (1,), ("ops",)),
    ],
)
def test_steps_come_due_by_severity_and_age_and_several_are_one_message(severity, age, steps, to):
    assert due_steps(opened(severity), STEPS, now=START + age) == Due(NoticeKind.OPENED, steps, to)


def test_a_step_is_due_once():
    incident = told(opened(), START)

    assert due_steps(incident, STEPS, now=START + 59 * MINUTE) is None
    assert due_steps(incident, STEPS, now=START + HOUR) == Due(
        NoticeKind.ESCALATED, (3,), ("ops", "boss")
    )


def test_age_counts_since_it_became_so_severe():
    warned = told(opened("warning"), START)
    worse = after(warned, condition("critical"), 9 * HOUR)

    assert due_steps(worse, STEPS, now=START + 9 * HOUR).steps == (1, 2)
    assert due_steps(told(worse, START + 9 * HOUR), STEPS, now=START + 9.9 * HOUR) is None


def test_a_rise_in_severity_is_told_once_to_those_who_know_of_it():
    alone = STEPS[:1]
    warned = told(opened("warning"), START)
    worse = after(warned, condition("critical"), HOUR)

    due = due_steps(worse, alone, now=START + HOUR)
    behind = rules.claimed(worse, due, now=START + HOUR - MINUTE)  # of a clock that is behind
    missed = rules.settled(behind, due, missed=("ops 2",), now=START + HOUR)
    again = due_steps(missed, alone, now=START + 2 * HOUR)
    heard = rules.settled(missed, again, missed=(), now=START + 2 * HOUR)

    assert due == Due(NoticeKind.ESCALATED, (1,), ("ops",))
    assert again.to == ("ops 2",)
    assert due_steps(heard, alone, now=START + 99 * HOUR) is None


def test_who_missed_an_end_hears_of_the_next_one():
    grave = STEPS[1:2]
    closed = after(told(opened(), START), None, HOUR)
    due = due_steps(closed, grave, now=START + 2 * HOUR)
    claimed = rules.claimed(closed, due, now=START + 2 * HOUR)
    missed = rules.settled(claimed, due, missed=("ops 2",), now=START + 2 * HOUR)

    slight = after(missed, condition("warning"), 3 * HOUR)
    over = after(slight, None, 4 * HOUR)

    assert slight.id == OTHER
    assert due_steps(slight, grave, now=START + 3 * HOUR) is None
    assert due_steps(over, grave, now=START + 5 * HOUR).to == ("ops 2",)


def test_a_clock_that_ran_far_ahead_mutes_nobody():
    ahead = START + timedelta(days=400)
    due = due_steps(opened(), STEPS, now=ahead)
    claimed = rules.claimed(opened(), due, now=ahead)
    closed = rules.next_state(told(opened(), START), None, now=ahead, new_id=OTHER)
    over = told(closed, ahead + HOUR)
    begun = rules.opened(condition(), now=ahead, id="id")
    seen = after(begun, condition(), HOUR)

    assert due_steps(claimed, STEPS, now=START + MINUTE) is not None
    assert after(over, condition(), HOUR).id == OTHER
    assert (seen.opened_at, seen.critical_at, seen.seen_at) == (START + HOUR,) * 3
    assert after(begun, None, HOUR).lasted(START + HOUR) == timedelta(0)


def test_a_clock_that_is_a_little_ahead_sends_nothing_twice():
    due = due_steps(opened(), STEPS, now=START)
    claimed = rules.claimed(opened(), due, now=START + 9 * MINUTE)

    assert due_steps(claimed, STEPS, now=START) is None


def test_a_claim_is_free_again_when_its_process_must_have_died():
    due = due_steps(opened(), STEPS, now=START)
    claimed = rules.claimed(opened(), due, now=START)

    assert due_steps(claimed, STEPS, now=START + 9 * MINUTE) is None
    assert due_steps(claimed, STEPS, now=START + 10 * MINUTE).steps == due.steps


def test_only_what_missed_it_is_tried_again_and_not_for_ever():
    incident, now, tried = opened(), START, []
    for _ in range(3 * 24 * 60):
        if due := due_steps(incident, STEPS[:1], now=now):
            tried.append((due.to, (now - START) // MINUTE))
            incident = rules.claimed(incident, due, now=now)
            incident = rules.settled(incident, due, missed=("ops 2",), now=now)
        now += MINUTE

    assert [to for to, _ in tried] == [("ops",), *[("ops 2",)] * (rules.TRIES_MAX - 1)]
    assert [at for _, at in tried[:6]] == [0, 1, 6, 21, 81, 141]


def test_the_end_is_told_to_those_who_knew_once_it_is_certain():
    known = told(opened("warning"), START)
    closed = after(known, None, HOUR)

    assert due_steps(closed, STEPS, now=START + HOUR + 29 * MINUTE) is None
    due = due_steps(closed, STEPS, now=START + HOUR + 30 * MINUTE)
    assert due == Due(NoticeKind.CLOSED, (CLOSING,), ("ops",))
    over = told(closed, START + HOUR + 30 * MINUTE)
    assert due_steps(over, STEPS, now=START + 99 * HOUR) is None


def test_who_should_have_known_hears_of_the_end_at_least():
    closed = after(opened("warning"), None, MINUTE)

    assert due_steps(closed, STEPS, now=START + HOUR).to == ("ops",)


def test_a_finding_that_is_well_is_no_condition():
    with pytest.raises(ValueError, match="expected a severity"):
        condition("ok")
