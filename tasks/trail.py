"""Steps of the audit trail's care: packing, and its retention."""

from __future__ import annotations

from datetime import timedelta

from prefect import task

from jarkeeper.audit import archive, retention
from jarkeeper.vault import Vault
from jarkeeper.words import count_of
from tasks.opening import Opening
from tasks.options import IN_PROCESS
from tasks.receipts import Receipt


@task(name="pack", task_run_name="pack finished days", **IN_PROCESS)
def pack(opening: Opening, vault: Vault) -> Receipt:
    """Pack the days older than COOKIE_ARCHIVE_DAYS; return how much it was.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    days = timedelta(days=opening.settings.archive_days)
    done = archive.pack(
        vault.trail, before=vault.trail.now().date() - days, verify=vault.verify_trail
    )
    sentence = f"{count_of(done.events, 'event')} packed into {count_of(done.volumes, 'volume')}"
    return Receipt(sentence, done.warnings, {"events packed": done.events})


@task(name="retire", task_run_name="apply the retention", **IN_PROCESS)
def retire(opening: Opening, vault: Vault) -> Receipt:
    """Delete what is older than COOKIE_AUDIT_DAYS; return how much it was.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    days = timedelta(days=opening.settings.audit_days)
    before = vault.trail.now() - days
    done = retention.retire(vault.trail, before=before, verify=vault.verify_trail)
    sentence = done.given_up(before.date())
    return Receipt(sentence, done.warnings, {"objects deleted": done.deleted})
