from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jarkeeper.errors import InputError, NotFound
from jarkeeper.facts import JarFacts
from jarkeeper.slots import (
    GenerationRecord,
    Slot,
    SlotRecord,
    Slots,
    SlotState,
    Source,
    choose,
    exchange,
    promote,
    restore,
    revoke,
    rotate,
    take_in,
    usable,
)
from jarkeeper.states import Mark, mark
from vaultkit import START

HOUR = timedelta(hours=1)
FACTS = JarFacts(cookies=1, dropped=0, login_until=0, next_expiry=0, signed_out=False, foreign=())


def generation(name):
    return GenerationRecord(name * 32, "d" * 64, "f" * 16, START, Source.IMPORT, FACTS)


def slot(name, state="healthy", until=None):
    return SlotRecord(generation(name), SlotState(state), START, until)


def slots(text, **states):
    """'a bc' is active a with backups b and c; '- b' is no active one."""
    active, _, backups = text.partition(" ")

    def of(name):
        state = states.get(name, "healthy")
        return slot(name, state, START + HOUR if state == "cooling" else None)

    return Slots(None if active == "-" else of(active), tuple(of(name) for name in backups))


def names(slots):
    active = "-" if slots.active is None else slots.active.generation.id[0]
    return f"{active} {''.join(item.generation.id[0] for item in slots.backups)}".strip()


@pytest.mark.parametrize(
    ("before", "count", "after"),
    [
        ("-", 3, "n"),
        ("a", 3, "n a"),
        ("a bcd", 3, "n abc"),
        ("a bcd", 1, "n a"),
        ("- bcd", 3, "n bcd"),
    ],
)
def test_a_new_jar_becomes_active_and_the_old_active_the_newest_backup(before, count, after):
    changed = take_in(slots(before), generation("n"), at=START, backup_count=count)

    assert names(changed) == after
    assert changed.active.state is SlotState.HEALTHY


def test_the_old_active_keeps_its_state_as_a_backup():
    changed = take_in(slots("a", a="suspect"), generation("n"), at=START, backup_count=3)

    assert changed.backups[0].state is SlotState.SUSPECT


def test_a_dead_active_becomes_the_last_backup():
    changed = take_in(slots("a bc", a="dead"), generation("n"), at=START, backup_count=3)

    assert names(changed) == "n bca"


def test_a_dead_active_pushes_no_healthy_backup_out():
    changed = take_in(slots("a b", a="dead"), generation("n"), at=START, backup_count=1)

    assert names(changed) == "n b"


@pytest.mark.parametrize(
    ("before", "dead", "after"),
    [("a bcd", "c", "n abd"), ("a bcd", "bd", "n abc"), ("a bcd", "abc", "n bdc")],
)
def test_a_dead_backup_pushes_no_healthy_one_out(before, dead, after):
    states = dict.fromkeys(dead, "dead")
    pending = slot("n")
    staged = replace(slots(before, **states), pending=replace(pending, tested_at=START))

    changed = take_in(slots(before, **states), generation("n"), at=START, backup_count=3)
    rotated = rotate(staged, now=START, backup_count=3)

    assert set(names(changed)[2:]) == set(after[2:])
    assert names(rotated) == names(changed)


@pytest.mark.parametrize(
    ("before", "states", "after"),
    [
        ("a bc", {}, "b ac"),
        ("a bc", {"b": "dead"}, "c ab"),
        ("a bc", {"b": "cooling"}, "c ab"),
        ("a bc", {"b": "suspect"}, "b ac"),
        ("a bc", {"a": "dead"}, "b ca"),
        ("a bc", {"a": "cooling"}, "b ac"),
        ("- bc", {}, "b c"),
    ],
)
def test_promote_takes_the_newest_usable_backup(before, states, after):
    changed = promote(slots(before, **states), now=START)

    assert names(changed) == after


@pytest.mark.parametrize(("before", "states"), [("a", {}), ("a b", {"b": "dead"}), ("-", {})])
def test_promote_without_a_usable_backup_is_refused(before, states):
    with pytest.raises(NotFound):
        promote(slots(before, **states), now=START)


@pytest.mark.parametrize(
    ("before", "after"), [("a bc", "x abc"), ("a bxc", "x abc"), ("- bx", "x b"), ("x b", "x b")]
)
def test_restore_makes_an_old_generation_active(before, after):
    changed = restore(slots(before), generation("x"), at=START, backup_count=3)

    assert names(changed) == after


@pytest.mark.parametrize(
    ("before", "after"), [("x bc", "- bc"), ("a bxc", "a bc"), ("a b", "a b"), ("x", "-")]
)
def test_revoke_empties_every_slot_of_it_and_promotes_nothing(before, after):
    changed = revoke(slots(before), generation("x"))

    assert names(changed) == after
    assert changed.revoked == ("x" * 32,)


def test_revoking_twice_changes_nothing():
    once = revoke(slots("x b"), generation("x"))

    assert revoke(once, generation("x")) == once


@pytest.mark.parametrize(("before", "after"), [("x bc", "n bc"), ("a bxc", "a bnc")])
def test_a_written_back_generation_takes_the_place_and_the_state(before, after):
    changed = exchange(slots(before, x="suspect"), "x" * 32, generation("n"))

    assert names(changed) == after
    assert changed.find("n" * 32).state is SlotState.SUSPECT


def test_a_generation_in_no_slot_is_not_exchanged():
    with pytest.raises(NotFound):
        exchange(slots("a b"), "x" * 32, generation("n"))


UNTIL = START + 2 * HOUR
MARKS = {
    "healthy": Mark(SlotState.HEALTHY, START),
    "suspect": Mark(SlotState.SUSPECT, START),
    "cooling": Mark(SlotState.COOLING, START, UNTIL),
    "dead": Mark(SlotState.DEAD, START),
}


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("healthy", "healthy", "healthy"),
        ("healthy", "suspect", "suspect"),
        ("healthy", "cooling", "cooling"),
        ("healthy", "dead", "dead"),
        ("suspect", "healthy", "healthy"),
        ("suspect", "suspect", "suspect"),
        ("suspect", "cooling", "cooling"),
        ("suspect", "dead", "dead"),
        ("cooling", "healthy", "healthy"),
        ("cooling", "suspect", "cooling"),
        ("cooling", "dead", "dead"),
        ("dead", "healthy", "healthy"),
        ("dead", "suspect", "dead"),
        ("dead", "cooling", "dead"),
        ("dead", "dead", "dead"),
    ],
)
@pytest.mark.parametrize("text", ["x b", "a x"])
def test_a_weaker_word_never_hides_a_stronger_one(text, before, wanted, after):
    base = slots(text, x=before)

    changed = mark(base, "x" * 32, MARKS[wanted])

    assert changed.find("x" * 32).state == after
    assert (changed is base) == (before == after)
    assert names(changed) == names(base)


def test_cooling_is_only_ever_prolonged():
    base = mark(slots("x"), "x" * 32, MARKS["cooling"])

    shorter = mark(base, "x" * 32, Mark(SlotState.COOLING, START, UNTIL - HOUR))
    longer = mark(base, "x" * 32, Mark(SlotState.COOLING, START, UNTIL + HOUR))

    assert shorter is base
    assert longer.active.until == UNTIL + HOUR


def test_a_slot_that_has_cooled_off_can_be_suspected_and_cooled_again():
    base = slots("x", x="cooling")
    later = START + 3 * HOUR

    suspected = mark(base, "x" * 32, Mark(SlotState.SUSPECT, later))
    cooled = mark(base, "x" * 32, Mark(SlotState.COOLING, later, later + HOUR))

    assert suspected.active.state is SlotState.SUSPECT
    assert cooled.active.until == later + HOUR


@pytest.mark.parametrize(
    ("state", "until", "reason"),
    [
        (SlotState.COOLING, None, ""),
        (SlotState.DEAD, UNTIL, ""),
        (SlotState.DEAD, None, "a\nb"),
        (SlotState.DEAD, None, "x" * 65),
        (SlotState.DEAD, None, "SID=abc"),
    ],
)
def test_a_mark_that_makes_no_sense_is_refused(state, until, reason):
    with pytest.raises(InputError):
        Mark(state, START, until, reason)


@pytest.mark.parametrize(
    ("text", "states", "expected"),
    [
        ("a b", {}, {"active", "backup"}),
        ("a b", {"a": "dead"}, {"backup"}),
        ("a b", {"a": "cooling"}, {"backup"}),
        ("a b", {"a": "suspect", "b": "dead"}, {"active"}),
        ("a bc", {"b": "dead"}, {"active", "backup"}),
        ("- b", {}, {"backup"}),
        ("-", {}, set()),
    ],
)
def test_what_can_be_used(text, states, expected):
    assert usable(slots(text, **states), START) == expected


def test_a_cooled_slot_is_usable_again_when_its_time_is_over():
    base = slots("a", a="cooling")

    assert usable(base, START + HOUR - timedelta(microseconds=1)) == set()
    assert usable(base, START + HOUR) == {"active"}


def test_a_dead_backup_hides_no_healthy_one():
    base = slots("a bc", b="dead")

    assert choose(base, Slot.BACKUP, now=START).generation.id[0] == "c"


def test_slots_are_values():
    assert replace(slots("a b")) == slots("a b")
