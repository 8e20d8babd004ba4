"""The clean-up: what is past its grace, what crashes left, partial files that nobody resumed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from jarkeeper.media.destination import Destination
from jarkeeper.settings import Settings
from jarkeeper.temporary import sweep
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_journal

PART_DAYS = 7
"""A partial file that nobody resumed for so long is of a video that nobody wants any more."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How much was removed, by what it was, and what could not be put on record."""

    counts: dict[str, int]
    warnings: tuple[str, ...] = ()


def collect(settings: Settings, vault: Vault) -> Removed:
    """Delete generations and records of incidents that are past COOKIE_GRACE_DAYS, and permits."""
    grace = timedelta(days=settings.grace_days)
    gone = vault.gc(grace=grace)
    before = vault.ports.clock() - max(grace, timedelta(days=1))
    counts = {
        "generations": gone.generations,
        "leftovers": gone.leftovers,
        "permits": gone.permits,
        "records of incidents": open_journal(settings, vault).collect(before),
    }
    return Removed(counts, gone.warnings)


def sweep_files(settings: Settings, destination: Path) -> Removed:
    """Remove what killed runs left: private folders, and partial files older than a week."""
    swept = sweep(settings.temp_dir)
    parts = Destination(destination).sweep(time.time() - PART_DAYS * 24 * 3600)
    return Removed({"temporary folders": swept.removed, "partial files": parts})
