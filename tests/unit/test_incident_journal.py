import os
import re
import threading
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from incidentkit import (
    DEAD,
    KEY,
    SCOPE,
    STEPS,
    VAULT,
    Killed,
    Remembering,
    condition,
    journal_in,
)
from jarkeeper.alerts import Plan, deliver
from jarkeeper.errors import InputError, IntegrityError, ObjectDenied, StoreError, StoreUnknown
from jarkeeper.incidents import Cause, due_steps, scope_of
from jarkeeper.incidents.records import Place, write_incident
from jarkeeper.names import incident_key, incidents_prefix, parse_incident_key
from jarkeeper.stores.local import LocalStore
from jarkeeper.stores.memory import MemoryStore
from vaultkit import Always, Clock, FaultyStore, Once, Room

LOG = incidents_prefix("youtube", Cause.SESSION_DEAD)
PLAN = Plan({"ops": ("json://x",), "boss": ("json://y",)}, STEPS)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def journal(store, clock):
    return journal_in(store, clock=clock)


def examine(journal, *conditions):
    return journal.reconcile(conditions, scope=SCOPE)


def told(journal, clock, *channels):
    return deliver(journal, PLAN, channels, place="/vault", now=clock())


def test_an_incident_is_opened_updated_escalated_and_closed(journal, clock):
    opened = examine(journal, condition("warning")).opened
    quiet = examine(journal, condition("warning"))
    clock.advance(hours=6)
    updated = examine(journal, condition("warning")).updated
    escalated = examine(journal, condition("critical")).escalated
    closed = examine(journal).closed

    assert quiet == type(quiet)()
    assert {item.id for item in (*opened, *updated, *escalated, *closed)} == {opened[0].id}
    assert closed[0].count == 3
    assert journal.open() == ()
    assert journal.look_back().incidents == closed


def test_what_was_not_looked_at_stays_open(journal):
    examine(journal, condition())

    journal.reconcile((), scope=scope_of([Cause.SESSION_DEAD], "other"))

    assert len(journal.open()) == 1


def test_a_condition_outside_the_scope_is_a_mistake(journal):
    with pytest.raises(ValueError, match="outside the scope"):
        examine(journal, condition(jar="other"))


def test_of_two_conditions_of_one_cause_the_worse_counts(journal):
    changes = examine(journal, condition("critical"), condition("warning", message="other"))

    assert changes.opened[0].severity == "critical"


def test_a_month_of_looks_at_the_same_trouble_writes_few_records(journal, store, clock):
    for minutes in range(0, 30 * 24 * 60, 15):
        examine(journal, condition(message=f"it died {minutes} minutes ago"))
        clock.advance(minutes=15)

    assert len(store.list(LOG)) <= 30 * 4 + 1


def test_history_is_told_since_a_moment(journal, clock):
    ids = []
    for _ in range(3):
        ids.append(examine(journal, condition()).opened[0].id)
        examine(journal)
        clock.advance(days=2)

    assert [incident.id for incident in journal.look_back().incidents] == ids
    assert [item.id for item in journal.look_back(clock.now - timedelta(days=3)).incidents] == ids[
        2:
    ]


def test_the_clean_up_keeps_the_newest_record_and_refuses_fresh_ones(room_of_records):
    journal, store, clock = room_of_records
    before = journal.look().incidents

    with pytest.raises(InputError):
        journal.collect(clock.now)
    # The store's own clock is the real one.
    clock.now = store.created_at(store.list(LOG)[0]) + timedelta(days=1)

    assert journal.collect(clock.now - timedelta(hours=2)) == 2
    assert len(store.list(LOG)) == 1
    assert journal.look().incidents == before
    assert examine(journal, condition()).opened == ()


@pytest.fixture
def room_of_records(journal, store, clock):
    examine(journal, condition("warning"))
    examine(journal, condition("critical"))
    told(journal, clock)
    assert len(store.list(LOG)) == 4
    store.delete(store.list(LOG)[0])
    return journal, store, clock


def flipped(raw):
    return raw[:20] + bytes([raw[20] ^ 1]) + raw[21:]


@pytest.mark.parametrize(
    "planted",
    {
        "a flipped bit": flipped,
        "nothing": lambda raw: b"",
        "an earlier record": lambda raw: raw.replace(b'"seq":1', b'"seq":2'),
        "another key": lambda raw: write_incident(
            forged(), seq=1, previous="0" * 64, key=bytes(32), vault=VAULT
        ),
        "another vault": lambda raw: write_incident(
            forged(), seq=1, previous="0" * 64, key=KEY, vault="1" * 32
        ),
        "another place": lambda raw: write_incident(
            forged(), seq=2, previous="0" * 64, key=KEY, vault=VAULT
        ),
    }.values(),
)
def test_what_is_not_genuine_is_refused_and_mutes_nobody(planted, journal, store):
    (first,) = examine(journal, condition()).opened
    key = Place(*DEAD, 1).key
    store.put(key, planted(store.get(key)))

    look = journal.look()
    changes = examine(journal, condition())

    assert look.incidents == ()
    assert re.search(r"not what was written|belongs to another place", *look.damage)

    assert changes.opened[0].id != first.id
    assert len(changes.warnings) == 1
    assert journal.open() == changes.opened


def forged():
    return journal_of_one().open()[0]


def journal_of_one():
    journal = journal_in(clock=Clock())
    examine(journal, condition())
    return journal


def test_a_damaged_record_of_what_is_over_is_followed_by_one_that_says_so(journal, store):
    examine(journal, condition())
    store.put(Place(*DEAD, 1).key, b"")

    (closed,) = examine(journal).closed

    assert "not what was written" in closed.message
    assert journal.open() == ()


def test_a_lost_answer_is_no_second_incident(store, clock):
    lost = FaultyStore(store, after=Once(StoreUnknown("no answer"), part=LOG))

    changes = examine(journal_in(lost, clock=clock), condition())

    assert journal_in(store, clock=clock).open() == changes.opened


def test_a_log_that_cannot_be_written_stops_no_other(store, clock):
    class Taken(MemoryStore):
        def put_if_absent(self, key, content):
            return not key.startswith(LOG) and super().put_if_absent(key, content)

        def get(self, key):
            return b"other" if key.startswith(LOG) else super().get(key)

    music = (Cause.SESSION_DEAD, "music")
    journal = journal_in(Taken(), clock=clock)

    changes = journal.reconcile([condition(), condition(jar="music")], scope={DEAD, music})

    assert [incident.jar for incident in changes.opened] == ["music"]
    (unwritten,) = changes.unwritten
    assert (unwritten.cause, unwritten.jar) == DEAD
    assert unwritten.message.startswith("the session ended (not on record in the vault: ")
    assert "times in a row" in unwritten.message


PLANTED = {
    "in a log of a jar that is not there": incident_key("nosuchjar", Cause.SESSION_DEAD, 1),
    "as the highest number": incident_key("youtube", Cause.SESSION_DEAD, 999_999_999_999),
    "as the next number": incident_key("youtube", Cause.SESSION_DEAD, 1),
    "in the log of tampering itself": incident_key("", Cause.INTEGRITY, 999_999_999_999),
}


@pytest.mark.parametrize("key", PLANTED.values(), ids=PLANTED)
def test_an_object_that_somebody_planted_mutes_nobody(key, journal, store, clock):
    store.put_if_absent(key, b"garbage")
    channel = Remembering()
    looks = [journal.look().damage]

    for found in [(condition("warning"),)] * 3 + [()] * 2:
        examine(journal, *found)
        told(journal, clock, channel)
        clock.advance(minutes=40)

    assert channel.kinds == ["opened", "closed"]
    assert all("is not what was written" in item for item in (*looks[0], *journal.verify()))
    assert len(looks[0]) == len(journal.verify()) == 1


def test_damage_behind_what_is_on_record_brings_the_alert_again(journal, store, clock):
    channel = Remembering()
    for _ in range(2):
        examine(journal, condition())
        told(journal, clock, channel)
        store.put_if_absent(Place(*DEAD, max(map(seq_of, store.list(LOG))) + 1).key, b"")
    examine(journal)

    assert channel.kinds == ["opened", "opened"]
    assert journal.open() == ()


def test_one_record_that_cannot_be_read_keeps_no_other_from_being_told(store, clock):
    store.put(incident_key("other", Cause.STORE, 1), b"")
    denied = Always(ObjectDenied("denied"), method="get", part="incidents/other")
    denying = FaultyStore(store, before=denied)
    journal = journal_in(denying, clock=clock)
    channel = Remembering()

    examine(journal, condition())
    told(journal, clock, channel)

    assert channel.kinds == ["opened"]
    assert journal.look().damage == ("denied",)


@pytest.mark.parametrize(
    "refusal",
    [
        IntegrityError("expected at most 9 bytes, got more"),
        ObjectDenied("denied"),
        StoreError("no"),
    ],
    ids=["too big, or no plain file, or not encrypted", "no right to read", "another refusal"],
)
def test_what_the_store_does_not_give_out_mutes_no_log(refusal, store, clock):
    planted = Place(*DEAD, 3).key
    refusing = FaultyStore(store, before=Always(refusal, method="get", part=planted))
    before, journal = journal_in(store, clock=clock), journal_in(refusing, clock=clock)
    channel = Remembering()
    examine(before, condition("warning"))
    told(before, clock, channel)
    store.put(planted, store.get(planted))
    assert len(store.list(LOG)) == 3

    examine(journal, condition())
    told(journal, clock, channel)
    examine(journal)

    assert channel.kinds == ["opened", "opened"]
    assert journal.open() == ()


@pytest.mark.parametrize("plant", [os.mkdir, os.mkfifo], ids=["a directory", "a pipe"])
def test_what_takes_the_place_of_the_next_record_in_a_directory_mutes_nobody(
    plant, tmp_path, clock
):
    journal = journal_in(LocalStore(tmp_path), clock=clock)
    channel = Remembering()
    examine(journal, condition())
    plant(tmp_path / Place(*DEAD, 2).key)

    told(journal, clock, channel)
    examine(journal)

    assert channel.kinds == ["opened"]
    assert journal.open() == ()


def test_the_clean_up_keeps_what_is_genuine_before_what_is_not(room_of_records):
    journal, store, clock = room_of_records
    before = journal.look().incidents
    planted = Place(*DEAD, 999_999_999_999).key
    store.put(planted, b"garbage")
    clock.now = store.created_at(planted) + timedelta(days=1)

    journal.collect(clock.now - timedelta(hours=2))

    assert journal.look().incidents == before
    assert planted in store.list(LOG)


def seq_of(key):
    return parse_incident_key(key)[2]


def test_openings_rises_and_ends_are_in_the_audit_trail(clock):
    room = Room()
    journal = journal_in(room.store, clock=room.clock, vault=room.vault.id, trail=room.vault.trail)

    examine(journal, condition("warning"))
    examine(journal, condition("critical"))
    examine(journal)

    assert room.events()[-3:] == [("incident", "outcome", "ok", "session-dead")] * 3
    assert [dict(event.counts) for event in list(room.vault.trail.read())[-3:]] == [
        {"opened": 1, "warning": 1},
        {"escalated": 1, "critical": 1},
        {"closed": 1, "critical": 1},
    ]
    assert not any("no vault writes" in item.message for item in room.vault.check())


def test_an_end_whose_record_was_deleted_hides_no_new_trouble():
    room = Room()
    journal = journal_in(room.store, clock=room.clock, vault=room.vault.id, trail=room.vault.trail)
    channel = Remembering()
    (first,) = examine(journal, condition()).opened
    told(journal, room.clock, channel)
    room.clock.advance(hours=1)
    left = set(room.store.list(LOG))
    for _ in range(2):
        examine(journal)
        told(journal, room.clock, channel)
        room.clock.advance(hours=1)
    for key in set(room.store.list(LOG)) - left:
        room.store.delete(key)

    for _ in range(24):
        examine(journal, condition())
        told(journal, room.clock, channel)
        room.clock.advance(hours=1)

    assert channel.kinds[:2] == ["opened", "closed"]
    assert channel.kinds[-2:] == ["opened", "escalated"]
    assert [incident.id == first.id for incident in journal.open()] == [False]


def test_an_incident_that_cannot_be_audited_is_kept_all_the_same(clock):
    room = Room()
    no_trail = Always(StoreError("full"), part="audit/")
    vault = room.reopen(FaultyStore(room.store, before=no_trail))
    journal = journal_in(room.store, clock=clock, vault=vault.id, trail=vault.trail)

    changes = examine(journal, condition())

    assert len(changes.opened) == len(changes.warnings) == 1
    assert len(journal.open()) == 1


def test_the_journal_works_in_a_directory(tmp_path, clock):
    journal = journal_in(LocalStore(tmp_path / "state"), clock=clock)
    assert journal.look_back().incidents == ()

    journal.reconcile([condition(jar="")], scope=scope_of(Cause, ""))

    assert [incident.jar for incident in journal.open()] == [""]


@pytest.mark.parametrize("jar", ["", "youtube", "a-b"])
def test_the_key_of_a_record_is_read_again(jar):
    assert parse_incident_key(incident_key(jar, Cause.NO_BACKUP, 7)) == (jar, "no-backup", 7)


@pytest.mark.parametrize(
    "key",
    ["incidents/x/y/1.json", "incidents/_/store/000000000001.json", incident_key("", "x", 0)],
)
def test_another_key_is_no_record(key):
    assert parse_incident_key(key) is None


class Life(RuleBasedStateMachine):
    """Two processes examine one vault; some are killed between claim and send."""

    def __init__(self):
        super().__init__()
        self.clock, self.store = Clock(), MemoryStore()
        self.found, self.kills = (), 0
        self.messages = {"ops": [], "boss": []}

    @initialize()
    def begin(self):
        self.processes = [journal_in(self.store, clock=self.clock) for _ in range(2)]

    @rule(severity=st.sampled_from(["", "warning", "critical"]))
    def life_goes_on(self, severity):
        self.found = (condition(severity),) if severity else ()

    @rule(minutes=st.sampled_from([1, 9, 11, 31, 61, 400]))
    def time_passes(self, minutes):
        self.clock.advance(minutes=minutes)

    @rule(process=st.integers(0, 1))
    def somebody_examines(self, process):
        self.examine(self.processes[process])
        self.agree()

    @rule(nth=st.integers(1, 4))
    def two_examine_at_once(self, nth):
        racing = FaultyStore(self.store, before=self.other_comes_first(nth))
        self.examine(journal_in(racing, clock=self.clock))
        self.agree()

    @rule(kills=st.sampled_from(["before", "after"]))
    def somebody_dies_over_it(self, kills):
        with suppress(Killed):
            self.examine(self.processes[0], kills=kills)

    def examine(self, journal, kills=""):
        channels = [
            Remembering(name, sent=sent, kills=kills) for name, sent in self.messages.items()
        ]
        examine(journal, *self.found)
        try:
            told(journal, self.clock, *channels)
        except Killed:
            self.kills += 1
            raise

    def other_comes_first(self, nth):
        left = [nth]

        def come(method, key):
            if method == "put_if_absent":
                left[0] -= 1
                if left[0] == 0:
                    self.examine(self.processes[1])

        return come

    def heard(self, recipient):
        """Return how often a recipient was told what of which incident."""
        return Counter(
            (message.document["incident"], message.document["kind"])
            for message in self.messages[recipient]
        )

    def agree(self):
        if self.kills:
            return
        for recipient in self.messages:
            for (_, kind), count in self.heard(recipient).items():
                assert count <= {"opened": 1, "escalated": 2, "closed": 1}[kind]
        for incident in self.processes[0].look().incidents:
            assert due_steps(incident, STEPS, now=self.clock.now) is None
            assert all(notice.sent_at for notice in incident.notices)
            assert not incident.is_open or self.heard("ops")[incident.id, "opened"] == 1

    def teardown(self):
        if not hasattr(self, "processes"):
            return
        for minutes in (11, 11):
            self.clock.advance(minutes=minutes)
            self.examine(self.processes[0])
        incidents = self.processes[0].open()
        self.found = ()
        for minutes in (0, 31, 11):
            self.clock.advance(minutes=minutes)
            self.examine(self.processes[1])
        assert self.processes[0].open() == ()
        for incident in incidents:
            assert self.heard("ops")[incident.id, "opened"] >= 1
            assert self.heard("ops")[incident.id, "closed"] >= 1
            assert self.kills or self.heard("ops")[incident.id, "closed"] == 1


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_of_many_that_examine_at_once_one_opens_and_one_tells(tmp_path):
    start, opened, sent = threading.Barrier(6), [], []

    def one(number):
        journal = journal_in(LocalStore(tmp_path / "state"), clock=Clock())
        for round_number in range(5):
            jar = f"jar-{round_number}"
            start.wait()
            changes = journal.reconcile(
                [condition(jar=jar)], scope=scope_of([Cause.SESSION_DEAD], jar)
            )
            opened.extend(changes.opened)
            told(journal, Clock(), Remembering(sent=sent))

    workers = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert len(opened) == len({incident.id for incident in opened}) == 5
    told_of = [message.document["incident"] for message in sent]
    assert sorted(told_of) == sorted(incident.id for incident in opened)
