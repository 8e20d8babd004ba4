"""Receipts: what a use case returns. Ids, fingerprints and counts; never a cookie."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from jarkeeper.actions import Action
from jarkeeper.facts import JarFacts
from jarkeeper.names import GenerationId, VaultId
from jarkeeper.vault.lent import LentJar


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was committed, or that nothing had to be."""

    vault: VaultId
    jar: str
    action: Action
    generation: GenerationId | None
    """What the action was about; None where nothing is active any more."""
    fingerprint: str
    head_seq: int
    at: datetime
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReceipt(Receipt):
    """A jar that was taken in."""

    dropped: int = field(kw_only=True)
    """Rows of other sites that were left out."""
    facts: JarFacts = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class WriteBackReceipt(Receipt):
    """A jar that was kept after use, and the loan that goes on with it."""

    lent: LentJar = field(repr=False, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class GcReceipt:
    """What the clean-up removed."""

    vault: VaultId
    at: datetime
    generations: int
    """Generations that no slot had named for longer than the grace."""
    leftovers: int
    """Generations that were sealed but never committed."""
    permits: int
    """Permits of hours that are over for a day."""
    temporary_files: int
    warnings: tuple[str, ...] = ()
