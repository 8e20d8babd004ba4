"""Which vault and which jars a flow is about: a cookie manager says so, or the environment."""

from __future__ import annotations

from dataclasses import dataclass

from prefect import runtime
from pydantic import ValidationError

from blocks import CookieManager
from jarkeeper.errors import InputError, NotFound
from jarkeeper.names import checked_jar_name
from jarkeeper.settings import Settings
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_vault

JAR = "youtube"
ACTOR = "flow"


@dataclass(frozen=True, slots=True)
class Opening:
    """The settings in force, and the jar that was named, if one was."""

    settings: Settings
    jar: str | None = None

    def vault(self) -> Vault:
        """Return the vault, whose audit trail will name this flow run."""
        return open_vault(self.settings, actor=ACTOR, flow_run=flow_run_id())

    def jars(self, vault: Vault) -> tuple[str, ...]:
        """Return the jar that was named, else every jar in the vault."""
        return (self.jar,) if self.jar else tuple(vault.jars())


def opening(manager: str | None = None, jar: str | None = None) -> Opening:
    """Return what the cookie manager of that name says, or the environment where none is named."""
    block = load(manager) if manager else None
    settings = block.settings() if block else Settings.read()
    named = jar or (block.jar if block else None)
    return Opening(settings, checked_jar_name(named) if named else None)


def load(manager: str) -> CookieManager:
    """Return the block of that name, or raise `NotFound`, or `InputError` for a wrong field."""
    try:
        block = CookieManager.load(manager)
    except RuntimeError as error:  # Prefect's, around what is wrong with the fields
        if not isinstance(error.__cause__, ValidationError):
            raise
        raise InputError(f"cookie manager '{manager}': {mistakes_in(error.__cause__)}") from None
    except ValueError:
        raise NotFound(
            f"cookie manager '{manager}': there is no block of that name",
            hint="run `jarkeeper blocks register`, create it in the UI under Blocks, or leave the "
            "field empty",
        ) from None
    assert isinstance(block, CookieManager), "a sync flow loads synchronously"  # noqa: S101
    return block


def mistakes_in(error: ValidationError) -> str:
    """Return what is wrong with each field, without what was filled in."""
    mistakes = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        # A mistake between two fields has no place of its own: it names them.
        ": ".join(filter(None, (".".join(map(str, item["loc"])), _words(item["msg"]))))
        for item in mistakes
    )


def flow_run_id() -> str | None:
    """Return the id of the flow run that is under way, if there is one."""
    return runtime.flow_run.id and str(runtime.flow_run.id)


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")
