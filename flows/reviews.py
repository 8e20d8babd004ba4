"""What an operator looks at every day, week and month, put together by the flows' own steps.

    from flows.reviews import daily, monthly, weekly

    daily()

Every quarter there is `flows.drill`; the yearly review is a person's, with a checklist.
"""

from __future__ import annotations

from dataclasses import replace

from prefect import flow, task

from flows.ending import concluded, run_name
from flows.health import look_over
from flows.validate import look_after_all
from jarkeeper.lifecycle.soundness import seen_outside
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_journal
from jarkeeper.words import count_of, printable
from tasks.compliance import statement
from tasks.examination import as_receipt, principals, usage
from tasks.incidents import sentence_of, settle
from tasks.opening import Opening
from tasks.options import IN_PROCESS
from tasks.receipts import Receipt
from tasks.sources import join_logs

WEEK_DAYS = 7
MONTH_DAYS = 31


@flow(name="daily", flow_run_name=run_name, persist_result=False)
def daily(manager: str | None = None) -> Receipt:
    """Validate, examine, and tell what is open: the daily health check.

    Args:
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """
    return concluded(day, manager=manager)  # type: ignore[return-value]  # Prefect unwraps it


@flow(name="weekly", flow_run_name=run_name, persist_result=False)
def weekly(manager: str | None = None) -> Receipt:
    """Tell how well downloads went this week: success, failures by class, refreshes.

    Args:
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """
    return concluded(week, manager=manager)  # type: ignore[return-value]  # Prefect unwraps it


@flow(name="monthly", flow_run_name=run_name, persist_result=False)
def monthly(manager: str | None = None) -> Receipt:
    """Audit the vault's security: all of it verified, who used it, a signed statement.

    Args:
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """
    return concluded(month, manager=manager)  # type: ignore[return-value]  # Prefect unwraps it


def day(where: Opening, vault: Vault) -> Receipt:
    """Return the validation, the examination and what AWS saw as one page, with what is open."""
    done = look_after_all(where, vault) + look_over(where, vault)
    if where.settings.access_logs or where.settings.cloudtrail:
        done += look_outside(where, vault)
    return done + open_incidents(where, vault)


def look_outside(where: Opening, vault: Vault) -> Receipt:
    """Return what AWS's logs tell and the trail does not; it becomes an incident."""
    findings = join_logs(where, vault)
    seen = seen_outside(findings)
    return as_receipt(findings) + Receipt("", incidents=settle(where, vault, seen))


def week(where: Opening, vault: Vault) -> Receipt:
    """Return what the week's downloads came to."""
    return replace(usage(vault, WEEK_DAYS), sentence="the week's downloads") + open_incidents(
        where, vault
    )


def month(where: Opening, vault: Vault) -> Receipt:
    """Return the examination, who used the vault, and the statement of the month that ended."""
    key = Receipt("", (f"key: {vault.ports.keys.name}",))
    found = look_over(where, vault) + key + principals(vault, MONTH_DAYS)
    return found + statement(where, vault)


@task(name="incidents", task_run_name="list open incidents", **IN_PROCESS)
def open_incidents(opening: Opening, vault: Vault) -> Receipt:
    """Return what goes on.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    look = open_journal(opening.settings, vault).look()
    found = [incident for incident in look.incidents if incident.is_open]
    lines = tuple(f"open: {sentence_of(incident)}" for incident in found)
    damage = tuple(f"damaged: {printable(sentence)}" for sentence in look.damage)
    return Receipt(f"{count_of(len(found), 'incident')} open", damage + lines)
