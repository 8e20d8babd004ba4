"""The processes of `faulty_history.py`: each opens the vault for itself, and notes what it does."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import faulty_bugs
import jarkeeper.aws.clients
from jarkeeper.anchors import FileAnchors
from jarkeeper.audit import Actor, Phase
from jarkeeper.errors import (
    Conflict,
    InputError,
    IntegrityError,
    JarkeeperError,
    LendRefused,
    NotFound,
    StoreUnknown,
    WriteBackRefused,
)
from jarkeeper.heads import write_head
from jarkeeper.limits import LIMITS
from jarkeeper.records import digest, write_time
from jarkeeper.settings import Settings
from jarkeeper.slots import Slot, SlotState
from jarkeeper.vault import Vault
from jarkeeper.vault.root import open_root
from jarkeeper.wiring import open_key, open_store, reopener
from linearizability import Operation
from vaultkit import SITES, cookie_file, jar_of, tag_of

JAR = "youtube"
PROCESSES = 16
"""Half of them write, half of them read."""
OPERATIONS = (20, 13)
"""Of each reader and each writer, which needs more time for one."""
FOUNDER = PROCESSES
RESIDUES = 32
"""Microseconds that tell whose clock made a time; a second holds a whole number of them."""
READ_SECONDS = 0.6
WRITES = {"import": 3, "write-back": 4, "promote": 2, "restore": 2, "revoke": 2, "mark": 3}
READS = {"status": 5, "lend": 4, "history": 1}
ENDS: tuple[tuple[type[Exception], str], ...] = (
    (Conflict, "conflict"),
    (LendRefused, "refused"),
    (WriteBackRefused, "refused"),
    (NotFound, "refused"),
    (InputError, "refused"),
    (StoreUnknown, "unknown"),
    (IntegrityError, "damage"),  # nothing was damaged
    (JarkeeperError, "failed"),
)


class Clock:
    """The time, with a mark of whose clock it was; never the same time twice."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._last = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // RESIDUES * RESIDUES + self._number)
        self._last = max(now, self._last + timedelta(microseconds=RESIDUES))
        return self._last

    @staticmethod
    def maker(at: datetime, operations: Iterable[Noted]) -> str:
        """Return which operation took that time from its clock."""
        number = at.microsecond % RESIDUES
        text = write_time(at)
        return next(
            (
                item.id
                for item in operations
                if item.number == number and item.began_at < text < item.ended_at
            ),
            "",
        )


@dataclass(frozen=True, slots=True)
class Noted(Operation):
    """An operation, with whose clock it had and what that said."""

    number: int = 0
    began_at: str = ""
    ended_at: str = ""


@dataclass
class User:
    """Uses one vault, and notes each operation."""

    vault: Vault
    number: int
    clock: Clock
    heard: list[Any]
    notes: list[Noted] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def did(self, kind: str, call: Callable[[], Any], **told: str) -> Any:
        """Do it, note it, and return what came of it, None where it failed."""
        self.heard.clear()
        began_at, began = write_time(self.clock()), time.monotonic()
        answer, result = None, "ok"
        try:
            answer = call()
        except Exception as error:
            result = next((word for kind, word in ENDS if isinstance(error, kind)), "mistake")
            told["error"] = repr(error)
        ended, ended_at = time.monotonic(), write_time(self.clock())
        note = Noted(
            id=f"p{self.number}o{len(self.notes)}",
            kind=kind,
            began=began,
            ended=ended,
            result=result,
            intent=next(
                (
                    item.access
                    for item in self.heard
                    if item.phase is Phase.INTENT and item.action == kind
                ),
                "",
            ),
            number=self.number,
            began_at=began_at,
            ended_at=ended_at,
            **told,
        )
        self.notes.append(note if answer is None else replace(note, **self.facts(kind, answer)))
        return answer

    def facts(self, kind: str, answer: Any) -> dict[str, Any]:
        """Return what an answer tells."""
        if kind == "status":
            return {"seq": answer.seq, "digest": self.digest(answer), "at": write_time(answer.at)}
        if kind == "history":
            past = tuple(map(self.digest, answer))
            return {"seq": answer[-1].seq, "digest": past[-1], "past": past}
        self.seen.append(answer.generation)
        facts = {"seq": answer.head_seq, "generation": answer.generation or ""}
        if kind == "lend":
            with answer.open() as jar:
                return facts | {"tag": tag_of(jar)}
        return facts | {"at": write_time(answer.at)}

    def digest(self, head: Any) -> str:
        """Return the digest of the bytes that this head has."""
        return digest(write_head(head, key=self.vault.ports.head_key))

    def read(self, kind: str) -> None:
        """Look at the vault in one of three ways."""
        if kind == "status":
            self.did(kind, lambda: self.vault.status(JAR))
        elif kind == "history":
            self.did(kind, lambda: self.vault.history(JAR))
        else:
            slot = random.choice(list(Slot))
            self.did(kind, lambda: self.vault.lend(JAR, slot))

    def write(self, kind: str) -> None:
        """Change the vault in one of six ways."""
        vault, tag = self.vault, f"p{self.number}t{len(self.notes)}"
        if kind == "import":
            self.did(kind, lambda: vault.import_jar(JAR, cookie_file(tag)), tag=tag)
        elif kind == "promote":
            self.did(kind, lambda: vault.promote(JAR))
        elif kind == "restore" and self.seen:
            generation = random.choice(self.seen[-8:])
            self.did(kind, lambda: vault.restore(JAR, generation), generation=generation)
        elif kind == "write-back":
            slot = random.choice(list(Slot))
            if lent := self.did("lend", lambda: vault.lend(JAR, slot)):
                self.did(kind, lambda: vault.write_back(lent, jar_of(tag)), tag=tag)
        elif head := self.did("status", lambda: vault.status(JAR)):
            records = head.slots.records()
            if kind == "revoke" and len(records) > 1:
                generation = records[-1].generation.id
                self.did(kind, lambda: vault.revoke(JAR, generation), generation=generation)
            elif records:
                generation = random.choice(records).generation.id
                state = random.choice([SlotState.SUSPECT, SlotState.HEALTHY])
                self.did(
                    "mark",
                    lambda: vault.mark(JAR, generation, state),
                    generation=generation,
                    state=str(state),
                )


def user_of(settings: Settings, clock: Clock, *, number: int = FOUNDER, bug: str = "") -> User:
    """Return a user whose vault is open."""
    heard: list[Any] = []
    store = faulty_bugs.seeded(open_store(settings), bug)
    vault = Vault.open(
        store,
        open_root(store, open_key(settings), reopen=reopener(settings)),
        actor=Actor(f"user{number}"),
        clock=clock,
        sites=SITES,
        backup_count=3,
        opens_per_hour=LIMITS.opens_per_hour_max,
        anchors=(FileAnchors(settings.state_dir),),
        listener=heard.append,
    )
    return User(vault, number, clock, heard)


def founded(settings: Settings) -> list[Noted]:
    """Give a new vault a jar and all its backups; return what was done."""
    user = user_of(settings, Clock(FOUNDER))
    for _ in range(4):
        user.write("import")
    return user.notes


def serve(pipe: Any, others: Iterable[Any], number: int, bug: str) -> None:
    """Use one vault after the other, each until enough was done, as long as somebody asks."""
    for other in others:
        other.close()
    jarkeeper.aws.clients.READ_SECONDS = READ_SECONDS  # nobody has to wait ten seconds here
    clock = Clock(number)
    work, weights = (("read", READS), ("write", WRITES))[number % 2]
    with suppress(EOFError):
        while True:
            variables, seed = pipe.recv()
            random.seed(seed)
            user = user_of(Settings.read(variables), clock, number=number, bug=bug)
            pipe.send("ready")
            pipe.recv()
            while len(user.notes) < OPERATIONS[number % 2]:
                (kind,) = random.choices(list(weights), weights.values())
                getattr(user, work)(kind)
            pipe.send(user.notes)


@dataclass
class Person:
    """One of the processes, as who asks it sees it."""

    process: Any
    pipe: Any

    def ask(self, variables: dict[str, str], seed: int) -> None:
        """Have it open the vault."""
        self.pipe.send((variables, seed))

    def wait(self) -> Any:
        """Return what it answers."""
        return self.pipe.recv()

    def go(self) -> None:
        """Have it begin."""
        self.pipe.send("go")

    def dismiss(self) -> None:
        """End it."""
        self.pipe.close()
        self.process.join()
