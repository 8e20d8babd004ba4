"""Is the vault sound, and the machine? Findings become incidents, and are over by themselves.

from flows.health import health

health()
"""

from __future__ import annotations

from prefect import flow

from flows.ending import concluded, run_name
from jarkeeper.lifecycle.soundness import seen_in_findings
from jarkeeper.vault import Vault
from tasks.examination import as_receipt, examine, trail_shows
from tasks.incidents import settle
from tasks.opening import Opening
from tasks.receipts import Receipt


@flow(name="health", flow_run_name=run_name, persist_result=False)
def health(manager: str | None = None) -> Receipt:
    """Read and verify the vault, look at its audit trail, the machine and the deployments.

    Nothing is sent to YouTube. What is wrong becomes an incident, what is well again closes one.

    Args:
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """
    return concluded(look_over, manager=manager)  # type: ignore[return-value]  # Prefect unwraps it


def look_over(where: Opening, vault: Vault) -> Receipt:
    """Examine everything, and put it on record in one go: causes are shared between the looks."""
    findings = examine(where, vault)
    seen = seen_in_findings(findings) + trail_shows(where, vault)
    return as_receipt(findings) + Receipt("", incidents=settle(where, vault, seen))
