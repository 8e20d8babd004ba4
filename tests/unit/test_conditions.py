from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jarkeeper.incidents import Cause
from jarkeeper.lifecycle.conditions import conditions_of, scope_of_answers
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from jarkeeper.youtube.messages import Answered
from vaultkit import START, Room, cookie_file

JAR = "youtube"
SETTINGS = Settings.read({"HOME": "/nonexistent"})


@pytest.fixture
def room():
    room = Room()
    soon = int((START + timedelta(days=2)).timestamp())
    room.vault.import_jar(JAR, cookie_file("backup", expires=soon))
    room.vault.import_jar(JAR, cookie_file("active"))
    return room


def told(room, **changed):
    now = room.clock.now
    head = room.vault.status(JAR)
    head = replace(head, slots=replace(head.slots, **changed))
    return {item.cause: item for item in conditions_of(head, now=now, settings=SETTINGS)}


def test_a_backup_that_rests_is_still_one(room):
    backup = room.vault.status(JAR).backups[0].generation.id
    until = room.clock.now + timedelta(hours=1)
    room.vault.mark(JAR, backup, SlotState.COOLING, until=until, reason="BOT_CHECK")

    found = told(room)

    assert Cause.NO_BACKUP not in found


def test_a_backup_whose_cookies_expired_is_none(room):
    active = room.vault.status(JAR).active.generation.id
    room.clock.advance(days=3)
    before = told(room)
    room.vault.mark(JAR, active, SlotState.DEAD, reason="x")

    after = told(room)

    assert Cause.NO_BACKUP in before
    assert Cause.BACKUP_UNTESTED not in before
    assert "put off" in after[Cause.SESSION_DEAD].done


def test_two_early_deaths_foretell_no_other(room):
    room.clock.advance(days=1)

    assert Cause.LIFETIME not in told(room, lives=(1.0, 1.0))
    assert Cause.LIFETIME in told(room, lives=(1.0, 1.0, 1.0))


def test_the_answer_for_a_login_that_was_replaced_meanwhile_ends_no_emergency(room):
    asked = room.vault.status(JAR)
    answer = Answered(
        number=1,
        generation=asked.active.generation.id,
        slot="active",
        alive=True,
        state="healthy",
        kept=False,
        refused="",
        withheld=False,
        detail="",
        seconds=0.1,
    )

    room.vault.import_jar(JAR, cookie_file("fresh"))

    assert scope_of_answers(asked, [answer]) == {(Cause.EMERGENCY, JAR)}
    assert scope_of_answers(room.vault.status(JAR), [answer]) == frozenset()
