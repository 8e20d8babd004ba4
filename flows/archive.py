"""The audit trail's finished days become volumes, and what is past its retention goes.

from flows.archive import archive

archive()
"""

from __future__ import annotations

from prefect import flow

from flows.ending import concluded, run_name
from jarkeeper.vault import Vault
from tasks.opening import Opening
from tasks.receipts import Receipt
from tasks.trail import pack, retire


@flow(name="archive", flow_run_name=run_name, persist_result=False)
def archive(manager: str | None = None) -> Receipt:
    """Pack finished days of the audit trail into volumes, and apply its retention.

    Days older than COOKIE_ARCHIVE_DAYS are packed; events older than COOKIE_AUDIT_DAYS are deleted
    where that is set. Hashes stay, so every proof holds as before.

    Args:
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """

    def work(where: Opening, vault: Vault) -> Receipt:
        packed = pack(where, vault)
        return packed + retire(where, vault) if where.settings.audit_days else packed

    return concluded(work, manager=manager)  # type: ignore[return-value]  # Prefect unwraps it
