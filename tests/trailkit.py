"""A trail of some days, to be packed and retired."""

from __future__ import annotations

from datetime import timedelta

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.audit.archive import pack
from jarkeeper.audit.places import parse_event_key
from jarkeeper.stores.memory import MemoryStore
from vaultkit import ACTOR, KEYS, Clock

VAULT = "a" * 32


class Days:
    """A trail of several days and writers."""

    def __init__(self, store=None, *, days=3, writers=2, accesses=4):
        self.clock = Clock()
        self.store = store if store is not None else MemoryStore(clock=self.clock)
        for _ in range(days):
            for _ in range(writers):
                self.use(self.trail(), accesses)
            self.clock.advance(days=1)

    def trail(self, store=None):
        return Trail(store or self.store, keys=KEYS, vault=VAULT, clock=self.clock, actor=ACTOR)

    def use(self, trail, accesses):
        for number in range(accesses):
            access = trail.intent(Access(Action.LEND, jar="youtube", head_seq=number))
            trail.outcome(access, Outcome.OK, counts={"OK": number})

    @property
    def today(self):
        return self.clock.now.date()

    def pack(self, store=None, *, back=0):
        return pack(self.trail(store), before=self.today - timedelta(days=back))

    def listed(self, parse=parse_event_key):
        return [key for key in self.store.list("audit/") if parse(key)]


def told(trail):
    """Every event but those of the archive's own doing."""
    own = (Action.CHECKPOINT, Action.ARCHIVE, Action.RETIRE)
    return [event for event in trail.read() if event.action not in own]
