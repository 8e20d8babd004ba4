"""Metrics of real runs: what comes out of both sinks is the table's, and what the trail says."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from emf import read_emf
from jarkeeper.actions import Action
from jarkeeper.audit import Phase
from jarkeeper.checks import Severity
from jarkeeper.downloads.request import DownloadRequest
from jarkeeper.downloads.run import run_downloads
from jarkeeper.incidents import Cause, Condition, scope_of
from jarkeeper.metrics.otel import UNITS
from jarkeeper.metrics.table import INSTRUMENTS
from jarkeeper.watch import report
from jarkeeper.wiring import init_vault, open_vault
from jarkeeper.youtube.errand import errand
from jarkeeper.youtube.messages import Measured

VIDEO, OTHER, PRIVATE = "dQw4w9WgXcQ", "aaaaaaaaaaa", "private0000"
CANARY = "canary-51c0ffee"
SMALL = 200_000
ELSEWHERE = {"refreshes", "incidents_opened", "incidents_open"}
"""What no download emits: a visit and an examination do."""


@pytest.fixture(scope="module")
def reader():
    """OpenTelemetry's own SDK, as a user configures it; a process has one for all its life."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    set_meter_provider(provider)
    yield reader
    provider.shutdown()


@pytest.fixture
def measured(settings, youtube):
    youtube.control.set_size(SMALL)
    init_vault(settings)
    vault = open_vault(settings)
    for name in ("old", "new"):
        export = youtube.control.new_session(name, canary=CANARY, rotate_every=3, grace_seconds=0)
        vault.import_jar("youtube", export.encode(), confirmed=True)
    youtube.control.add_video(PRIVATE, answer="private")
    youtube.control.add_video(OTHER, answer="age_gate")
    return replace(settings, metrics=("emf", "otel"))


def test_both_sinks_say_what_the_table_allows_and_the_trail_holds(
    measured, youtube, reader, tmp_path, capsys
):
    request = DownloadRequest.of((VIDEO, PRIVATE), tmp_path / "videos")
    heard: list[object] = []
    run_downloads(measured, request, listener=heard.append)
    youtube.control.revoke("new")
    run_downloads(measured, replace(request, targets=DownloadRequest.of((OTHER,), "x").targets))

    out = capsys.readouterr().out
    lines = [read_emf(line) for line in out.splitlines(keepends=True)]
    points = list(points_of(reader))
    assert names_of(lines) == set(INSTRUMENTS) - ELSEWHERE
    assert {name for name, _, _ in points} == names_of(lines)
    for name, unit, dimensions in points:
        assert UNITS[INSTRUMENTS[name].unit] == unit
        assert dimensions == set(INSTRUMENTS[name].dimensions)
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        ((name, unit),) = [tuple(metric.values()) for metric in directive["Metrics"]]
        assert unit == INSTRUMENTS[name].unit
        assert set(line) - {"_aws", name} == set(INSTRUMENTS[name].dimensions)
    assert counted(lines) == on_record(measured)
    assert total(lines, "downloads") == 3
    assert not any(isinstance(notice, Measured) for notice in heard)
    assert {line["class"] for line in lines if "cookie_failures" in line} == {"COOKIE_ROTATED"}
    assert CANARY not in out + repr(points) + reader.get_metrics_data().to_json()


def test_visits_and_incidents_are_measured_where_they_happen(measured, youtube, capsys):
    settings = replace(measured, metrics=("emf",))
    vault = open_vault(settings)
    active = vault.status("youtube").active.generation.id
    with errand(settings, "youtube", base_head=0, actor="test") as session:
        kept = session.probe(active, visit=True)
        youtube.control.revoke("new")
        session.probe(kept.generation, visit=True)
    trouble = Condition(
        cause=Cause.NO_BACKUP,
        jar="youtube",
        severity=Severity.WARNING,
        message="there is no backup",
        done="nothing",
        next_step="import one",
    )
    scope = scope_of((Cause.NO_BACKUP,), "youtube")
    for found in ([trouble], [trouble], []):
        report(settings, vault, found, scope=scope)

    lines = [read_emf(line) for line in capsys.readouterr().out.splitlines(keepends=True)]
    assert [line["result"] for line in lines if "refreshes" in line] == ["unchanged", "signed_out"]
    assert [line["class"] for line in lines if "cookie_failures" in line] == ["signed_out"]
    assert total(lines, "incidents_opened") == 1
    assert [line["incidents_open"] for line in lines if line.get("severity") == "warning"] == [
        1,
        1,
        0,
    ]
    assert counted(lines) == on_record(settings)
    assert names_of(lines) >= ELSEWHERE | {"active_age", "slots"}


def test_a_command_keeps_standard_output_for_its_answer(measured, tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    environment |= replace(measured, metrics=("emf",)).environment()

    ended = subprocess.run(
        [sys.executable, "-m", "jarkeeper", "download", "--json", "--quiet", VIDEO],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )

    told = ended.stderr.splitlines(keepends=True)
    lines = [read_emf(line) for line in told if line.startswith("{")]
    assert json.loads(ended.stdout)["downloaded"] == 1
    assert counted(lines) == on_record(measured)
    assert total(lines, "opens") == 1
    assert CANARY not in ended.stdout + ended.stderr


def names_of(lines):
    return {line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines}


def total(lines, name):
    return sum(line.get(name, 0) for line in lines)


def counted(lines):
    """Return what the lines count that the trail counts too."""
    return {name: total(lines, name) for name in ("opens", "write_backs", "tries")}


def on_record(settings):
    """Return the same counts from the audit trail."""
    trail = open_vault(settings).trail.read()
    events = [event for event in trail if event.phase is Phase.OUTCOME]
    actions = Counter(event.action for event in events)
    uses = sum(sum(event.counts.values()) for event in events if event.action is Action.USE)
    return {
        "opens": actions[Action.LEND],
        "write_backs": actions[Action.WRITE_BACK],
        "tries": uses,
    }


def points_of(reader):
    """Give name, unit and dimensions of every data point of the meter."""
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            assert scope.scope.name == "jarkeeper"
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    name = metric.name.removeprefix("jarkeeper.")
                    yield name, metric.unit, set(point.attributes)
