"""The steps of a rotation, each doing what is missing: kill it anywhere, and run it again."""

from __future__ import annotations

from prefect import get_run_logger, task

from jarkeeper.lifecycle import rotation
from jarkeeper.lifecycle.drop import open_drop
from jarkeeper.lifecycle.rotation import Rotation, Step
from jarkeeper.vault import Vault
from jarkeeper.words import printable
from tasks.opening import Opening
from tasks.options import IN_PROCESS
from tasks.retries import may_pass
from tasks.sessions import OnDemand


@task(
    name="create",
    task_run_name="take {jar} from the drop",
    retry_condition_fn=may_pass,
    **IN_PROCESS,
)
def create(opening: Opening, vault: Vault, jar: str) -> Rotation:
    """Store what was dropped for the jar aside, sealed, and empty the drop.

    Args:
        opening: The settings in force.
        vault: The vault.
        jar: The jar.
    """
    return _told(rotation.create(vault, jar, open_drop(opening.settings)))


@task(
    name="test",
    task_run_name="test what {jar} has staged",
    retry_condition_fn=may_pass,
    **IN_PROCESS,
)
def test(opening: Opening, vault: Vault, jar: str) -> Rotation:
    """Ask YouTube about the staged cookies, unless that was done.

    Args:
        opening: The settings in force.
        vault: The vault.
        jar: The jar.
    """
    return _told(rotation.test(vault, jar, OnDemand(opening, vault, jar)))


@task(
    name="switch",
    task_run_name="make what {jar} has staged active",
    retry_condition_fn=may_pass,
    **IN_PROCESS,
)
def switch(vault: Vault, jar: str, tested: Rotation) -> Rotation:
    """Make the staged cookies active if their test went well; the old ones become a backup.

    Args:
        vault: The vault.
        jar: The jar.
        tested: How the test went.
    """
    return _told(rotation.switch(vault, jar, tested))


def _told(step: Rotation) -> Rotation:
    log = get_run_logger()
    if step.step is Step.REFUSED:
        log.warning("%s; next: %s", printable(step.note), step.next_step)
    elif step.step is not Step.NOTHING:
        log.info("%s %s: %s", step.jar, step.step, printable(step.note))
    return step
