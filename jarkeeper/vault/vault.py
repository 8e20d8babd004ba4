"""The vault: keys, store and audit trail behind the use cases. Everything else goes through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from jarkeeper.actions import Action
from jarkeeper.anchors import Anchors, MemoryAnchors
from jarkeeper.audit import Access, Actor, Event, Outcome, Trail, TrailReport
from jarkeeper.audit.checkpoints import Checkpoint
from jarkeeper.checks import Finding
from jarkeeper.facts import Probed
from jarkeeper.heads import Head
from jarkeeper.jar import Jar, ParsedJar
from jarkeeper.keys import KeyWrapper
from jarkeeper.names import VaultId, checked_jar_name
from jarkeeper.settings import OPENS_PER_HOUR
from jarkeeper.slots import Slot, SlotRecord, SlotState
from jarkeeper.states import Mark
from jarkeeper.stores import Store
from jarkeeper.vault import changes, view
from jarkeeper.vault.check import check
from jarkeeper.vault.gc import collect
from jarkeeper.vault.identity import create_identity, read_identity
from jarkeeper.vault.lend import lend
from jarkeeper.vault.lent import LentJar
from jarkeeper.vault.log import read_history, read_newest
from jarkeeper.vault.outline import CookieOutline, outline
from jarkeeper.vault.permits import Opens, permits_taken, read_opens
from jarkeeper.vault.ports import Clock, Ports
from jarkeeper.vault.probing import ProbeReceipt, probe
from jarkeeper.vault.receipts import GcReceipt, ImportReceipt, Receipt, WriteBackReceipt
from jarkeeper.vault.replacing import ReplaceReceipt, leaked, replace_jar
from jarkeeper.vault.take_in import import_jar, stage_jar
from jarkeeper.vault.vouching import checkpoint, verify
from jarkeeper.vault.write_back import write_back


class Vault:
    """One vault, used by one actor. Thread-safe; `Vault.open` makes one."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    def __repr__(self) -> str:
        return f"Vault('{self.ports.vault[:8]}')"

    @classmethod
    def create(
        cls,
        store: Store,
        keys: KeyWrapper,
        *,
        clock: Clock,
        actor: Actor,
        vault: VaultId | None = None,
    ) -> VaultId:
        """Found a vault and return its id, or raise `VaultError` where there is one already."""
        vault = create_identity(store, keys, clock=clock, vault=vault)
        trail = Trail(store, keys=keys, vault=vault, clock=clock, actor=actor)
        trail.outcome(Access(Action.INIT), Outcome.OK)
        return vault

    @classmethod
    def open(  # noqa: PLR0913  # one call, in the wiring, names everything a vault needs
        cls,
        store: Store,
        keys: KeyWrapper,
        *,
        actor: Actor,
        clock: Clock,
        sites: tuple[str, ...],
        backup_count: int,
        opens_per_hour: int = OPENS_PER_HOUR,
        anchors: Sequence[Anchors] = (),
        flow_run: str | None = None,
        listener: Callable[[Event], None] | None = None,
        memory_key: bytes | None = None,
    ) -> Vault:
        """Return the vault in this store.

        `NotInitialised` where there is none, `KeyUnavailable` where the key is another vault's.
        What this process has seen is always an anchor; `anchors` are further ones.
        """
        vault = read_identity(store, keys)
        trail = Trail(
            store,
            keys=keys,
            vault=vault,
            clock=clock,
            actor=actor,
            flow_run=flow_run,
            listener=listener,
        )
        return cls(
            Ports(
                store=store,
                keys=keys,
                trail=trail,
                anchors=(MemoryAnchors(), *anchors),
                vault=vault,
                clock=clock,
                sites=sites,
                backup_count=backup_count,
                opens_per_hour=opens_per_hour,
                memory_key=memory_key,
            )
        )

    @property
    def id(self) -> VaultId:
        """The vault's id."""
        return self.ports.vault

    @property
    def trail(self) -> Trail:
        """The audit trail."""
        return self.ports.trail

    def import_jar(
        self,
        jar: str,
        content: bytes | ParsedJar,
        *,
        confirmed: bool = False,
        probed: Probed | None = None,
    ) -> ImportReceipt:
        """Make the cookies of an export active.

        `ConfirmationNeeded` where that may be a mistake, unless `confirmed`; nothing was changed.
        """
        return import_jar(
            self.ports, checked_jar_name(jar), content, confirmed=confirmed, probed=probed
        )

    def lend(
        self,
        jar: str,
        slot: Slot = Slot.ACTIVE,
        *,
        allow_dead: bool = False,
        beyond_limit: bool = False,
    ) -> LentJar:
        """Return a generation for use; `allow_dead` is for probes that look for a recovery.

        `beyond_limit` opens it also where this hour's limit is reached, which goes on record.
        """
        jar = checked_jar_name(jar)
        return lend(self.ports, jar, slot, allow_dead=allow_dead, beyond_limit=beyond_limit)

    def write_back(self, lent: LentJar, jar: Jar) -> WriteBackReceipt:
        """Keep what YouTube changed in a lent jar; the receipt carries the loan that goes on."""
        return write_back(self.ports, lent, jar)

    def record_use(self, lent: LentJar, *, counts: Mapping[str, int], seconds: float) -> None:
        """Put on record what a lent jar was used for: how many videos ended in which class."""
        access = Access(
            action=Action.USE,
            jar=lent.jar_name,
            slot=lent.slot,
            generation=lent.generation,
            head_seq=lent.head_seq,
        )
        self.trail.outcome(access, Outcome.OK, counts=counts, seconds=seconds)

    def record_download(self, jar: str, *, counts: Mapping[str, int], seconds: float) -> None:
        """Put on record how the videos of a run ended: how many in which class."""
        access = Access(Action.DOWNLOAD, jar=checked_jar_name(jar))
        self.trail.outcome(access, Outcome.OK, counts=counts, seconds=seconds)

    def stage(
        self, jar: str, content: bytes | ParsedJar, *, confirmed: bool = False
    ) -> ImportReceipt:
        """Store the cookies of an export aside, until they are tested; `rotate` uses them.

        `ConfirmationNeeded` as for an import.
        """
        return stage_jar(self.ports, checked_jar_name(jar), content, confirmed=confirmed)

    def replace(self, jar: str, parsed: ParsedJar) -> ReplaceReceipt:
        """Bar the logins that `leaked` tells from every use, then make these cookies active.

        `InputError`, and nothing was changed, where they are no login or one of those.
        """
        return replace_jar(self.ports, checked_jar_name(jar), parsed)

    def leaked(self, jar: str) -> tuple[SlotRecord, ...]:
        """Return the logins that `replace` bars: the active one, and what it took over from."""
        return leaked(self.ports, checked_jar_name(jar))

    def probe(self, jar: str, generation: str, ask: Callable[[Jar], Probed]) -> ProbeReceipt:
        """Ask YouTube whether a generation in a slot still makes a login, and keep what it says."""
        return probe(self.ports, checked_jar_name(jar), generation, ask)

    def rotate(self, jar: str, *, confirmed: bool = False) -> Receipt:
        """Make the staged cookies active, once a probe found them to work.

        `ConfirmationNeeded` where they are another account's, unless `confirmed`.
        """
        return changes.rotate(self.ports, checked_jar_name(jar), confirmed=confirmed)

    def promote(
        self, jar: str, generation: str | None = None, *, over: SlotRecord | None = None
    ) -> Receipt:
        """Make a backup active, the newest usable one or the named; the old active steps down.

        `NotFound` where `over` is given and the active slot is another by now: nothing was changed.
        """
        return changes.promote(self.ports, checked_jar_name(jar), generation, over=over)

    def restore(self, jar: str, generation: str) -> Receipt:
        """Make a generation from the history active again."""
        return changes.restore(self.ports, checked_jar_name(jar), generation)

    def revoke(self, jar: str, generation: str) -> Receipt:
        """Make sure that nothing uses the generation again; no backup is promoted by it."""
        return changes.revoke(self.ports, checked_jar_name(jar), generation)

    def mark(
        self,
        jar: str,
        generation: str,
        state: SlotState,
        *,
        until: datetime | None = None,
        reason: str = "",
    ) -> Receipt:
        """Change the state of the generation's slot; saying the same twice changes nothing."""
        mark = Mark(state, at=self.ports.clock(), until=until, reason=reason)
        return changes.mark(self.ports, checked_jar_name(jar), generation, mark)

    def status(self, jar: str) -> Head | None:
        """Return the newest head, verified; None where the jar was never imported."""
        return read_newest(self.ports, checked_jar_name(jar)).head

    def opens_this_hour(self, jar: str) -> int:
        """Return how often the jar was opened in this hour of the clock, by everybody."""
        return permits_taken(self.ports, checked_jar_name(jar))

    def jars(self) -> list[str]:
        """Return the names of all jars."""
        return view.jar_names(self.ports)

    def history(self, jar: str) -> tuple[Head, ...]:
        """Return every head of the jar, oldest first, verified."""
        return read_history(self.ports, checked_jar_name(jar))

    def metadata(self) -> dict[str, Any]:
        """Return states, ages, expiries and counts of all jars; no secret."""
        return view.metadata(self.ports)

    def outline(self, jar: str, generation: str) -> tuple[CookieOutline, ...]:
        """Return names, domains and expiries in a generation, never a value; counts as an open."""
        return outline(self.ports, checked_jar_name(jar), generation)

    def opens(self, jar: str) -> Opens:
        """Return how much of this hour's share of opens is used, and when the last one was."""
        return read_opens(self.ports, checked_jar_name(jar))

    def check(self, *, checkpoint: bool = False) -> tuple[Finding, ...]:
        """Return the vault's health in words; the view is repaired on the way.

        With `checkpoint`, what was verified of the trail goes into its signed log.
        """
        return check(self.ports, checkpoint=checkpoint)

    def gc(self, *, grace: timedelta) -> GcReceipt:
        """Delete what no slot has named for longer than the grace, and what crashes left."""
        return collect(self.ports, grace=grace)

    def verify_trail(self) -> TrailReport:
        """Verify the audit trail, and compare it with the heads and with what anchors remember."""
        return verify(self.ports)

    def checkpoint(self, report: TrailReport) -> Checkpoint | None:
        """Append to the trail's signed log what verification saw, and return the newest.

        None where there is nothing. `Conflict` where another process wrote one meanwhile.
        """
        return checkpoint(self.ports, report)
