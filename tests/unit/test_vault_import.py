from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from jarkeeper.errors import (
    AuditUnavailable,
    ConfirmationNeeded,
    Conflict,
    IntegrityError,
    ObjectDenied,
    StoreError,
)
from jarkeeper.facts import JarFacts, Probed, facts_from_json, facts_to_json
from jarkeeper.jar import Form, read_export
from jarkeeper.slots import Slot, SlotState
from vaultkit import (
    CANARY,
    FAR,
    SITES,
    Always,
    FaultyStore,
    Once,
    Room,
    assert_no_canary,
    cookie_file,
    jar_of,
    lent_tag,
    tag_of,
)

HOUR = 3600
NO_LOGIN = ("SOCS", "VISITOR_INFO1_LIVE")


def probed(tag="new", *, alive=True, account="1001", **options):
    return Probed(alive=alive, account=account if alive else None, jar=jar_of(tag, **options))


def renewed(tag, *, name, expires):
    """Return a file in which one cookie has another expiry than the others."""
    lines = cookie_file(tag).decode().splitlines(keepends=True)
    return "".join(
        line.replace(str(FAR), str(expires)) if f"\t{name}\t" in line else line for line in lines
    ).encode()


def header(tag):
    pairs = [f"{cookie.name}={cookie.value}" for cookie in jar_of(tag).cookies]
    return f"Cookie: {'; '.join(pairs)}".encode()


CASES = {
    "newer": (cookie_file("new"), ()),
    "no login": (cookie_file("new", names=NO_LOGIN), ("no_login",)),
    "rotated away": (cookie_file("new", names=("SAPISID", "SID")), ("no_login",)),
    "expired": (cookie_file("new", expires=1_000_000), ("no_login", "older")),
    "ends earlier": (cookie_file("new", expires=FAR - HOUR), ("older",)),
    "rounded otherwise": (cookie_file("new", expires=FAR - 1), ()),
    "ends later": (cookie_file("new", expires=FAR + HOUR), ()),
    "one ends earlier": (renewed("new", name="LOGIN_INFO", expires=FAR - HOUR), ("older",)),
    "another cookie ends earlier": (renewed("new", name="PREF", expires=FAR - HOUR), ()),
    "one earlier, one later": (
        renewed("new", name="SID", expires=FAR - HOUR).replace(
            f"{FAR}\tHSID".encode(), f"{FAR + HOUR}\tHSID".encode()
        ),
        (),
    ),
    "one of unknown end": (renewed("new", name="LOGIN_INFO", expires=0), ()),
    "header": (header("new"), ()),
    "other": (cookie_file("new", account="other"), ("another_account",)),
    "other, ends later": (
        cookie_file("new", account="other", expires=FAR + HOUR),
        ("another_account",),
    ),
    "other, ends earlier": (
        cookie_file("new", account="other", expires=FAR - HOUR),
        ("older", "another_account"),
    ),
    "other, of unknown end": (cookie_file("new", account="other", expires=0), ("another_account",)),
    "other, no login": (cookie_file("new", account="other", names=NO_LOGIN), ("no_login",)),
}


@pytest.mark.parametrize(("content", "reasons"), CASES.values(), ids=CASES.keys())
def test_an_import_that_may_be_a_mistake_needs_a_yes_and_changes_nothing(content, reasons):
    room = Room()
    room.fill("one")
    before = room.vault.status("youtube")

    if not reasons:
        assert room.vault.import_jar("youtube", content).head_seq == 2
        return
    with pytest.raises(ConfirmationNeeded) as caught:
        room.vault.import_jar("youtube", content)

    assert caught.value.reasons == reasons
    assert len(caught.value.sentences) == len(reasons)
    assert "`--yes`" in caught.value.hint
    assert room.vault.status("youtube") == before
    assert room.events()[-1] == ("import", "outcome", "refused", "unconfirmed")
    assert room.vault.import_jar("youtube", content, confirmed=True).head_seq == 2


def test_cookies_that_are_dead_are_replaced_without_a_question():
    room = Room()
    (one,) = room.fill("one")
    room.vault.mark("youtube", one, SlotState.DEAD)

    receipt = room.vault.import_jar("youtube", cookie_file("new", account="other", expires=5))

    assert receipt.head_seq == 3


def test_cookies_that_expired_are_replaced_without_a_question():
    room = Room()
    room.fill("one")
    room.clock.advance(days=400)

    assert room.vault.import_jar("youtube", cookie_file("new", account="other")).head_seq == 2


@pytest.mark.parametrize("state", [SlotState.HEALTHY, SlotState.DEAD])
def test_two_logins_of_one_account_are_told_by_their_probes(state):
    room = Room()
    first = room.vault.import_jar("youtube", cookie_file("one"), probed=probed("one"))
    room.vault.mark("youtube", first.generation, state)
    other = probed("new", account="1001")
    other = replace(other, jar=jar_of("new", account="other"))

    receipt = room.vault.import_jar("youtube", cookie_file("new", account="other"), probed=other)

    assert receipt.facts.account == first.facts.account != ""
    assert lent_tag(room.vault) == "new"


@pytest.mark.parametrize("state", [SlotState.HEALTHY, SlotState.DEAD])
def test_two_accounts_that_probes_tell_apart_need_a_yes_even_over_a_dead_login(state):
    room = Room()
    first = room.vault.import_jar("youtube", cookie_file("one"), probed=probed("one"))
    room.vault.mark("youtube", first.generation, state)
    stranger = Probed(alive=True, account="1002", jar=jar_of("new", account="other"))
    before = room.vault.status("youtube")

    with pytest.raises(ConfirmationNeeded) as caught:
        room.vault.import_jar("youtube", cookie_file("new", account="other"), probed=stranger)

    assert caught.value.reasons == ("another_account",)
    assert room.vault.status("youtube") == before


def test_one_probe_alone_proves_nothing_about_two_logins():
    room = Room()
    room.fill("one")

    with pytest.raises(ConfirmationNeeded) as caught:
        room.vault.import_jar(
            "youtube",
            cookie_file("new", account="other"),
            probed=Probed(alive=True, account="1001", jar=jar_of("new", account="other")),
        )

    assert caught.value.reasons == ("another_account",)


def test_a_login_that_a_probe_found_signed_out_needs_a_yes():
    room = Room()
    room.fill("one")

    with pytest.raises(ConfirmationNeeded, match="visitor") as caught:
        room.vault.import_jar("youtube", cookie_file("new"), probed=probed(alive=False))

    assert caught.value.reasons == ("no_login",)


def test_what_a_probe_renewed_is_what_is_stored():
    room = Room()

    room.vault.import_jar("youtube", cookie_file("exported"), probed=probed("renewed"))

    assert lent_tag(room.vault) == "renewed"


def test_the_first_import_asks_nothing_whatever_it_is():
    assert Room().vault.import_jar("youtube", cookie_file("one", names=NO_LOGIN)).head_seq == 1


def test_an_active_jar_that_cannot_be_opened_keeps_nobody_from_replacing_it():
    room = Room()
    (one,) = room.fill("one")
    room.store.delete(f"cookies/youtube/generations/{one}")

    receipt = room.vault.import_jar("youtube", cookie_file("new", account="other"))

    assert receipt.head_seq == 2
    assert any("not compared with the active cookies" in item for item in receipt.warnings)


def test_the_active_jar_is_opened_for_a_comparison_only_with_an_intent_on_record():
    room = Room()
    room.fill("one")
    opened = []

    def watch(method, key):
        if method == "put_if_absent" and "audit/" in key:
            raise StoreError("full")
        if method == "get" and "/generations/" in key:
            opened.append(key)

    with pytest.raises(AuditUnavailable):
        room.reopen(FaultyStore(room.store, before=watch)).import_jar("youtube", cookie_file("new"))

    assert opened == []


def test_an_export_that_was_read_already_is_taken_in_as_it_is():
    room = Room()
    parsed = read_export(header("one"), sites=SITES)

    receipt = room.vault.import_jar("youtube", parsed)

    assert parsed.form is Form.HEADER
    assert receipt.warnings == parsed.warnings
    with room.vault.lend("youtube").open() as jar:
        assert jar == parsed.jar


def test_a_write_back_of_the_same_login_keeps_the_account():
    room = Room()
    first = room.vault.import_jar("youtube", cookie_file("one"), probed=probed("one"))

    kept = room.vault.write_back(room.vault.lend("youtube"), jar_of("fresh"))

    assert kept.lent.facts.account == first.facts.account
    active = room.vault.status("youtube").active.generation
    assert (active.id, active.facts.account) == (kept.generation, first.facts.account)


def test_a_newer_export_of_the_same_login_keeps_the_account():
    room = Room()
    first = room.vault.import_jar("youtube", cookie_file("one"), probed=probed("one"))

    same = room.vault.import_jar("youtube", cookie_file("new"))
    other = room.vault.import_jar("youtube", cookie_file("x", account="other"), confirmed=True)

    assert same.facts.account == first.facts.account
    assert other.facts.account == ""


def test_the_account_is_kept_as_a_digest_that_another_vaults_key_makes_otherwise():
    room = Room()

    number = "100200300400500600700"  # four digits may stand in any id by chance

    account = room.vault.import_jar(
        "youtube", cookie_file("one"), probed=probed("one", account=number)
    ).facts.account

    assert len(account) == 16
    assert number not in json.dumps(room.vault.metadata())
    everything = b"".join(room.store.objects.values())
    assert number.encode() not in everything


@pytest.mark.parametrize("account", ["", "0123456789abcdef"])
def test_facts_with_and_without_an_account_survive_json(account):
    facts = JarFacts(3, 0, FAR, 0, signed_out=False, foreign=(), account=account)

    document = facts_to_json(facts)

    assert ("account" in document) == bool(account)
    assert facts_from_json(json.loads(json.dumps(document))) == facts


@pytest.mark.parametrize("account", ["short", "0123456789ABCDEF", 1, True, None, ["x"], "f" * 17])
def test_facts_with_an_account_of_another_shape_are_refused(account):
    facts = facts_to_json(JarFacts(3, 0, FAR, 0, signed_out=False, foreign=()))

    with pytest.raises(IntegrityError, match="account"):
        facts_from_json(facts | {"account": account})


def test_nothing_that_is_said_of_a_doubtful_import_holds_a_cookie():
    room = Room()
    room.fill("one")

    with pytest.raises(ConfirmationNeeded) as caught:
        room.vault.import_jar("youtube", cookie_file("new", account="other", expires=5))

    error = caught.value
    assert CANARY in cookie_file("new").decode()
    assert_no_canary(
        error, error.sentences, error.hint, error.reasons, *room.store.objects.values()
    )
    assert_no_canary(repr(probed()), tag_of(jar_of("new")), list(room.vault.trail.read()))


def test_a_rival_that_was_faster_stays_as_the_backup():
    room = Room()
    room.fill("one")
    left = [1]

    def fault(method, key):
        if method == "put_if_absent" and "/heads/" in key and left:
            left.pop()
            room.fill("rival")

    room.reopen(FaultyStore(room.store, before=fault)).import_jar("youtube", cookie_file("new"))

    assert [lent_tag(room.vault, slot) for slot in Slot] == ["new", "rival"]


def test_cookies_that_rest_are_not_replaced_without_a_question():
    room = Room()
    (one,) = room.fill("one")
    until = room.clock.now + timedelta(hours=1)
    room.vault.mark("youtube", one, SlotState.COOLING, until=until)

    with pytest.raises(ConfirmationNeeded) as caught:
        room.vault.import_jar("youtube", cookie_file("new", account="other", expires=5))

    assert "no_login" in caught.value.reasons
    assert room.vault.status("youtube").seq == 2


def test_doubts_are_judged_again_where_another_import_was_faster():
    room = Room()
    rival = room.reopen()
    slow = Once(Conflict("too late"), part="/heads/")

    def faster(method, key):
        if slow.left == 1 and method == "put_if_absent" and "/heads/" in key:
            slow.left = 0
            rival.import_jar("youtube", cookie_file("login"))

    with pytest.raises(ConfirmationNeeded) as caught:
        room.reopen(FaultyStore(room.store, before=faster)).import_jar(
            "youtube", cookie_file("visitor", names=NO_LOGIN)
        )

    assert caught.value.reasons == ("no_login",)
    assert lent_tag(room.vault) == "login"


@pytest.mark.parametrize("error", [StoreError("away"), ObjectDenied("denied")])
def test_what_cannot_be_compared_just_now_needs_a_yes(error):
    room = Room()
    (one,) = room.fill("one")
    fault = Always(error, method="get", part=f"/generations/{one}")
    vault = room.reopen(FaultyStore(room.store, before=fault))

    with pytest.raises(ConfirmationNeeded) as caught:
        vault.import_jar("youtube", cookie_file("new"))

    assert caught.value.reasons == ("not_compared",)
    assert vault.import_jar("youtube", cookie_file("new"), confirmed=True).head_seq == 2


def test_what_is_a_backup_already_needs_a_yes_to_become_active_again():
    room = Room()
    room.fill("one", "two")

    with pytest.raises(ConfirmationNeeded) as caught:
        room.vault.import_jar("youtube", cookie_file("one"))

    assert caught.value.reasons == ("older",)
    assert "a backup already" in caught.value.sentences[0]
    assert lent_tag(room.vault) == "two"


def test_a_login_that_a_probe_found_signed_out_comes_in_dead():
    room = Room()
    room.fill("one")

    room.vault.import_jar(
        "youtube", cookie_file("two"), confirmed=True, probed=probed("two", alive=False)
    )

    head = room.vault.status("youtube")
    assert (head.active.state, head.active.reason) == (SlotState.DEAD, "probe")
    assert head.backups[0].state is SlotState.HEALTHY


@pytest.mark.parametrize(
    ("before", "now", "helps"),
    [(True, False, True), (False, False, False), (False, True, False), (True, True, False)],
)
def test_the_probe_is_named_where_it_can_settle_the_doubt(before, now, helps):
    room = Room()
    room.vault.import_jar("youtube", cookie_file("one"), probed=probed("one") if before else None)
    stranger = Probed(alive=True, account="1002", jar=jar_of("new", account="other"))

    with pytest.raises(ConfirmationNeeded) as caught:
        room.vault.import_jar(
            "youtube", cookie_file("new", account="other"), probed=stranger if now else None
        )

    assert caught.value.reasons == ("another_account",)
    assert ("--probe" in caught.value.hint) is helps
