import io
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.cli.audit import Access, _row, newest, print_accesses
from jarkeeper.errors import InputError
from jarkeeper.since import parse_since

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(access, phase=Phase.INTENT, **fields):
    return Event(
        at=NOW, action=fields.pop("action", Action.LEND), phase=phase, access=access, **fields
    )


def ended(access, outcome, **fields):
    return event(access, Phase.OUTCOME, outcome=outcome, **fields)


def incident(*words):
    counts = dict.fromkeys(words, 1)
    return ended("a", Outcome.OK, action=Action.INCIDENT, detail="session-dead", counts=counts)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("99999w", datetime(1970, 1, 1, tzinfo=UTC)),
        ("999999999d", datetime(1970, 1, 1, tzinfo=UTC)),
        (f"{10**29}m", datetime(1970, 1, 1, tzinfo=UTC)),
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


def test_an_access_stands_at_the_time_of_the_event_that_names_it():
    late = replace(ended("a", Outcome.OK), at=NOW + timedelta(minutes=5))

    accesses, _ = newest([event("a"), event("b"), ended("b", Outcome.OK), late], most=10)

    assert [_row(access, ids=True)[0] for access in accesses] == [
        "2026-03-01 12:00:00",
        "2026-03-01 12:05:00",
    ]


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
        (
            ended(
                "a",
                Outcome.OK,
                action=Action.RETIRE,
                counts={"leaves": 5, "before_day": 739899},
            ),
            "events before 2026-10-10",
        ),
        (
            ended("a", Outcome.OK, action=Action.RETIRE, counts={"before_day": 10**9}),
            "events before day 1000000000",
        ),
        (
            ended(
                "a",
                Outcome.OK,
                action=Action.INCIDENT,
                detail="session-dead",
                counts={"opened": 1, "critical": 1},
            ),
            "session-dead: opened, critical",
        ),
    ],
)
def test_the_result_is_told_in_a_few_words(last, result):
    accesses, _ = newest([last], most=1)

    assert accesses[0].result == result


class Stream(io.StringIO):
    """Standard output as a pipe, or as a terminal."""

    def __init__(self, *, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal


def printed(monkeypatch, *, columns, is_terminal):
    """Return the lines of a long row and a short one."""
    counts = {f"RATE_LIMIT_{n}": 1000 for n in range(6)}
    long = ended("a", Outcome.OK, action=Action.USE, jar="j" * 30, actor="a@b c" * 9, counts=counts)
    accesses, total = newest([long, ended("b", Outcome.OK, jar="k", actor="c@d e")], most=9)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", Stream(is_terminal=is_terminal))
    print_accesses(accesses, total, ids=True)
    return re.sub(r"\x1b\[[0-9;]*m", "", sys.stdout.getvalue()).splitlines()


def test_in_a_pipe_an_access_is_one_whole_line_however_long(monkeypatch):
    _, first, _ = printed(monkeypatch, columns=20, is_terminal=False)

    assert "RATE_LIMIT_0 1000, " in first
    assert "a@b c" * 9 in first


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_on_a_terminal_a_moment_stays_on_one_line(monkeypatch, columns):
    lines = printed(monkeypatch, columns=columns, is_terminal=True)

    assert max(map(len, lines)) <= columns
    assert len([line for line in lines if "2026-03-01 12:00:00" in line]) == 2


@pytest.mark.parametrize(
    ("last", "style"),
    [
        (ended("a", Outcome.OK), "good"),
        (ended("a", Outcome.FAILED), "bad"),
        (event("a"), "warn"),
        (ended("a", Outcome.OK, action=Action.USE, counts={"OK": 2}), "good"),
        (ended("a", Outcome.OK, action=Action.USE, counts={"OK": 2, "COOKIE_DEAD": 1}), "warn"),
        (incident("opened", "critical"), "bad"),
        (incident("opened", "warning"), "warn"),
        (incident("closed", "critical"), "good"),
    ],
)
def test_bad_news_that_is_well_on_record_does_not_look_well(last, style):
    assert Access([last]).style == style


def test_what_a_narrow_window_leaves_out_is_named(monkeypatch, capsys):
    lines = printed(monkeypatch, columns=60, is_terminal=True)

    assert "generation" not in "".join(lines)
    assert "show more: slot, generation, by" in capsys.readouterr().err
