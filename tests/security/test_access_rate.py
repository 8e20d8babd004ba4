"""The limit on opens holds over all processes, and fails closed."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from jarkeeper.errors import LendRefused
from jarkeeper.names import parse_permit_key
from jarkeeper.slots import Slot
from jarkeeper.stores.local import LocalStore
from jarkeeper.vault import Vault
from processes import PROCESSES, in_processes
from vaultkit import ACTOR, KEYS, SITES, START, FaultyStore, cookie_file

LIMIT = 25


def open_vault(place, *, store=None):
    return Vault.open(
        store or LocalStore(place / "vault"),
        KEYS,
        actor=ACTOR,
        clock=lambda: START,
        sites=SITES,
        backup_count=3,
        opens_per_hour=LIMIT,
    )


@pytest.fixture
def place(tmp_path):
    Vault.create(LocalStore(tmp_path / "vault"), KEYS, clock=lambda: START, actor=ACTOR)
    for tag in ("old", "new"):
        open_vault(tmp_path).import_jar("youtube", cookie_file(tag))
    return tmp_path


def opens(vault, *, tries, slot=Slot.ACTIVE):
    """Try to open the jar that often; yield how each try ended."""
    for _ in range(tries):
        try:
            yield vault.lend("youtube", slot).generation
        except LendRefused as refusal:
            yield refusal.reason


def test_eight_processes_at_once_open_a_jar_exactly_as_often_as_allowed(place):
    def work(number):
        slot = [Slot.ACTIVE, Slot.BACKUP][number % 2]
        return opens(open_vault(place), tries=8, slot=slot)

    answers = Counter(in_processes(work))

    vault = open_vault(place)
    outcomes = Counter(
        (event.outcome, event.detail)
        for event in vault.trail.read()
        if (event.action, event.phase) == ("lend", "outcome")
    )
    assert answers.pop("rate") == PROCESSES * 8 - LIMIT
    assert answers.total() == LIMIT
    assert outcomes == {("ok", ""): LIMIT, ("refused", "rate"): PROCESSES * 8 - LIMIT}
    assert vault.verify_trail().discrepancies == ()
    permits = map(parse_permit_key, vault.ports.store.list("opens/youtube/"))
    assert [number for _, _, number in permits] == list(range(1, LIMIT + 1))


def test_a_process_that_starts_again_gets_no_fresh_opens(place):
    assert "rate" not in in_child(lambda: opens(open_vault(place), tries=LIMIT))

    assert in_child(lambda: opens(open_vault(place), tries=3)) == ["rate"] * 3


def test_a_process_that_was_killed_with_a_permit_in_hand_has_used_it(place):
    child = os.fork()
    if child == 0:
        list(opens(open_vault(place), tries=LIMIT - 1))
        store = FaultyStore(LocalStore(place / "vault"), before=kill_at_the_envelope)
        list(opens(open_vault(place, store=store), tries=1))
        os._exit(1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    assert list(opens(open_vault(place), tries=1)) == ["rate"]


def in_child(work):
    """Return what `work` yields in a process of its own."""
    return in_processes(lambda number: work() if number == 0 else ())


def kill_at_the_envelope(method, key):
    if method == "get" and "/generations/" in key:
        os.kill(os.getpid(), signal.SIGKILL)
