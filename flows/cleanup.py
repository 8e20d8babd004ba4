"""What nobody needs any more: old generations, what crashes left, partial files.

from flows.cleanup import cleanup

cleanup()
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prefect import flow

from flows.ending import concluded, run_name
from flows.places import place_of
from jarkeeper.vault import Vault
from jarkeeper.words import count_of
from tasks.housekeeping import collect, sweep_files
from tasks.opening import Opening
from tasks.receipts import Receipt


@flow(name="cleanup", flow_run_name=run_name, persist_result=False)
def cleanup(destination: Path = Path("downloads"), manager: str | None = None) -> Receipt:
    """Delete what is past its grace: old generations, temporary files, partial files.

    A generation goes COOKIE_GRACE_DAYS after it left every slot, a partial file after a week. No
    head and no audit record is ever deleted.

    Args:
        destination: The folder for videos whose partial files may go. A relative one is below the
            current folder, or below the home folder when a worker runs it.
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """

    def work(where: Opening, vault: Vault) -> Receipt:
        done = collect(where, vault) + sweep_files(where, place_of(destination))
        removed = sum(int(count) for count in done.figures.values())
        return replace(done, sentence=f"{count_of(removed, 'thing')} removed")

    return concluded(work, manager=manager)  # type: ignore[return-value]  # Prefect unwraps it
