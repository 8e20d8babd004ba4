"""Attacks on what is stored.

JARKEEPER_PROOF=1 flips every bit; without it every byte gets one flip, and the first and last bytes
of each object all eight.
"""

from __future__ import annotations

import errno
import os
import shutil
from datetime import timedelta

import pytest

from jarkeeper.anchors import FileAnchors
from jarkeeper.audit.places import parse_event_key
from jarkeeper.errors import (
    AuditUnavailable,
    IntegrityError,
    JarkeeperError,
    KeyUnavailable,
    RollbackError,
    StoreError,
    StoreUnknown,
    WriteBackRefused,
)
from jarkeeper.names import VaultId
from jarkeeper.slots import Slot, SlotState
from jarkeeper.stores.local import LocalStore
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import Vault
from vaultkit import (
    OTHER_KEYS,
    SITES,
    Always,
    FaultyStore,
    Once,
    Room,
    assert_no_canary,
    cookie_file,
    jar_of,
    tag_of,
)

EVERY_BIT = bool(os.environ.get("JARKEEPER_PROOF"))
EDGE = 8
NAMES = ("LOGIN_INFO", "SAPISID")


class Attacked:
    """A vault with a past, and copies of it to damage."""

    def __init__(self):
        self.room = Room(backup_count=1)
        for tag in ("past", "backup", "active"):
            self.room.vault.import_jar("youtube", cookie_file(tag, names=NAMES))
        self.room.vault.mark(
            "youtube", self.room.vault.status("youtube").active.generation.id, SlotState.SUSPECT
        )
        self.room.vault.check(checkpoint=True)
        self.objects = dict(self.room.store.objects)

    def with_objects(self, changed):
        """Return a function that opens a copy with this damage, as a new process would."""

        def reopen():
            store = MemoryStore()
            store.objects = self.objects | changed
            return self.room.reopen(store)

        return reopen

    def keys(self, part):
        return [key for key in self.objects if part in key]


@pytest.fixture(scope="module")
def attacked():
    return Attacked()


def is_detected(key, reopen):
    """Whether the damage to this object shows where the object is used; nothing else may happen."""
    try:
        vault = reopen()
        if key.startswith("audit/"):
            return bool(vault.verify_trail().discrepancies)
        # The view comes first: a loan repairs it in silence.
        told = "/heads/" not in key and any(item.severity != "ok" for item in vault.check())
        for slot in ("active", "backup"):
            with vault.lend("youtube", Slot(slot)).open() as jar:
                assert tag_of(jar) == slot
        vault.history("youtube")
    except IntegrityError as error:
        assert_no_canary(error)
        return True
    return told


def is_told_by_check(reopen):
    """Whether `check` says that something is wrong, whatever it is, without failing itself."""
    try:
        vault = reopen()
    except IntegrityError:
        return True
    return any(finding.severity != "ok" for finding in vault.check())


def flips(content):
    for place, byte in enumerate(content):
        edge = place < EDGE or place >= len(content) - EDGE
        for bit in range(8) if EVERY_BIT or edge else (place % 8,):
            yield content[:place] + bytes([byte ^ 1 << bit]) + content[place + 1 :]


KINDS = ["vault.json", "/heads/", "/generations/", "audit/", "cookies/youtube-", "metadata.json"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_of_every_object_is_detected(attacked, kind):
    assert attacked.keys(kind)

    for key in attacked.keys(kind):
        for turn, changed in enumerate(flips(attacked.objects[key])):
            reopen = attacked.with_objects({key: changed})
            assert is_detected(key, reopen), (key, turn)
            if turn % 100 == 0:
                assert is_told_by_check(reopen), (key, turn)


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_of_every_object_is_detected(attacked, kind):
    for key in attacked.keys(kind):
        content = attacked.objects[key]
        for length in range(len(content)):
            reopen = attacked.with_objects({key: content[:length]})
            assert is_detected(key, reopen), (key, length)
            if length % 100 == 0:
                assert is_told_by_check(reopen), (key, length)


@pytest.mark.parametrize("tail", [b"\0", b"\n", b"}", b" " * 100])
def test_every_object_with_a_tail_is_detected(attacked, tail):
    for key, content in attacked.objects.items():
        reopen = attacked.with_objects({key: content + tail})
        assert is_detected(key, reopen), key
        assert is_told_by_check(reopen), key


def test_every_swap_of_two_objects_is_detected(attacked):
    keys = sorted(attacked.objects)
    for number, one in enumerate(keys):
        for other in keys[number + 1 :]:
            if attacked.objects[one] == attacked.objects[other]:
                continue
            swapped = {one: attacked.objects[other], other: attacked.objects[one]}
            reopen = attacked.with_objects(swapped)
            assert is_detected(one, reopen) or is_detected(other, reopen), (one, other)
            assert is_told_by_check(reopen), (one, other)


def test_every_copy_of_one_object_over_another_is_detected(attacked):
    for one, content in attacked.objects.items():
        for other in attacked.objects:
            if attacked.objects[other] != content:
                reopen = attacked.with_objects({other: content})
                assert is_detected(other, reopen), (one, other)


def test_every_removed_object_is_detected(attacked):
    # The end of a chain that no checkpoint knows yet is the window that the report states.
    report = attacked.room.vault.verify_trail()
    window = {
        key
        for key in attacked.keys("audit/")
        if (place := parse_event_key(key)) and place[2] > report.anchored.get(place[1], 0)
    }
    assert len(window) == report.unanchored == 3  # of the checkpoint, and how the check ended

    for key in attacked.objects.keys() - window - {"vault.json"}:
        store = MemoryStore()
        store.objects = {name: content for name, content in attacked.objects.items() if name != key}
        assert is_told_by_check(lambda store=store: attacked.room.reopen(store)), key


def test_an_object_of_another_vault_with_the_same_key_is_detected(attacked):
    other = Attacked()

    for kind in KINDS[1:]:
        for here, there in zip(attacked.keys(kind), other.keys(kind), strict=True):
            reopen = attacked.with_objects({here: other.objects[there]})
            assert is_detected(here, reopen), here


def test_the_whole_log_of_another_vault_with_the_same_key_is_detected(attacked):
    other = Attacked()
    foreign = {key: other.objects[key] for key in other.keys("cookies/youtube/")}

    vault = attacked.with_objects(foreign)()

    for call in (vault.status, vault.lend, vault.history):
        with pytest.raises(IntegrityError):
            call("youtube")


@pytest.mark.parametrize(("seq", "shows_at_once"), [(2, False), (3, True)])
def test_a_head_of_a_branch_that_was_cut_off_does_not_fit_into_the_log(seq, shows_at_once):
    room = Room()
    room.fill("one", "two", "three")
    prefix = "cookies/youtube/heads/"
    cut = {key: room.store.objects.pop(key) for key in room.store.list(prefix)[1:]}
    vault = room.reopen()
    for tag in ("four", "five", "six"):
        vault.import_jar("youtube", cookie_file(tag))

    key = f"{prefix}{seq:012}.json"
    room.store.objects[key] = cut[key]

    with pytest.raises(IntegrityError):
        vault.history("youtube")
    for call in (vault.status, vault.lend) if shows_at_once else ():
        with pytest.raises(IntegrityError):
            call("youtube")
    assert "log" in {item.code for item in vault.check() if item.severity == "critical"}


def test_the_log_of_another_jar_is_detected():
    room = Room()
    room.fill("one")
    room.vault.import_jar("other", cookie_file("two"))
    for key in room.store.list("cookies/other/"):
        room.store.objects[key.replace("other", "youtube")] = room.store.objects[key]

    for call in (room.vault.status, room.vault.lend):
        with pytest.raises(IntegrityError):
            call("youtube")


def test_an_envelope_under_another_name_does_not_open():
    room = Room()
    one, two = room.fill("one", "two")
    generations = "cookies/youtube/generations/"
    room.store.objects[generations + two] = room.store.objects[generations + one]

    with pytest.raises(IntegrityError):
        room.vault.lend("youtube")


def test_a_wrong_key_opens_nothing():
    room = Room()
    room.fill("one")
    ours = room.vault.ports

    with pytest.raises(KeyUnavailable):
        room.keys = OTHER_KEYS
        room.reopen()

    forged = type(ours)(
        store=room.store,
        keys=OTHER_KEYS,
        trail=ours.trail,
        anchors=(),
        vault=ours.vault,
        clock=room.clock,
        sites=SITES,
        backup_count=3,
        opens_per_hour=120,
    )
    for call in (Vault(forged).status, Vault(forged).lend):
        with pytest.raises(IntegrityError):
            call("youtube")


def test_a_wrong_context_opens_nothing():
    room = Room()
    room.fill("one")
    record = room.vault.status("youtube").active.generation
    from jarkeeper.envelope import Context, open_envelope
    from jarkeeper.errors import EnvelopeError

    sealed = room.store.get(f"cookies/youtube/generations/{record.id}")
    for context in (
        Context(VaultId("0" * 32), "youtube", record.id),
        Context(room.vault.id, "other", record.id),
        Context(room.vault.id, "youtube", "0" * 32),
    ):
        with pytest.raises(EnvelopeError):
            open_envelope(sealed, keys=room.keys, context=context)


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_a_rollback_is_detected_through_an_anchor(tmp_path, left):
    room = Room(anchors=(FileAnchors(tmp_path),))
    room.fill("one", "two", "three", "four")
    for key in room.store.list("cookies/youtube/heads/")[left:]:
        room.store.delete(key)

    vault = room.reopen()

    for call in (vault.status, vault.lend, vault.promote, lambda jar: room.fill("five")):
        with pytest.raises(RollbackError):
            call("youtube")


def test_an_older_copy_of_the_whole_vault_is_detected_through_an_anchor(tmp_path):
    room = Room(anchors=(FileAnchors(tmp_path),))
    room.fill("one", "two")
    old = dict(room.store.objects)
    room.vault.revoke("youtube", room.vault.status("youtube").active.generation.id)
    room.store.objects = old

    with pytest.raises(RollbackError):
        room.reopen().lend("youtube")


@pytest.mark.parametrize(
    ("meanwhile", "fresh", "reason"),
    [
        ("revoke", jar_of("fresh"), "revoked"),
        ("rotate", jar_of("fresh"), "not_current"),
        ("nothing", jar_of("fresh", names=("SAPISID",)), "login_gone"),
        ("nothing", "foreign", "foreign_domains"),
        ("dead", jar_of("fresh"), "slot_dead"),
    ],
)
def test_a_session_that_must_not_come_back_is_refused_and_audited(meanwhile, fresh, reason):

    from jarkeeper.jar import Jar

    room = Room(backup_count=1)
    room.fill("one")
    lent = room.vault.lend("youtube")
    if meanwhile == "revoke":
        room.vault.revoke("youtube", lent.generation)
    elif meanwhile == "rotate":
        room.fill("two", "three")
    elif meanwhile == "dead":
        room.vault.mark("youtube", lent.generation, SlotState.DEAD)
    if fresh == "foreign":
        cookies = jar_of("fresh").cookies
        fresh = Jar((*cookies, cookies[0].changed(domain=".example.org")))
    before = room.vault.status("youtube")
    sealed = room.store.list("cookies/youtube/generations/")

    with pytest.raises(WriteBackRefused) as caught:
        room.vault.write_back(lent, fresh)

    assert caught.value.reason == reason
    assert room.vault.status("youtube") == before
    assert room.store.list("cookies/youtube/generations/") == sealed
    event = list(room.vault.trail.read())[-1]
    assert (event.action, event.outcome, event.detail) == ("write-back", "refused", reason)
    assert event.generation == lent.generation


FAILURES = {
    "refused": StoreError("denied"),
    "no answer": StoreUnknown("timeout"),
    "disk full": OSError(errno.ENOSPC, "No space left on device"),
    "not permitted": PermissionError(errno.EACCES, "Permission denied"),
    "damaged": IntegrityError("damaged"),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", [1, 2])
def test_no_jar_comes_out_when_the_audit_store_fails(failure, moment, at):
    room = Room()
    room.fill("one")
    error = FAILURES[failure]
    calls = []

    def fault(method, key):
        if key.startswith("audit/") and method in ("put_if_absent", "get"):
            calls.append(key)
            if len({*calls}) >= at:
                raise error

    vault = room.reopen(FaultyStore(room.store, **{moment: fault}))

    with pytest.raises(AuditUnavailable):
        vault.lend("youtube")


@pytest.mark.parametrize("at", [1, 2])
def test_no_jar_comes_out_when_the_audit_store_fails_in_an_unheard_of_way(at):
    room = Room()
    room.fill("one")
    fault = Once(RuntimeError("client bug"), part="audit/", at=at)

    with pytest.raises((RuntimeError, AuditUnavailable)):
        room.reopen(FaultyStore(room.store, before=fault)).lend("youtube")


def test_a_denied_lend_stays_denied_when_its_outcome_is_not_on_record():
    room = Room()
    (one,) = room.fill("one")
    room.vault.mark("youtube", one, SlotState.DEAD)
    fault = Once(StoreError("full"), part="audit/", at=2)

    with pytest.raises(JarkeeperError):
        room.reopen(FaultyStore(room.store, before=fault)).lend("youtube")


@pytest.fixture
def local(tmp_path):
    tmp_path.chmod(0o700)
    room = Room(store=LocalStore(tmp_path / "vault"), backup_count=1)
    room.fill("past", "backup", "active")
    return room


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "link"])
def test_no_jar_comes_out_of_a_local_store_that_cannot_write(local, monkeypatch, call, code):
    original = getattr(os, call)

    def refuse(*args, **options):
        if call == "open" and not args[1] & (os.O_WRONLY | os.O_CREAT):
            return original(*args, **options)
        raise OSError(code, os.strerror(code))

    vault = local.reopen()
    monkeypatch.setattr(os, call, refuse)

    with pytest.raises(AuditUnavailable):
        vault.lend("youtube")
    with pytest.raises(JarkeeperError):
        vault.import_jar("youtube", cookie_file("two"))


def test_no_jar_comes_out_where_the_trail_is_no_directory(local):
    shutil.rmtree(local.store.root / "audit")
    (local.store.root / "audit").write_bytes(b"in the way")

    with pytest.raises(AuditUnavailable):
        local.reopen().lend("youtube")


def levels(root):
    """Return every directory and file below the root."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_a_link_at_any_level_of_the_local_store_is_never_followed(local, tmp_path):
    root = local.store.root
    outside = tmp_path / "outside"
    for level in levels(root):
        shutil.copytree(root, tmp_path / "copy")
        shutil.rmtree(outside, ignore_errors=True)
        outside.mkdir(mode=0o700)
        moved = tmp_path / "copy" / level
        moved.rename(outside / "moved")
        moved.symlink_to(outside / "moved")
        before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
        store = LocalStore(tmp_path / "copy")

        assert not is_used(local, store, level)
        assert before == {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
        assert len(before) == sum(path.is_file() for path in outside.rglob("*"))

        shutil.rmtree(tmp_path / "copy")


def is_used(room, store, level):
    """Whether every use of the vault went on as if nothing had happened."""
    is_view = "youtube-cookies" in level or "metadata" in level
    try:
        vault = room.reopen(store)
        findings = {finding.code for finding in vault.check() if finding.severity != "ok"}
        vault.import_jar("youtube", cookie_file("new"))
        with vault.lend("youtube").open() as jar:
            assert tag_of(jar) == "new"
    except (IntegrityError, StoreError, AuditUnavailable) as error:
        assert_no_canary(error)
        return False
    if is_view:
        # The view is written over: the link goes, what it pointed to stays.
        assert not (store.root / level).is_symlink()
    return not findings


@pytest.mark.parametrize("kind", ["dangling", "to a device", "to itself"])
def test_a_link_in_the_place_of_a_new_object_is_not_written_through(local, tmp_path, kind):
    target = {"dangling": tmp_path / "new", "to a device": "/dev/null", "to itself": "x"}[kind]
    (local.store.root / "x").symlink_to(target)

    assert local.store.put_if_absent("x", b"1") is False
    with pytest.raises(IntegrityError):
        local.store.get("x")
    assert not (tmp_path / "new").exists()

    local.store.put("x", b"1")
    assert local.store.get("x") == b"1"
    assert not (tmp_path / "new").exists()


def test_a_vault_that_is_a_link_is_not_followed(local, tmp_path):
    (tmp_path / "link").symlink_to(local.store.root)

    with pytest.raises(IntegrityError):
        local.reopen(LocalStore(tmp_path / "link"))


@pytest.mark.parametrize("what", ["pipe", "directory", "socket"])
def test_something_else_than_a_file_is_detected_and_does_not_hang(local, monkeypatch, what):
    import socket

    head = next(iter((local.store.root / "cookies/youtube/heads").glob("*3.json")))
    head.unlink()
    if what == "pipe":
        os.mkfifo(head)
    elif what == "directory":
        head.mkdir(mode=0o700)
    else:
        with socket.socket(socket.AF_UNIX) as server:
            monkeypatch.chdir(head.parent)
            server.bind(head.name)

    with pytest.raises(IntegrityError):
        local.vault.status("youtube")


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o770, 0o777])
def test_a_parent_that_others_can_write_to_is_refused(tmp_path, mode):
    parent = tmp_path / "shared"
    (parent / "own").mkdir(mode=0o700, parents=True)
    parent.chmod(mode)
    store = LocalStore(parent / "own" / "vault")

    with pytest.raises(StoreError, match="can be changed by other users") as caught:
        store.put_if_absent("a", b"1")

    assert "chmod" in caught.value.hint
    with pytest.raises(StoreError):
        LocalStore(parent / "own").list("")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a sticky directory of root")
def test_a_sticky_directory_of_root_is_allowed_above(tmp_path):
    parent = tmp_path / "tmp"
    parent.mkdir()
    parent.chmod(0o1777)

    assert LocalStore(parent / "vault").put_if_absent("a", b"1")


@pytest.mark.parametrize("level", ["", "cookies", "cookies/youtube", "cookies/youtube/heads"])
@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_directory_of_the_vault_that_others_can_write_to_is_refused(local, level, mode):
    (local.store.root / level).chmod(mode)

    with pytest.raises(StoreError):
        local.reopen(LocalStore(local.store.root)).lend("youtube")


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a directory away takes root")
def test_a_directory_of_another_user_is_refused(local):
    os.chown(local.store.root / "cookies", 12345, -1)

    with pytest.raises(StoreError, match="another user"):
        local.vault.lend("youtube")


def test_no_object_message_or_name_on_disk_shows_a_cookie(local):
    lent = local.vault.lend("youtube")
    local.vault.write_back(lent, jar_of("fresh"))
    local.vault.gc(grace=timedelta(0))

    for path in local.store.root.rglob("*"):
        assert_no_canary(path.name)
        if path.is_file():
            assert_no_canary(path.read_bytes())


def test_no_error_on_the_way_shows_a_cookie():
    room = Room()
    room.fill("one")
    lent = room.vault.lend("youtube")
    for part in ("/generations/", "/heads/", "audit/", "cookies/"):
        for method in ("put_if_absent", "get", "list", "put"):
            for error in (StoreError("x"), StoreUnknown("x"), OSError(28, "x"), RuntimeError("x")):
                fault = Always(error, method=method, part=part)
                vault = room.reopen(FaultyStore(room.store, before=fault))
                for call in (
                    lambda vault=vault: vault.import_jar("youtube", cookie_file("two")),
                    lambda vault=vault: vault.lend("youtube"),
                    lambda vault=vault: vault.write_back(lent, jar_of("three")),
                ):
                    try:
                        assert_no_canary(call())
                    except (JarkeeperError, OSError, RuntimeError) as caught:
                        assert_no_canary(caught)
                        assert_no_canary(*traceback_texts(caught))


def traceback_texts(error):
    import traceback

    return traceback.format_exception(error)
