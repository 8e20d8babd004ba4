"""Eight processes commit at once, on one local store, with one file of anchors."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from jarkeeper.anchors import FileAnchors
from jarkeeper.errors import Conflict, WriteBackRefused
from jarkeeper.slots import Slot, SlotState
from jarkeeper.stores.local import LocalStore
from jarkeeper.vault import Vault
from processes import PROCESSES, in_processes
from vaultkit import ACTOR, KEYS, SITES, cookie_file, jar_of, tag_of

ROUNDS = 12


def now():
    return datetime.now(UTC)


def open_vault(place):
    return Vault.open(
        LocalStore(place / "vault"),
        KEYS,
        actor=ACTOR,
        clock=now,
        sites=SITES,
        backup_count=3,
        anchors=(FileAnchors(place / "state"),),
    )


@pytest.fixture
def place(tmp_path):
    Vault.create(LocalStore(tmp_path / "vault"), KEYS, clock=now, actor=ACTOR)
    open_vault(tmp_path).import_jar("youtube", cookie_file("first"))
    return tmp_path


def test_no_import_of_eight_processes_is_lost(place):
    def work(vault, number):
        for turn in range(ROUNDS):
            try:
                receipt = vault.import_jar("youtube", cookie_file(f"p{number}t{turn}"))
            except Conflict:
                continue
            yield receipt.head_seq, receipt.generation

    acknowledged = in_processes(lambda number: work(open_vault(place), number))

    history = open_vault(place).history("youtube")
    became_active = {(head.seq, head.active.generation.id) for head in history[1:]}
    assert len(acknowledged) > PROCESSES * ROUNDS * 0.8
    assert became_active == {tuple(item) for item in acknowledged}
    assert len(history) == len(acknowledged) + 1
    for before, after in pairwise(history):
        assert after.backups == before.slots.records()[:3]


def test_commits_of_every_kind_at_once_happen_once_each(place):
    for tag in ("second", "third", "fourth"):
        open_vault(place).import_jar("youtube", cookie_file(tag))

    def work(vault, number):
        for turn in range(ROUNDS):
            head = vault.status("youtube")
            try:
                if number % 4 == 0:
                    receipt = vault.import_jar("youtube", cookie_file(f"p{number}t{turn}"))
                elif number % 4 == 1:
                    receipt = vault.promote("youtube")
                elif number % 4 == 2:
                    state = [SlotState.SUSPECT, SlotState.HEALTHY][turn % 2]
                    receipt = vault.mark("youtube", head.active.generation.id, state)
                else:
                    lent = vault.lend("youtube", Slot.ACTIVE)
                    receipt = vault.write_back(lent, jar_of(f"p{number}t{turn}"))
            except (Conflict, WriteBackRefused):
                continue
            yield receipt.head_seq, receipt.action

    acknowledged = in_processes(lambda number: work(open_vault(place), number))

    vault = open_vault(place)
    actions = {head.seq: head.action for head in vault.history("youtube")}
    # A mark that finds its state already set is acknowledged with the head that says so.
    writes = [tuple(item) for item in acknowledged if item[1] != "mark"]
    assert Counter(writes).most_common(1)[0][1] == 1
    assert all(actions[seq] == action for seq, action in writes)
    others = {seq for seq, action in actions.items() if action != "mark" and seq > 4}
    assert others == {seq for seq, _ in writes}
    for slot in Slot:
        with vault.lend("youtube", slot).open() as jar:
            assert tag_of(jar)
    assert {item.code for item in vault.check() if item.severity != "ok"} <= {"view-repaired"}


def test_of_many_write_backs_of_one_loan_exactly_one_is_kept(place):
    lent = open_vault(place).lend("youtube")

    def work(vault, number):
        try:
            yield "kept", vault.write_back(lent, jar_of(f"p{number}")).generation
        except WriteBackRefused as error:
            yield "refused", error.reason

    answers = in_processes(lambda number: work(open_vault(place), number))

    vault = open_vault(place)
    assert Counter(answer for answer, _ in answers) == {"kept": 1, "refused": PROCESSES - 1}
    assert {reason for answer, reason in answers if answer == "refused"} <= {
        "not_current",
        "conflict",
    }
    assert ["kept", vault.status("youtube").active.generation.id] in answers
    assert vault.status("youtube").seq == 2
    assert vault.verify_trail().discrepancies == ()
