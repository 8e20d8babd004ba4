"""The signed statement of a month, kept as an artifact."""

from __future__ import annotations

from prefect import task
from prefect.artifacts import create_markdown_artifact

from jarkeeper.report import compliance
from jarkeeper.vault import Vault
from tasks.opening import Opening
from tasks.options import IN_PROCESS
from tasks.receipts import Receipt


@task(name="statement", task_run_name="sign the month's statement", **IN_PROCESS)
def statement(opening: Opening, vault: Vault) -> Receipt:
    """Publish the compliance statement of the month that ended last.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    now = vault.trail.now()
    month = compliance.month_before(now)
    note = compliance.state(vault, opening.settings, month, now=now).note
    key = f"jarkeeper-compliance-{month}"
    # A block of code, so that the note can be copied byte for byte.
    fence = "`" * 12
    create_markdown_artifact(f"{fence}\n{note}{fence}\n", key=key, description=f"signed: {month}")
    return Receipt("", (f"compliance statement of {month}: artifact '{key}'",))
