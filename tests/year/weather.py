"""The store of a year: quick with many keys, and now and then it fails or its process dies."""

from __future__ import annotations

from bisect import bisect_left, insort
from random import Random

from jarkeeper.errors import StoreError, StoreUnknown
from jarkeeper.stores.memory import MemoryStore

CALLS_MAX = 30
"""A process makes some twenty calls: the fault comes at any of them, or just misses."""


class Died(BaseException):
    """The process was killed: nothing after this line ran."""


class SortedStore(MemoryStore):
    """A memory store that finds the keys of a prefix without looking at all of them."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self._sorted: list[str] = []

    def put_if_absent(self, key: str, content: bytes) -> bool:
        created = super().put_if_absent(key, content)
        if created:
            insort(self._sorted, key)
        return created

    def put(self, key: str, content: bytes) -> None:
        if key not in self.objects:
            insort(self._sorted, key)
        super().put(key, content)

    def delete(self, key: str) -> None:
        if key in self.objects:
            del self._sorted[bisect_left(self._sorted, key)]
        super().delete(key)

    def list(self, prefix: str) -> list[str]:
        first = bisect_left(self._sorted, prefix)
        return self._sorted[first : bisect_left(self._sorted, prefix + "\uffff", lo=first)]


class Weather:
    """What the store does to one process: nothing mostly, else one fault, or none but faults."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.is_down = False
        self.struck = False
        """Whether a fault came to this process."""
        self._left = 0
        self._kind: type[BaseException] = StoreError
        self._comes_after = False

    def begin(self, *, often: float) -> None:
        """A process begins; `often` says in how many of them a fault may come."""
        self.struck = False
        self._left = self._chance.randint(1, CALLS_MAX) if self._chance.random() < often else 0
        self._kind = self._chance.choice((StoreError, StoreUnknown, Died))
        self._comes_after = self._chance.random() < 0.5

    def quiet(self) -> None:
        """The process ended."""
        self._left = 0

    def before(self, method: str, key: str) -> None:
        if self.is_down:
            self._strike(StoreError, method)
        if self._left and not self._comes_after:
            self._count(method)

    def after(self, method: str, key: str) -> None:
        if self._left and self._comes_after:
            self._count(method)

    def _count(self, method: str) -> None:
        self._left -= 1
        if self._left == 0:
            # What certainly failed did not happen: so after a write its outcome is not known.
            sure = self._comes_after and self._kind is StoreError
            self._strike(StoreUnknown if sure else self._kind, method)

    def _strike(self, kind: type[BaseException], method: str) -> None:
        self.struck = True
        raise kind(f"store: fails at {method}, as the weather has it")
