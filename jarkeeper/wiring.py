"""The one place that picks adapters: settings go in, a vault comes out."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jarkeeper.anchors import FileAnchors
from jarkeeper.audit import Actor, Event
from jarkeeper.audit.log import log_event
from jarkeeper.errors import NotInitialised
from jarkeeper.keys import KeyWrapper
from jarkeeper.keys.local import LocalKey, create_key_file, read_key_file
from jarkeeper.settings import Settings
from jarkeeper.stores.local import LocalStore
from jarkeeper.vault import Vault


@dataclass(frozen=True, slots=True)
class InitReceipt:
    """What `init_vault` found or made. `key_file` is None where a setting holds the key."""

    vault: Path
    vault_id: str
    key_file: Path | None
    created_vault: bool
    created_key: bool


def init_vault(settings: Settings, *, actor: str = "cli") -> InitReceipt:
    """Make a vault and, where none is set, a key; what is there already stays as it is."""
    if vault_id := existing_vault(settings, actor=actor):
        return _receipt(settings, vault_id, created_vault=False, created_key=False)
    created_key = settings.encryption_key is None and not settings.key_file.exists()
    if created_key:
        create_key_file(settings.key_file)
    vault_id = Vault.create(
        LocalStore(settings.vault), open_keys(settings), clock=utc_now, actor=who(actor)
    )
    return _receipt(settings, vault_id, created_vault=True, created_key=created_key)


def open_vault(
    settings: Settings,
    *,
    actor: str = "cli",
    flow_run: str | None = None,
    listener: Callable[[Event], None] = log_event,
) -> Vault:
    """Return the vault. Raises `NotInitialised` without one, `KeyUnavailable` without a key."""
    store = LocalStore(settings.vault)
    return Vault.open(
        store,
        _keys_of_vault(settings),
        actor=who(actor),
        clock=utc_now,
        sites=settings.sites,
        backup_count=settings.backup_count,
        opens_per_hour=settings.opens_per_hour,
        anchors=(FileAnchors(settings.state_dir),),
        flow_run=flow_run,
        listener=listener,
        memory_key=settings.encryption_key,
    )


def existing_vault(settings: Settings, *, actor: str) -> str | None:
    """Return the id of the vault that is there, or None."""
    try:
        return open_vault(settings, actor=actor).id
    except NotInitialised:
        return None


def open_keys(settings: Settings) -> KeyWrapper:
    """Return the wrapping key: the setting's, else the key file's."""
    if settings.encryption_key is not None:
        return LocalKey(settings.encryption_key, name="key in COOKIE_ENCRYPTION_KEY")
    return read_key_file(settings.key_file)


def _keys_of_vault(settings: Settings) -> KeyWrapper:
    if not settings.vault.exists():
        raise NotInitialised(
            f"vault '{settings.vault}': there is none", hint="run `jarkeeper init`"
        )
    return open_keys(settings)


def who(program: str) -> Actor:
    """Return the actor for the audit trail: the user, the machine, and the way in."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        user = f"uid-{os.geteuid()}"
    return Actor(user, socket.gethostname(), program)


def utc_now() -> datetime:
    """Return the present moment; everything below takes it as an argument."""
    return datetime.now(UTC)


def _receipt(
    settings: Settings, vault_id: str, *, created_vault: bool, created_key: bool
) -> InitReceipt:
    key_file = settings.key_file if settings.encryption_key is None else None
    return InitReceipt(settings.vault, vault_id, key_file, created_vault, created_key)
