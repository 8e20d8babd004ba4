"""What crashes, old runs and superseded records left behind is removed, once it is old enough."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from prefect import get_run_logger, task

from jarkeeper.media.destination import Destination
from jarkeeper.temporary import sweep
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_journal
from tasks.opening import Opening
from tasks.options import IN_PROCESS
from tasks.receipts import Receipt

PART_DAYS = 7
"""A partial file that nobody resumed for so long is of a video that nobody wants any more."""


@task(name="collect", task_run_name="delete old generations", **IN_PROCESS)
def collect(opening: Opening, vault: Vault) -> Receipt:
    """Delete generations and records of incidents that are past their grace.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    grace = timedelta(days=opening.settings.grace_days)
    gone = vault.gc(grace=grace)
    before = vault.ports.clock() - max(grace, timedelta(days=1))
    incidents = open_journal(opening.settings, vault).collect(before)
    for warning in gone.warnings:
        get_run_logger().warning("%s", warning)
    figures: dict[str, int | float | str] = {
        "generations": gone.generations,
        "leftovers": gone.leftovers,
        "permits": gone.permits,
        "records of incidents": incidents,
    }
    return Receipt("", figures=figures)


@task(name="sweep", task_run_name="sweep temporary files", **IN_PROCESS)
def sweep_files(opening: Opening, destination: Path) -> Receipt:
    """Remove what killed runs left: private folders, and partial files older than a week.

    Args:
        opening: The settings in force.
        destination: The folder for videos whose partial files may go.
    """
    swept = sweep(opening.settings.temp_dir)
    parts = Destination(destination).sweep(time.time() - PART_DAYS * 24 * 3600)
    return Receipt("", figures={"temporary folders": swept.removed, "partial files": parts})
