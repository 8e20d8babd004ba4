"""Sessions that nobody uses die: each is used gently, and what YouTube renews is kept.

from flows.refresh import refresh

refresh()
"""

from __future__ import annotations

from functools import partial

from prefect import flow

from flows.ending import concluded, run_name
from flows.validate import look_after_all
from tasks.receipts import Receipt


@flow(name="refresh", flow_run_name=run_name, persist_result=False)
def refresh(jar: str | None = None, manager: str | None = None) -> Receipt:
    """Use every session for one private page, and keep what YouTube renews.

    Besides, it does what a validation does.

    Args:
        jar: The jar to refresh. Empty: the cookie manager's, or else every jar in the vault.
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """
    return concluded(partial(look_after_all, visit=True), manager=manager, jar=jar)  # type: ignore[return-value]  # Prefect unwraps it
