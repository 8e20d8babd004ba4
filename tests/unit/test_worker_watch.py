from __future__ import annotations

import os
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from jarkeeper.settings import Settings
from jarkeeper.vault import BoundVault, Capability
from jarkeeper.youtube import service
from jarkeeper.youtube.messages import Start
from jarkeeper.youtube.session import REVOKED_EXIT
from vaultkit import Room

SETTINGS = Settings(vault=Path("/none"), key_file=Path("/none"), state_dir=Path("/none"))


class Ended(Exception):
    """Instead of the end of this process: the thread ends."""


class Stuck:
    """A store that answers, until it hangs."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.hangs = threading.Event()
        self.released = threading.Event()

    def __getattr__(self, method):
        if self.hangs.is_set():
            self.released.wait(20)
        return getattr(self._inner, method)


class Watched:
    """A worker's inside whose end is told, and the vault that it uses."""

    def __init__(self, staging: Path) -> None:
        self.room = Room()
        self.room.fill("old", "stolen")
        self.stuck = Stuck(self.room.store)
        until = self.room.clock.now + timedelta(hours=1)
        vault = self.room.reopen(self.stuck)
        bound = BoundVault(vault, Capability("youtube", 2, until))
        start = Start("youtube", 2, until.isoformat(), False, str(staging), "best", 2, "test")
        self.service = service.Service(
            lambda: bound, settings=SETTINGS, start=start, send=lambda _: None, fail=print
        )
        self.codes: list[int] = []
        self.ended = threading.Event()

    def end(self, code: int) -> None:
        self.codes.append(code)
        self.ended.set()
        raise Ended

    def start(self) -> None:
        def run(task) -> None:
            with suppress(Ended):
                task()

        tasks = (self.service._watch, self.service._limit)
        self.threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        """End what still watches, before the end of a process is a real one again."""

        def nothing_left():
            raise Ended

        self.stuck.released.set()
        self.service._held = nothing_left
        self.service._record_ends = lambda: None
        self.service._asked_at = -1e9
        for thread in self.threads:
            thread.join()


@pytest.fixture
def watched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    watched = Watched(tmp_path)
    monkeypatch.setattr(os, "_exit", watched.end)
    for name, seconds in (("WATCH_SECONDS", 0.05), ("UNASKED_SECONDS", 1.0)):
        monkeypatch.setattr(service, name, seconds)
    monkeypatch.setattr(service, "RECORD_SECONDS", 0.2)
    yield watched
    watched.close()


def test_a_loan_that_was_exchanged_is_watched_while_a_video_uses_it(watched):
    long_video = watched.service._loan("active")
    watched.room.fill("fresh")
    long_video.is_stale = True
    watched.service._loan("active")
    watched.room.vault.revoke("youtube", long_video.generation)

    watched.start()

    assert watched.ended.wait(5)
    assert watched.codes[0] == REVOKED_EXIT


def test_a_loan_that_nobody_has_any_more_ends_no_worker(watched):
    first = watched.service._loan("active")
    stolen = first.generation
    watched.room.fill("fresh")
    first.is_stale = True
    watched.service._loan("active")
    del first
    watched.room.vault.revoke("youtube", stolen)

    watched.start()

    assert not watched.ended.wait(0.6)


def test_a_worker_whose_store_hangs_ends_all_the_same(watched):
    watched.service._loan("active")
    watched.start()
    assert not watched.ended.wait(1.5)

    watched.stuck.hangs.set()

    assert watched.ended.wait(5)


def test_a_loan_under_way_from_a_slow_store_keeps_the_watch_from_nothing(watched, monkeypatch):
    monkeypatch.setattr(service, "UNASKED_SECONDS", 600.0)
    loan = watched.service._loan("active")
    watched.start()

    with watched.service._lock, loan._lock:
        watched.room.vault.revoke("youtube", loan.generation)
        assert watched.ended.wait(5)
