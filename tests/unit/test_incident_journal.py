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
from jarkeeper.errors import Conflict, InputError, IntegrityError, StoreError, StoreUnknown
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
    assert journal.all() == closed


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

    assert [incident.id for incident in journal.all()] == ids
    assert [item.id for item in journal.all(clock.now - timedelta(days=3))] == ids[2:]


def test_the_clean_up_keeps_the_newest_record_and_refuses_fresh_ones(room_of_records):
    journal, store, clock = room_of_records
    before = journal.current()

    with pytest.raises(InputError):
        journal.collect(clock.now)
    # The store's own clock is the real one.
    clock.now = store.created_at(store.list(LOG)[0]) + timedelta(days=1)

    assert journal.collect(clock.now - timedelta(hours=2)) == 2
    assert len(store.list(LOG)) == 1
    assert journal.current() == before
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

    with pytest.raises(IntegrityError, match=r"not what was written|belongs to another place"):
        journal.open()
    changes = examine(journal, condition())

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


def test_a_store_that_is_always_taken_is_given_up(store, clock):
    class Taken(MemoryStore):
        def put_if_absent(self, key, content):
            return False

        def get(self, key):
            return b"other"

    with pytest.raises(Conflict, match="times in a row"):
        examine(journal_in(Taken(), clock=clock), condition())


def test_openings_and_ends_are_in_the_audit_trail(clock):
    room = Room()
    journal = journal_in(room.store, clock=room.clock, vault=room.vault.id, trail=room.vault.trail)

    examine(journal, condition())
    examine(journal)

    assert room.events()[-2:] == [("incident", "outcome", "ok", "session-dead")] * 2
    assert [dict(event.counts) for event in list(room.vault.trail.read())[-2:]] == [
        {"opened": 1},
        {"closed": 1},
    ]
    assert not any("no vault writes" in item.message for item in room.vault.check())


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
    assert journal.all() == ()

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
        for incident in self.processes[0].current():
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
