from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.facts import JarFacts
from jarkeeper.slots import (
    GenerationRecord,
    SlotRecord,
    Slots,
    SlotState,
    Source,
    rotate,
    stage,
    take_in,
)
from jarkeeper.states import CONFIRM_AFTER, PROBE, TESTED_EVERY, answered
from vaultkit import START

FACTS = JarFacts(cookies=1, dropped=0, login_until=0, next_expiry=0, signed_out=False, foreign=())
MINUTE = timedelta(minutes=1)


def generation(name):
    return GenerationRecord(name * 32, "d" * 64, "f" * 16, START, Source.IMPORT, FACTS)


def active(state, *, reason="", until=None, tested_at=None):
    record = SlotRecord(generation("a"), SlotState(state), START, until, reason, tested_at)
    return Slots(active=record)


def ask(slots, alive, at):
    return answered(slots, "a" * 32, alive=alive, at=at)


CASES = {
    "a good answer to a healthy one": ("healthy", "", True, 60, "healthy"),
    "a bad answer to a healthy one": ("healthy", "", False, 60, "suspect"),
    "a second bad answer too soon": ("suspect", PROBE, False, 9, "suspect"),
    "a second bad answer later": ("suspect", PROBE, False, 10, "dead"),
    "a good answer to a suspect": ("suspect", PROBE, True, 1, "healthy"),
    "a bad answer where another suspicion was": ("suspect", "untested", False, 60, "suspect"),
    "a good answer after a rest": ("cooling", "BOT_CHECK", True, 60, "healthy"),
    "a bad answer after a rest": ("cooling", "BOT_CHECK", False, 60, "suspect"),
    "a good answer to a dead one": ("dead", PROBE, True, 60, "dead"),
    "a bad answer to a dead one": ("dead", PROBE, False, 60, "dead"),
}


@pytest.mark.parametrize(
    ("state", "reason", "alive", "minutes", "expected"), CASES.values(), ids=CASES
)
def test_a_probe_moves_a_state(state, reason, alive, minutes, expected) -> None:
    until = START if state == "cooling" else None

    after = ask(active(state, reason=reason, until=until), alive, START + minutes * MINUTE)

    assert after.active.state == expected
    assert (after.active.tested_at is not None) == (alive and expected == "healthy")


def test_a_good_answer_is_put_down_twice_a_day_at_most() -> None:
    slots = active("healthy", tested_at=START)

    soon = ask(slots, True, START + TESTED_EVERY - MINUTE)
    late = ask(slots, True, START + TESTED_EVERY)

    assert soon is slots
    assert late.active.tested_at == START + TESTED_EVERY
    assert late.active.since == START


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=40))
def test_a_login_ends_only_by_two_bad_answers_apart_with_no_good_one_between(story) -> None:
    slots, now, suspected_at = active("healthy"), START, None
    for alive, minutes in story:
        now += minutes * MINUTE
        was_dead = slots.active.state is SlotState.DEAD
        slots = ask(slots, alive, now)
        if was_dead:
            assert slots.active.state is SlotState.DEAD
            continue
        if alive:
            suspected_at = None
        elif suspected_at is None:
            suspected_at = now
        dies = suspected_at is not None and now - suspected_at >= CONFIRM_AFTER and not alive
        assert (slots.active.state is SlotState.DEAD) == dies


def test_whose_it_is_is_learned_and_changes_nothing_else() -> None:
    slots = active("healthy", tested_at=START)

    after = answered(slots, "a" * 32, alive=True, at=START, account="0" * 16)

    facts = replace(FACTS, account="0" * 16)
    record = replace(slots.active, generation=replace(slots.active.generation, facts=facts))
    assert after == Slots(active=record)


def test_only_a_tested_jar_is_rotated_to() -> None:
    staged = stage(active("healthy"), generation("p"), at=START)

    with pytest.raises(Exception, match="was not"):
        rotate(staged, now=START, backup_count=3)
    with pytest.raises(Exception, match="none to rotate to"):
        rotate(active("healthy"), now=START, backup_count=3)
    tested = answered(staged, "p" * 32, alive=True, at=START)
    after = rotate(tested, now=START, backup_count=3)

    assert after.active.generation.id == "p" * 32
    assert [item.generation.id for item in after.backups] == ["a" * 32]
    assert after.pending is None


def test_an_import_overtakes_what_is_pending() -> None:
    staged = stage(active("healthy"), generation("p"), at=START)

    after = take_in(staged, generation("n"), at=START, backup_count=3)

    assert after.pending is None
    assert after.find("p" * 32) is None


@pytest.mark.parametrize("alive", [True, False])
def test_a_probe_that_was_under_way_ends_no_rest(alive) -> None:
    slots = active("cooling", reason="BOT_CHECK", until=START + 60 * MINUTE)

    assert ask(slots, alive, START + MINUTE) == slots
