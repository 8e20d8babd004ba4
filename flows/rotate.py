"""New cookies in four steps: create, test, switch, finish. Killed anywhere, the next run goes on.

from flows.rotate import rotate

rotate(jar="youtube")
"""

from __future__ import annotations

from prefect import flow

from flows.ending import concluded, over_jars, run_name
from flows.validate import aftermath
from jarkeeper.health import is_lost
from jarkeeper.incidents import Cause, scope_of
from jarkeeper.lifecycle.conditions import conditions_of_rotation
from jarkeeper.lifecycle.rotation import Rotation, beside
from jarkeeper.lifecycle.soundness import Seen
from jarkeeper.vault import Vault
from jarkeeper.youtube.policy import RetryPolicy
from tasks.incidents import settle
from tasks.opening import JAR, Opening
from tasks.receipts import Receipt
from tasks.retries import with_retries
from tasks.rotation import create, switch, test
from tasks.sessions import take_over


@flow(name="rotate", flow_run_name=run_name, persist_result=False)
def rotate(jar: str | None = None, manager: str | None = None) -> Receipt:
    """Take a fresh export from the drop, test it, and make it active; else use a tested backup.

    Whoever has fresh cookies leaves them in COOKIE_DROP as `youtube.txt`. Nothing that did not pass
    a test becomes active. Without an export, and with active cookies that are lost, a backup that
    passes a test takes over.

    Args:
        jar: The jar to rotate. Empty: the cookie manager's, or else every jar in the vault.
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """
    return concluded(rotate_all, manager=manager, jar=jar)  # type: ignore[return-value]  # Prefect unwraps it


def rotate_all(where: Opening, vault: Vault) -> Receipt:
    """Rotate every jar; a vault that has none yet may get its first from the drop."""
    if not where.jars(vault):
        where = Opening(where.settings, JAR)
    return over_jars(where, vault, lambda jar: rotate_jar(where, vault, jar))


def rotate_jar(where: Opening, vault: Vault, jar: str) -> Receipt:
    """Take the four steps, each of which does what is missing."""
    patience = RetryPolicy(where.settings.retry_seconds)
    created = with_retries(create, patience)(where, vault, jar)
    # What cannot be used may lie in the drop for days: it holds up nothing that is staged.
    tested = with_retries(test, patience)(where, vault, jar)
    switched = with_retries(switch, patience)(vault, jar, tested)
    return finish(where, vault, beside(switched, created))


def finish(where: Opening, vault: Vault, done: Rotation) -> Receipt:
    """Have a backup take over where it must, and put on record what is true then."""
    seen = Seen(conditions_of_rotation(done), scope_of((Cause.DROP_REFUSED,), done.jar))
    settled = settle(where, vault, seen)
    said = Receipt(f"{done.jar}: {done.note or done.step}", incidents=settled)
    head = vault.status(done.jar)
    if head is None or (head.active is None and not head.backups):
        return said
    if is_lost(head, now=vault.ports.clock()):
        done = take_over(where, vault, done.jar)
    return said + aftermath(where, vault, done.jar, done)
