"""Incidents and alerts of a year: the real journal and delivery, and a channel that counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jarkeeper.alerts import Plan, deliver
from jarkeeper.alerts.plan import default_steps
from jarkeeper.alerts.words import Message
from jarkeeper.incidents import Cause, Condition, Journal, NoticeKind, Scope, scope_of
from jarkeeper.incidents.rules import REOPEN_MINUTES
from jarkeeper.lifecycle.conditions import conditions_of, conditions_of_rotation, scope_of_jar
from jarkeeper.lifecycle.rotation import Rotation
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_journal
from vaultkit import START
from year.ledger import Broken
from year.runs import SETTINGS

if TYPE_CHECKING:
    from year.life import Life

NOT_FOR_PEOPLE = frozenset({Cause.YOUTUBE_PAUSE, Cause.SESSION_SUSPECT, Cause.LIFETIME})
"""What this person waits out: they import for anything else."""
AGAIN = timedelta(minutes=REOPEN_MINUTES)
STEPS = default_steps(("operator",))


@dataclass
class Post:
    """A channel that keeps what it was given."""

    recipient: str = "operator"
    label: str = "operator"
    kind: str = "post"
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each incident was told in each kind."""
    fresh: list[Message] = field(default_factory=list)
    shaky: set[str] = field(default_factory=set)
    """Incidents told by a process that then failed: they may be told once more."""

    def send(self, message: Message) -> None:
        self.fresh.append(message)
        self.sent[message.document["incident"], message.document["kind"]] += 1


class Watch:
    """Puts on record what an examination found, and lets the operator hear of it."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._plan = Plan({"operator": ("json://localhost",)}, STEPS)
        self.post = Post()

    def validated(self, vault: Vault, note: str = "") -> None:
        """After a validation."""
        head = vault.status(self._life.jar)
        assert head is not None
        now = self._life.clock.now
        found = conditions_of(head, now=now, settings=SETTINGS)
        self._examined(vault, found, scope_of_jar(self._life.jar))

    def rotated(self, vault: Vault, done: Rotation) -> None:
        """After the steps of a rotation."""
        scope = scope_of((Cause.DROP_REFUSED,), self._life.jar)
        self._examined(vault, conditions_of_rotation(done), scope)

    def wants_import(self) -> bool:
        """Whether something goes on that an operator answers with fresh cookies."""
        return any(one.cause not in NOT_FOR_PEOPLE for one in self._journal().open())

    def hand_out(self, *, struck: bool) -> None:
        """The process ended: what it sent arrives."""
        for message in self.post.fresh:
            about = message.document
            self._life.tell(message.title)
            if struck:
                self.post.shaky.add(about["incident"])
            if about["kind"] != NoticeKind.CLOSED and about["cause"] not in NOT_FOR_PEOPLE:
                self._life.person.hear(message.title)
        self.post.fresh.clear()
        for (incident, kind), times in self.post.sent.items():
            allowed = len(STEPS) - 1 if kind == NoticeKind.ESCALATED else 1
            if times > allowed + (incident in self.post.shaky):
                raise Broken(f"incident {incident[:8]} was told {times} times as {kind}")

    def end(self) -> None:
        """Check what stands after a healthy stretch: all was told, and all is closed."""
        journal = self._journal()
        # How long a login will live is a guess, and may be wrong of one that was just made.
        if left := [one for one in journal.open() if one.cause is not Cause.LIFETIME]:
            raise Broken(f"still open: {[(one.cause.value, one.message) for one in left]}")
        ended: dict[Cause, datetime] = {}
        for one in journal.look_back().incidents:
            if one.opened_at - ended.get(one.cause, START) < AGAIN and one.cause in ended:
                raise Broken(f"{one.cause} was told as another incident though it just closed")
            if one.closed_at is not None:
                ended[one.cause] = one.closed_at
            told = self.post.sent[one.id, NoticeKind.OPENED]
            over = self.post.sent[one.id, NoticeKind.CLOSED]
            if not told and over and self._life.counts["faults"]:
                # Who opened it died before it told: then its end is all that is told.
                self._life.counts["told of the end alone"] += 1
            elif not told:
                raise Broken(f"nobody was told of {one.cause}: {one.message}")
            if not (over or one.is_open):
                raise Broken(f"nobody was told that {one.cause} is over: {one.message}")
            self._life.counts[f"incident {one.cause}"] += 1

    def _journal(self) -> Journal:
        return open_journal(SETTINGS, self._life.room.vault)

    def _examined(self, vault: Vault, found: Iterable[Condition], scope: Scope) -> None:
        journal = open_journal(SETTINGS, vault)
        journal.reconcile(found, scope=scope)
        deliver(journal, self._plan, (self.post,), place="here", now=self._life.clock.now)
