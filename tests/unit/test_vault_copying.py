from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jarkeeper.audit import Trail
from jarkeeper.audit.archive import pack
from jarkeeper.audit.discrepancy import UNFINISHED
from jarkeeper.errors import InputError, NotInitialised, StoreError, VaultError
from jarkeeper.heads import write_head
from jarkeeper.keys import Purpose
from jarkeeper.names import generation_key, head_key
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import Vault
from jarkeeper.vault.copying import backup, recover
from vaultkit import (
    ACTOR,
    OTHER_KEYS,
    SITES,
    FaultyStore,
    Once,
    Room,
    assert_no_canary,
    cookie_file,
    lent_tag,
)

VIEW = ("metadata.json", ".txt")


@pytest.fixture
def room():
    made = Room()
    made.fill("zero", "one", "two")
    made.vault.import_jar("second", cookie_file("other"))
    return made


def lasting(store):
    """Return all objects but the view."""
    return {key: raw for key, raw in store.objects.items() if not key.endswith(VIEW)}


def opened(room, store):
    return Vault.open(store, room.keys, actor=ACTOR, clock=room.clock, sites=SITES, backup_count=3)


def recovered(room, source, target):
    """Copy the backup in `source` to `target` as `recover` does."""
    ports = opened(room, source).ports
    trail = Trail(target, keys=room.keys, vault=ports.vault, clock=room.clock, actor=ACTOR)
    return recover(ports, target, trail=trail)


def codes(vault):
    vault.check()  # the first one makes the anchors
    return {item.code for item in vault.check() if item.severity != "ok"}


def test_a_copy_is_the_same_vault_byte_for_byte(room):
    target = MemoryStore()

    receipt = backup(room.vault.ports, target)

    copy, source = lasting(target), lasting(room.store)
    assert copy.items() <= source.items()
    # The outcome of the backup was recorded after it.
    assert [key for key in source.keys() - copy.keys() if not key.startswith("audit/")] == []
    assert (receipt.is_whole, receipt.present) == (True, 0)
    assert receipt.copied == len(copy)
    assert receipt.bytes == sum(map(len, copy.values()))
    vault = opened(room, target)
    assert vault.id == room.vault.id
    assert (lent_tag(vault), lent_tag(vault, "backup")) == ("two", "one")
    assert vault.jars() == ["second", "youtube"]


def test_a_copy_passes_every_check_and_shows_its_view(room):
    target = MemoryStore()

    backup(room.vault.ports, target)

    views = {key for key in room.store.objects if key.endswith(VIEW)}
    assert {key: target.objects[key] for key in views} == {
        key: room.store.objects[key] for key in views
    }
    assert codes(opened(room, target)) == set()


def test_nothing_is_opened_for_a_copy(room, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("an envelope was opened")

    monkeypatch.setattr("jarkeeper.envelope._opened", refuse)

    assert backup(room.vault.ports, MemoryStore()).is_whole


def test_a_second_copy_takes_only_what_is_new(room):
    target = MemoryStore()
    backup(room.vault.ports, target)
    room.fill("three")

    receipt = backup(room.vault.ports, target)

    assert receipt.is_whole
    # The generation, its head, and what the trail tells of it, of the first copy and of this one.
    assert receipt.copied == 1 + 1 + 2 + 1 + 1
    assert lent_tag(opened(room, target)) == "three"
    assert codes(opened(room, target)) == set()


def test_both_are_on_record_where_they_belong(room):
    copy, place = MemoryStore(), MemoryStore()

    backup(room.vault.ports, copy)
    recovered(room, copy, place)

    def told(store):
        events = opened(room, store).trail.read()
        return [
            (event.action, event.phase, event.outcome, bool(event.counts.get("copied")))
            for event in events
            if event.action in ("backup", "recover")
        ]

    assert told(room.store) == [
        ("backup", "intent", None, False),
        ("backup", "outcome", "ok", True),
    ]
    assert told(place) == [
        ("backup", "intent", None, False),
        ("recover", "intent", None, False),
        ("recover", "outcome", "ok", True),
    ]
    assert codes(opened(room, place)) == set()


def twin(room):
    """Return the vault in a store of its own: every copy leaves events, and the next is longer."""
    store = MemoryStore()
    store.objects.update(room.store.objects)
    return opened(room, store)


def killed(ports, step, target):
    """Copy up to the n-th write, then fail; return whether it got to the end."""
    left = [step]

    def kill(method, key):
        if method in ("put_if_absent", "put"):
            left[0] -= 1
            if left[0] <= 0:
                raise StoreError("killed")

    try:
        receipt = backup(ports, FaultyStore(target, before=kill))
    except StoreError:
        return False
    return receipt.is_whole and left[0] > 0


def test_killed_at_any_write_a_new_place_is_no_vault_yet_or_a_whole_one(room):
    step, finished = 0, False
    while not finished:
        step += 1
        target = MemoryStore()

        source = twin(room)
        finished = killed(source.ports, step, target)

        if "vault.json" in target.objects:
            assert lent_tag(opened(room, target)) == "two"
            assert codes(opened(room, target)) <= {"view-repaired"}
        else:
            with pytest.raises(NotInitialised):
                opened(room, target)
        assert backup(source.ports, target).is_whole
        assert codes(opened(room, target)) == set()
    assert step > 15


def test_killed_at_any_write_an_older_copy_is_a_consistent_vault(room):
    first = MemoryStore()
    backup(room.vault.ports, first)
    room.fill("three", "four")
    room.vault.check(checkpoint=True)
    step, finished = 0, False
    while not finished:
        step += 1
        target = MemoryStore()
        target.objects.update(first.objects)

        source = twin(room)
        finished = killed(source.ports, step, target)

        vault = opened(room, target)
        assert lent_tag(vault) in ("two", "three", "four")
        assert vault.verify_trail().discrepancies == ()
        assert codes(opened(room, target)) <= {"view-repaired"}
        assert backup(source.ports, target).is_whole
    assert step > 8


def test_killed_at_any_write_a_copy_of_a_packed_vault_into_an_older_one_says_what_to_do(room):
    first = MemoryStore()
    with room.vault.lend("youtube").open():
        pass
    backup(room.vault.ports, first)  # what it has by itself lies in volumes afterwards
    room.clock.advance(days=1)
    room.fill("three")
    room.vault.check(checkpoint=True)
    pack(room.vault.trail, before=room.clock.now.date() + timedelta(days=1))
    step, finished, told = 0, False, set()
    while not finished:
        step += 1
        target = MemoryStore()
        target.objects.update(first.objects)

        source = twin(room)
        finished = killed(source.ports, step, target)

        for found in opened(room, target).verify_trail().discrepancies:
            told.add((found.code, found.hint))
        assert backup(source.ports, target).is_whole
        assert opened(room, target).verify_trail().discrepancies == ()
    assert told == {("removed", UNFINISHED)}


@pytest.mark.parametrize("method", ["get", "list"])
def test_while_others_commit_a_copy_is_a_point_in_time(room, method):
    for turn in range(1, 60, 4):
        target = MemoryStore()
        done = []

        def commit(called, key, turn=turn, done=done):
            done.append(None)
            if called == method and len(done) == turn:
                room.fill(f"turn{turn}")
                room.vault.check(checkpoint=True)

        ports = opened(room, FaultyStore(room.store, before=commit)).ports
        receipt = backup(ports, target)

        assert receipt.is_whole, receipt
        vault = opened(room, target)
        assert vault.verify_trail().discrepancies == ()
        assert codes(vault) == set()


def test_a_generation_that_the_clean_up_takes_meanwhile_is_no_damage(room):
    zero, *_ = room.fill("a", "b", "c", "d", "e")
    room.clock.advance(days=2)
    key = generation_key("youtube", zero)

    def clean(method, name):
        if (method, name) == ("get", key):
            room.store.delete(key)

    ports = opened(room, FaultyStore(room.store, before=clean)).ports

    assert backup(ports, MemoryStore()).is_whole


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("/generations/", "is not what was committed"),
        ("second/heads/000000000001", "head 1: is not what was written"),
        ("/000000000002.jsonl", "audit trail: writer"),
    ],
)
@pytest.mark.parametrize("missing", [False, True])
def test_what_is_damaged_is_told_and_not_copied(room, part, told, missing):
    if part == "/generations/":
        part += room.vault.status("youtube").backups[0].generation.id
    key = next(key for key in sorted(room.store.objects) if part in key)
    del room.store.objects[key]
    if not missing:
        room.store.objects[key] = b"damaged"
    target = MemoryStore()

    receipt = backup(room.vault.ports, target)

    assert not receipt.is_whole
    assert key not in target.objects
    words = ("missing", "removed", "has seen head 1") if missing else (told,)
    assert any(word in text for word in words for text in receipt.damaged)
    assert lent_tag(opened(room, target)) == "two"


def test_after_a_damaged_head_no_other_head_of_that_jar_is_copied(room):
    room.store.objects[head_key("youtube", 2)] = b"damaged"
    target = MemoryStore()

    receipt = backup(room.vault.ports, target)

    assert [key for key in target.objects if "youtube/heads" in key] == [head_key("youtube", 1)]
    assert lent_tag(opened(room, target)) == "zero"
    assert sum("jar 'youtube'" in text for text in receipt.damaged) == 2
    generations = [key for key in target.objects if "youtube/generations" in key]
    assert len(generations) == 3


def test_a_head_that_follows_another_one_is_not_copied(room):
    third = room.vault.history("youtube")[2]
    forged = write_head(replace(third, previous="0" * 64), key=room.vault.ports.head_key)
    room.store.objects[head_key("youtube", 3)] = forged
    target = MemoryStore()

    receipt = backup(opened(room, room.store).ports, target)

    assert head_key("youtube", 3) not in target.objects
    assert receipt.damaged == ("jar 'youtube': head 3 does not follow head 2",)


def test_an_event_that_a_listing_missed_but_a_checkpoint_knows_is_copied(room):
    room.vault.check(checkpoint=True)
    events = room.store.list("audit/")
    missed = next(key for key in events if key.endswith("000000000002.jsonl"))
    target, lists = MemoryStore(), []

    class Lagging(FaultyStore):
        def list(self, prefix):
            found = self.inner.list(prefix)
            lists.append(prefix)
            return [key for key in found if key != missed or lists.count("audit/") > 1]

    receipt = backup(opened(room, Lagging(room.store)).ports, target)

    assert receipt.is_whole
    assert missed in target.objects
    assert opened(room, target).verify_trail().discrepancies == ()


def test_once_it_is_healed_another_run_copies_the_rest(room):
    whole = room.store.objects[head_key("youtube", 2)]
    room.store.objects[head_key("youtube", 2)] = b"damaged"
    target = MemoryStore()
    backup(room.vault.ports, target)
    room.store.objects[head_key("youtube", 2)] = whole

    receipt = backup(room.vault.ports, target)

    assert receipt.is_whole
    assert lent_tag(opened(room, target)) == "two"


def test_what_differs_at_the_destination_is_told_and_stays(room):
    target = MemoryStore()
    backup(room.vault.ports, target)
    active = room.vault.status("youtube").active.generation.id
    target.objects[generation_key("youtube", active)] = b"damaged"

    receipt = backup(room.vault.ports, target)

    assert receipt.differing == (generation_key("youtube", active),)
    assert target.objects[generation_key("youtube", active)] == b"damaged"


def test_an_old_backup_over_a_newer_vault_changes_nothing(room):
    copy = MemoryStore()
    backup(room.vault.ports, copy)
    room.fill("three")
    before = lasting(room.store)

    receipt = recovered(room, copy, room.store)

    after = lasting(room.store)
    assert (receipt.copied, receipt.is_whole) == (0, True)
    (note,) = receipt.notes
    assert str(note) == "jar 'youtube': the destination has head 4, the source's last is 3"
    assert [key for key in after.keys() - before.keys() if not key.startswith("audit/")] == []
    assert {key: after[key] for key in before} == before
    assert lent_tag(room.reopen()) == "three"


def test_a_recovery_puts_back_what_was_deleted(room):
    copy = MemoryStore()
    backup(room.vault.ports, copy)
    before = lasting(room.store)
    for key in [key for key in before if "generations" in key or "youtube/heads" in key]:
        del room.store.objects[key]

    receipt = recovered(room, copy, room.store)

    assert receipt.is_whole
    assert lasting(room.store).items() >= before.items()
    assert lent_tag(room.reopen()) == "two"


def test_a_log_that_went_on_differently_gets_no_head_of_the_other(room):
    copy = MemoryStore()
    backup(room.vault.ports, copy)
    other = opened(room, copy)
    other.import_jar("youtube", cookie_file("there"))
    other.import_jar("youtube", cookie_file("again"))
    room.fill("here")

    receipt = recovered(room, copy, room.store)

    assert receipt.differing == (head_key("youtube", 4),)
    assert head_key("youtube", 5) not in room.store.objects
    assert lent_tag(room.reopen()) == "here"


@pytest.mark.parametrize("other", ["vault", "key"])
def test_another_vault_is_no_place_for_a_copy(room, other):
    target = Room(keys=OTHER_KEYS if other == "key" else room.keys).store
    before = dict(target.objects)

    with pytest.raises(VaultError, match="holds another vault"):
        backup(room.vault.ports, target)

    assert target.objects == before


@pytest.mark.parametrize(
    "key", ["notes", "cookies/youtube/heads/000000000001.json", "keys/000000000001.json"]
)
def test_a_place_with_something_else_is_no_place_for_a_copy(room, key):
    target = MemoryStore()
    target.objects[key] = b"precious"

    with pytest.raises(InputError, match="no copy of this vault") as caught:
        backup(room.vault.ports, target)

    assert key in caught.value.message
    assert target.objects == {key: b"precious"}


def test_an_interrupted_copy_of_another_vault_is_no_place_for_a_copy(room):
    other = Room()
    other.fill("x")
    target = MemoryStore()
    target.objects.update(other.store.objects)
    del target.objects["vault.json"]

    with pytest.raises(InputError, match="no copy of this vault"):
        backup(room.vault.ports, target)


def test_what_a_store_does_not_keep_is_noticed(room):
    target = MemoryStore()

    class Forgetful(MemoryStore):
        def get(self, key):
            return super().get(key)[:-1] if "generations" in key else super().get(key)

    with pytest.raises(VaultError, match="what was read back is not what was copied"):
        backup(room.vault.ports, Forgetful())

    assert target.objects == {}


def test_a_write_whose_answer_got_lost_counts_once(room):
    from jarkeeper.errors import StoreUnknown

    target = MemoryStore()
    lossy = FaultyStore(target, after=Once(StoreUnknown("no answer"), part="heads"))

    receipt = backup(room.vault.ports, lossy)

    assert receipt.is_whole
    assert receipt.copied == len(lasting(target))


def test_a_receipt_tells_no_secret(room):
    target = MemoryStore()

    receipt = backup(room.vault.ports, target)

    assert_no_canary(receipt, *target.objects.values())
    assert room.keys.derive(Purpose.ENVELOPE).hex() not in repr(receipt)


def test_progress_comes_to_its_end(room):
    heard = []

    receipt = backup(
        room.vault.ports, MemoryStore(), progress=lambda *numbers: heard.append(numbers)
    )

    assert heard[-1] == (receipt.copied, receipt.copied)
    assert [done for done, _ in heard] == list(range(1, receipt.copied + 1))


def test_a_clock_that_was_set_back_leaves_the_trail_in_its_order(room):
    room.clock.advance(days=-3)
    room.fill("later")
    room.vault.check(checkpoint=True)
    step, finished = 0, False
    first = MemoryStore()
    backup(room.vault.ports, first)
    room.clock.advance(days=-3)
    room.fill("latest")
    while not finished:
        step += 1
        target = MemoryStore()
        target.objects.update(first.objects)
        source = twin(room)
        finished = killed(source.ports, step, target)
        assert opened(room, target).verify_trail().discrepancies == ()
