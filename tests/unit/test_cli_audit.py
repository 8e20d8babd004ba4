from datetime import UTC, datetime, timedelta

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.cli.audit import newest
from jarkeeper.errors import InputError
from jarkeeper.since import parse_since

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(access, phase=Phase.INTENT, **fields):
    return Event(
        at=NOW, action=fields.pop("action", Action.LEND), phase=phase, access=access, **fields
    )


def ended(access, outcome, **fields):
    return event(access, Phase.OUTCOME, outcome=outcome, **fields)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("99999w", datetime(1970, 1, 1, tzinfo=UTC)),
        ("0900-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T10:00+02:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_since_is_a_span_or_a_date_in_utc(text, moment):
    parsed = parse_since(text, now=NOW)

    assert parsed == moment
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7", "-7d", "7y", "2026-13-01", "0001-01-01T00:00+14:00", "٧d"],
)
def test_another_since_is_refused_with_examples(text):
    with pytest.raises(InputError) as caught:
        parse_since(text, now=NOW)

    assert caught.value.hint == "such as 30m, 12h, 7d, 2w or 2026-01-31"


def test_an_access_is_its_intent_and_its_outcome():
    events = [event("a"), event("b"), ended("b", Outcome.OK), ended("a", Outcome.FAILED)]

    accesses, total = newest(events, most=10)

    assert total == 2
    assert [len(access.events) for access in accesses] == [2, 2]
    assert [access.result for access in accesses] == ["failed", "ok"]


def test_only_the_newest_are_kept():
    accesses, total = newest((event(str(number)) for number in range(1000)), most=3)

    assert total == 1000
    assert [access.last.access for access in accesses] == ["997", "998", "999"]


@pytest.mark.parametrize(
    ("last", "result"),
    [
        (event("a"), "no outcome"),
        (ended("a", Outcome.OK), "ok"),
        (ended("a", Outcome.REFUSED, detail="not_current"), "refused: not_current"),
        (
            ended("a", Outcome.OK, action=Action.USE, counts={"OK": 4, "PRIVATE": 1}),
            "OK 4, PRIVATE 1",
        ),
        (
            ended("a", Outcome.OK, action=Action.USE, counts={f"C{n}": n for n in range(9)}),
            "C0 0, C1 1, C2 2, C3 3, C4 4, C5 5, …",
        ),
        (ended("a", Outcome.OK, action=Action.CHECKPOINT, counts={"leaves": 3}), "leaves 3"),
    ],
)
def test_the_result_is_told_in_a_few_words(last, result):
    accesses, _ = newest([last], most=1)

    assert accesses[0].result == result
