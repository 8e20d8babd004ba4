"""AWS's own logs are joined with the trail."""

from __future__ import annotations

from datetime import timedelta

from prefect import task

from jarkeeper.checks import Finding
from jarkeeper.sources.findings import findings_of_sources
from jarkeeper.vault import Vault
from tasks.opening import Opening
from tasks.options import IN_PROCESS

LOOK_BACK = timedelta(hours=30)
"""A day, and the hours by which logs may come late."""


@task(name="sources", task_run_name="join AWS's logs with the trail", **IN_PROCESS)
def join_logs(opening: Opening, vault: Vault) -> tuple[Finding, ...]:
    """Return what S3's access logs and CloudTrail show of the last day.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    now = vault.trail.now()
    found = findings_of_sources(opening.settings, vault, since=now - LOOK_BACK, until=now, now=now)
    return tuple(Finding(one.code, one.severity, one.message, one.next_step) for one in found)
