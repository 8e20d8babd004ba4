"""What is measured, and that neither sink says more, or other, than the table of instruments."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emf import read_emf
from jarkeeper.actions import Action
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.metrics import emf, measure, otel
from jarkeeper.metrics.measure import Measurement, examined, measurements
from jarkeeper.metrics.record import record
from jarkeeper.metrics.table import DOWNLOADS, INSTRUMENTS, OPENS, Unit
from jarkeeper.slots import SlotState
from jarkeeper.youtube.measuring import measured_by
from jarkeeper.youtube.messages import Lent, Marked, Measured
from vaultkit import CANARY, Room

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVENT = Event(
    at=NOW,
    action=Action.LEND,
    phase=Phase.OUTCOME,
    access="a",
    jar="youtube",
    slot="active",
    outcome=Outcome.OK,
    seconds=0.25,
)


def told(found):
    """Return measurements as `(name, value, *words)`."""
    return [(one.instrument.name, one.value, *one.dimensions.values()) for one in found]


def of_event(**changed):
    return told(measurements(replace(EVENT, **changed)))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"phase": Phase.INTENT, "outcome": None}, []),
        ({"action": Action.CHECK}, []),
        (
            {},
            [("opens", 1, "youtube", "active", "ok"), ("open_duration", 0.25, "youtube", "active")],
        ),
        (
            {"detail": "beyond_limit", "slot": "pending"},
            [
                ("opens", 1, "youtube", "pending", "ok"),
                ("open_duration", 0.25, "youtube", "pending"),
            ],
        ),
        (
            {"outcome": Outcome.REFUSED, "detail": "rate"},
            [("opens", 1, "youtube", "active", "rate")],
        ),
        (
            {"outcome": Outcome.REFUSED, "detail": "capability", "slot": ""},
            [("opens", 1, "youtube", "none", "capability")],
        ),
        (
            {"action": Action.WRITE_BACK},
            [("write_backs", 1, "youtube", "active", "kept")],
        ),
        (
            {"action": Action.WRITE_BACK, "detail": "unchanged"},
            [("write_backs", 1, "youtube", "active", "unchanged")],
        ),
        (
            {"action": Action.WRITE_BACK, "outcome": Outcome.REFUSED, "detail": "login_gone"},
            [("write_backs", 1, "youtube", "active", "login_gone")],
        ),
        (
            {"action": Action.USE, "counts": {"OK": 3, "PRIVATE": 1}},
            [
                ("tries", 3, "youtube", "active", "none"),
                ("tries", 1, "youtube", "active", "PRIVATE"),
            ],
        ),
        (
            {"action": Action.PROBE, "phase": Phase.INTENT, "detail": "signed_out"},
            [("cookie_failures", 1, "youtube", "signed_out")],
        ),
        ({"action": Action.PROBE, "phase": Phase.INTENT, "detail": "alive"}, []),
        ({"action": Action.PROBE, "detail": "unchanged"}, []),
        # A run measures its videos itself, with those that the trail does not count.
        ({"action": Action.DOWNLOAD, "counts": {"OK": 3}}, []),
    ],
)
def test_an_event_of_the_trail_is_measured_once(changed, expected):
    assert of_event(**changed) == expected


def test_a_workers_messages_are_measured_beside_what_it_measured_itself():
    messages = [
        Lent("active", "ab" * 16, "cd" * 8, 3),
        Measured("opens", 1, ["youtube", "active", "ok"]),
        Marked("active", "ab" * 16, "dead", None, "COOKIE_ROTATED"),
    ]

    found = [one for message in messages for one in measured_by(message, jar="youtube")]

    assert told(found) == [
        ("opens", 1, "youtube", "active", "ok"),
        ("cookie_failures", 1, "youtube", "COOKIE_ROTATED"),
    ]


def test_a_head_tells_the_age_and_every_state_zeros_included():
    room = Room()
    room.fill("old", "new")
    active = room.vault.status("youtube").active.generation
    room.vault.mark("youtube", active.id, SlotState.DEAD, reason="COOKIE_ROTATED")

    found = list(examined(room.vault.status("youtube"), active.created_at + timedelta(hours=2)))

    states = {tuple(row[3:]): row[1] for row in told(found) if row[0] == "slots"}
    assert told(found)[0] == ("active_age", 7200, "youtube")
    assert len(states) == 3 * len(SlotState)
    assert {key for key, number in states.items() if number} == {
        ("active", "dead"),
        ("backup", "healthy"),
    }


def test_a_slot_that_has_rested_counts_as_healthy():
    room = Room()
    (generation,) = room.fill("one")
    end = room.clock() + timedelta(hours=1)
    room.vault.mark("youtube", generation, SlotState.COOLING, until=end, reason="BOT_CHECK")
    head = room.vault.status("youtube")

    resting, rested = (
        {row[4] for row in told(examined(head, at)) if row[0] == "slots" and row[1]}
        for at in (end - timedelta(seconds=1), end)
    )

    assert (resting, rested) == ({"cooling"}, {"healthy"})


def test_what_others_tell_is_measured():
    receipts = [("downloaded", None), ("downloaded", None), ("failed", "GEO")]

    assert told(measure.downloaded("youtube", [*receipts, ("already there", None)])) == [
        ("downloads", 2, "youtube", "downloaded", "none"),
        ("downloads", 1, "youtube", "failed", "GEO"),
        ("downloads", 1, "youtube", "already_there", "none"),
    ]
    assert told(measure.incidents_open(["critical", "critical"])) == [
        ("incidents_open", 0, "warning"),
        ("incidents_open", 2, "critical"),
    ]
    assert told([measure.incident_opened("", cause="no-backup")]) == [
        ("incidents_opened", 1, "-", "no-backup")
    ]
    assert told([measure.budget_used("youtube", opens=30, limit=120)]) == [
        ("budget_used", 25, "youtube")
    ]
    assert told([measure.refreshed("youtube", result="kept")]) == [
        ("refreshes", 1, "youtube", "kept")
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("made_up", 1, ["youtube"]),
        ("opens", 1, ["youtube", "active"]),
        ("opens", 1, ["youtube", "active", ""]),
        ("opens", 1, ["youtube", "active", f"SID={CANARY}"]),
        ("opens", 1, ["youtube", "active", "a\nb"]),
        ("opens", -1, ["youtube", "active", "ok"]),
        ("open_duration", float("nan"), ["youtube", "active"]),
    ],
)
def test_what_the_table_does_not_know_is_no_measurement(name, value, words):
    with pytest.raises(ValueError) as refused:
        Measurement.named(name, value, *words)

    assert CANARY not in str(refused.value)


def test_dimensions_in_another_order_are_refused():
    with pytest.raises(ValueError):
        Measurement(DOWNLOADS, 1, {"jar": "youtube", "class": "none", "outcome": "failed"})


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=INSTRUMENTS)
def test_every_instrument_makes_a_valid_line_of_cloudwatchs_format(instrument, capsys):
    words = [f"word{number}" for number, _ in enumerate(instrument.dimensions)]

    record(("emf",), [Measurement.named(instrument.name, 1.5, *words)])

    document = read_emf(capsys.readouterr().out)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Jarkeeper"
    assert directive["Metrics"] == [{"Name": instrument.name, "Unit": instrument.unit}]
    assert directive["Dimensions"][-1] == list(instrument.dimensions)
    assert document[instrument.name] == 1.5
    assert instrument.name not in instrument.dimensions


def test_times_are_seconds_and_shares_are_percent():
    units = {one.name: one.unit for one in INSTRUMENTS.values() if one.unit is not Unit.COUNT}

    assert units == {
        "open_duration": "Seconds",
        "validation_duration": "Seconds",
        "active_age": "Seconds",
        "budget_used": "Percent",
    }


def test_a_counter_is_kept_by_each_leading_part_and_a_gauge_only_whole():
    assert emf.dimension_sets(OPENS) == [["jar"], ["jar", "slot"], ["jar", "slot", "result"]]
    assert emf.dimension_sets(INSTRUMENTS["slots"]) == [["jar", "slot", "state"]]


def test_no_sink_and_nothing_wrong_with_one_ever_raises(monkeypatch, capsys):
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    def wrong():
        yield Measurement.named("made_up", 1)

    heard = []
    monkeypatch.setattr(otel, "write", heard.append)
    one = measure.validated("youtube", seconds=1)

    record(("emf",), wrong())
    record((), wrong())
    monkeypatch.setattr(sys, "stdout", Broken())
    record(("emf", "otel"), [one])
    monkeypatch.setattr(sys, "stdout", None)
    record(("emf",), [one])

    assert heard == [one]


def test_without_metrics_nothing_of_them_is_loaded(tmp_path):
    program = """
import json, sys
from jarkeeper.settings import Settings
from jarkeeper.wiring import init_vault, open_vault
from jarkeeper.cli.group import run
from jarkeeper.downloads import downloader, measuring
settings = Settings.read()
init_vault(settings)
open_vault(settings).check()
run(["status"])
print(json.dumps([name for name in sys.modules if "metrics" in name or "telemetry" in name]))
"""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def loaded(**more):
        ended = subprocess.run(
            [sys.executable, "-c", program],
            env=environment | more,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(ended.stdout.splitlines()[-1])

    assert loaded() == []
    assert "jarkeeper.metrics.emf" in loaded(JARKEEPER_METRICS="emf")
    assert not any("telemetry" in name for name in loaded(JARKEEPER_METRICS="emf"))
