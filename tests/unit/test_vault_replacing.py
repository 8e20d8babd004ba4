"""An emergency: what others may hold is barred in every copy, and innocent logins stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jarkeeper.errors import InputError, LendRefused, VaultError, WriteBackRefused
from jarkeeper.facts import Probed
from jarkeeper.jar import parse_jar
from jarkeeper.slots import Slot, SlotState
from jarkeeper.stores.memory import MemoryStore
from vaultkit import FAR, SITES, FaultyStore, Room, cookie_file, jar_of, tag_of

JAR = "youtube"


def parsed(tag, account):
    return parse_jar(cookie_file(tag, account=account), sites=SITES)


def house():
    """A vault with another login as the backup, and a login that was renewed as the active one."""
    room = Room()
    room.vault.import_jar(JAR, cookie_file("innocent", account="other"), confirmed=True)
    room.vault.import_jar(JAR, cookie_file("stolen", account="stolen"), confirmed=True)
    early = room.vault.lend(JAR)
    renewed = room.vault.write_back(room.vault.lend(JAR), jar_of("renewed", account="stolen"))
    return room, early, renewed.lent


def test_every_copy_of_the_login_is_barred_and_another_login_stays():
    room, early, renewed = house()
    innocent = room.vault.status(JAR).backups[0].generation.id

    receipt = room.vault.replace(JAR, parsed("fresh", "fresh"))

    head = room.vault.status(JAR)
    assert receipt.revoked == (renewed.generation,)
    assert [item.generation.id for item in head.backups] == [innocent]
    with pytest.raises(LendRefused, match="revoked"):
        room.vault.restore(JAR, early.generation)
    with pytest.raises(LendRefused, match="revoked"):
        room.vault.outline(JAR, early.generation)
    with pytest.raises(WriteBackRefused):
        room.vault.write_back(early, jar_of("later", account="stolen"))


@pytest.mark.parametrize("way", ["import", "stage"])
def test_the_login_comes_back_by_no_way(way):
    room, *_ = house()
    room.vault.replace(JAR, parsed("fresh", "fresh"))
    take = room.vault.import_jar if way == "import" else room.vault.stage

    with pytest.raises(InputError, match="of a login that was revoked"):
        take(JAR, cookie_file("stolen", account="stolen"), confirmed=True)


@pytest.mark.parametrize("place", ["www.youtube.com\tFALSE\t/", ".youtube.com\tTRUE\t/x"])
@pytest.mark.parametrize("expiry", [FAR, 1000])
@pytest.mark.parametrize("when", ["before", "after"])
def test_further_rows_hide_no_login_that_is_barred(place, expiry, when):
    row = f"{place}\tTRUE\t{expiry}\tSAPISID\tstale\n".encode()
    plain, hidden = (cookie_file("stolen", account="stolen") + end for end in (b"", row))
    first, again = (plain, hidden) if when == "after" else (hidden, plain)
    room = Room()
    room.vault.import_jar(JAR, first)
    room.vault.replace(JAR, parsed("fresh", "fresh"))

    with pytest.raises(InputError, match="of a login that was revoked"):
        room.vault.import_jar(JAR, again, confirmed=True)


def test_what_was_renewed_meanwhile_is_barred_as_well():
    room = Room()
    room.vault.import_jar(JAR, cookie_file("stolen", account="stolen"))
    lent = room.vault.lend(JAR)

    def renew_at_the_last_moment(method, key):
        if method == "put_if_absent" and "heads/" in key:
            store.before = lambda *_: None
            room.vault.write_back(lent, jar_of("renewed", account="stolen"))

    store = FaultyStore(room.store, before=renew_at_the_last_moment)
    room.reopen(store).replace(JAR, parsed("fresh", "fresh"))

    head = room.vault.status(JAR)
    assert head.backups == ()
    assert len(head.slots.barred) == 1


def test_without_an_active_slot_the_last_active_login_is_meant():
    room, _, renewed = house()
    room.vault.revoke(JAR, renewed.generation)
    innocent = room.vault.status(JAR).backups[0].generation.id

    receipt = room.vault.replace(JAR, parsed("fresh", "fresh"))

    head = room.vault.status(JAR)
    assert receipt.revoked == ()
    assert [item.generation.id for item in head.backups] == [innocent]


def test_after_a_fail_over_the_login_that_it_retired_is_barred_as_well():
    room = Room()
    room.vault.import_jar(JAR, cookie_file("innocent", account="other"), confirmed=True)
    room.vault.import_jar(JAR, cookie_file("promoted", account="promoted"), confirmed=True)
    room.vault.import_jar(JAR, cookie_file("stolen", account="stolen"), confirmed=True)
    stolen = room.vault.status(JAR).active.generation.id
    room.vault.promote(JAR)
    promoted = room.vault.status(JAR).active.generation.id

    seen = room.vault.leaked(JAR)
    receipt = room.vault.replace(JAR, parsed("fresh", "fresh"))

    assert [item.generation.id for item in seen] == [stolen, promoted]
    assert set(receipt.revoked) == {stolen, promoted}
    assert [tag_of_backup(room)] == ["innocent"]
    for way in (cookie_file("again", account="stolen"), cookie_file("again", account="promoted")):
        with pytest.raises(InputError, match="of a login that was revoked"):
            room.vault.import_jar(JAR, way, confirmed=True)


def tag_of_backup(room):
    with room.vault.lend(JAR, Slot.BACKUP).open() as jar:
        return tag_of(jar)


def test_another_jar_that_holds_the_login_is_told():
    room = Room()
    room.vault.import_jar(JAR, cookie_file("stolen", account="stolen"))
    room.vault.import_jar("music", cookie_file("stolen", account="stolen"))
    room.vault.import_jar("innocent", cookie_file("innocent", account="innocent"))

    receipt = room.vault.replace(JAR, parsed("fresh", "fresh"))

    assert receipt.elsewhere == ("music",)


def test_a_failure_in_the_middle_says_so_and_the_next_try_harms_nobody():
    room, *_ = house()
    innocent = room.vault.status(JAR).backups[0].generation.id

    def fail_the_import(method, key):
        if method == "put_if_absent" and "generations/" in key:
            raise OSError("no answer")

    with pytest.raises(VaultError, match="the old login is revoked, the new cookies are not in"):
        failing(room, fail_the_import).replace(JAR, parsed("fresh", "fresh"))
    room.vault.replace(JAR, parsed("fresh", "fresh"))

    head = room.vault.status(JAR)
    assert [item.generation.id for item in head.backups] == [innocent]
    assert head.active is not None


def failing(room, before):
    from jarkeeper.errors import StoreError

    def told(method, key):
        try:
            before(method, key)
        except OSError:
            raise StoreError("store: no answer") from None

    return room.reopen(FaultyStore(room.store, before=told))


def test_a_revoked_login_is_barred_unless_another_slot_holds_it():
    room = Room()
    older, newer = room.fill("older", "newer")

    room.vault.revoke(JAR, older)
    one = room.vault.status(JAR).slots.barred
    room.vault.revoke(JAR, newer)

    assert one == ()
    assert len(room.vault.status(JAR).slots.barred) == 1


def confirm(room, generation, account):
    room.vault.probe(JAR, generation, lambda jar: Probed(alive=True, account=account, jar=jar))


@pytest.mark.parametrize("state", ["healthy", "dead"])
def test_a_stranger_takes_over_only_where_somebody_says_yes(state):
    room = Room()
    (mine,) = room.fill("mine")
    confirm(room, mine, "1001")
    if state == "dead":
        room.vault.mark(JAR, mine, SlotState.DEAD, reason="x")
    receipt = room.vault.stage(JAR, cookie_file("theirs", account="theirs"))
    confirm(room, receipt.generation, "2002")

    with pytest.raises(InputError, match="another account's"):
        room.vault.rotate(JAR)
    room.vault.rotate(JAR, confirmed=True)

    assert room.vault.status(JAR).active.generation.id == receipt.generation


def test_an_account_that_nobody_knows_takes_over_only_where_somebody_says_yes():
    room = Room()
    backup, mine = room.fill("backup", "mine")
    confirm(room, backup, "1001")
    room.vault.mark(JAR, mine, SlotState.DEAD, reason="x")
    receipt = room.vault.stage(JAR, cookie_file("whose", account="whose"))
    confirm(room, receipt.generation, None)

    with pytest.raises(InputError, match="no probe of both") as refused:
        room.vault.rotate(JAR)

    assert "validate" not in refused.value.hint  # it asks whose the active ones are: that is known
    assert "puts them away" in refused.value.hint


def test_the_same_login_needs_no_proof_of_its_account():
    room = Room()
    room.fill("mine")
    receipt = room.vault.stage(JAR, cookie_file("copy"))
    confirm(room, receipt.generation, None)

    room.vault.rotate(JAR)

    assert room.vault.status(JAR).active.generation.id == receipt.generation


def test_an_older_copy_of_a_login_that_works_is_not_staged():
    room = Room()
    (mine,) = room.fill("mine")
    confirm(room, mine, "1001")

    receipt = room.vault.stage(JAR, cookie_file("copy"))

    assert receipt.generation == mine
    assert room.vault.status(JAR).slots.pending is None


def test_a_newer_copy_of_a_login_that_works_is_staged():
    room = Room()
    (mine,) = room.fill("mine")
    confirm(room, mine, "1001")

    receipt = room.vault.stage(JAR, cookie_file("newer", expires=FAR + 86400))

    assert room.vault.status(JAR).slots.pending.generation.id == receipt.generation != mine


def test_an_expired_login_hides_and_pushes_out_no_good_one():
    room = Room(store=MemoryStore(), backup_count=1)
    soon = int((room.clock.now + timedelta(days=1)).timestamp())
    room.vault.import_jar(JAR, cookie_file("good"))
    room.vault.import_jar(JAR, cookie_file("short", expires=soon), confirmed=True)
    room.clock.advance(days=2)
    good = room.vault.status(JAR).backups[0].generation.id

    room.vault.import_jar(JAR, cookie_file("new"))

    assert [item.generation.id for item in room.vault.status(JAR).backups] == [good]
    assert room.vault.lend(JAR, Slot.BACKUP).generation == good


def test_a_loan_that_was_written_back_is_known_to_be_revoked():
    room, _, renewed = house()
    room.vault.write_back(room.vault.lend(JAR), jar_of("again", account="stolen"))

    room.vault.replace(JAR, parsed("fresh", "fresh"))

    slots = room.vault.status(JAR).slots
    assert slots.is_revoked(renewed.generation, renewed.facts.login)


def test_a_login_that_was_barred_before_replaces_no_good_one():
    room, *_ = house()
    room.vault.replace(JAR, parsed("fresh", "fresh"))
    before = room.vault.status(JAR)

    with pytest.raises(InputError, match="of a login that was revoked"):
        room.vault.replace(JAR, parsed("stolen", "stolen"))

    assert room.vault.status(JAR) == before
