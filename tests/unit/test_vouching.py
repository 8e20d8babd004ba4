from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from jarkeeper.actions import Action
from jarkeeper.anchors import FileAnchors
from jarkeeper.audit.archive import pack
from jarkeeper.audit.places import PREFIX as AUDIT
from jarkeeper.audit.places import parse_checkpoint_key, parse_event_key, parse_volume_key
from jarkeeper.audit.retention import retire
from jarkeeper.errors import IntegrityError, StoreError
from jarkeeper.stores.memory import MemoryStore
from vaultkit import FaultyStore, Room, cookie_file


def health(vault):
    """What the scheduled look finds that is not well."""
    return [finding for finding in vault.check(checkpoint=True) if finding.severity != "ok"]


def with_anchor(place):
    room = Room(anchors=(FileAnchors(place),))
    room.fill("one")
    assert [finding.code for finding in health(room.vault)] == []
    return room


def copy_of(store):
    copy = MemoryStore()
    copy.objects = dict(store.objects)
    return copy


def set_back(room, *, by=1):
    """Put in place what the store was before that many checkpoints."""
    before = copy_of(room.store)
    for _ in range(by):
        room.clock.advance(hours=6)
        health(room.vault)
    room.store.objects = before.objects


def test_who_went_back_to_an_older_log_is_told_which_anchor_to_remove(tmp_path):
    room = with_anchor(tmp_path)
    set_back(room)

    (finding,) = health(room.reopen())
    file = Path(finding.next_step.partition("'")[2].rstrip("'"))
    file.unlink()

    assert finding.code == "audit-removed"
    assert file == tmp_path / "anchors" / f"{room.vault.id}-_trail.json"
    assert health(room.reopen()) == []


def test_an_anchor_does_not_forget_when_the_log_goes_on_without_it(tmp_path):
    room = with_anchor(tmp_path)
    set_back(room)
    for _ in range(3):  # another machine, which has no anchor
        room.clock.advance(hours=6)
        health(room.reopen(anchors=()))

    found = [room.reopen().verify_trail().discrepancies for _ in range(2)]

    assert [[item.code for item in items] for items in found] == [["removed"]] * 2


def test_a_verdict_says_whether_anything_outside_the_vault_remembers_the_log(tmp_path):
    room = Room()
    room.fill("one")
    health(room.vault)
    anchors = FileAnchors(tmp_path)

    first, second = (room.reopen(anchors=(anchors,)).verify_trail() for _ in range(2))

    assert first.anchors == ()
    assert second.anchors == (anchors.name,)


def test_a_log_without_checkpoints_does_not_fit_the_volumes_that_they_vouched_for():
    room = Room()
    room.fill("one")
    room.clock.advance(days=1)
    pack(room.vault.trail, before=room.clock.now.date())
    for key in room.store.list("audit/"):
        if not parse_volume_key(key):
            room.store.delete(key)
    assert not any(map(parse_checkpoint_key, room.store.list("audit/")))

    codes = {item.code for item in room.reopen().verify_trail().discrepancies}

    assert codes == {"removed"}


def test_nothing_is_packed_of_a_log_that_was_set_back(tmp_path):
    room = with_anchor(tmp_path)
    set_back(room)
    room.clock.advance(days=1)
    vault = room.reopen()
    before = dict(room.store.objects)

    with pytest.raises(IntegrityError, match="is not the one that"):
        pack(vault.trail, before=room.clock.now.date(), verify=vault.verify_trail)

    assert room.store.objects == before


def test_packing_goes_on_when_another_process_writes_the_checkpoint():
    room = Room()
    room.fill("one")
    room.clock.advance(days=1)
    others = []

    def meanwhile(method, key, *_):
        if method == "put_if_absent" and parse_checkpoint_key(key) and not others:
            others.append(True)
            health(room.vault)

    store = FaultyStore(room.store, before=meanwhile)
    receipt = pack(room.reopen(store).trail, before=room.clock.now.date())

    assert others
    assert receipt.events == 0
    assert pack(room.reopen().trail, before=room.clock.now.date()).events > 0
    assert room.reopen().verify_trail().discrepancies == ()


def test_a_head_of_a_clock_that_was_ahead_is_vouched_for_when_its_intent_is_retired():
    room = Room()
    at = room.clock.now
    room.clock.advance(days=2)
    room.fill("one")
    room.clock.now = at
    health(room.vault)
    room.clock.advance(days=40)
    assert health(room.vault) == []

    receipt = retire(room.vault.trail, before=room.clock.now - timedelta(days=36))

    assert receipt.deleted > 0
    assert room.reopen().verify_trail().discrepancies == ()


def test_a_head_that_nobody_is_on_record_for_is_no_retired_one():
    room = Room()
    room.fill("one")
    health(room.vault)
    room.clock.advance(days=40)
    health(room.vault)
    retire(room.vault.trail, before=room.clock.now - timedelta(days=36))
    before = copy_of(room.store)
    room.vault.import_jar("youtube", cookie_file("two"))
    forged = {key: value for key, value in room.store.objects.items() if "/heads/" in key}
    room.store.objects = before.objects | forged

    (found,) = room.reopen().verify_trail().discrepancies

    assert found.message == "jar 'youtube': head 2 (import) has no intent in the trail"


def test_a_retention_is_not_on_record_when_what_it_deletes_cannot_be_told():
    room = Room()
    room.fill("one")
    health(room.vault)
    room.clock.advance(days=40)
    pack(room.vault.trail, before=room.clock.now.date())
    seen = []

    def fails(method, key, *_):
        if method == "get" and key.endswith(".json") and parse_volume_key(key):
            seen.append(key)
            if len(seen) > 1:  # verification reads it too
                raise StoreError("store: gives no answer")

    store = FaultyStore(room.store, before=fails)
    with pytest.raises(StoreError):
        retire(room.reopen(store).trail, before=room.clock.now - timedelta(days=36))

    assert Action.RETIRE not in {event.action for event in room.vault.trail.read()}


def test_an_access_that_a_retention_cuts_in_two_takes_nobody_elses_intent():
    room = Room()
    room.fill("one")
    room.clock.advance(days=1)
    others = []

    def meanwhile(method, key, *_):
        if method == "put_if_absent" and "/heads/" in key and not others:
            others.append(True)
            health(room.reopen())

    vault = room.reopen(FaultyStore(room.store, before=meanwhile))
    vault.import_jar("youtube", cookie_file("two"))  # begun in one checkpoint, ended in the next
    room.clock.advance(days=10)

    def killed(method, key, *_):
        if method == "put_if_absent" and parse_event_key(key) and heads(room) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store = FaultyStore(room.store, before=killed)
        room.reopen(store).import_jar("youtube", cookie_file("three"))
    health(room.vault)

    receipts = []
    for _ in range(45):
        room.clock.advance(days=1)
        health(room.reopen())
        vault = room.reopen()
        before = room.clock.now - timedelta(days=36)
        receipts.append(retire(vault.trail, before=before, verify=vault.verify_trail))

    assert others
    assert heads(room) == 3
    assert sum(receipt.deleted for receipt in receipts) > 20


def heads(room):
    return len(room.store.list("cookies/youtube/heads/"))


@pytest.mark.parametrize("kept", [1, 0])
@pytest.mark.parametrize("remembers", [True, False])
def test_heads_that_were_cut_off_are_missed_by_what_the_trail_or_an_anchor_knows(
    kept, remembers, tmp_path
):
    room = Room(anchors=(FileAnchors(tmp_path),) if remembers else ())
    room.fill("one", "two")
    for key in room.store.list("cookies/youtube/heads/")[kept:]:
        room.store.delete(key)

    found = room.reopen().verify_trail().discrepancies

    assert [item.code for item in found] == ["removed"]
    assert f"the newest head is {kept}" in found[0].message


def test_what_is_gone_is_told_as_removed_and_not_as_edited():
    room = Room()
    room.fill("one", "two")
    health(room.vault)
    kinds = (f"{AUDIT}hashes/", f"{AUDIT}checkpoints/", "cookies/youtube/heads/")
    for kind in kinds:
        vault = room.reopen(copy_of(room.store))
        key = vault.ports.store.list(kind)[0]
        vault.ports.store.delete(key)

        (found,) = vault.verify_trail().discrepancies

        assert (kind, found.code) == (kind, "removed")


def test_a_check_that_finds_something_has_it_on_record():
    room = Room()
    room.fill("one")
    room.vault.check()
    room.store.put("incidents/_vault/integrity/000000000001.json", b"{}")
    room.vault.check()

    done = [
        event
        for event in room.vault.trail.read()
        if (event.action, event.outcome) == (Action.CHECK, "ok")
    ]

    assert [dict(event.counts) for event in done] == [{}, {"critical": 1}]


def test_an_anchor_of_the_log_that_cannot_be_read_is_told(tmp_path):
    room = with_anchor(tmp_path)
    file = tmp_path / "anchors" / f"{room.vault.id}-_trail.json"
    file.write_text("{")

    (finding,) = health(room.reopen())

    assert (finding.code, finding.severity) == ("anchor", "warning")
    assert str(tmp_path) in finding.message


def test_a_checkpoint_in_anothers_place_is_told_as_such():
    room = Room()
    room.fill("one")
    for _ in range(3):
        room.clock.advance(hours=6)
        room.vault.lend("youtube")
        health(room.vault)
    first, _, third = sorted(filter(parse_checkpoint_key, room.store.list(AUDIT)))
    swapped = copy_of(room.store)
    swapped.objects[first], swapped.objects[third] = room.store.get(third), room.store.get(first)

    found = room.reopen(swapped).verify_trail().discrepancies[0]

    assert (found.code, found.message) == (
        "reordered",
        "checkpoint 1: checkpoint 3 stands in its place",
    )


def test_a_head_whose_events_were_removed_is_not_said_to_have_had_none():
    room = Room()
    room.fill("one")
    room.vault.check(checkpoint=True)
    for key in filter(parse_event_key, room.store.list(AUDIT)):
        room.store.delete(key)

    told = [item.message for item in room.reopen().verify_trail().discrepancies]

    assert "jar 'youtube': head 1 (import) has no intent in what is left of the trail" in told
    assert any("were removed" in message for message in told)


@pytest.mark.parametrize("gone", ["the newest head", "the whole jar"])
def test_a_jar_whose_events_were_retired_is_missed_by_the_anchor_that_knows_it(tmp_path, gone):
    room = with_anchor(tmp_path)
    room.vault.import_jar("work", cookie_file("two"))
    room.fill("three")
    health(room.vault)
    room.clock.advance(days=60)
    health(room.vault)
    retire(room.vault.trail, before=room.clock.now - timedelta(days=35))
    assert room.reopen().verify_trail().discrepancies == ()
    jar = "youtube" if gone == "the newest head" else "work"
    doomed = room.store.list("cookies/work/") + room.store.list("opens/work/")
    for key in doomed if jar == "work" else room.store.list("cookies/youtube/heads/")[-1:]:
        room.store.delete(key)

    (found,) = room.reopen().verify_trail().discrepancies
    told = [finding.message for finding in health(room.reopen())]

    assert (found.code, f"jar '{jar}'" in found.message) == ("removed", True)
    assert any(f"jar '{jar}'" in message and "has seen head" in message for message in told)


def test_other_files_beside_the_anchors_are_none(tmp_path):
    room = with_anchor(tmp_path)
    for name in ("youtube (1)", "a.b", "UPPER"):
        (tmp_path / "anchors" / f"{room.vault.id}-{name}.json").write_text("{}")

    assert room.reopen().verify_trail().discrepancies == ()
