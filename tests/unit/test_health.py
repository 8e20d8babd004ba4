from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jarkeeper.actions import Action
from jarkeeper.checks import Severity
from jarkeeper.facts import JarFacts
from jarkeeper.heads import GenerationRecord, Head, SlotRecord, Slots, SlotState, Source
from jarkeeper.health import examine, next_step
from jarkeeper.names import GenerationId, VaultId
from jarkeeper.settings import Settings
from jarkeeper.slots import UNTESTED

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = Settings.read({"HOME": "/home/somebody"})


def slot(number=1, *, days=200.0, state=SlotState.HEALTHY, until=None, reason=""):
    facts = JarFacts(
        cookies=17,
        dropped=0,
        login_until=int((NOW + timedelta(days=days)).timestamp()),
        next_expiry=0,
        signed_out=False,
        foreign=(),
    )
    record = GenerationRecord(
        GenerationId(f"{number:032x}"), "d" * 64, "f" * 32, NOW, Source.IMPORT, facts
    )
    return SlotRecord(record, state, NOW - timedelta(hours=3), until, reason)


def head(active=None, *backups, revoked=()):
    slots = Slots(active, backups, revoked)
    return Head(
        vault=VaultId("v" * 32),
        jar="youtube",
        seq=7,
        id="1" * 32,
        previous="0" * 64,
        action=Action.IMPORT,
        at=NOW,
        slots=slots,
    )


def looked_at(*records):
    return examine(head(*records), now=NOW, settings=SETTINGS)


@pytest.mark.parametrize(
    ("active", "code", "severity", "words"),
    [
        (slot(), "authenticated", Severity.OK, "cookies valid for another"),
        (slot(days=9), "expires-soon", Severity.WARNING, "expires in 9 days"),
        (slot(days=1), "expires-soon", Severity.CRITICAL, "expires in 24 hours"),
        (slot(days=-1), "expired", Severity.CRITICAL, "expired"),
        (
            slot(state=SlotState.DEAD, reason="COOKIE_ROTATED"),
            "dead",
            Severity.CRITICAL,
            "YouTube ended this login 3 h ago (COOKIE_ROTATED)",
        ),
        (
            slot(state=SlotState.COOLING, until=NOW + timedelta(minutes=40)),
            "cooling",
            Severity.WARNING,
            "rests for another 40 min",
        ),
        (slot(state=SlotState.SUSPECT), "suspect", Severity.WARNING, "may not work any more"),
        (None, "no-active", Severity.CRITICAL, "no active cookies"),
    ],
)
def test_a_slot_is_judged_by_its_state_and_its_facts(active, code, severity, words):
    judged = looked_at(active, slot(2))[0]

    assert judged.name == "active"
    assert judged.findings[0].code == code
    assert judged.severity is severity
    assert words in judged.findings[0].message


def test_a_dead_login_is_not_praised_for_its_expiry():
    dead = looked_at(slot(state=SlotState.DEAD))[0]
    dead_and_expired = looked_at(slot(state=SlotState.DEAD, days=-1))[0]

    assert [item.code for item in dead.findings] == ["dead"]
    assert [item.code for item in dead_and_expired.findings] == ["dead", "expired"]


def test_a_pause_that_is_over_is_not_told():
    over = slot(state=SlotState.COOLING, until=NOW - timedelta(minutes=1))

    assert looked_at(over)[0].severity is Severity.OK


def test_a_missing_backup_is_told_and_backups_are_numbered():
    assert [item.name for item in looked_at(slot())] == ["active", "backup"]
    assert [item.name for item in looked_at(slot(), slot(2), slot(3))] == [
        "active",
        "backup",
        "backup 2",
    ]
    assert looked_at(slot())[1].findings[0].code == "no-backup"


@pytest.mark.parametrize(
    ("records", "step"),
    [
        ((slot(), slot(2)), "nothing to do"),
        ((slot(), slot(2), slot(3, days=-5)), "nothing to do"),
        ((slot(),), "import a second login's cookies"),
        ((slot(days=9),), "export fresh cookies and run"),
        ((slot(), slot(2, state=SlotState.DEAD)), "export fresh cookies while logged in"),
        ((slot(state=SlotState.DEAD), slot(2)), "run `jarkeeper rotate`, which"),
        ((slot(days=-1), slot(2)), "run `jarkeeper rotate`, which"),
        ((slot(state=SlotState.DEAD), slot(2, days=-1)), "export fresh cookies while logged in"),
    ],
)
def test_the_next_step_is_that_of_the_gravest_finding(records, step):
    assert next_step(looked_at(*records)).startswith(step)


@pytest.mark.parametrize(
    ("pending", "step"),
    [
        (slot(3), "`jarkeeper rotate` says why"),
        (slot(3, state=SlotState.SUSPECT, reason=UNTESTED), "nothing to do"),
        (slot(3, state=SlotState.DEAD), "export fresh cookies while logged in"),
    ],
)
def test_what_waits_to_be_taken_asks_for_somebody(pending, step):
    full = head(slot(), slot(2))
    full = replace(full, slots=replace(full.slots, pending=pending))

    found = examine(full, now=NOW, settings=SETTINGS)

    assert next_step(found).startswith(step)
