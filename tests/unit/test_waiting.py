from __future__ import annotations

from datetime import timedelta

import pytest

from jarkeeper.lifecycle.waiting import has_login, logins, wait_for_login
from jarkeeper.slots import SlotState
from vaultkit import Room, cookie_file

JAR = "youtube"


def test_waiting_ends_with_an_import_and_not_with_what_was_there_before():
    room = Room()
    (active,) = room.fill("one")
    room.vault.mark(JAR, active, SlotState.SUSPECT, reason="x")
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            room.fill("two")

    assert has_login(room.vault, JAR)
    wait_for_login(room.vault, JAR, sleep=sleep)

    assert len(looks) == 3


def test_a_login_that_came_while_the_run_went_on_is_waited_for_no_more():
    room = Room()
    room.fill("one")
    known = logins(room.vault, JAR)
    room.clock.advance(minutes=1)
    room.fill("two")

    wait_for_login(room.vault, JAR, known=known, sleep=pytest.fail)

    with pytest.raises(TimeoutError):
        wait_for_login(room.vault, JAR, known=logins(room.vault, JAR), sleep=never)


def never(seconds):
    raise TimeoutError


def test_a_dead_a_resting_and_an_expired_login_are_none():
    room = Room()
    soon = int((room.clock.now + timedelta(days=1)).timestamp())
    (dead,) = room.fill("dead")
    room.vault.mark(JAR, dead, SlotState.DEAD, reason="x")
    room.vault.import_jar(JAR, cookie_file("short", expires=soon), confirmed=True)
    assert has_login(room.vault, JAR)

    room.clock.advance(days=2)

    assert not has_login(room.vault, JAR)
    assert not has_login(room.vault, "nobody")
