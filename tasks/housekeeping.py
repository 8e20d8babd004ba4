"""What crashes, old runs and superseded records left behind is removed, once it is old enough."""

from __future__ import annotations

from pathlib import Path

from prefect import get_run_logger, task

from jarkeeper import cleanup
from jarkeeper.vault import Vault
from tasks.opening import Opening
from tasks.options import IN_PROCESS
from tasks.receipts import Receipt


@task(name="collect", task_run_name="delete old generations", **IN_PROCESS)
def collect(opening: Opening, vault: Vault) -> Receipt:
    """Delete generations and records of incidents that are past their grace.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    gone = cleanup.collect(opening.settings, vault)
    for warning in gone.warnings:
        get_run_logger().warning("%s", warning)
    return Receipt("", figures=dict(gone.counts))


@task(name="sweep", task_run_name="sweep temporary files", **IN_PROCESS)
def sweep_files(opening: Opening, destination: Path) -> Receipt:
    """Remove what killed runs left: private folders, and partial files older than a week.

    Args:
        opening: The settings in force.
        destination: The folder for videos whose partial files may go.
    """
    return Receipt("", figures=dict(cleanup.sweep_files(opening.settings, destination).counts))
