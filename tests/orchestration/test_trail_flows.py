"""The flows that look after the trail: packing every night, a signed statement every month."""

import pytest

from flows.archive import archive
from flows.health import health
from flows.reviews import daily, monthly
from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.audit.note import open_note
from jarkeeper.incidents import Cause
from jarkeeper.wiring import open_journal, open_vault, utc_now
from orchestration.runs import artifacts_of
from vaultkit import ACTOR, START

pytestmark = pytest.mark.harness


def test_old_days_are_packed_and_the_retention_applied(youtube, place, monkeypatch):
    place.import_session("first")
    vault = open_vault(place.settings)
    ports = vault.ports
    old = Trail(ports.store, keys=ports.keys, vault=vault.id, clock=lambda: START, actor=ACTOR)
    old.outcome(old.intent(Access(Action.CHECK)), Outcome.OK)

    behind = health()
    state = archive(return_state=True)

    assert any("1 day not packed" in line for line in behind.lines)
    assert not any("not packed" in line for line in health().lines)
    assert state.is_completed(), state.message
    assert state.message == "2 events packed into 1 volume"
    assert vault.trail.verify().archived == 2
    monkeypatch.setenv("COOKIE_AUDIT_DAYS", "40")
    state = archive(return_state=True)
    assert "is left to give up" in state.message, "it was packed only now"
    assert vault.trail.verify().discrepancies == ()


def test_a_month_ends_with_a_statement_that_can_be_checked(youtube, place):
    place.import_session("first")

    state = monthly(return_state=True)

    assert state.is_completed(), state.message
    vault = open_vault(place.settings)
    (told,) = [page for key, page in artifacts_of(state).items() if "compliance" in key]
    note = told.data.strip("`\n") + "\n"
    month = f"{utc_now():%Y-%m}"
    text = open_note(note, vault.trail.signer.verifier)
    assert text.startswith(f"jarkeeper/{vault.id} compliance ")
    assert month not in text.partition("\n")[0], "of the month that ended last"


def test_the_daily_flow_joins_the_logs_that_the_settings_name(youtube, place, monkeypatch):
    place.import_session("first")
    logs = place.folder / "logs"
    logs.mkdir()
    (logs / "one.log").write_text("rubbish\n")
    monkeypatch.setenv("COOKIE_ACCESS_LOGS", str(logs))

    state = daily(return_state=True)

    assert state.is_completed(), state.message
    journal = open_journal(place.settings, open_vault(place.settings))
    (incident,) = [one for one in journal.open() if one.cause is Cause.OUTSIDE]
    assert "none of them is of AWS, and 2 more" in incident.message
