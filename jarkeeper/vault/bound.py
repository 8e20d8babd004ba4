"""What a run may do in the vault, and a vault that offers no more than that.

A guard against mistakes and confused code in the worker, no wall: whoever runs code of their own in
that process has the vault's settings there, and only the store's and the key's owners bound them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from jarkeeper.actions import Action
from jarkeeper.audit import Access
from jarkeeper.errors import NotGranted, RollbackError, VaultError
from jarkeeper.facts import Probed
from jarkeeper.heads import Head
from jarkeeper.jar import Jar
from jarkeeper.names import checked_jar_name
from jarkeeper.slots import Slot, SlotState
from jarkeeper.vault.access import recorded
from jarkeeper.vault.lent import LentJar
from jarkeeper.vault.probing import ProbeReceipt
from jarkeeper.vault.receipts import Receipt, WriteBackReceipt
from jarkeeper.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Capability:
    """What one run may do: use one jar, of this head or a newer one, until a moment."""

    jar: str
    base_head: int
    """The newest head that the run has seen, 0 where there was none."""
    until: datetime
    beyond_limit: bool = False
    """Whether it may open the jar without a permit, as somebody asked for."""


class BoundVault:
    """The use cases that a run needs, each refused where the capability does not cover it.

    `NotGranted` for another jar and for what comes too late, `RollbackError` where the vault was
    set back since the run looked. Newer cookies may be imported meanwhile.
    """

    __slots__ = ("_capability", "_vault")

    def __init__(self, vault: Vault, capability: Capability) -> None:
        self._vault = vault
        self._capability = capability

    def lend(self, jar: str, slot: Slot = Slot.ACTIVE) -> LentJar:
        """Return a generation for use."""
        vault = self._granted(Action.LEND, jar)
        return vault.lend(jar, slot, beyond_limit=self._capability.beyond_limit)

    def write_back(self, lent: LentJar, jar: Jar) -> WriteBackReceipt:
        """Keep what YouTube changed in a lent jar; the receipt carries the loan that goes on."""
        return self._granted(Action.WRITE_BACK, lent.jar_name).write_back(lent, jar)

    def probe(self, jar: str, generation: str, ask: Callable[[Jar], Probed]) -> ProbeReceipt:
        """Ask YouTube whether a generation still makes a login, and keep what it says."""
        return self._granted(Action.PROBE, jar).probe(jar, generation, ask)

    def mark(
        self,
        jar: str,
        generation: str,
        state: SlotState,
        *,
        until: datetime | None = None,
        reason: str = "",
    ) -> Receipt:
        """Change the state of the generation's slot."""
        vault = self._granted(Action.MARK, jar)
        return vault.mark(jar, generation, state, until=until, reason=reason)

    def record_use(self, lent: LentJar, *, counts: Mapping[str, int], seconds: float) -> None:
        """Put on record what a lent jar was used for."""
        vault = self._granted(Action.USE, lent.jar_name)
        vault.record_use(lent, counts=counts, seconds=seconds)

    def status(self, jar: str) -> Head | None:
        """Return the newest head, verified."""
        return self._granted(Action.CHECK, jar).status(jar)

    def _granted(self, action: Action, jar: str) -> Vault:
        """Return the vault, or put on record that something was tried that is not granted."""
        refusal = self._refusal(checked_jar_name(jar))
        if refusal is not None:
            with recorded(self._vault.trail, Access(action, jar=jar)):
                raise refusal
        return self._vault

    def _refusal(self, jar: str) -> VaultError | None:
        mine = self._capability
        if jar != mine.jar:
            return NotGranted(f"jar '{jar}': the run may use jar '{mine.jar}' alone")
        if self._vault.ports.clock() >= mine.until:
            return NotGranted(
                f"jar '{jar}': the run could use it until {mine.until:%Y-%m-%d %H:%M} UTC, "
                "nothing more is opened or written back",
                hint="run it again: what is downloaded already is skipped",
            )
        head = self._vault.status(jar)
        seq = 0 if head is None else head.seq
        if seq < mine.base_head:
            return RollbackError(
                f"jar '{jar}': the newest head is {seq}, "
                f"but the run has seen head {mine.base_head}",
                hint="heads were removed, or an old copy of the vault was put in its place",
            )
        return None
