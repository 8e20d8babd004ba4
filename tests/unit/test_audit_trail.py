from __future__ import annotations

import copy
import os
from datetime import timedelta

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Actor, Event, Outcome, Phase, Trail
from jarkeeper.audit.chains import Chain
from jarkeeper.errors import AuditUnavailable, StoreError, StoreUnknown
from jarkeeper.records import GENESIS, digest
from jarkeeper.stores.memory import MemoryStore
from vaultkit import ACTOR, KEYS, OTHER_KEYS, Always, Clock, FaultyStore, Once

VAULT = "a" * 32


def trail_on(store, *, clock=None, vault=VAULT, **options):
    return Trail(store, keys=KEYS, vault=vault, clock=clock or Clock(), actor=ACTOR, **options)


def use(trail, *jars):
    for jar in jars:
        trail.outcome(trail.intent(Access(Action.LEND, jar=jar)), Outcome.OK)


def report_on(store, trail):
    return trail.verify(store)


def codes(store, trail):
    return {item.code for item in report_on(store, trail).discrepancies}


def test_an_access_leaves_an_intent_and_an_outcome():
    trail = trail_on(MemoryStore(), flow_run="run-1")
    access = Access(Action.LEND, jar="youtube", slot="active", generation="b" * 32, head_seq=3)

    trail.intent(access)
    trail.outcome(access, Outcome.REFUSED, detail="cooling", counts={"OK": 2}, seconds=1.5)

    intent, outcome = trail.read()
    assert (intent.phase, intent.outcome) == (Phase.INTENT, None)
    assert (outcome.phase, outcome.outcome, outcome.detail) == (Phase.OUTCOME, "refused", "cooling")
    assert intent.access == outcome.access
    assert outcome.counts == {"OK": 2}
    assert outcome.seconds == 1.5
    for event in (intent, outcome):
        assert (event.actor, event.flow_run) == ("tester@here pytest", "run-1")
        assert (event.jar, event.slot, event.generation) == ("youtube", "active", "b" * 32)
        assert event.head_seq == 3


def test_events_lie_by_day_writer_and_seq():
    store, clock = MemoryStore(), Clock()
    trail = trail_on(store, clock=clock)

    use(trail, "one")
    clock.advance(days=1)
    use(trail, "two")

    days = [key.split("/")[1] for key in store.list("audit/")]
    assert days == ["dt=2026-06-01"] * 2 + ["dt=2026-06-02"] * 2
    assert [key[-18:] for key in store.list("audit/")] == [f"{n:012}.jsonl" for n in (1, 2, 3, 4)]
    assert codes(store, trail) == set()


def test_the_events_of_several_writers_are_read_in_order_of_time():
    store, clock = MemoryStore(), Clock()
    writers = [trail_on(store, clock=clock) for _ in range(4)]

    for turn in range(12):
        use(writers[turn % 4], f"jar{turn}")
        clock.advance(hours=3)

    read = [event.jar for event in writers[0].read() if event.phase is Phase.OUTCOME]
    assert read == [f"jar{turn}" for turn in range(12)]


def test_reading_since_a_moment_leaves_out_what_was_before():
    store, clock = MemoryStore(), Clock()
    trail = trail_on(store, clock=clock)
    use(trail, "early")
    clock.advance(days=2, hours=1)
    since = clock.now
    use(trail, "late")

    assert {event.jar for event in trail.read(since)} == {"late"}
    assert {event.jar for event in trail.read(since - timedelta(days=9))} == {"early", "late"}


@pytest.mark.parametrize("error", [StoreError("full"), StoreUnknown("?"), OSError(28, "full")])
def test_an_event_that_cannot_be_stored_stops_the_access(error):
    store = FaultyStore(MemoryStore(), before=Always(error))

    with pytest.raises(AuditUnavailable):
        trail_on(store).intent(Access(Action.LEND))


def test_a_lost_answer_is_no_loss():
    store = MemoryStore()
    trail = trail_on(FaultyStore(store, after=Once(StoreUnknown("?"))))

    use(trail, "one", "two")

    assert report_on(store, trail).events == 4
    assert codes(store, trail) == set()


def test_after_trouble_the_writer_starts_another_chain():
    store = MemoryStore()
    trail = trail_on(FaultyStore(store, before=Once(StoreError("full"), at=3)))
    use(trail, "one")
    with pytest.raises(AuditUnavailable):
        use(trail, "two")

    use(trail, "three")

    assert len(report_on(store, trail).tails) == 2
    assert codes(store, trail) == set()


def test_a_forked_process_writes_a_chain_of_its_own():
    store = MemoryStore()
    trail = trail_on(store)
    use(trail, "parent")
    trail._chain.process = os.getpid() + 1

    use(trail, "child")

    assert len(report_on(store, trail).tails) == 2
    assert codes(store, trail) == set()


def test_a_taken_place_in_the_chain_is_left_to_its_owner():
    store = MemoryStore()
    trail = trail_on(store)
    use(trail, "one")
    writer = trail._chain.writer
    store.put_if_absent(f"audit/dt=2026-06-01/{writer}/{3:012}.jsonl", b"planted")

    use(trail, "two")

    assert codes(store, trail) == {"edited"}
    assert report_on(store, trail).events == 4


def test_a_listener_hears_every_event_and_its_failure_does_not_matter():
    heard = []

    def listener(event):
        heard.append(event.phase)
        raise RuntimeError("the log is full")

    use(trail_on(MemoryStore(), listener=listener), "one")

    assert heard == [Phase.INTENT, Phase.OUTCOME]


def test_a_listener_hears_nothing_that_is_not_on_record():
    heard = []
    store = FaultyStore(MemoryStore(), before=Always(StoreError("full")))

    with pytest.raises(AuditUnavailable):
        trail_on(store, listener=heard.append).intent(Access(Action.LEND))

    assert heard == []


@pytest.fixture
def written():
    store = MemoryStore()
    trail = trail_on(store)
    use(trail, "one", "two", "three")
    return store, trail, store.list("audit/")


def test_an_edited_record_is_named(written):
    store, trail, keys = written
    store.objects[keys[2]] = store.objects[keys[2]].replace(b'"two"', b'"six"')

    (found,) = report_on(store, trail).discrepancies

    assert (found.code, found.key) == ("edited", keys[2])


def test_removed_records_are_named(written):
    store, trail, keys = written
    for key in keys[1:3]:
        store.delete(key)

    (found,) = report_on(store, trail).discrepancies

    assert found.code == "removed"
    assert "events 2 to 3" in found.message


def test_the_removal_of_the_first_record_shows(written):
    store, trail, keys = written
    store.delete(keys[0])

    assert codes(store, trail) == {"removed"}


def test_reordered_records_are_named(written):
    store, trail, keys = written
    store.objects[keys[1]], store.objects[keys[2]] = store.objects[keys[2]], store.objects[keys[1]]

    assert "reordered" in codes(store, trail)


def test_a_record_spliced_in_from_another_chain_is_named(written):
    store, trail, keys = written
    other = trail_on(store)
    use(other, "one", "two")
    foreign = next(key for key in store.list("audit/") if key not in keys)
    store.objects[keys[0]] = store.objects[foreign]

    assert "spliced" in codes(store, trail)


def test_a_record_of_a_branch_that_was_cut_off_is_named():
    store = MemoryStore()
    trail = trail_on(store)
    use(trail, "one")
    chain, objects = copy.copy(trail._chain), dict(store.objects)
    use(trail, "two")
    cut = dict(store.objects)
    trail._chain, store.objects = chain, objects
    use(trail, "three")
    third = store.list("audit/")[2]

    store.objects[third] = cut[third]

    assert codes(store, trail) == {"spliced"}


def test_a_record_moved_to_another_day_is_named(written):
    store, trail, keys = written
    moved = keys[3].replace("dt=2026-06-01", "dt=2026-05-01")
    store.objects[moved] = store.objects.pop(keys[3])

    assert "spliced" in codes(store, trail)


def test_a_record_of_another_vault_is_not_authentic_here(written):
    store, trail, _ = written
    elsewhere = MemoryStore()
    other = trail_on(elsewhere, vault="b" * 32)
    use(other, "one")
    store.objects.update(elsewhere.objects)

    assert codes(store, trail) == {"edited"}


def test_a_foreign_object_in_the_trail_is_named(written):
    store, trail, _ = written
    store.put_if_absent("audit/notes.txt", b"")

    assert codes(store, trail) == {"spliced"}


def test_a_cut_tail_shows_after_a_checkpoint(written):
    store, trail, keys = written
    watcher = trail_on(store)
    watcher.checkpoint(report_on(store, watcher))
    assert report_on(store, trail).unanchored == 2  # it is on record itself

    store.delete(keys[-1])

    (found,) = report_on(store, trail).discrepancies
    assert found.code == "removed"
    assert "event 6" in found.message


def test_a_whole_chain_that_is_gone_shows_after_a_checkpoint(written):
    store, trail, keys = written
    watcher = trail_on(store)
    watcher.checkpoint(report_on(store, watcher))

    for key in keys:
        store.delete(key)

    (found,) = report_on(store, trail).discrepancies
    assert "events 1 to 6" in found.message


def test_a_checkpoint_of_very_many_writers_takes_several_events():
    store = MemoryStore()
    for _ in range(150):
        trail = trail_on(store)
        use(trail, "one")

    trail.checkpoint(report_on(store, trail))

    assert len(report_on(store, trail).anchored) == 150
    assert codes(store, trail) == set()


def test_the_trail_can_not_be_verified_with_another_key(written):
    store, _, keys = written
    other = Trail(store, keys=OTHER_KEYS, vault=VAULT, clock=Clock(), actor=ACTOR)

    report = report_on(store, other)

    assert report.events == 0
    assert len(report.discrepancies) == len(keys)


def test_an_event_that_is_no_whole_line_or_lies_elsewhere_is_left_out_and_told(written):
    store, trail, keys = written
    store.objects[keys[0]] = store.objects[keys[0]][:-1]
    elsewhere = keys[1].replace("dt=2026", "dt=2027")
    store.objects[elsewhere] = store.objects[keys[1]]
    left_out = []

    assert len(list(trail.read(left_out=left_out))) == 5
    assert left_out == [keys[0], elsewhere]


@pytest.mark.parametrize(
    "changed",
    [
        {"detail": "SID=abc"},
        {"detail": "two words"},
        {"detail": "x" * 65},
        {"counts": {"a cookie\tvalue": 1}},
        {"counts": {f"class{n}": 1 for n in range(65)}},
    ],
)
def test_an_event_takes_no_free_text(changed):
    with pytest.raises(ValueError, match="event"):
        Event(at=Clock()(), action=Action.USE, phase=Phase.OUTCOME, access="", **changed)


def test_an_actor_is_shown_in_harmless_characters():
    assert str(Actor("a\nb", "ho\tst", 'x"y')) == "a_b@ho_st x_y"


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
@pytest.mark.parametrize("forged", [None, 1, 2, 3])
def test_a_chain_is_followed_in_whatever_order_its_events_come(order, forged):
    lines, previous = {}, GENESIS
    for seq in (1, 2, 3):
        link = "f" * 64 if seq == forged else previous
        lines[seq] = b'{"previous":"%s","seq":%d}\n' % (link.encode("ascii"), seq)
        previous = digest(lines[seq])
    chain = Chain("a" * 32)

    for seq in order:
        chain.follow(seq, lines[seq], str(seq))
    chain.end()

    assert [(found.code, found.key) for found in chain.found] == (
        [("spliced", str(forged))] if forged else []
    )
    assert chain.whole == 3
