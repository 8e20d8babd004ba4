from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jarkeeper.actions import Action
from jarkeeper.downloads.preparation import judge
from jarkeeper.downloads.receipts import Preparation
from jarkeeper.downloads.request import DownloadRequest
from jarkeeper.facts import JarFacts
from jarkeeper.heads import GenerationRecord, Head, SlotRecord, Slots, SlotState, Source
from jarkeeper.names import GenerationId, VaultId
from jarkeeper.settings import Settings

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SETTINGS = Settings.read({"HOME": "/home/somebody"})
REQUEST = DownloadRequest.of(("dQw4w9WgXcQ",), Path("videos"))


def slot(
    *,
    state: SlotState = SlotState.HEALTHY,
    days: float | None = 100,
    until: datetime | None = None,
    reason: str = "",
    number: int = 1,
) -> SlotRecord:
    login = None if days is None else int((NOW + timedelta(days=days)).timestamp())
    facts = JarFacts(20, 0, login, 0, login is None, ())
    generation = GenerationId(f"{number:032x}")
    record = GenerationRecord(generation, "0" * 64, "f" * 16, NOW, Source.IMPORT, facts)
    return SlotRecord(record, state, NOW, until, reason)


def prepare(active: SlotRecord | None, *backups: SlotRecord, validate: bool = True) -> Preparation:
    slots = Slots(active=active, backups=backups)
    head = Head(VaultId("a" * 32), "youtube", 1, "0" * 64, Action.IMPORT, NOW, slots, "b" * 32)
    settings = replace(SETTINGS, validation_enabled=validate)
    return judge(head, REQUEST, settings=settings, now=NOW)


def test_healthy_slots_can_be_used() -> None:
    prepared = prepare(slot(), slot(number=2))

    assert prepared.usable == ("none", "active", "backup")
    assert "cookies valid for another 100 days" in prepared.cookie_status


@pytest.mark.parametrize(
    ("active", "word"),
    [
        (slot(state=SlotState.DEAD, reason="COOKIE_ROTATED"), "dead (COOKIE_ROTATED)"),
        (
            slot(state=SlotState.COOLING, until=NOW + timedelta(hours=1), reason="BOT_CHECK"),
            "resting until 2026-11-23 01:00 UTC",
        ),
        (slot(days=-1), "expired"),
        (slot(days=None), "signed out"),
        (None, "active jar: none"),
    ],
)
def test_a_slot_that_cannot_work_is_left_out_and_said_why(
    active: SlotRecord | None, word: str
) -> None:
    prepared = prepare(active, slot(number=2))

    assert prepared.usable == ("none", "backup")
    assert word in prepared.cookie_status


def test_a_rest_that_is_over_can_be_used_again() -> None:
    prepared = prepare(slot(state=SlotState.COOLING, until=NOW - timedelta(minutes=1)))

    assert "active" in prepared.usable


def test_a_dead_backup_hides_no_healthy_one() -> None:
    dead = slot(state=SlotState.DEAD, number=2)

    prepared = prepare(None, dead, slot(number=3))

    assert prepared.usable == ("none", "backup")


def test_where_nobody_validates_an_expired_login_is_tried() -> None:
    prepared = prepare(slot(days=-1), validate=False)

    assert "active" in prepared.usable


def test_without_anything_usable_the_run_says_that_it_goes_on_without() -> None:
    prepared = prepare(slot(state=SlotState.DEAD, reason="COOKIE_ROTATED"))

    assert prepared.usable == ("none",)
    assert "goes on without cookies" in prepared.cookie_status


def test_a_login_that_ends_soon_is_a_finding_and_still_used() -> None:
    prepared = prepare(slot(days=5))

    assert "active" in prepared.usable
    assert [finding.code for finding in prepared.findings] == ["expires-soon"]
    assert "warning" in prepared.cookie_status
