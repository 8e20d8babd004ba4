"""What every store promises. A new adapter joins by adding its factory to `STORES`."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest

from jarkeeper.errors import ObjectMissing, StoreError
from jarkeeper.stores import put_once
from jarkeeper.stores.local import LocalStore
from jarkeeper.stores.memory import MemoryStore

STORES = {
    "memory": lambda tmp_path: MemoryStore(),
    "local": lambda tmp_path: LocalStore(tmp_path / "vault"),
    "local, without unnamed files": lambda tmp_path: LocalStore(tmp_path / "vault", unnamed=False),
}


@pytest.fixture(params=[*STORES, "s3", "s3, below a prefix"])
def store(request, tmp_path):
    if request.param in STORES:
        return STORES[request.param](tmp_path)
    tenancy = request.getfixturevalue("tenancy")
    tenancy.prefix = "teams/media" if "prefix" in request.param else ""
    return tenancy.store()


def test_an_object_is_read_as_it_was_put(store):
    content = bytes(range(256)) * 400

    created = store.put_if_absent("a/b/c.json", content)

    assert created is True
    assert store.get("a/b/c.json") == content


def test_an_empty_object_is_an_object(store):
    store.put_if_absent("a/empty", b"")

    assert store.get("a/empty") == b""
    assert store.put_if_absent("a/empty", b"x") is False


def test_a_second_put_if_absent_changes_nothing(store):
    store.put_if_absent("a/b", b"first")

    created = store.put_if_absent("a/b", b"second")

    assert created is False
    assert store.get("a/b") == b"first"


def test_a_missing_object_is_reported_as_missing(store):
    store.put_if_absent("a/b", b"")

    for key in ("a/c", "x", "x/y/z"):
        with pytest.raises(ObjectMissing):
            store.get(key)
        with pytest.raises(ObjectMissing):
            store.created_at(key)


def test_the_list_is_sorted_and_limited_to_the_prefix(store):
    for key in ("b/2", "b/10", "a/1", "b/sub/3", "bb/4", "top"):
        store.put_if_absent(key, b"")

    assert store.list("b/") == ["b/10", "b/2", "b/sub/3"]
    assert store.list("b") == ["b/10", "b/2", "b/sub/3", "bb/4"]
    assert store.list("b/1") == ["b/10"]
    assert store.list("") == ["a/1", "b/10", "b/2", "b/sub/3", "bb/4", "top"]


def test_the_list_of_what_is_not_there_is_empty(store):
    assert store.list("") == []
    assert store.list("nothing/here/") == []


def test_put_overwrites(store):
    store.put("view/a.txt", b"old and longer")

    store.put("view/a.txt", b"new")

    assert store.get("view/a.txt") == b"new"
    assert store.list("view/") == ["view/a.txt"]


def test_delete_removes_and_does_not_mind_a_missing_object(store):
    store.put_if_absent("a/b", b"")

    store.delete("a/b")
    store.delete("a/b")
    store.delete("x/y")

    assert store.list("") == []


def test_an_object_can_be_created_again_after_a_delete(store):
    store.put_if_absent("a/b", b"1")
    store.delete("a/b")

    assert store.put_if_absent("a/b", b"2") is True


def test_the_time_of_creation_is_about_now(store):
    store.put_if_absent("a/b", b"")

    assert abs(store.created_at("a/b") - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        "./a",
        "a/.b",
        "a b",
        "a\0b",
        "ä",
        "a\nb",
        "a\\b",
        "x" * 129,
    ],
)
def test_a_key_that_is_no_plain_path_is_refused(store, key):
    for call in (store.get, store.delete, store.created_at):
        with pytest.raises(StoreError):
            call(key)
    for call in (store.put, store.put_if_absent):
        with pytest.raises(StoreError):
            call(key, b"")


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//", ".", "a/."])
def test_a_prefix_that_is_no_plain_path_is_refused(store, prefix):
    with pytest.raises(StoreError):
        store.list(prefix)


def test_of_racing_creators_exactly_one_wins(store):
    barrier = threading.Barrier(8)
    winners = []

    def create(name):
        for turn in range(25):
            barrier.wait()
            if store.put_if_absent(f"race/{turn}", name):
                winners.append((f"race/{turn}", name))

    threads = [threading.Thread(target=create, args=(os.urandom(8),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(key for key, _ in winners) == store.list("race/")
    assert all(store.get(key) == name for key, name in winners)


def test_put_once_takes_its_own_bytes_for_its_own_write(store):
    assert put_once(store, "a/b", b"same") is True
    assert put_once(store, "a/b", b"same") is True
    assert put_once(store, "a/b", b"other") is False
