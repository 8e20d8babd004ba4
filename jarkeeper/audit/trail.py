"""The trail: each event is durable before the call returns, in a chain of this writer's own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

from jarkeeper.actions import Action
from jarkeeper.audit.checkpoints import Checkpoint, CheckpointLog, Leaf, read_log, write_checkpoint
from jarkeeper.audit.events import Actor, Event, Outcome, Phase, key_of, write_event
from jarkeeper.audit.note import Signer, signer_of
from jarkeeper.audit.reading import Reader
from jarkeeper.audit.told import CHECKPOINTS, LEAVES
from jarkeeper.audit.verify import TrailReport, verify_trail
from jarkeeper.errors import (
    AuditUnavailable,
    Conflict,
    JarkeeperError,
    StoreUnknown,
)
from jarkeeper.keys import KeyWrapper, Purpose
from jarkeeper.names import VaultId, new_id
from jarkeeper.records import GENESIS, digest
from jarkeeper.stores import Readable, Store, put_once

APPEND_TRIES = 3


@dataclass(frozen=True, slots=True)
class Access:
    """One access under way: what its outcome will refer to."""

    action: Action
    jar: str = ""
    slot: str = ""
    generation: str = ""
    head_seq: int = 0
    id: str = field(default_factory=lambda: new_id()[:16])
    started: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class _Chain:
    """The last event of a writer. A process that forks, or is unsure, starts another one."""

    process: int = field(default_factory=os.getpid)
    writer: str = field(default_factory=new_id)
    seq: int = 0
    tail: str = GENESIS


class Trail:
    """Writes events for one actor, and reads everybody's. Thread-safe."""

    def __init__(
        self,
        store: Store,
        *,
        keys: KeyWrapper,
        vault: VaultId,
        clock: Callable[[], datetime],
        actor: Actor,
        flow_run: str | None = None,
        listener: Callable[[Event], None] | None = None,
    ) -> None:
        self.store = store
        self.vault = vault
        self._keys = keys
        self._key = keys.derive(Purpose.AUDIT_MAC)
        self._clock = clock
        self._actor = str(actor)
        self._flow_run = flow_run or ""
        self._listener = listener
        self._chain: _Chain | None = None
        self._lock = Lock()

    @property
    def key(self) -> bytes:
        """The key that authenticates events."""
        return self._key

    def now(self) -> datetime:
        """Return the present moment, by the clock that events are written with."""
        return self._clock()

    def intent(self, access: Access, *, detail: str = "") -> Access:
        """Record what is about to happen, or raise `AuditUnavailable`: then it must not."""
        self._append(replace(self._event(access, Phase.INTENT), detail=detail))
        return access

    def outcome(
        self,
        access: Access,
        outcome: Outcome,
        *,
        detail: str = "",
        counts: Mapping[str, int] | None = None,
        seconds: float | None = None,
    ) -> None:
        """Record how it ended, or raise `AuditUnavailable`."""
        passed = time.monotonic() - access.started if seconds is None else seconds
        event = replace(
            self._event(access, Phase.OUTCOME),
            outcome=outcome,
            detail=detail,
            counts=dict(counts or {}),
            seconds=round(passed, 6),
        )
        self._append(event)

    @property
    def signer(self) -> Signer:
        """Who signs checkpoints for this vault."""
        return signer_of(self._keys, self.vault)

    def verify(self, store: Readable | None = None) -> TrailReport:
        """Read the whole trail, of another copy of the store where one is named, and verify it."""
        verifier = self.signer.verifier
        return verify_trail(store or self.store, key=self._key, vault=self.vault, verifier=verifier)

    def checkpoints(self) -> CheckpointLog:
        """Return the log of checkpoints, up to the first that is not genuine."""
        verifier = self.signer.verifier
        return read_log(self.store, key=self._key, vault=self.vault, verifier=verifier)

    def checkpoint(self, report: TrailReport) -> Checkpoint | None:
        """Append to the log what verification saw, so that cutting it off shows afterwards.

        Returns the newest checkpoint, None where there is none. `Conflict` where another process
        wrote one meanwhile.
        """
        if not report.has_news:  # nobody needs a checkpoint of the checkpoint before
            return report.log.newest
        access = self.intent(Access(Action.CHECKPOINT))
        try:
            self._vouch_for(report.fresh, report.log)
        except Conflict:
            self.outcome(access, Outcome.CONFLICT)
            raise
        counts = {CHECKPOINTS: len(report.log.checkpoints), LEAVES: report.log.size}
        self.outcome(access, Outcome.OK, counts=counts)
        return report.log.newest

    def _vouch_for(self, fresh: Iterable[Leaf], log: CheckpointLog) -> None:
        leaves, signer = iter(fresh), self.signer
        while write_checkpoint(
            self.store,
            log,
            leaves,
            key=self._key,
            vault=self.vault,
            signer=signer,
            at=self._clock(),
        ):
            pass

    def read(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        left_out: list[str] | None = None,
    ) -> Iterator[Event]:
        """Give all writers' authentic events in order of time; `verify` names the others.

        The places of what is not as written are added to `left_out`. `StoreUnknown` where the
        store does not answer, `Conflict` where the trail is packed again and again meanwhile.
        """
        return self.reader.read(since, until, left_out=[] if left_out is None else left_out)

    @property
    def reader(self) -> Reader:
        """What reads this trail's events."""
        return Reader(self.store, self._key, self.vault)

    def _event(self, access: Access, phase: Phase) -> Event:
        return Event(
            at=self._clock(),
            action=access.action,
            phase=phase,
            access=access.id,
            actor=self._actor,
            flow_run=self._flow_run,
            jar=access.jar,
            slot=access.slot,
            generation=access.generation,
            head_seq=access.head_seq,
        )

    def _append(self, draft: Event) -> None:
        with self._lock:
            event = self._stored(draft)
        if self._listener is not None:
            # A log that cannot be written to must not stop what the trail has on record.
            with suppress(Exception):
                self._listener(event)

    def _stored(self, draft: Event) -> Event:
        chain, self._chain = self._chain, None
        trouble = "the place of this event is taken again and again"
        for _ in range(APPEND_TRIES):
            if chain is None or chain.process != os.getpid():
                chain = _Chain()
            event = replace(draft, writer=chain.writer, seq=chain.seq + 1, previous=chain.tail)
            raw = write_event(event, key=self._key, vault=self.vault)
            try:
                if self._put(key_of(event), raw):
                    chain.seq, chain.tail = event.seq, digest(raw)
                    self._chain = chain
                    return event
            except StoreUnknown as error:
                # It may be there, or who may only write cannot look: on with another chain.
                trouble = error.message
            chain = None
        raise _unavailable(trouble)

    def _put(self, key: str, raw: bytes) -> bool:
        try:
            return put_once(self.store, key, raw)
        except StoreUnknown:
            raise
        except (JarkeeperError, OSError) as error:
            reason = error.message if isinstance(error, JarkeeperError) else type(error).__name__
            raise _unavailable(reason) from None


def _unavailable(reason: str) -> AuditUnavailable:
    return AuditUnavailable(
        f"audit trail: cannot be written, {reason}",
        hint="without a record there is no access: make the store writable first",
    )
