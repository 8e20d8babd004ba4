"""The flow `audit-report`: files in a folder, essentials in an artifact."""

import json

import pytest

from flows.audit_report import audit_report
from orchestration.runs import artifacts_of, flow_run_of, run

pytestmark = pytest.mark.harness


def test_a_report_is_written_and_its_essentials_are_an_artifact(youtube, place, tmp_path):
    place.import_session("first")
    run(place, ["video000000"])
    folder = tmp_path / "reports"

    state = audit_report(since="1d", out=folder, return_state=True)
    again = audit_report(since="1d", out=folder, return_state=True)

    (page,) = folder.glob("*.html")
    (document,) = folder.glob("*.json")
    assert state.is_completed(), state.message
    assert again.is_completed(), again.message
    assert flow_run_of(state).name == "audit-report 1d"
    assert len(list((folder / page.stem).glob("*.csv"))) == 10
    content = json.loads(document.read_text())
    assert content["integrity"]["is_intact"] is True
    assert content["figures"][0] | {"value": 100.0, "n": 1} == content["figures"][0]
    told = artifacts_of(state)["jarkeeper-audit-report"]
    assert content["verdict"]["sentence"].removesuffix(".") in str(told)
    assert all(f"): {one['state']}" in str(told) for one in content["figures"])


def test_a_period_is_about_days_that_are_over(youtube, place, tmp_path):
    state = audit_report("monthly", out=tmp_path / "reports", return_state=True)

    assert state.is_completed(), state.message
    assert len(list((tmp_path / "reports").glob("*-01-to-*.html"))) == 1
    assert "not all of this time is on record" in state.message
