"""How the flows that look after a vault begin and end: opened by name, told in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect import runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from jarkeeper.errors import JarkeeperError
from jarkeeper.vault import Vault
from jarkeeper.watch import LOCKED_OUT
from tasks.incidents import settle_failure
from tasks.opening import Opening, opening
from tasks.receipts import Receipt, publish

Work = Callable[[Opening, Vault], Receipt]


def run_name() -> str:
    """Return the flow run's name, such as 'validate youtube' or 'cleanup'."""
    parameters = runtime.flow_run.parameters
    about = parameters.get("jar") or parameters.get("manager")
    return f"{runtime.flow_run.flow_name} {about}" if about else str(runtime.flow_run.flow_name)


def concluded(work: Work, *, manager: str | None = None, jar: str | None = None) -> State[Any]:
    """Open the vault, do the work, publish its receipt, and return the state to end in.

    A vault that cannot be used is an incident of its own, kept where it can be.
    """
    try:
        where = opening(manager, jar)
        receipt = done(work, where)
        publish(receipt, f"jarkeeper-{runtime.flow_run.flow_name}")
    except JarkeeperError as error:
        return failed(error)
    return Completed(message=receipt.sentence, data=receipt)


def done(work: Work, where: Opening) -> Receipt:
    """Do the work; where the vault cannot be used, that goes on record before the error is told."""
    try:
        return work(where, where.vault())
    except LOCKED_OUT as error:
        settle_failure(where, error)
        raise


def failed(error: JarkeeperError) -> State[Any]:
    """Return the state for an error: its message, and how to go on."""
    hint = f"; hint: {error.hint}" if error.hint else ""
    return Failed(message=f"{error.message}{hint}", data=error)


def over_jars(where: Opening, vault: Vault, work: Callable[[str], Receipt]) -> Receipt:
    """Do the work for each jar; one that fails holds up no other, and fails the run at the end."""
    total, failures = Receipt(""), []
    for jar in where.jars(vault):
        try:
            total += work(jar)
        except JarkeeperError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return total if total.sentence else Receipt("there is no jar in the vault")
