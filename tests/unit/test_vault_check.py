from __future__ import annotations

from itertools import count

import pytest

from jarkeeper.anchors import FileAnchors, MemoryAnchors
from jarkeeper.audit.places import parse_event_key
from jarkeeper.errors import (
    EnvelopeError,
    KeyUnavailable,
    ObjectDenied,
    ObjectMissing,
    RollbackError,
    StoreError,
    StoreUnknown,
)
from jarkeeper.stores.local import LocalStore
from jarkeeper.vault.findings import is_outage
from vaultkit import Always, Clock, FaultyStore, Room, assert_no_canary, cookie_file


def found(vault):
    return {finding.code: finding for finding in vault.check()}


def bad(vault):
    return {code for code, finding in found(vault).items() if finding.severity != "ok"}


def cut_off(store, *, after):
    for key in store.list("cookies/youtube/heads/"):
        if int(key[-17:-5]) > after:
            store.delete(key)


def test_a_healthy_vault_is_well_in_every_respect(tmp_path):
    room = Room(
        store=LocalStore(tmp_path / "vault"),
        anchors=(FileAnchors(tmp_path / "state"),),
        clock=Clock(),
    )
    room.fill("one", "two")

    findings = found(room.vault)

    assert bad(room.vault) == set()
    assert set(findings) == {
        *("key", "store", "fresh", "log", "generations", "view", "audit", "permissions")
    }
    assert "test key is the key of this vault" in findings["key"].message
    assert "2 heads" in findings["log"].message
    assert "2 slots opened" in findings["generations"].message
    assert "this process" in findings["fresh"].message
    assert "state/anchors" in findings["fresh"].message
    assert "trail" not in findings["fresh"].message


def test_an_empty_vault_is_well():
    assert bad(Room().vault) == set()


def test_every_finding_has_a_sentence_and_a_next_step():
    room = Room()
    one, _ = room.fill("one", "two")
    room.store.objects[f"cookies/youtube/generations/{one}"] = b"damaged"

    for finding in room.vault.check():
        assert finding.message
        assert finding.next_step
        assert finding.message[-1] != "."
        assert_no_canary(finding)


def test_the_worst_comes_first():
    room = Room()
    one, _ = room.fill("one", "two")
    room.store.objects[f"cookies/youtube/generations/{one}"] = b"damaged"

    severities = [finding.severity for finding in room.vault.check()]

    assert severities[0] == "critical"
    assert severities == sorted(severities, key=["critical", "warning", "ok"].index)


@pytest.mark.parametrize(
    "key", ["youtube-cookies-active.txt", "youtube-cookies-backup.txt", "metadata.json"]
)
@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_view_that_differs_from_the_truth_is_repaired_and_named(key, damage):
    room = Room()
    room.fill("one", "two")
    truth = room.store.get(f"cookies/{key}")
    room.store.delete(f"cookies/{key}")
    if damage == "changed":
        room.store.put(f"cookies/{key}", b"nonsense")

    findings = found(room.vault)

    assert key in findings["view-repaired"].message
    assert room.store.get(f"cookies/{key}") == truth
    assert bad(room.vault) == set()


def test_a_damaged_generation_in_a_slot_is_critical():
    room = Room()
    one, _ = room.fill("one", "two")
    room.store.objects[f"cookies/youtube/generations/{one}"] += b"x"

    finding = found(room.vault)["generation"]

    assert finding.severity == "critical"
    assert one[:8] in finding.message


def test_a_damaged_generation_of_the_past_is_a_warning():
    room = Room(backup_count=1)
    one, *_ = room.fill("one", "two", "three")
    room.store.objects[f"cookies/youtube/generations/{one}"] += b"x"

    finding = found(room.vault)["past-generation"]

    assert finding.severity == "warning"
    assert one[:8] in finding.message


def test_a_store_that_gives_no_answer_is_no_damage():
    room = Room(backup_count=1)
    room.fill("one", "two", "three")
    silent = Always(StoreUnknown("no answer"), method="get", part="/generations/")
    denied = Always(ObjectDenied("denied"), method="get", part="/heads/")

    unread = room.reopen(FaultyStore(room.store, before=silent)).check()
    unseen = room.reopen(FaultyStore(room.store, before=denied)).check()

    assert {item.code for item in unread if item.severity == "critical"} == {"store"}
    assert {item.code for item in unseen if item.severity == "critical"} == {"store"}


@pytest.mark.parametrize(
    ("kind", "is_it"),
    {
        KeyUnavailable: True,
        StoreUnknown: True,
        ObjectDenied: True,
        ObjectMissing: False,
        EnvelopeError: False,
    }.items(),
)
def test_an_outage_is_what_gave_no_answer(kind, is_it):
    assert is_outage(kind("words")) is is_it


def test_a_broken_log_is_critical():
    room = Room()
    room.fill("one", "two", "three")
    room.store.delete("cookies/youtube/heads/000000000002.json")

    assert found(room.vault)["log"].severity == "critical"


def test_a_rollback_is_seen_by_the_process_that_saw_more():
    room = Room()
    room.fill("one", "two", "three")
    cut_off(room.store, after=1)

    for call in (room.vault.status, room.vault.lend, room.vault.promote):
        with pytest.raises(RollbackError):
            call("youtube")

    assert found(room.vault)["rolled-back"].severity == "critical"


def test_a_rollback_is_seen_by_another_process_through_a_file(tmp_path):
    room = Room(anchors=(FileAnchors(tmp_path),))
    room.fill("one", "two", "three")
    cut_off(room.store, after=2)

    with pytest.raises(RollbackError, match="has seen head 3"):
        room.reopen().status("youtube")


def test_a_rollback_without_anchors_is_seen_by_the_audit_trail():
    room = Room()
    room.fill("one", "two", "three")
    cut_off(room.store, after=1)

    finding = found(room.reopen())["rolled-back"]

    assert "the audit trail tells of head 3" in finding.message


@pytest.mark.parametrize("anchored", [True, False])
def test_a_jar_of_which_everything_was_removed_is_missed(tmp_path, anchored):
    room = Room(anchors=(FileAnchors(tmp_path),) if anchored else ())
    room.fill("one")
    for key in room.store.list("cookies/youtube/"):
        room.store.delete(key)

    assert found(room.reopen())["rolled-back"].severity == "critical"


def test_a_log_that_was_cut_off_and_continued_is_seen_by_its_anchor(tmp_path):
    room = Room(anchors=(FileAnchors(tmp_path),))
    room.fill("one", "two", "three")
    cut_off(room.store, after=1)
    other = room.reopen(anchors=())
    for tag in ("four", "five", "six"):
        other.import_jar("youtube", cookie_file(tag))

    with pytest.raises(RollbackError, match="not the one"):
        room.reopen().lend("youtube")


def test_a_vault_that_nothing_remembers_is_unknown_once():
    room = Room()
    room.fill("one")
    for key in room.store.list("audit/"):
        room.store.delete(key)

    vault = room.reopen()

    assert "unknown" in bad(vault)
    assert "unknown" not in found(vault)


def test_anchors_that_cannot_be_asked_let_cookies_in_but_none_out(tmp_path):
    anchors = FileAnchors(tmp_path)
    room = Room(anchors=(anchors,))
    room.fill("one")
    (path,) = anchors.place.iterdir()
    path.write_bytes(b"damaged")

    receipt = room.vault.import_jar("youtube", cookie_file("two"))

    assert "damaged" in receipt.warnings[0]
    assert "anchor" in bad(room.vault)
    with pytest.raises(RollbackError, match="cannot tell"):
        room.vault.lend("youtube")


def test_a_reader_that_is_late_does_not_take_another_process_for_a_rollback():
    anchors = MemoryAnchors()
    room = Room(anchors=(anchors,))
    room.fill("one")

    def rival(method, key):
        if method == "list":
            faulty.after = lambda *_: None
            room.fill("two")

    faulty = FaultyStore(room.store, after=rival)

    assert room.reopen(faulty).status("youtube").seq == 1


def test_an_edited_audit_record_is_critical():
    room = Room()
    room.fill("one")
    key = next(key for key, raw in room.store.objects.items() if b'"action":"import"' in raw)
    room.store.objects[key] = room.store.objects[key].replace(b'"import"', b'"export"')

    assert "audit-edited" in bad(room.vault)


def test_a_cut_audit_tail_shows_after_a_checkpoint():
    room = Room()
    room.fill("one")
    tail = next(key for key in room.store.list("audit/") if key.startswith("audit/dt="))
    room.reopen().check(checkpoint=True)
    tails = [key for key in room.store.list("audit/") if key.split("/")[2] == tail.split("/")[2]]

    room.store.delete(tails[-1])

    assert "audit-removed" in bad(room.reopen())


def test_an_audit_trail_that_cannot_be_written_is_critical_and_opens_nothing():
    room = Room()
    room.fill("one")
    vault = room.reopen(FaultyStore(room.store, before=Always(StoreError("full"), part="audit/")))

    assert bad(vault) == {"audit-unavailable"}


def test_a_store_that_cannot_be_read_is_critical():
    room = Room()
    room.fill("one")
    vault = room.reopen(FaultyStore(room.store, before=Always(StoreError("down"), method="list")))

    assert bad(vault) == {"store"}


def test_strange_objects_are_named():
    room = Room()
    room.fill("one")
    room.store.put_if_absent("cookies/youtube/notes.txt", b"")

    finding = found(room.vault)["stranger"]

    assert "'cookies/youtube/notes.txt'" in finding.message


def test_a_record_of_an_incident_that_no_journal_wrote_is_critical():
    room = Room()
    room.fill("one")
    for cause in ("session-dead", "of-a-newer-jarkeeper"):
        room.store.put_if_absent(f"incidents/nosuchjar/{cause}/000000000001.json", b"{}")

    findings = [item for item in room.vault.check() if item.code == "incident"]

    assert [item.severity for item in findings] == ["critical"] * 2
    assert "nosuchjar/session-dead/000000000001.json': is not what" in findings[1].message


def test_open_permissions_are_named(tmp_path):
    room = Room(store=LocalStore(tmp_path / "vault"))
    room.fill("one")
    (tmp_path / "vault" / "vault.json").chmod(0o644)

    assert "vault.json" in found(room.vault)["permissions"].message


def test_what_interrupted_commits_left_is_counted():
    room = Room()
    room.fill("one")
    room.store.put_if_absent(f"cookies/youtube/generations/{'0' * 32}", b"left")

    assert "1 generation" in found(room.vault)["leftovers"].message


def test_a_check_is_on_record():
    room = Room()
    room.vault.check()

    assert ("check", "intent", "", "") in room.events()
    assert ("check", "outcome", "ok", "") in room.events()


def test_of_two_jars_that_nothing_remembers_both_are_told_as_unknown():
    room = Room()
    room.fill("one")
    room.vault.import_jar("second", cookie_file("two"))

    unknown = [item for item in room.reopen().check() if item.code == "unknown"]

    assert len(unknown) == 2


def test_a_checkpoint_that_comes_while_a_check_runs_is_no_rollback():
    anchors = MemoryAnchors()
    room = Room(anchors=(anchors,))
    room.fill("one")
    room.vault.check(checkpoint=True)
    others = []

    def meanwhile(method, key):
        if method == "get" and "generations/" in key and not others:
            others.append(True)
            room.vault.check(checkpoint=True)
            room.vault.verify_trail()

    found = bad(room.reopen(FaultyStore(room.store, before=meanwhile)))

    assert others
    assert found == set()
    assert anchors.read(room.vault.id, "_trail").seq == 2


def test_a_view_that_cannot_be_published_names_its_jar_once():
    room = Room()
    room.fill("one")
    active = room.vault.status("youtube").active.generation.id
    room.store.objects[f"cookies/youtube/generations/{active}"] = b"damaged"

    (told,) = [one.message for one in room.vault.check() if one.code == "view"]

    assert told.startswith("jar 'youtube': the view cannot be published, ")
    assert told.count("jar 'youtube'") == 1


def test_a_trail_that_changes_all_the_time_is_a_warning_and_no_damage():
    room = Room()
    room.fill("one")
    numbers = count(100)

    def busy(name, key):
        if name == "get" and (place := parse_event_key(key)) and key in room.store.objects:
            other = f"audit/dt={place[0]}/{place[1]}/{next(numbers):012d}.jsonl"
            room.store.objects[other] = room.store.objects.pop(key)

    vault = room.reopen(FaultyStore(room.store, before=busy))

    assert {one.code: one.severity for one in vault.check() if one.severity != "ok"} == {
        "busy": "warning"
    }
