"""Probing: a jar is lent, YouTube is asked with it, and what came of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jarkeeper.errors import WriteBackRefused
from jarkeeper.facts import Probed
from jarkeeper.jar import Jar
from jarkeeper.slots import Slot, SlotState
from jarkeeper.vault.changes import record_answer
from jarkeeper.vault.generations import account_digest
from jarkeeper.vault.lend import lend
from jarkeeper.vault.lent import LentJar
from jarkeeper.vault.log import read_existing
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.write_back import write_back


@dataclass(frozen=True, slots=True)
class ProbeReceipt:
    """What YouTube answered to one generation, and what became of it."""

    jar: str
    slot: str
    generation: str
    """What is in the slot now: the probed one, or what YouTube made of it."""
    alive: bool
    state: SlotState | None
    """The slot's state now; None where the generation left its slot meanwhile."""
    kept: bool
    """Whether YouTube renewed the login, and the vault has it."""
    refused: str = ""
    """Why what came back was not kept, as a word."""


def probe(ports: Ports, jar: str, generation: str, ask: Callable[[Jar], Probed]) -> ProbeReceipt:
    """Ask YouTube whether the generation still makes a login, and put the slot's state right.

    What `ask` raises passes, and changes nothing: a question without an answer says nothing.
    """
    lent = lend(ports, jar, Slot.ACTIVE, generation=generation)
    with lent.open() as before:
        found = ask(before)
    kept, refused = _keep(ports, lent, found) if found.alive else (lent, "")
    account = account_digest(ports, found.account) if found.account else ""
    record_answer(ports, jar, kept.generation, alive=found.alive, account=account)
    item = read_existing(ports, jar)[0].head.slots.find(kept.generation)
    return ProbeReceipt(
        jar=jar,
        slot=lent.slot,
        generation=kept.generation,
        alive=found.alive,
        state=None if item is None else item.state,
        kept=kept.generation != lent.generation,
        refused=refused,
    )


def _keep(ports: Ports, lent: LentJar, found: Probed) -> tuple[LentJar, str]:
    try:
        return write_back(ports, lent, found.jar).lent, ""
    except WriteBackRefused as error:
        return lent, error.reason
