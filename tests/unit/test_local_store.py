from __future__ import annotations

import errno
import os
import stat
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jarkeeper.errors import IntegrityError, ObjectMissing, StoreError, StoreUnknown
from jarkeeper.limits import LIMITS
from jarkeeper.stores.local import DEPTH_MAX, LocalStore


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "data" / "vault")


@pytest.fixture(autouse=True)
def open_umask():
    old = os.umask(0)
    yield
    os.umask(old)


def modes_below(path):
    return {stat.S_IMODE(item.lstat().st_mode) for item in path.rglob("*")}


@pytest.mark.parametrize("unnamed", [True, False])
def test_files_and_directories_are_for_their_owner_alone_whatever_the_umask(tmp_path, unnamed):
    store = LocalStore(tmp_path / "data" / "vault", unnamed=unnamed)

    store.put_if_absent("a/b/c", b"1")
    store.put("a/view", b"2")

    assert modes_below(tmp_path) == {0o700, 0o600}
    assert store.complaints() == ()


@pytest.mark.parametrize("unnamed", [True, False])
def test_nothing_but_the_object_is_left_behind(tmp_path, unnamed):
    store = LocalStore(tmp_path, unnamed=unnamed)

    store.put_if_absent("a", b"1")
    store.put_if_absent("a", b"2")
    store.put("a", b"3")
    store.put("a", b"4")

    assert os.listdir(tmp_path) == ["a"]


def test_a_store_that_is_only_read_makes_nothing(tmp_path):
    store = LocalStore(tmp_path / "vault")

    assert store.list("") == []
    with pytest.raises(ObjectMissing):
        store.get("a")
    store.delete("a")

    assert os.listdir(tmp_path) == []


def test_a_folder_deeper_than_any_key_is_named_and_not_entered(store):
    store.put_if_absent("audit/a", b"1")

    with buried(store.root / "audit", depth=1500):
        keys = store.list("audit/")
        with pytest.raises(IntegrityError, match="something else than a plain file"):
            store.get(keys[1])
        complaints, swept = store.complaints(), store.sweep(datetime.now(UTC))

    assert keys == ["audit/a", "audit" + DEPTH_MAX * "/deep"]
    assert (complaints, swept) == ((), 0)


@contextmanager
def buried(folder, *, depth):
    """Have folders in each other, deeper than a path can say and than Python can remove."""
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        for _ in range(depth):
            os.mkdir("deep", 0o700)
            os.chdir("deep")
        os.fchdir(before)
        yield
    finally:
        os.fchdir(before)
        os.close(before)
        subprocess.run(["rm", "-r", folder / "deep"], check=True)


def test_the_content_reaches_the_disk_before_the_name_does(store, monkeypatch):
    calls = []
    for name in ("fsync", "link", "rename"):
        original = getattr(os, name)

        def spy(*args, name=name, original=original, **options):
            calls.append(name)
            return original(*args, **options)

        monkeypatch.setattr(os, name, spy)
    store.put_if_absent("ready", b"")
    calls.clear()

    store.put_if_absent("a", b"1")
    store.put("b", b"2")

    assert calls == ["fsync", "link", "fsync", "fsync", "rename", "fsync"]


def test_a_new_directory_reaches_the_disk_before_its_content(store, monkeypatch):
    store.put_if_absent("ready", b"")
    calls = []
    for name in ("fsync", "mkdir", "link"):
        original = getattr(os, name)

        def spy(*args, name=name, original=original, **options):
            calls.append(name)
            return original(*args, **options)

        monkeypatch.setattr(os, name, spy)

    store.put_if_absent("new/a", b"1")

    assert calls == ["mkdir", "fsync", "fsync", "link", "fsync"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "no space"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "permission denied"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "error"),
    ],
)
def test_a_disk_that_refuses_leaves_nothing_and_says_why(store, monkeypatch, code, words):
    store.put_if_absent("ready", b"")

    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", refuse)

    with pytest.raises(StoreError, match=words) as caught:
        store.put_if_absent("a", b"1")
    with pytest.raises(StoreError, match=words):
        store.put("b", b"1")

    assert not isinstance(caught.value, StoreUnknown)
    assert os.listdir(store.root) == ["ready"]


def test_a_name_that_may_not_survive_a_power_cut_is_unknown(store, monkeypatch):
    store.put_if_absent("ready", b"")
    original, calls = os.fsync, []

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.EIO, "input/output error")
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    with pytest.raises(StoreUnknown):
        store.put_if_absent("a", b"1")


def test_an_interrupted_write_goes_on_where_it_stopped(store, monkeypatch):
    original = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, rest: original(descriptor, rest[:7]))

    store.put_if_absent("a", bytes(range(100)))

    assert store.get("a") == bytes(range(100))


def test_an_object_of_absurd_size_is_refused(store):
    store.put_if_absent("a", b"1")
    os.truncate(store.root / "a", LIMITS.object_bytes_max + 1)

    with pytest.raises(IntegrityError):
        store.get("a")


def test_a_pipe_is_no_object_and_does_not_hang(store):
    store.put_if_absent("ready", b"")
    os.mkfifo(store.root / "pipe", 0o600)

    with pytest.raises(IntegrityError):
        store.get("pipe")


def test_temporary_names_are_no_objects_and_are_swept_when_they_are_old(store):
    store.put_if_absent("a/b", b"1")
    old, fresh, foreign = (store.root / "a" / name for name in (".tmp-old", ".tmp-new", ".other"))
    for path in (old, fresh, foreign):
        path.write_bytes(b"left behind")
    os.utime(old, (1, 1))
    os.utime(foreign, (1, 1))

    swept = store.sweep(datetime.now(UTC) - timedelta(hours=1))

    assert store.list("") == ["a/b"]
    assert swept == 1
    assert sorted(os.listdir(store.root / "a")) == [".other", ".tmp-new", "b"]


def test_open_permissions_are_complained_of(store):
    store.put_if_absent("a/b", b"1")
    (store.root / "a").chmod(0o750)
    (store.root / "a" / "b").chmod(0o644)

    complaints = store.complaints()

    assert len(complaints) == 2
    assert "'a' is open to group or others (mode 0750)" in complaints[0]
    assert "'a/b'" in complaints[1]


def test_no_descriptor_is_leaked(store):
    store.put_if_absent("a/b", b"1")
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(20):
        store.put_if_absent("a/b", b"1")
        store.get("a/b")
        store.list("")
        store.put("a/c", b"1")
        store.complaints()
        store.sweep(datetime.now(UTC))
        for call in (store.get, store.created_at):
            with pytest.raises(ObjectMissing):
                call("x/y")
        with pytest.raises(IntegrityError):
            store.get("a/b/c")

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_place_where_no_folder_can_be_made_is_told_as_that():
    with pytest.raises(StoreError, match="no folder can be made there"):
        LocalStore(Path("/proc/jarkeeper/vault")).put_if_absent("a/b", b"x")
