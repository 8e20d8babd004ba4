"""The disaster test: could a copy of the vault take its place today? Every quarter.

from flows.drill import drill

drill()
"""

from __future__ import annotations

from prefect import flow, task

from flows.ending import concluded, run_name
from jarkeeper import drill as drills
from jarkeeper.words import count_of, short_span, size
from tasks.opening import ACTOR, Opening
from tasks.options import IN_PROCESS
from tasks.receipts import Receipt


@flow(name="drill", flow_run_name=run_name, persist_result=False)
def drill(manager: str | None = None) -> Receipt:
    """Copy the vault, recover it elsewhere with its key, compare, and remove the copy.

    The run fails where a copy could not take the vault's place. Copies are sealed like the vault.

    Args:
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """
    return concluded(lambda where, _: rehearse(where), manager=manager)  # type: ignore[return-value]  # Prefect unwraps it


def rehearse(where: Opening) -> Receipt:
    """Return what the drill proved, and how long it took."""
    proof = recover(where)
    said = (
        f"recovered and compared in {short_span(proof.seconds)}: {count_of(proof.jars, 'jar')}, "
        f"{count_of(proof.generations, 'generation')} opened with the key"
    )
    figures: dict[str, int | float | str] = {
        "objects": proof.objects,
        "size": size(proof.bytes),
        "seconds": round(proof.seconds, 1),
    }
    return Receipt(said, figures=figures)


@task(name="recover", task_run_name="recover a copy", **IN_PROCESS)
def recover(opening: Opening) -> drills.Proof:
    """Copy, recover, check and compare; nothing of it stays.

    Args:
        opening: The settings in force.
    """
    return drills.drill(opening.settings, actor=ACTOR)
