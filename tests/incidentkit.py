"""What the tests of incidents share: conditions, a plan, and channels that remember."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jarkeeper.checks import Severity
from jarkeeper.errors import AlertError
from jarkeeper.incidents import Cause, Condition, Journal, Step
from jarkeeper.stores.memory import MemoryStore
from vaultkit import Clock

KEY = bytes(range(32))
VAULT = "0" * 32
DEAD = (Cause.SESSION_DEAD, "youtube")
SCOPE = frozenset({DEAD})
STEPS = (
    Step(0, Severity.WARNING, ("ops",)),
    Step(0, Severity.CRITICAL, ("ops",)),
    Step(60, Severity.CRITICAL, ("ops", "boss")),
)


class Killed(BaseException):
    """The process ends here: nothing of ours catches it."""


def condition(severity: str = "critical", **changed: Any) -> Condition:
    """Return a dead session, unless something else is told."""
    fields = {
        "cause": Cause.SESSION_DEAD,
        "jar": "youtube",
        "severity": Severity(severity),
        "message": "the session ended",
        "done": "failed over to the backup",
        "next_step": "run `jarkeeper import cookies.txt`",
    }
    return Condition(**(fields | changed))


def journal_in(store: Any = None, *, clock: Clock, **changed: Any) -> Journal:
    """Return a journal as another process opens it."""
    options = {"key": KEY, "vault": VAULT, "clock": clock}
    return Journal(MemoryStore() if store is None else store, **(options | changed))


@dataclass
class Remembering:
    """A channel that keeps what it was sent; it fails or kills on demand."""

    recipient: str = "ops"
    kind: str = "memory"
    number: int = 1
    fails: bool = False
    kills: str = ""
    """`before` or `after` the message is there."""
    sent: list[Any] = field(default_factory=list)

    @property
    def label(self) -> str:
        return f"{self.recipient} {self.number}"

    def send(self, message: Any) -> None:
        if self.kills == "before":
            raise Killed
        if self.fails:
            raise AlertError(f"channel '{self.label}': did not take it")
        self.sent.append(message)
        if self.kills == "after":
            raise Killed

    @property
    def kinds(self) -> list[str]:
        return [message.document["kind"] for message in self.sent]
