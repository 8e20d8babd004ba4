from __future__ import annotations

import base64
import json

import pytest

from awsroom import running_aws
from jarkeeper.errors import Conflict, IntegrityError, KeyUnavailable, StoreUnknown, VaultError
from jarkeeper.keys import Purpose
from jarkeeper.keys.kms import KMSKey
from jarkeeper.keys.local import LocalKey
from jarkeeper.names import key_entry_key
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import Vault
from jarkeeper.vault.identity import read_identity
from jarkeeper.vault.root import (
    found_root,
    move_root,
    newest_entry,
    open_root,
    put_entry,
    require_current,
)
from vaultkit import ACTOR, KEYS, OTHER_KEYS, SITES, Clock, FaultyStore, Once, cookie_file

FIRST = key_entry_key(1)


@pytest.fixture(scope="module")
def aws():
    with running_aws() as room:
        yield room


@pytest.fixture
def kms(aws):
    return aws.key


@pytest.fixture
def reopen(aws):
    return aws.reopen


def found(store, key, reopen):
    """Found a vault as `init` does, and return its id."""
    vault, keys = found_root(store, key, reopen=reopen)
    return Vault.create(store, keys, clock=Clock(), actor=ACTOR, vault=vault)


def opened(store, key, reopen):
    keys = open_root(store, key, reopen=reopen)
    read_identity(store, keys)
    return keys


def test_a_local_key_is_the_root_itself_and_leaves_no_record(reopen):
    store = MemoryStore()

    found(store, KEYS, reopen)

    assert newest_entry(store) is None
    assert opened(store, KEYS, reopen).root == KEYS.root


def test_a_key_in_kms_has_a_random_root_sealed_in_the_store(kms, reopen):
    store, key = MemoryStore(), kms()

    found(store, key, reopen)

    keys = opened(store, kms(key.id), reopen)
    assert keys.seq == 1
    assert keys.root not in store.objects[FIRST]
    assert base64.b64encode(keys.root) not in store.objects[FIRST]
    assert json.loads(store.objects[FIRST])["key"] == key.id


def test_two_vaults_of_one_kms_key_share_no_derived_key(kms, reopen):
    key = kms()
    stores = MemoryStore(), MemoryStore()
    for store in stores:
        found(store, key, reopen)

    one, other = (opened(store, key, reopen) for store in stores)

    assert all(one.derive(purpose) != other.derive(purpose) for purpose in Purpose)


def test_an_interrupted_founding_is_taken_up(kms, reopen):
    store, key = MemoryStore(), kms()
    vault, keys = found_root(store, key, reopen=reopen)

    again, same = found_root(store, kms(key.id), reopen=reopen)

    assert (again, same.root) == (vault, keys.root)


def test_a_founding_whose_record_got_no_answer_is_taken_up(kms, reopen):
    store, key = MemoryStore(), kms()
    lost = FaultyStore(store, after=Once(StoreUnknown("no answer"), part="keys/"))

    vault, _ = found_root(lost, key, reopen=reopen)

    assert newest_entry(store).vault == vault


def test_an_interrupted_founding_is_not_taken_up_by_another_key(kms, reopen):
    store = MemoryStore()
    found_root(store, kms(), reopen=reopen)

    for other in (kms(), KEYS):
        with pytest.raises(KeyUnavailable, match="whose key is 'arn:"):
            found_root(store, other, reopen=reopen)


def test_of_racing_founders_with_one_key_both_have_the_same_root(kms, reopen):
    store, key = MemoryStore(), kms()
    winner = []

    def overtake(method, name):
        if method == "put_if_absent" and name == FIRST and not winner:
            winner.append(None)
            winner[:] = [found_root(store, key, reopen=reopen)]

    vault, keys = found_root(FaultyStore(store, before=overtake), key, reopen=reopen)

    assert (vault, keys.root) == (winner[0][0], winner[0][1].root)


def test_of_racing_founders_with_two_keys_one_is_refused(kms, reopen):
    store = MemoryStore()

    def overtake(method, name):
        if method == "put_if_absent" and name == FIRST and not store.objects:
            found_root(store, kms(), reopen=reopen)

    with pytest.raises(KeyUnavailable):
        found_root(FaultyStore(store, before=overtake), kms(), reopen=reopen)


def test_a_founding_that_a_local_key_overtook_leaves_its_vault_usable(kms, reopen):
    store, key = MemoryStore(), kms()
    vault, _ = found_root(store, KEYS, reopen=reopen)  # sees no record yet
    found_root(store, key, reopen=reopen)
    keys = LocalKey(KEYS.root)
    Vault.create(store, keys, clock=Clock(), actor=ACTOR, vault=vault)

    assert opened(store, KEYS, reopen).root == KEYS.root
    require_current(store, keys)
    with pytest.raises(KeyUnavailable):
        opened(store, key, reopen)
    moved, _ = move_root(store, keys, key, vault=vault, reopen=reopen)
    assert (moved.seq, moved.root) == (2, KEYS.root)
    assert opened(store, key, reopen).root == KEYS.root


def test_a_vault_whose_own_object_is_missing_is_not_founded_anew(reopen):
    store = MemoryStore()
    found(store, KEYS, reopen)
    vault = Vault.open(store, KEYS, actor=ACTOR, clock=Clock(), sites=SITES, backup_count=3)
    vault.import_jar("youtube", cookie_file("first"))
    store.delete("vault.json")

    with pytest.raises(VaultError, match=r"'vault.json' is missing"):
        found_root(store, KEYS, reopen=reopen)


def test_a_wrong_key_is_told_with_the_name_of_the_right_one(kms, reopen):
    store, key = MemoryStore(), kms()
    found(store, key, reopen)

    for other in (kms(), OTHER_KEYS):
        with pytest.raises(KeyUnavailable, match=f"whose key is '{key.id}'"):
            opened(store, other, reopen)


def test_a_disabled_key_is_told_as_disabled(aws, kms, reopen):
    store, key = MemoryStore(), kms()
    found(store, key, reopen)
    aws.disable(key.id)

    with pytest.raises(KeyUnavailable, match="disabled"):
        opened(store, key, reopen)

    aws.enable(key.id)
    assert opened(store, key, reopen)


def test_a_key_in_kms_is_told_from_one_whose_record_was_removed(kms, reopen):
    store, key = MemoryStore(), kms()
    found(store, key, reopen)
    store.delete(FIRST)

    with pytest.raises(KeyUnavailable) as caught:
        opened(store, key, reopen)

    assert "put `keys/` back from a backup" in caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:-40],
        lambda raw: b"[]",
        lambda raw: b"{}",
        lambda raw: b"[" * 100_000,
        lambda raw: raw.replace(b'"vault": "', b'"vault": "0'),
        lambda raw: raw.replace(b"arn:aws", b"arn:awz"),
        lambda raw: raw.replace(b'"root": "A', b'"root": "B'),
    ],
)
def test_a_damaged_record_is_damage_and_not_a_wrong_key(kms, reopen, damage):
    store, key = MemoryStore(), kms()
    found(store, key, reopen)
    damaged = damage(store.objects[FIRST])
    assert damaged != store.objects[FIRST]
    store.objects[FIRST] = damaged

    with pytest.raises(IntegrityError, match="record of keys 1 is not what was written"):
        opened(store, key, reopen)


def test_a_record_of_a_newer_format_asks_for_a_newer_program(kms, reopen):
    store, key = MemoryStore(), kms()
    found(store, key, reopen)
    store.objects[FIRST] = store.objects[FIRST].replace(b'"format": 1', b'"format": 2')

    with pytest.raises(VaultError, match="another format"):
        opened(store, key, reopen)


def test_a_record_of_another_vault_does_not_open_this_one(kms, reopen):
    key = kms()
    store, other = MemoryStore(), MemoryStore()
    for each in (store, other):
        found(each, key, reopen)
    store.objects[FIRST] = other.objects[FIRST]

    with pytest.raises(KeyUnavailable):
        opened(store, key, reopen)


def test_a_record_in_another_place_does_not_open(kms, reopen):
    store, key = MemoryStore(), kms()
    found(store, key, reopen)
    store.objects[key_entry_key(2)] = store.objects[FIRST]

    with pytest.raises(KeyUnavailable):
        opened(store, key, reopen)


def test_a_key_that_cannot_open_what_it_seals_is_never_put_on_record(kms, reopen):
    store = MemoryStore()
    vault = found(store, KEYS, reopen)

    class SealsOnly(KMSKey):
        def decrypt(self, wrapped, context):
            raise KeyUnavailable("access was denied")

    sealing = SealsOnly(kms()._clients, kms().id)
    before = dict(store.objects)

    with pytest.raises(KeyUnavailable):
        move_root(store, KEYS, sealing, vault=vault, reopen=reopen)

    assert store.objects == before


@pytest.mark.parametrize("old", ["local", "kms"])
@pytest.mark.parametrize("new", ["local", "kms"])
def test_a_moved_root_opens_with_the_new_key_only_and_names_the_former(kms, reopen, old, new):
    store = MemoryStore()
    old = KEYS if old == "local" else kms()
    new = OTHER_KEYS if new == "local" else kms()
    vault = found(store, old, reopen)
    before = opened(store, old, reopen)

    keys, moved = move_root(store, before, new, vault=vault, reopen=reopen)

    assert moved
    assert keys.root == before.root == opened(store, new, reopen).root
    assert [key.on_file() for key in keys.former] == [old.on_file()]
    with pytest.raises(KeyUnavailable):
        opened(store, old, reopen)


def test_moving_twice_to_the_same_key_changes_nothing(kms, reopen):
    store, key = MemoryStore(), kms()
    vault = found(store, KEYS, reopen)
    keys, _ = move_root(store, KEYS, key, vault=vault, reopen=reopen)
    before = dict(store.objects)

    again = [move_root(store, held, key, vault=vault, reopen=reopen) for held in (keys, KEYS)]

    assert [moved for _, moved in again] == [False, False]
    assert store.objects == before


def test_moving_to_the_local_key_that_is_the_root_changes_nothing(reopen):
    store = MemoryStore()
    vault = found(store, KEYS, reopen)
    before = dict(store.objects)

    assert move_root(store, KEYS, LocalKey(KEYS.root), vault=vault, reopen=reopen) == (KEYS, False)
    assert store.objects == before


def test_each_former_key_is_named_once_however_often_the_vault_moves(kms, reopen):
    store = MemoryStore()
    one, two = kms(), kms()
    vault = found(store, KEYS, reopen)
    keys = opened(store, KEYS, reopen)

    for key in (one, two, one, KEYS, two):
        keys, _ = move_root(store, keys, key, vault=vault, reopen=reopen)

    assert keys.seq == 5
    assert [key.on_file() for key in keys.former] == [KEYS.on_file(), one.on_file()]


def test_of_racing_moves_one_wins_and_the_other_is_told(kms, reopen):
    store = MemoryStore()
    vault = found(store, KEYS, reopen)
    first, second = kms(), kms()

    def overtake(method, name):
        if method == "put_if_absent" and newest_entry(store) is None:
            move_root(store, KEYS, first, vault=vault, reopen=reopen)

    with pytest.raises(Conflict, match="somebody else moved it"):
        move_root(FaultyStore(store, before=overtake), KEYS, second, vault=vault, reopen=reopen)
    with pytest.raises(Conflict, match="somebody else moved it"):
        move_root(store, KEYS, second, vault=vault, reopen=reopen)
    assert opened(store, first, reopen)


def test_keys_that_were_moved_away_from_are_not_current_any_more(kms, reopen):
    store = MemoryStore()
    vault = found(store, KEYS, reopen)
    require_current(store, KEYS)

    keys, _ = move_root(store, KEYS, kms(), vault=vault, reopen=reopen)

    require_current(store, keys)
    with pytest.raises(KeyUnavailable, match="not the key of this vault any more"):
        require_current(store, KEYS)


def test_an_entry_that_is_put_twice_is_not_another_one(kms, reopen):
    store, key = MemoryStore(), kms()
    vault = found(store, key, reopen)

    assert not put_entry(store, key, vault=vault, seq=1, root=bytes(32))
