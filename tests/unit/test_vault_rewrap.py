from __future__ import annotations

from dataclasses import replace

import pytest

from awsroom import running_aws
from jarkeeper.aws import Clients
from jarkeeper.errors import (
    EnvelopeError,
    KeyUnavailable,
    LendRefused,
    StoreError,
    WriteBackRefused,
)
from jarkeeper.keys.kms import KMSKey
from jarkeeper.names import generation_key
from jarkeeper.slots import SlotState
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import Vault
from jarkeeper.vault.rewrap import rewrap
from jarkeeper.vault.root import found_root, newest_entry, open_root
from vaultkit import (
    ACTOR,
    KEYS,
    OTHER_KEYS,
    SITES,
    Clock,
    FaultyStore,
    cookie_file,
    jar_of,
    lent_tag,
)


@pytest.fixture(scope="module")
def aws():
    with running_aws() as room:
        yield room


class House:
    """A vault that any key may open, and what happens when it moves."""

    def __init__(self, aws, key):
        self.aws, self.key = aws, key
        self.store, self.clock = MemoryStore(), Clock()
        vault, keys = found_root(self.store, key, reopen=aws.reopen)
        Vault.create(self.store, keys, clock=self.clock, actor=ACTOR, vault=vault)
        self.vault = self.opened(key)

    def opened(self, key, store=None):
        store = store or self.store
        return Vault.open(
            store,
            open_root(store, key, reopen=self.aws.reopen),
            actor=ACTOR,
            clock=self.clock,
            sites=SITES,
            backup_count=3,
        )

    def fill(self, *tags, jar="youtube"):
        return [str(self.vault.import_jar(jar, cookie_file(tag)).generation) for tag in tags]

    def move(self, to, vault=None):
        ports = (vault or self.vault).ports
        return rewrap(ports, to, reopen=self.aws.reopen)

    def alone(self, key):
        """Return the vault as it is without any former key."""
        vault = self.opened(key)
        keys = vault.ports.keys
        keys.former = ()
        return vault


def key_of(aws, mode, local):
    return aws.key() if mode == "kms" else local


def disabled(aws, key):
    if key.on_file().get("kms"):
        aws.disable(key.id)


def heads(store):
    return [key for key in store.objects if "/heads/" in key]


@pytest.mark.parametrize("old", ["local", "kms"])
@pytest.mark.parametrize("new", ["local", "kms"])
def test_what_is_in_a_slot_opens_with_the_new_key_alone(aws, old, new):
    house = House(aws, key_of(aws, old, KEYS))
    house.fill("zero", "one", "two")
    to = key_of(aws, new, OTHER_KEYS)

    receipt = house.move(to)

    assert (receipt.moved, receipt.sealed, receipt.problems) == (True, 3, ())
    disabled(aws, house.key)
    vault = house.alone(to)
    assert lent_tag(vault) == "two"
    assert lent_tag(vault, "backup") == "one"
    assert vault.promote("youtube").head_seq == 5
    assert lent_tag(vault) == "one"
    vault.import_jar("youtube", cookie_file("three"))
    assert lent_tag(vault) == "three"
    with pytest.raises(KeyUnavailable):
        house.opened(house.key)


def test_a_check_finds_nothing_wrong_after_a_move(aws):
    house = House(aws, aws.key())
    house.fill("one", "two")
    to = aws.key()
    house.move(to)
    disabled(aws, house.key)

    vault = house.opened(to)
    vault.check()  # makes the anchor

    findings = vault.check()

    assert [item.message for item in findings if item.severity != "ok"] == []


def test_all_that_is_known_of_a_generation_stays(aws):
    house = House(aws, KEYS)
    _, two = house.fill("one", "two")
    house.vault.mark("youtube", two, SlotState.SUSPECT, reason="seen")
    before = house.vault.status("youtube")

    house.move(aws.key())

    after = house.vault.status("youtube")
    assert after.action == "rewrap"
    for old, new in zip(before.slots.records(), after.slots.records(), strict=True):
        assert old.generation.id != new.generation.id
        names = {"id": old.generation.id, "digest": old.generation.digest}
        assert replace(new, generation=replace(new.generation, **names)) == old


def test_every_jar_is_moved_each_in_one_commit(aws):
    house = House(aws, KEYS)
    house.fill("one", "two")
    house.fill("other", jar="second")
    before = len(heads(house.store))

    receipt = house.move(aws.key())

    assert receipt.sealed == 3
    assert len(heads(house.store)) == before + 2


def test_running_it_again_changes_nothing(aws):
    house = House(aws, KEYS)
    house.fill("one", "two")
    to = aws.key()
    house.move(to)
    before = {key for key in house.store.objects if not key.startswith("audit/")}

    receipt = house.move(aws.key(to.id), house.opened(to))

    assert (receipt.moved, receipt.sealed, receipt.problems) == (False, 0, ())
    assert {key for key in house.store.objects if not key.startswith("audit/")} == before


def test_a_past_generation_needs_the_former_key(aws):
    house = House(aws, aws.key())
    zero, *_ = house.fill("zero", "one", "two", "three", "four")
    to = aws.key()
    house.move(to)
    vault = house.opened(to)
    disabled(aws, house.key)

    with pytest.raises(KeyUnavailable, match=f"KMS key '{house.key.id}'.*disabled"):
        vault.restore("youtube", zero)

    aws.enable(house.key.id)
    vault.restore("youtube", zero)
    assert lent_tag(vault) == "zero"


def test_a_restored_past_generation_is_told_of_and_sealed_anew_by_another_run(aws):
    house = House(aws, aws.key())
    zero, *_ = house.fill("zero", "one", "two", "three", "four")
    to = aws.key()
    house.move(to)
    vault = house.opened(to)
    vault.restore("youtube", zero)

    (finding,) = [item for item in vault.check() if item.code == "former-key"]
    assert house.move(to, vault).sealed == 1

    assert finding.severity == "warning"
    assert lent_tag(house.alone(to)) == "zero"
    assert all(item.code != "former-key" for item in vault.check())


def test_a_disabled_former_key_keeps_no_other_from_opening(aws):
    first, second, third = aws.key(), aws.key(), aws.key()
    house = House(aws, first)
    zero, *_ = house.fill("zero", "one", "two", "three", "four")
    house.move(second)
    house.move(third, house.opened(second))
    disabled(aws, second)

    vault = house.opened(third)
    vault.restore("youtube", zero)

    assert lent_tag(vault) == "zero"


def test_what_is_damaged_is_told_and_keeps_nothing_else_from_moving(aws):
    house = House(aws, KEYS)
    one, _ = house.fill("one", "two")
    house.store.objects[generation_key("youtube", one)] = b"damaged"
    to = aws.key()

    receipt = house.move(to)

    assert receipt.sealed == 1
    (problem,) = receipt.problems
    assert f"generation {one[:8]}" in problem
    assert lent_tag(house.alone(to)) == "two"


def test_killed_at_any_write_everything_opens_and_another_run_finishes(aws):
    step = 0
    finished = False
    while not finished:
        step += 1
        house = House(aws, KEYS)
        house.fill("one", "two")
        to = aws.key()
        left = [step]

        def kill(method, key, left=left):
            if method in ("put_if_absent", "put"):
                left[0] -= 1
                if left[0] <= 0:
                    raise StoreError("killed")

        try:
            receipt = house.move(to, house.opened(KEYS, FaultyStore(house.store, before=kill)))
            finished = left[0] > 0
            assert finished or receipt.problems or receipt.warnings
        except Exception:
            pass

        moved = newest_entry(house.store) is not None
        vault = house.opened(to if moved else KEYS)
        assert (lent_tag(vault), lent_tag(vault, "backup")) == ("two", "one")
        receipt = house.move(to, vault)
        assert receipt.problems == ()
        alone = house.alone(to)
        assert (lent_tag(alone), lent_tag(alone, "backup")) == ("two", "one")
        assert vault.verify_trail().discrepancies == ()
    assert step > 6


def test_a_process_with_the_old_key_neither_imports_nor_writes_back(aws):
    house = House(aws, KEYS)
    house.fill("one", "two")
    lent = house.vault.lend("youtube")
    to = aws.key()
    house.move(to, house.opened(KEYS))

    with pytest.raises(KeyUnavailable, match="not the key of this vault any more"):
        house.vault.import_jar("youtube", cookie_file("three"))
    with pytest.raises(WriteBackRefused):
        house.vault.write_back(lent, jar_of("four"))

    assert lent_tag(house.alone(to)) == "two"


@pytest.mark.parametrize("moment", ["generations/", "heads/"])
def test_an_import_that_a_move_overtakes_leaves_nothing_under_the_old_key(aws, moment):
    house = House(aws, KEYS)
    house.fill("one", "two")
    to = aws.key()
    moves = []

    def overtake(method, key):
        if method == "put_if_absent" and moment in key and not moves:
            moves.append(house.move(to, house.opened(KEYS)))

    slow = house.opened(KEYS, FaultyStore(house.store, before=overtake))

    with pytest.raises(KeyUnavailable):
        slow.import_jar("youtube", cookie_file("three"))

    assert moves
    assert lent_tag(house.alone(to)) == "two"


@pytest.mark.parametrize("moment", ["generations/", "heads/"])
def test_a_write_back_that_a_move_overtakes_is_refused_and_ends_no_run(aws, moment):
    house = House(aws, KEYS)
    house.fill("one", "two")
    to = aws.key()
    moves = []

    def overtake(method, key):
        if method == "put_if_absent" and moment in key and not moves:
            moves.append(house.move(to, house.opened(KEYS)))

    slow = house.opened(KEYS, FaultyStore(house.store, before=overtake))
    lent = slow.lend("youtube")

    with pytest.raises(WriteBackRefused) as caught:
        slow.write_back(lent, jar_of("three"))

    assert caught.value.reason == "conflict"
    assert lent_tag(house.alone(to)) == "two"


def test_a_move_that_an_import_overtakes_moves_that_too(aws):
    house = House(aws, KEYS)
    house.fill("one", "two")
    to = aws.key()
    imports = []
    stale = house.opened(KEYS)

    def overtake(method, key):
        if method == "put_if_absent" and key.startswith("keys/") and not imports:
            imports.append(stale.import_jar("youtube", cookie_file("three")))

    receipt = house.move(to, house.opened(KEYS, FaultyStore(house.store, before=overtake)))

    assert receipt.sealed == 3
    assert lent_tag(house.alone(to)) == "three"


def test_a_move_is_on_record(aws):
    house = House(aws, KEYS)
    house.fill("one")

    house.move(aws.key())

    told = [
        (event.action, event.phase, event.jar)
        for event in house.vault.trail.read()
        if event.action == "rewrap"
    ]
    assert told == [
        ("rewrap", "intent", ""),
        ("rewrap", "outcome", ""),
        ("rewrap", "intent", "youtube"),
        ("rewrap", "outcome", "youtube"),
    ]
    assert house.vault.verify_trail().discrepancies == ()


def test_an_import_into_empty_slots_is_overtaken_by_a_move_as_well(aws):
    house = House(aws, KEYS)
    for generation in house.fill("one", "two"):
        house.vault.revoke("youtube", generation)
    to = aws.key()
    moves = []

    def overtake(method, key):
        if method == "put_if_absent" and "heads/" in key and not moves:
            moves.append(house.move(to, house.opened(KEYS)))

    slow = house.opened(KEYS, FaultyStore(house.store, before=overtake))

    with pytest.raises(KeyUnavailable):
        slow.import_jar("youtube", cookie_file("three", account="other"))

    assert house.opened(to).status("youtube").active is None


class Peculiar(KMSKey):
    """A key whose refusals of a jar's data key are what the test says."""

    def decrypt(self, wrapped, context, size):
        if "jar" in context:
            return self.refused(wrapped, context, size)
        return super().decrypt(wrapped, context, size)


def peculiar(aws, refused):
    key = Peculiar(Clients.of(aws.variables()), aws.make_key())
    key.refused = refused
    return key


def test_a_key_that_may_not_be_asked_for_foreign_data_keys_takes_over_all_the_same(aws):
    house = House(aws, aws.key())
    house.fill("one", "two")

    def denied(wrapped, context, size):
        try:
            return KMSKey.decrypt(to, wrapped, context, size)
        except EnvelopeError:
            raise KeyUnavailable("access was denied") from None

    to = peculiar(aws, denied)

    assert house.move(to).sealed == 2
    assert lent_tag(house.alone(aws.key(to.id))) == "two"


def test_nothing_is_committed_that_the_new_key_does_not_open(aws):
    house = House(aws, KEYS)
    _, two = house.fill("one", "two")

    def never(wrapped, context, size):
        raise EnvelopeError("not this one")

    to = peculiar(aws, never)

    receipt = house.move(to)

    assert (receipt.sealed, len(receipt.problems)) == (0, 2)
    assert house.vault.status("youtube").active.generation.id == two
    assert lent_tag(house.opened(aws.key(to.id))) == "two"


def test_what_is_revoked_after_a_move_comes_back_under_no_key(aws):
    house = House(aws, KEYS)
    (before,) = house.fill("one")
    house.move(OTHER_KEYS)
    moved = house.opened(OTHER_KEYS)
    after = moved.status("youtube").active.generation.id

    moved.revoke("youtube", after)

    assert after != before
    with pytest.raises(LendRefused, match="was revoked"):
        moved.restore("youtube", before)
