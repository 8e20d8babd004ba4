import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase as Step
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jarkeeper.actions import Action
from jarkeeper.analysis import frames
from jarkeeper.analysis.figures import DEFINITIONS, KeyFigure, State, key_figures, trend
from jarkeeper.analysis.queries import HISTORY
from jarkeeper.analysis.table import open_table
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.errors import InputError
from slowfigures import Slow

STEPS = [step for step in Step if step is not Step.shrink]
"""Without shrinking: it would take minutes."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = datetime(2026, 6, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FRAMES = {
    "outcomes": Slow.outcomes,
    "generations": Slow.generations,
    "by_age": Slow.by_age,
    "opens": Slow.opens,
    "refreshes": Slow.refreshes,
    "incidents": Slow.shown_incidents,
    "errors": Slow.errors,
}
COUNTS = st.dictionaries(
    st.sampled_from(["OK", "BOT_CHECK", "NETWORK", "PRIVATE", "COOKIE_ROTATED"]),
    st.integers(1, 9),
    max_size=3,
)
MARKS = st.sampled_from(["opened", "closed", "escalated"]).flatmap(
    lambda kind: st.sampled_from([{kind: 1, "critical": 1}, {kind: 1, "warning": 1}])
)
CAUSES = ["session-dead", "session-dead", "session-suspect", "opens", "expiry"]
GENERATIONS = ["g1", "g2", "g3"]


def event(at, action, *, seq=0, outcome=Outcome.OK, jar="youtube", **more):
    more.setdefault("actor", "a@h cli")
    phase = Phase.INTENT if outcome is None else Phase.OUTCOME
    return Event(at, action, phase, "x", jar=jar, outcome=outcome, writer="w", seq=seq, **more)


def kind_of_event(action):
    common = {
        "action": st.just(action),
        "jar": st.sampled_from(["youtube"] * 4 + ["other"]),
        "outcome": st.sampled_from([Outcome.OK] * 8 + [Outcome.REFUSED, None]),
    }
    match action:
        case Action.INCIDENT:
            more = {
                "detail": st.sampled_from(CAUSES),
                "counts": MARKS,
                "seconds": st.integers(0, 300_000).map(float),
            }
        case Action.USE | Action.DOWNLOAD:
            more = {"generation": st.sampled_from(GENERATIONS), "counts": COUNTS}
        case Action.LEND | Action.OUTLINE:
            more = {"actor": st.sampled_from(["a@h cli", "b c@h flow", "nobody"])}
        case _:
            more = {
                "generation": st.sampled_from(GENERATIONS),
                "slot": st.sampled_from(["active", "active", "backup"]),
                "detail": st.sampled_from(["", "", "", "unchanged"]),
            }
    return st.fixed_dictionaries(common | more)


# Whole hours, so that events meet each other, the edges of a span and midnight.
MOMENTS = st.integers(-24, 60).map(lambda hours: START + hours * HOUR)
ACTIONS = [
    *[Action.INCIDENT] * 5,
    *[Action.USE, Action.USE, Action.DOWNLOAD, Action.DOWNLOAD, Action.LEND, Action.OUTLINE],
    *[Action.IMPORT, Action.ROTATE, Action.PROMOTE, Action.RESTORE, Action.REVOKE],
    *[Action.WRITE_BACK, Action.WRITE_BACK, Action.MARK],
]
DRAWN = st.tuples(MOMENTS, st.sampled_from(ACTIONS).flatmap(kind_of_event))
# Few as well as many: what rules say of each other shows in a crowd only.
EVENTS = st.one_of(
    st.lists(DRAWN, max_size=3), *[st.lists(DRAWN, min_size=50, max_size=90)] * 3
).map(lambda drawn: [event(at, seq=seq, **more) for seq, (at, more) in enumerate(drawn)])
SINCE = st.integers(-24, 24).map(lambda hours: START + hours * HOUR)
LENGTHS = st.integers(1, 60).map(lambda hours: hours * HOUR)


def span(first=0, last=3):
    return {"since": START + first * DAY, "until": START + last * DAY}


def told(frame):
    """Return the rows as plain values, nothing as None."""
    rows = frame.itertuples(index=False, name=None)
    return [tuple(map(plain, row)) for row in rows]


def plain(value):
    if value is None or value != value:  # NaN and NaT are not themselves
        return None
    if isinstance(value, float):
        return round(value, 6)
    return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value


def figures_of(events, **when):
    with open_table(events=events) as table:
        return {one.id: one for one in key_figures(table, **when)}


@hypothesis_settings(max_examples=15, deadline=None, phases=STEPS)
@given(EVENTS, SINCE, LENGTHS)
def test_figures_and_frames_are_those_of_a_slow_reference(events, since, length):
    until = since + length
    slow = Slow(events, since, until)

    with open_table(events=events) as table:
        figures = key_figures(table, since=since, until=until)
        found = {
            name: told(getattr(frames, name)(table, since=since, until=until)) for name in FRAMES
        }
        days = trend(table, since=since, until=until)

    expected = slow.figures()
    for figure in figures:
        value, n = expected[figure.id]
        assert (figure.id, figure.n, figure.value) == (figure.id, n, pytest.approx(value))
    for name, reference in FRAMES.items():
        rows = [tuple(map(plain, row)) for row in reference(slow)]
        kept = [row[: len(rows[0])] if rows else row for row in found[name]]
        assert sorted(kept, key=repr) == sorted(rows, key=repr), name
    by_day = {day: Slow(events, first, last).figures() for day, first, last in slow.days()}
    for row in days.itertuples():
        value, n = by_day[row.dt][row.figure]
        if row.figure != "L5":  # a day knows fewer jars than its span
            assert (row.n, plain(row.value)) == (n, plain(value)), row


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_of_nothing_has_its_columns_and_kinds(name):
    with open_table() as table:
        empty = getattr(frames, name)(table, **span())
    with open_table(events=one_of_each()) as table:
        filled = getattr(frames, name)(table, **span())

    assert (len(empty), list(empty.columns)) == (0, list(filled.columns))
    assert len(filled) > 0
    kinds = {"object": "str"}
    for column in empty:
        ours, theirs = str(empty[column].dtype), str(filled[column].dtype)
        assert kinds.get(ours, ours) == kinds.get(theirs, theirs)


def one_of_each():
    return [
        event(START, Action.IMPORT, generation="g1"),
        event(START + HOUR, Action.WRITE_BACK, generation="g2", slot="active"),
        event(START + HOUR, Action.LEND),
        event(START + HOUR, Action.USE, generation="g2", counts={"OK": 1}),
        event(START + HOUR, Action.DOWNLOAD, counts={"OK": 1, "NETWORK": 1}),
        event(START + HOUR, Action.INCIDENT, detail="opens", counts={"opened": 1, "critical": 1}),
    ]


def test_of_nothing_there_is_no_figure():
    found = figures_of([], **span())

    assert [(one.value, one.n, one.state(is_intact=True)) for one in found.values()] == [
        (None, 0, State.NO_DATA)
    ] * 6
    assert [one.id for one in DEFINITIONS] == list(found)


def test_one_event_is_enough():
    (download, *_) = figures_of(
        [event(START, Action.DOWNLOAD, counts={"OK": 1})], **span()
    ).values()

    assert (download.value, download.n, download.state(is_intact=True)) == (100.0, 1, "met")


@pytest.mark.parametrize(("at", "n"), [
    (-MICROSECOND, 0), (timedelta(0), 1), (DAY - MICROSECOND, 1), (DAY, 0),
])  # fmt: skip
def test_a_span_has_its_first_moment_and_not_its_end(at, n):
    found = figures_of([event(START + at, Action.DOWNLOAD, counts={"OK": 1})], **span(0, 1))

    assert found["L1"].n == n


def dead(hours, kind="opened", **more):
    counts = {kind: 1, "critical": 1}
    return event(
        START + hours * HOUR, Action.INCIDENT, detail="session-dead", counts=counts, **more
    )


@pytest.mark.parametrize(
    ("events", "uptime"),
    [
        ([dead(-240)], 0),
        ([dead(-240), dead(12, "closed", seq=1, seconds=252 * 3600)], 50),
        ([dead(12, "closed", seconds=99 * 24 * 3600)], 50),  # opened before what is read
        ([event(START - DAY, Action.IMPORT), dead(6)], 25),
        ([dead(6)], 0),  # nothing is known of the jar before
        ([event(START - DAY, Action.IMPORT), dead(24)], 100),
    ],
)
def test_an_open_incident_counts_from_wherever_it_began(events, uptime):
    assert figures_of(events, **span(0, 1))["L5"].value == pytest.approx(uptime)


def test_history_reaches_back_as_far_as_the_page_says():
    at = START - HISTORY

    assert figures_of([dead(-24 * 92)], **span())["L5"].value == 0
    assert figures_of([event(at - MICROSECOND, Action.IMPORT)], **span())["L5"].value is None


def test_a_warning_is_no_downtime_until_it_becomes_critical():
    warned = event(
        START, Action.INCIDENT, detail="session-dead", counts={"opened": 1, "warning": 1}
    )

    found = figures_of([warned, dead(12, "escalated", seq=1)], **span(0, 1))

    assert found["L5"].value == pytest.approx(50)


@pytest.mark.parametrize("figure", DEFINITIONS)
def test_a_figure_on_its_target_is_not_beyond_it(figure):
    def met(value):
        facts = (figure.id, figure.name, figure.unit, figure.target, figure.at_least)
        return KeyFigure(*facts, value=value, n=1).state(is_intact=True).is_met

    better = figure.target + (1 if figure.at_least else -1)
    assert met(figure.target) is (figure.target == 0)
    assert met(better) is (figure.target != 0)
    assert met(None) is None


def test_a_trend_has_each_day_of_its_span():
    with open_table(events=one_of_each()) as table:
        frame = trend(table, since=START - HOUR, until=START + DAY)

    days = ["2026-05-31", "2026-06-01"]
    assert [(row.figure, row.dt) for row in frame.itertuples()] == [
        (figure.id, day) for figure in DEFINITIONS for day in days
    ]
    assert math.isnan(frame["value"][0])


def test_a_span_that_is_none_is_refused():
    with open_table() as table, pytest.raises(InputError, match="expected an end after"):
        key_figures(table, since=START, until=START)
    with open_table() as table, pytest.raises(InputError, match="time zone"):
        key_figures(table, since=datetime(2026, 6, 1), until=START)


def test_each_failure_has_its_explanation_and_remedy():
    counts = {"COOKIE_ROTATED": 3, "PRIVATE": 1, "NO_SUCH_CLASS": 1}
    with open_table(events=[event(START, Action.DOWNLOAD, counts=counts)]) as table:
        frame = frames.errors(table, **span())

    assert list(frame["failure"]) == ["COOKIE_ROTATED", "NO_SUCH_CLASS", "PRIVATE"]
    assert "jarkeeper import" in frame["remedy"][0]
    assert frame["explanation"][2] == "the video is private"


def test_a_generation_lives_until_it_is_replaced_or_revoked():
    events = [
        event(START - 2 * DAY, Action.IMPORT, generation="g1"),
        event(START, Action.WRITE_BACK, generation="g2", slot="active", seq=1),
        event(START + HOUR, Action.REVOKE, generation="g2", seq=2),
        event(START + DAY, Action.IMPORT, generation="g3", seq=3),
        event(START + HOUR / 2, Action.USE, generation="g2", counts={"OK": 2}, seq=4),
    ]

    with open_table(events=events) as table:
        lives = told(frames.generations(table, **span())[["generation", "ended"]])
        ages = told(frames.by_age(table, **span()))

    assert lives == [("g1", START), ("g2", START + HOUR), ("g3", None)]
    assert ages == [("youtube", "g2", 2, 2, 2)]
