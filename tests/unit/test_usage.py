from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.actions import Action
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.audit.usage import COOKIE_FAILURES, Usage, usage_by_day
from jarkeeper.youtube.failures import TABLE, FailureClass
from vaultkit import Room

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
OF_COOKIES = {1, 3, 4, 8, 9, 10, 11, 12, 15}
"""Rows of the classifier's table."""


def event(
    at=NOON, *, action=Action.LEND, outcome=Outcome.OK, jar="youtube", actor="a@h cli", **more
):
    return Event(
        at, action, Phase.OUTCOME, access="x", jar=jar, actor=actor, outcome=outcome, **more
    )


events = st.lists(
    st.builds(
        event,
        st.datetimes(datetime(2026, 6, 1), datetime(2026, 6, 3)).map(
            lambda at: at.replace(tzinfo=UTC)
        ),
        action=st.sampled_from([Action.LEND, Action.USE, Action.IMPORT]),
        outcome=st.sampled_from([*Outcome]),
        jar=st.sampled_from(["youtube", "other"]),
        actor=st.sampled_from(["a@h cli", "a b@h flow", "nobody"]),
        counts=st.dictionaries(
            st.sampled_from(["OK", "BOT_CHECK", "NETWORK", "PRIVATE"]), st.integers(1, 9)
        ),
    ),
    max_size=30,
)


def place_of(event):
    return event.at.date(), event.jar, event.actor.split(" ")[-1]


def slowly(found):
    """Count each line by going through everything anew."""
    opened = [one for one in found if one.action is Action.LEND and one.outcome is Outcome.OK]
    used = [one for one in found if one.action is Action.USE]
    for place in sorted({place_of(one) for one in opened + used}):
        here = [one.counts for one in used if place_of(one) == place]
        each = Counter(name for counts in here for name in Counter(counts).elements())
        yield Usage(
            *place,
            opens=sum(place_of(one) == place for one in opened),
            videos=sum(each.values()),
            succeeded=each["OK"],
            cookie_failures=each["BOT_CHECK"],
            failures={name: each[name] for name in each if name != "OK"},
        )


@given(events)
def test_usage_is_what_a_count_from_scratch_finds(found):
    assert usage_by_day(found) == tuple(slowly(found))


def test_nothing_on_record_is_no_usage():
    assert usage_by_day([]) == ()


def test_a_day_ends_at_midnight_utc():
    late, early = NOON.replace(hour=23, minute=59), NOON + timedelta(hours=12)

    days = [usage.day for usage in usage_by_day([event(late), event(early)])]

    assert days == [date(2026, 6, 1), date(2026, 6, 2)]


def test_the_classes_of_cookies_are_those_of_the_classifiers_rows():
    rows = {row.failure.value for row in TABLE if row.number in OF_COOKIES}

    # A list that is nobody's own and does not exist says nothing of the login.
    assert rows - {FailureClass.NOT_FOUND} == COOKIE_FAILURES


def test_a_real_trail_tells_opens_and_tries():
    room = Room()
    room.fill("a")
    lent = room.vault.lend("youtube")
    room.vault.record_use(lent, counts={"OK": 3, "CAPTCHA": 1, "GEO": 2}, seconds=1)

    (usage,) = usage_by_day(room.vault.trail.read())

    assert (usage.flow, usage.opens, usage.videos, usage.succeeded) == ("pytest", 1, 6, 3)
    assert (usage.cookie_failures, usage.failures) == (1, {"CAPTCHA": 1, "GEO": 2})
