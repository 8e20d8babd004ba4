from __future__ import annotations

import json

import pytest

from jarkeeper.errors import (
    AuditUnavailable,
    Conflict,
    InputError,
    IntegrityError,
    JarFormatError,
    KeyUnavailable,
    LendRefused,
    NotFound,
    NotInitialised,
    StoreError,
    StoreUnknown,
    VaultError,
)
from jarkeeper.limits import LIMITS
from jarkeeper.slots import Slot, SlotState
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import Vault
from vaultkit import (
    ACTOR,
    KEYS,
    OTHER_KEYS,
    Always,
    Clock,
    FaultyStore,
    Once,
    Room,
    assert_no_canary,
    cookie_file,
    lent_tag,
)


def open_in(store, keys=KEYS):
    return Vault.open(
        store, keys, actor=ACTOR, clock=Clock(), sites=("youtube.com",), backup_count=3
    )


def test_a_store_without_a_vault_says_so():
    with pytest.raises(NotInitialised):
        open_in(MemoryStore())


def test_a_vault_is_founded_once():
    room = Room()

    with pytest.raises(VaultError, match="already"):
        Vault.create(room.store, KEYS, clock=room.clock, actor=ACTOR)

    assert open_in(room.store).id == room.vault.id


def test_another_key_is_told_from_a_damaged_vault():
    room = Room()

    with pytest.raises(KeyUnavailable, match="not the key of this vault"):
        open_in(room.store, OTHER_KEYS)

    room.store.objects["vault.json"] = room.store.objects["vault.json"].replace(b"2026", b"2025")
    with pytest.raises(IntegrityError):
        open_in(room.store)


def test_an_imported_jar_is_active_and_can_be_lent():
    room = Room()

    receipt = room.vault.import_jar("youtube", cookie_file("one"))

    assert (receipt.action, receipt.head_seq, receipt.warnings) == ("import", 1, ())
    assert receipt.facts.login_until
    assert room.vault.status("youtube").active.generation.id == receipt.generation
    assert lent_tag(room.vault) == "one"
    assert room.vault.jars() == ["youtube"]


def test_a_second_import_makes_the_first_one_the_backup():
    room = Room()

    room.fill("one", "two")

    assert lent_tag(room.vault) == "two"
    assert lent_tag(room.vault, "backup") == "one"


def test_more_backups_than_asked_for_are_let_go():
    room = Room(backup_count=2)

    generations = room.fill("one", "two", "three", "four")

    head = room.vault.status("youtube")
    assert [item.generation.id for item in head.backups] == generations[2:0:-1]


def test_what_is_no_cookie_file_changes_nothing():
    room = Room()
    before = dict(room.store.objects)

    with pytest.raises(JarFormatError):
        room.vault.import_jar("youtube", b"not a cookie file")

    assert room.store.objects == before


@pytest.mark.parametrize("name", ["", "You", "a/b", "..", "a" * 33, "-a", "a b", "ä", "a\n"])
def test_a_name_that_is_no_jar_name_is_refused(name):
    room = Room()

    for call in (room.vault.lend, room.vault.status, room.vault.promote, room.vault.history):
        with pytest.raises(InputError):
            call(name)


def test_foreign_rows_are_dropped_and_counted():
    room = Room()
    foreign = b".example.com\tTRUE\t/\tFALSE\t0\ta\tb\n"

    receipt = room.vault.import_jar("youtube", cookie_file("one") + foreign)

    assert receipt.dropped == 1
    assert receipt.facts.foreign == ()


def test_promote_exchanges_active_and_backup():
    room = Room()
    one, _two = room.fill("one", "two")

    receipt = room.vault.promote("youtube")

    assert receipt.generation == one
    assert lent_tag(room.vault) == "one"
    assert lent_tag(room.vault, "backup") == "two"


def test_promote_encrypts_nothing_anew():
    room = Room()
    room.fill("one", "two")
    sealed = room.store.list("cookies/youtube/generations/")

    room.vault.promote("youtube")

    assert room.store.list("cookies/youtube/generations/") == sealed


def test_promote_without_a_backup_is_refused_and_audited():
    room = Room()
    room.fill("one")

    with pytest.raises(NotFound):
        room.vault.promote("youtube")

    assert room.events()[-1] == ("promote", "outcome", "refused", "not_found")
    assert room.vault.status("youtube").seq == 1


def test_restore_brings_back_a_generation_that_is_in_no_slot():
    room = Room(backup_count=1)
    one, _two, _ = room.fill("one", "two", "three")
    assert room.vault.status("youtube").slots.find(one) is None

    receipt = room.vault.restore("youtube", one)

    assert receipt.generation == one
    assert lent_tag(room.vault) == "one"
    assert lent_tag(room.vault, "backup") == "three"


def test_restoring_what_is_active_changes_nothing():
    room = Room()
    (one,) = room.fill("one")

    receipt = room.vault.restore("youtube", one)

    assert receipt.head_seq == 1
    assert room.events()[-1] == ("restore", "outcome", "ok", "unchanged")


@pytest.mark.parametrize("call", ["restore", "revoke", "mark"])
def test_an_unknown_generation_is_not_found(call):
    room = Room()
    room.fill("one")
    more = (SlotState.DEAD,) if call == "mark" else ()

    with pytest.raises(NotFound):
        getattr(room.vault, call)("youtube", "0" * 32, *more)
    with pytest.raises(InputError):
        getattr(room.vault, call)("youtube", "nonsense", *more)


def test_a_revoked_generation_is_never_lent_or_restored_again():
    room = Room()
    _one, two = room.fill("one", "two")

    receipt = room.vault.revoke("youtube", two)

    head = room.vault.status("youtube")
    assert receipt.generation == two
    assert head.active is None
    assert head.revoked == (two,)
    with pytest.raises(NotFound):
        room.vault.lend("youtube")
    with pytest.raises(LendRefused) as caught:
        room.vault.restore("youtube", two)
    assert caught.value.reason == "revoked"
    assert room.events()[-1] == ("restore", "outcome", "refused", "revoked")
    assert lent_tag(room.vault, "backup") == "one"


def test_revoking_the_active_one_takes_it_out_of_the_view():
    room = Room()
    (one,) = room.fill("one")

    room.vault.revoke("youtube", one)

    assert room.store.get("cookies/youtube-cookies-active.txt") == b""


def test_revoking_twice_is_no_second_commit():
    room = Room()
    (one,) = room.fill("one")

    first = room.vault.revoke("youtube", one)
    second = room.vault.revoke("youtube", one)

    assert second.head_seq == first.head_seq


def test_a_mark_is_kept_once():
    room = Room()
    (one,) = room.fill("one")

    first = room.vault.mark("youtube", one, SlotState.DEAD, reason="COOKIE_ROTATED")
    second = room.vault.mark("youtube", one, SlotState.DEAD, reason="COOKIE_ROTATED")
    third = room.vault.mark("youtube", one, SlotState.SUSPECT)

    assert [first.head_seq, second.head_seq, third.head_seq] == [2, 2, 2]
    active = room.vault.status("youtube").active
    assert (active.state, active.reason) == (SlotState.DEAD, "COOKIE_ROTATED")


def test_marking_what_left_its_slot_meanwhile_changes_nothing_and_says_so():
    room = Room(backup_count=1)
    one, *_ = room.fill("one", "two", "three")

    receipt = room.vault.mark("youtube", one, SlotState.DEAD)

    assert receipt.head_seq == 3
    assert "in no slot" in receipt.warnings[0]


def test_the_history_holds_every_commit_in_order():
    room = Room()
    one, _ = room.fill("one", "two")
    room.vault.promote("youtube")
    room.vault.mark("youtube", one, SlotState.SUSPECT)

    history = room.vault.history("youtube")

    assert [head.action for head in history] == ["import", "import", "promote", "mark"]
    assert [head.seq for head in history] == [1, 2, 3, 4]


def test_a_jar_that_was_never_imported_has_no_status():
    room = Room()

    assert room.vault.status("youtube") is None
    assert room.vault.history("youtube") == ()
    with pytest.raises(NotFound):
        room.vault.lend("youtube")


def test_the_view_shows_the_active_and_the_newest_backup():
    room = Room()
    one, two = room.fill("one", "two")

    for name, generation in (("active", two), ("backup", one)):
        sealed = room.store.get(f"cookies/youtube/generations/{generation}")
        assert room.store.get(f"cookies/youtube-cookies-{name}.txt") == sealed
    metadata = json.loads(room.store.get("cookies/metadata.json"))
    assert metadata == json.loads(json.dumps(room.vault.metadata()))
    assert metadata["jars"]["youtube"]["active"]["generation"]["id"] == two
    assert metadata["jars"]["youtube"]["head_seq"] == 2


def test_the_view_is_never_read_back_as_truth():
    room = Room()
    room.fill("one", "two")
    for key in room.store.list("cookies/"):
        if "youtube-cookies" in key or "metadata" in key:
            room.store.put(key, b"nonsense")

    assert lent_tag(room.vault) == "two"
    assert room.vault.metadata()["jars"]["youtube"]["head_seq"] == 2


def test_a_view_that_could_not_be_published_is_a_warning_and_repaired_by_the_next_use():
    room = Room()
    room.fill("one")
    faulty = FaultyStore(room.store, before=Always(StoreError("full"), method="put"))

    receipt = room.reopen(faulty).import_jar("youtube", cookie_file("two"))

    assert "view" in receipt.warnings[0]
    assert room.store.get("cookies/youtube-cookies-backup.txt") == b""
    room.vault.lend("youtube")
    sealed = room.store.get(f"cookies/youtube/generations/{receipt.generation}")
    assert room.store.get("cookies/youtube-cookies-active.txt") == sealed


def test_without_an_intent_nothing_happens():
    room = Room()
    room.fill("one", "two")
    before = dict(room.store.objects)
    vault = room.reopen(FaultyStore(room.store, before=Always(StoreError("full"), part="audit/")))
    generation = room.vault.status("youtube").active.generation.id

    for call in (
        lambda: vault.import_jar("youtube", cookie_file("three")),
        lambda: vault.lend("youtube"),
        lambda: vault.promote("youtube"),
        lambda: vault.restore("youtube", generation),
        lambda: vault.revoke("youtube", generation),
        lambda: vault.mark("youtube", generation, SlotState.DEAD),
        lambda: vault.gc(grace=room.clock.now - room.clock.now),
    ):
        with pytest.raises(AuditUnavailable):
            call()

    assert room.store.objects == before


def test_a_committed_import_whose_outcome_is_not_on_record_is_a_success_with_a_warning():
    room = Room()
    fault = Once(StoreError("full"), part="audit/", at=2)

    receipt = room.reopen(FaultyStore(room.store, before=fault)).import_jar(
        "youtube", cookie_file("one")
    )

    assert "not on record" in receipt.warnings[0]
    assert lent_tag(room.vault) == "one"


def test_a_store_that_keeps_other_bytes_than_it_was_given_is_found_out_before_the_commit():
    room = Room()

    class Careless(FaultyStore):
        def put_if_absent(self, key, content):
            return room.store.put_if_absent(
                key, content[:-1] if "/generations/" in key else content
            )

    with pytest.raises(IntegrityError):
        room.reopen(Careless(room.store)).import_jar("youtube", cookie_file("one"))

    assert room.vault.status("youtube") is None
    assert room.events()[-1] == ("import", "outcome", "failed", "integrity")


def test_a_hole_anywhere_in_the_log_is_found_at_once():
    room = Room()
    room.fill("one", "two", "three", "four")
    room.store.delete("cookies/youtube/heads/000000000001.json")

    for call in (room.vault.status, room.vault.lend):
        with pytest.raises(IntegrityError, match="head 1 is missing"):
            call("youtube")


def test_a_listing_that_misses_what_was_made_while_it_ran_is_no_hole():
    room = Room()
    room.fill("one", "two", "three", "four")

    class Late(FaultyStore):
        def list(self, prefix):
            return [key for key in room.store.list(prefix) if "000000000002" not in key]

    assert room.reopen(Late(room.store)).status("youtube").seq == 4


HEAD = {"part": "/heads/"}


@pytest.mark.parametrize("times", [1, 2])
def test_a_head_whose_answer_got_lost_is_committed_once(times):
    room = Room()
    fault = Once(StoreUnknown("?"), **HEAD) if times == 1 else Always(StoreUnknown("?"), **HEAD)

    receipt = room.reopen(FaultyStore(room.store, after=fault)).import_jar(
        "youtube", cookie_file("one")
    )

    assert receipt.head_seq == 1
    assert len(room.vault.history("youtube")) == 1


def test_a_head_that_never_arrived_is_settled_by_an_empty_commit_and_tried_again():
    room = Room()
    calls = []

    def fault(method, key):
        if method == "put_if_absent" and "/heads/" in key:
            calls.append(key)
            if len(calls) <= 2:
                raise StoreUnknown("?")

    receipt = room.reopen(FaultyStore(room.store, before=fault)).import_jar(
        "youtube", cookie_file("one")
    )

    assert [head.action for head in room.vault.history("youtube")] == ["settle", "import"]
    assert receipt.head_seq == 2
    assert lent_tag(room.vault) == "one"


def test_a_head_that_arrives_late_is_found_when_it_is_settled():
    room = Room()
    room.fill("one")
    late = []

    class Late(FaultyStore):
        def put_if_absent(self, key, content):
            if "/heads/" not in key:
                return room.store.put_if_absent(key, content)
            late.append((key, content))
            if len(late) <= 2:
                raise StoreUnknown("?")
            room.store.put_if_absent(*late[0])
            return room.store.put_if_absent(key, content)

    receipt = room.reopen(Late(room.store)).import_jar("youtube", cookie_file("two"))

    assert [head.action for head in room.vault.history("youtube")] == ["import", "import"]
    assert receipt.head_seq == 2


def test_a_store_that_never_answers_leaves_the_commit_unknown():
    room = Room()
    room.fill("one")
    vault = room.reopen(FaultyStore(room.store, before=Always(StoreUnknown("?"), **HEAD)))

    with pytest.raises(StoreUnknown):
        vault.import_jar("youtube", cookie_file("two"))

    assert room.events()[-1] == ("import", "outcome", "unknown", "no_answer")
    assert lent_tag(room.vault) == "one"


def test_a_generation_that_never_arrived_is_a_failure_before_anything_was_committed():
    room = Room()
    fault = Always(StoreUnknown("?"), part="/generations/")

    with pytest.raises(StoreError, match="nothing was committed"):
        room.reopen(FaultyStore(room.store, before=fault)).import_jar("youtube", cookie_file("one"))

    assert room.events()[-1] == ("import", "outcome", "failed", "store")
    assert room.vault.status("youtube") is None


def test_a_client_that_reports_its_own_write_as_existing_is_believed_after_reading():
    room = Room()

    class Retrying(FaultyStore):
        def put_if_absent(self, key, content):
            room.store.put_if_absent(key, content)
            return False

    receipt = room.reopen(Retrying(room.store)).import_jar("youtube", cookie_file("one"))

    assert receipt.head_seq == 1
    assert lent_tag(room.vault) == "one"


def race(room, rival, *, times=1):
    """Let a rival commit right before each of our first heads."""
    left = [times]

    def fault(method, key):
        if method == "put_if_absent" and "/heads/" in key and left[0]:
            left[0] -= 1
            rival()

    return room.reopen(FaultyStore(room.store, before=fault))


def test_a_commit_that_was_overtaken_is_made_on_the_new_base():
    room = Room()
    room.fill("one")
    rivals = iter(("rival-1", "rival-2", "rival-3"))
    vault = race(room, lambda: room.fill(next(rivals)), times=3)

    receipt = vault.import_jar("youtube", cookie_file("ours"))

    assert receipt.head_seq == 5
    assert [lent_tag(room.vault, slot) for slot in ("active", "backup")] == ["ours", "rival"]


def test_a_commit_that_is_overtaken_for_ever_gives_up():
    room = Room()
    room.fill("one")
    (one,) = [room.vault.status("youtube").active.generation.id]
    states = [SlotState.SUSPECT, SlotState.HEALTHY] * LIMITS.commit_tries_max
    rivals = iter(states)
    vault = race(
        room, lambda: room.vault.mark("youtube", one, next(rivals)), times=LIMITS.commit_tries_max
    )

    with pytest.raises(Conflict):
        vault.import_jar("youtube", cookie_file("ours"))

    assert room.events()[-1] == ("import", "outcome", "conflict", "conflict")
    assert lent_tag(room.vault) == "one"


def test_a_restore_that_a_revocation_overtakes_is_refused():
    room = Room()
    one, _ = room.fill("one", "two")
    vault = race(room, lambda: room.vault.revoke("youtube", one))

    with pytest.raises(LendRefused):
        vault.restore("youtube", one)

    assert lent_tag(room.vault) == "two"


def test_nothing_that_is_stored_or_said_holds_a_cookie():
    room = Room()
    one, _two = room.fill("one", "two")
    lent = room.vault.lend("youtube")
    receipts = [room.vault.promote("youtube"), room.vault.mark("youtube", one, SlotState.SUSPECT)]

    assert_no_canary(
        *room.store.objects.values(),
        *room.store.objects,
        lent,
        lent.sealed,
        room.vault,
        room.vault.ports,
        receipts,
        room.vault.check(),
        room.vault.metadata(),
        room.vault.history("youtube"),
        list(room.vault.trail.read()),
    )


def test_the_slots_are_as_their_words_say():
    room = Room()
    room.fill("one", "two")

    head = room.vault.status("youtube")

    assert head.slot(Slot.ACTIVE) is head.active
    assert head.slot(Slot.BACKUP) is head.backups[0]


def test_importing_what_is_active_already_changes_nothing_and_loses_no_backup():
    room = Room()
    room.fill("one", "two")
    before = room.vault.status("youtube")

    receipt = room.vault.import_jar("youtube", cookie_file("two"))

    assert room.vault.status("youtube") == before
    assert receipt.generation == before.active.generation.id
    assert "nothing was changed" in receipt.warnings[-1]
    assert [event.detail for event in room.vault.trail.read()][-1] == "unchanged"


@pytest.mark.parametrize("options", [{"names": ("SOCS",)}, {"expires": 1_000_000}])
def test_cookies_that_are_no_login_do_not_take_the_place_of_one(options):
    room = Room()
    room.fill("one")
    before = room.vault.status("youtube")

    with pytest.raises(InputError, match="no login"):
        room.vault.import_jar("youtube", cookie_file("two", **options))

    assert room.vault.status("youtube") == before
    assert room.vault.import_jar("youtube", cookie_file("two", **options), confirmed=True)
