from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.audit.archive import pack
from jarkeeper.audit.places import parse_event_key, parse_volume_key
from jarkeeper.audit.retention import retire
from jarkeeper.errors import Conflict, ObjectMissing, StoreError, StoreUnknown
from jarkeeper.stores.memory import MemoryStore
from vaultkit import ACTOR, KEYS, Always, Clock, FaultyStore

VAULT = "a" * 32


class Week:
    """A trail of seven days, two events a day."""

    def __init__(self):
        self.clock, self.store = Clock(), MemoryStore()
        trail = self.trail()
        for _ in range(7):
            trail.outcome(trail.intent(Access(Action.LEND, jar="youtube")), Outcome.OK)
            self.clock.advance(days=1)

    def trail(self, store=None):
        return Trail(store or self.store, keys=KEYS, vault=VAULT, clock=self.clock, actor=ACTOR)

    @property
    def today(self):
        return self.clock.now.date()

    def pack(self):
        return pack(self.trail(), before=self.today)

    def packed_meanwhile(self, read):
        """Return the store as one sees it whose n-th event goes into a volume as it is read."""
        calls = []

        def meanwhile(name, key):
            if name == "get" and parse_event_key(key):
                calls.append(key)
                if len(calls) == read:
                    self.pack()

        return FaultyStore(self.store, before=meanwhile)

    def keys(self, parse):
        return list(filter(parse, self.store.list("audit/")))


def lends(events):
    return sum(event.action is Action.LEND for event in events)


@pytest.mark.parametrize("read", range(1, 15, 3))
def test_what_is_packed_while_it_is_read_is_read_all_the_same(read):
    week = Week()
    store = week.packed_meanwhile(read)

    left_out: list[str] = []
    events = list(week.trail(store).read(left_out=left_out))

    assert (lends(events), left_out) == (14, [])


@pytest.mark.parametrize("read", range(1, 15, 3))
def test_a_verification_beside_a_packing_accuses_nobody(read):
    week = Week()
    store = week.packed_meanwhile(read)

    report = week.trail(store).verify()

    assert report.discrepancies == ()
    assert report.archived == 14


def test_what_is_listed_and_never_there_is_named():
    week = Week()
    key = week.keys(parse_event_key)[3]
    phantom = FaultyStore(
        week.store, before=Always(ObjectMissing("is missing"), method="get", part=key)
    )

    found = week.trail(phantom).verify().discrepancies

    assert [(item.code, item.key) for item in found][:1] == [("edited", key)]


def test_a_verification_beside_a_long_retention_accuses_nobody():
    week, spared = Week(), []
    week.trail().checkpoint(week.trail().verify())
    doomed = week.keys(parse_event_key)[:14]
    week.clock.advance(days=40)
    refusing = FaultyStore(week.store, before=Always(StoreError("later"), method="delete"))
    retire(week.trail(refusing), before=week.clock.now - timedelta(days=35))

    def goes_on(name, key):  # one of them in each reading, a moment before it would be read
        if name == "list":
            spared[:] = doomed
        elif key in spared:
            spared.clear()
            week.store.delete(key)

    report = week.trail(FaultyStore(week.store, before=goes_on)).verify()

    assert report.told.retired == 14
    assert report.discrepancies == ()


def test_events_that_go_one_by_one_into_a_volume_are_all_read():
    week, doomed = Week(), []

    def packs(name, key):
        if name == "get" and parse_event_key(key) and not doomed:
            week.trail().checkpoint(week.trail().verify())
            doomed.extend(week.keys(parse_event_key))
            refusing = Always(StoreError("later"), method="delete")
            pack(week.trail(FaultyStore(week.store, before=refusing)), before=week.today)
        elif name == "get" and doomed:  # each a moment before it would be read
            week.store.delete(doomed.pop(0))

    left_out: list[str] = []
    events = list(week.trail(FaultyStore(week.store, before=packs)).read(left_out=left_out))

    assert (lends(events), left_out) == (14, [])


def test_a_day_that_is_packed_between_two_listings_is_in_one_of_them():
    week = Week()

    class Paged(FaultyStore):
        def list(self, prefix):
            found = self.inner.list(prefix)
            if not week.keys(parse_volume_key):
                week.pack()
            return found

    assert lends(week.trail(Paged(week.store)).read()) == 14


def test_a_trail_that_is_packed_all_the_time_is_said_to_be():
    week, numbers = Week(), count(10)

    def meanwhile(name, key):
        if name == "get" and (place := parse_event_key(key)):
            other = f"audit/dt={place[0]}/{place[1]}/{next(numbers):012d}.jsonl"
            week.store.objects[other] = week.store.objects.pop(key)

    with pytest.raises(Conflict, match="being packed"):
        list(week.trail(FaultyStore(week.store, before=meanwhile)).read())


def test_no_answer_is_no_event_that_was_left_out():
    week = Week()
    silent = FaultyStore(week.store, before=Always(StoreUnknown("no answer"), method="get"))

    with pytest.raises(StoreUnknown):
        list(week.trail(silent).read())
    with pytest.raises(StoreUnknown):
        week.trail(silent).verify()


DAMAGE = {
    "emptied": lambda _: b"",
    "with a byte more": lambda line: line + b" ",
    "twice": lambda line: line + line,
    "edited": lambda line: line.replace(b'"youtube"', b'"another"'),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_event_that_is_not_as_written_is_left_out_and_named(damage):
    week = Week()
    key = week.keys(parse_event_key)[3]
    week.store.objects[key] = DAMAGE[damage](week.store.get(key))
    left_out: list[str] = []

    events = list(week.trail().read(left_out=left_out))

    assert (lends(events), left_out) == (13, [key])


@pytest.mark.parametrize("what", ["changed", "without its record", "of another day"])
def test_a_volume_that_is_not_as_written_is_left_out_whole(what):
    week = Week()
    week.pack()
    record, other, *_ = week.keys(lambda key: parse_volume_key(key) and key.endswith(".json"))
    volume = record.replace("/_", "/").replace(".json", ".parquet")
    if what == "changed":
        week.store.objects[volume] += b" "
    elif what == "without its record":
        del week.store.objects[record]
    else:
        week.store.objects[record] = week.store.get(other)
    left_out: list[str] = []

    events = list(week.trail().read(left_out=left_out))

    assert volume in left_out
    assert lends(events) == 12


def test_a_span_reads_the_days_that_it_needs_and_no_others():
    week, fetched = Week(), []
    watched = FaultyStore(week.store, before=lambda name, key: fetched.append((name, key)))
    since = week.clock.now - timedelta(days=5)

    events = list(week.trail(watched).read(since, since + timedelta(days=2)))

    assert lends(events) == 4
    days = {key.split("/")[1] for name, key in fetched if name == "get"}
    assert len(days) == 3  # the last of them up to that hour
