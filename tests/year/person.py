"""The operator: hears alerts, sleeps on them, and answers with an export that is mostly right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Protocol

from jarkeeper.errors import ConfirmationNeeded, JarkeeperError
from jarkeeper.jar import read_export
from jarkeeper.stores import Store
from jarkeeper.vault import Vault
from standin.sessions import Session, cookies_txt
from vaultkit import SITES
from year.youtube import Visit, YouTube

OTHER_ACCOUNT = "999999999999999999999"


class World(Protocol):
    """What an operator can do besides importing."""

    def log_in(self, account: str | None = None) -> Session:
        """Log in with a browser."""

    def later(self, after: timedelta, what: Callable[[], None], name: str) -> None:
        """Do something after a while."""

    def process(self, name: str, work: Callable[[Vault], object]) -> bool:
        """Run a command; whether it went well."""

    def act(self, text: str) -> None:
        """Do something that may move states."""

    def tell(self, text: str) -> None:
        """Add to the story."""


@dataclass
class Person:
    """One operator with a browser, a drop and a vault."""

    chance: Random
    world: World
    youtube: YouTube
    drop: Store
    jar: str
    is_needed: Callable[[], bool]
    """Whether the trouble that they heard of still goes on, by `jarkeeper status`."""
    old_exports: list[bytes] = field(default_factory=list)
    is_busy: bool = False
    acts: int = 0

    def hear(self, title: str) -> None:
        """An alert arrived: it is answered after 1 to 30 hours, unless one is being answered."""
        if self.is_busy:
            return
        self.is_busy = True
        hours = self.chance.uniform(1, 30)
        self.world.later(timedelta(hours=hours), self._answer, f"answers '{title}'")

    def rotate(self) -> None:
        """Renew the login without being asked, by a drop."""
        self._drop(self._export(self.world.log_in()), "fresh")

    def import_fresh(self) -> bool:
        """Import a new login after a probe, as the documents advise."""
        return self._import(self._export(self.world.log_in()), "fresh", confirmed=True)

    def _answer(self) -> None:
        self.is_busy = False
        if not self.is_needed():
            self.world.tell("nothing to do any more")
            return
        self.acts += 1
        done = self._act(self.chance.random())
        if not done:
            self.is_busy = True
            again = timedelta(hours=self.chance.uniform(0.2, 12))
            self.world.later(again, self._answer, "looks again")

    def _act(self, roll: float) -> bool:
        """Whether it looks right to them."""
        self.drop.delete(f"{self.jar}.txt")
        if roll < 0.1 and self.old_exports:
            return self._import(self.chance.choice(self.old_exports), "stale", confirmed=False)
        if roll < 0.16 and self.old_exports:
            self._drop(self.chance.choice(self.old_exports), "stale")
            return False
        if roll < 0.22:
            export = cookies_txt(self.world.log_in(OTHER_ACCOUNT)).encode()
            if self.chance.random() < 0.5:
                self._drop(export, "another account's")
                return False
            return self._import(export, "another account's", confirmed=False)
        if roll < 0.28:
            self._drop(b"<html>not a cookie file</html>", "broken")
            return False
        export = self._export(self.world.log_in())
        if roll < 0.6:
            self._drop(export, "fresh")
            return False
        return self._import(export, "fresh", confirmed=True)

    def _export(self, session: Session) -> bytes:
        export = cookies_txt(session).encode()
        self.old_exports.append(export)
        return export

    def _drop(self, export: bytes, kind: str) -> None:
        self.world.act(f"drops a {kind} export")
        self.drop.put(f"{self.jar}.txt", export)

    def _import(self, export: bytes, kind: str, *, confirmed: bool) -> bool:
        def work(vault: Vault) -> None:
            parsed = read_export(export, sites=SITES)
            try:
                probed = self.youtube.probe(parsed.jar, Visit(self, None))
            except JarkeeperError:
                probed = None  # left out, as the hint says
            if probed is not None and not probed.alive and not confirmed:
                self.world.tell("sees that nobody is logged in by it")
                raise ConfirmationNeeded(("signed out",), reasons=(), hint="")
            if probed is not None and not probed.alive:
                probed = None  # a glitch: it was made a minute ago
            vault.import_jar(self.jar, export, confirmed=confirmed, probed=probed)

        self.world.act(f"imports a {kind} export")
        return self.world.process(f"import {kind}", work)
