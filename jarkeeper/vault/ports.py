"""What every use case of the vault works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from jarkeeper.anchors import Anchors
from jarkeeper.audit import Trail
from jarkeeper.keys import KeyWrapper, Purpose
from jarkeeper.names import VaultId
from jarkeeper.stores import Store

Clock: TypeAlias = Callable[[], datetime]
"""Returns the present moment, aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Ports:
    """A vault's store, keys, trail and anchors, and the settings that its rules need."""

    store: Store
    keys: KeyWrapper
    trail: Trail
    anchors: tuple[Anchors, ...]
    vault: VaultId
    clock: Clock
    sites: tuple[str, ...]
    backup_count: int
    opens_per_hour: int
    """How often one jar may be opened in an hour, over all processes."""
    memory_key: bytes | None = field(default=None, repr=False)
    """32 bytes that encrypt jars in memory; without it each process has a random key."""

    @property
    def head_key(self) -> bytes:
        """The key that authenticates heads."""
        return self.keys.derive(Purpose.HEAD_MAC)
