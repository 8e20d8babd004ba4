"""What somebody planted where a vault looks: it is named or ignored, and never obeyed."""

from __future__ import annotations

import json
import secrets

import pytest

from jarkeeper.anchors import FileAnchors
from jarkeeper.audit.places import PREFIX
from jarkeeper.errors import (
    IntegrityError,
    KeyUnavailable,
    ObjectDenied,
    RollbackError,
    SettingsError,
    StoreError,
    StoreUnknown,
)
from jarkeeper.keys.rooted import RootedKeys
from jarkeeper.names import head_key, key_entry_key
from jarkeeper.settings import Settings
from jarkeeper.stores import put_once
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import Vault
from jarkeeper.vault.copying import backup
from jarkeeper.vault.rewrap import rewrap
from jarkeeper.vault.root import open_root, put_entry
from jarkeeper.wiring import init_vault, open_vault
from vaultkit import (
    ACTOR,
    KEYS,
    OTHER_KEYS,
    SITES,
    Always,
    FaultyStore,
    Room,
    cookie_file,
    lent_tag,
)

LAST = 999_999_999_999


def reopen(fields):
    return KEYS


def plant(store, seq):
    """Put another vault's record of keys, made with a key of its own."""
    put_entry(store, OTHER_KEYS, vault=secrets.token_hex(16), seq=seq, root=bytes(32))


def opened(room, key):
    keys = open_root(room.store, key, reopen=reopen)
    return Vault.open(room.store, keys, actor=ACTOR, clock=room.clock, sites=SITES, backup_count=3)


def test_another_vaults_record_of_keys_is_named_and_not_copied():
    room = Room()
    room.fill("one")
    plant(room.store, LAST)
    target = MemoryStore()

    receipt = backup(room.vault.ports, target)

    assert receipt.damaged == (f"record of keys {LAST}: is another vault's",)
    assert key_entry_key(LAST) not in target.objects
    assert "stranger" in {item.code for item in room.vault.check()}


def test_a_record_of_keys_that_leaves_no_place_stops_a_rewrap_before_it_begins():
    room = Room()
    room.fill("one")
    plant(room.store, LAST)

    with pytest.raises(IntegrityError, match="leaves no place"):
        rewrap(room.vault.ports, RootedKeys(OTHER_KEYS, bytes(32)), reopen=reopen)

    assert lent_tag(room.vault) == "one"


def test_a_planted_record_of_keys_brings_no_retired_key_back_and_locks_nobody_out():
    room = Room()
    room.fill("one")
    rewrap(room.vault.ports, OTHER_KEYS, reopen=reopen)
    plant(room.store, 2)

    with pytest.raises(KeyUnavailable):
        opened(room, KEYS)

    assert lent_tag(opened(room, OTHER_KEYS)) == "one"


def test_a_record_of_keys_with_anything_more_in_it_is_none():
    room = Room()
    room.fill("one")
    rewrap(room.vault.ports, OTHER_KEYS, reopen=reopen)
    fields = json.loads(room.store.get(key_entry_key(1)))
    room.store.put(key_entry_key(1), json.dumps(fields | {"more": "x"}).encode())

    with pytest.raises(IntegrityError, match="record of keys 1"):
        opened(room, OTHER_KEYS)


def test_a_planted_head_far_ahead_ends_a_backup_at_once():
    room = Room()
    room.fill("one")
    room.store.put(head_key("youtube", LAST), b"x")

    receipt = backup(room.reopen().ports, MemoryStore())

    assert receipt.damaged[0] == "jar 'youtube': head 2 is missing"


def test_a_planted_event_of_a_million_lines_is_one_discrepancy():
    room = Room()
    room.fill("one")
    room.store.put(f"{PREFIX}dt=2026-06-01/{'a' * 32}/000000000001.jsonl", b"\n" * 1_000_000)

    report = room.vault.verify_trail()

    assert [item.code for item in report.discrepancies] == ["edited"]


@pytest.mark.parametrize(
    "error", [StoreError("unreachable"), ObjectDenied("denied"), IntegrityError("not encrypted")]
)
def test_a_read_back_that_fails_after_a_write_is_unknown_and_never_failed(error):
    store = MemoryStore()
    store.put_if_absent("a", b"x")

    with pytest.raises(StoreUnknown):
        put_once(FaultyStore(store, before=Always(error, method="get")), "a", b"x")


def test_a_settling_that_fails_is_unknown_and_never_failed():
    room = Room()
    calls = []

    def lost(method, key):
        if method == "put_if_absent" and "/heads/" in key:
            calls.append(key)
            raise StoreUnknown("no answer") if len(calls) < 3 else StoreError("unreachable")

    def unread(method, key):
        if method == "get" and calls:
            raise StoreUnknown("no answer")

    vault = room.reopen(FaultyStore(room.store, before=unread, after=lost))

    with pytest.raises(StoreUnknown, match="may be committed or not"):
        vault.import_jar("youtube", cookie_file("one"))

    assert lent_tag(room.vault) == "one"


@pytest.mark.parametrize("damage", [b"", b"\xff", b"[]", b"[" * 4000, b'{"vault":5}'])
def test_a_damaged_anchor_of_the_place_refuses(damage, tmp_path):
    settings = Settings.read({"HOME": str(tmp_path)})
    init_vault(settings)
    FileAnchors(settings.state_dir).file_of(settings.place).write_bytes(damage)

    with pytest.raises(RollbackError, match="cannot tell whether another one"):
        open_vault(settings)


def test_an_endpoint_that_is_none_is_told_without_its_password():
    wrong = {
        "AWS_ENDPOINT_URL": "http://user:s3cr3t@ho st:9000",
        "AWS_ENDPOINT_URL_KMS": "user:s3cr3t@host",
        "AWS_REGION": "Frankfurt am Main",
        "COOKIE_S3_PREFIX": "cookies/b",
    }

    with pytest.raises(SettingsError) as caught:
        Settings.read({"HOME": "/home/x", "COOKIE_S3_BUCKET": "jars", **wrong})

    assert len(caught.value.mistakes) == len(wrong)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("place", ["S3://bucket/x", "s3:/bucket/x", "~nobody-of-that-name/x"])
def test_a_place_that_is_nearly_one_is_refused(place, tmp_path):
    with pytest.raises(Exception, match="expected"):
        Settings.read({"HOME": str(tmp_path)}).at(place)
