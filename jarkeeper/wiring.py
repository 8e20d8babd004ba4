"""The one place that picks adapters: settings go in, a vault comes out."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from jarkeeper.anchors import FileAnchors
from jarkeeper.audit import Actor, Event
from jarkeeper.audit.log import log_event
from jarkeeper.errors import (
    JarkeeperError,
    NotInitialised,
    RollbackError,
    StoreError,
    VaultError,
)
from jarkeeper.incidents import Journal
from jarkeeper.keys import Purpose, WrappingKey
from jarkeeper.keys.local import LocalKey, create_key_file, read_key_file
from jarkeeper.names import VAULT_KEY, VaultId
from jarkeeper.settings import Settings
from jarkeeper.stores import Store
from jarkeeper.stores.local import LocalStore
from jarkeeper.vault import Vault
from jarkeeper.vault.identity import read_raw_identity
from jarkeeper.vault.root import found_root, open_root

UNKEYED = bytes(32)
"""In the place of a key, where none can be had."""


@dataclass(frozen=True, slots=True)
class InitReceipt:
    """What `init_vault` found or made. `key_file` is None where the key is no file."""

    place: str
    vault_id: str
    key: str
    """How messages call the wrapping key."""
    key_file: Path | None
    created_vault: bool
    created_key: bool


def init_vault(settings: Settings, *, actor: str = "cli") -> InitReceipt:
    """Make a vault and, where none is set, a key; what is there already stays as it is.

    `StoreError` where the store does not keep what the vault relies on: then nothing is made.
    """
    settings = with_parameter(settings)
    if vault_id := existing_vault(settings, actor=actor):
        return _receipt(settings, vault_id, created_vault=False, created_key=False)
    store = open_store(settings)
    if settings.s3_bucket is not None and VAULT_KEY in store.list(VAULT_KEY):
        raise VaultError(
            f"vault '{settings.place}': there is one already, and this role may not read it",
            hint="use the role that the vault was made for: see docs/reference/permissions.md",
        )
    if settings.s3_bucket is not None:
        from jarkeeper.stores.probe import probe_store

        probe_store(store)
    created_key = _is_key_file(settings) and not settings.key_file.exists()
    if created_key:
        create_key_file(settings.key_file)
    vault, keys = found_root(store, open_key(settings), reopen=reopener(settings))
    vault_id = Vault.create(store, keys, clock=utc_now, actor=who(actor), vault=vault)
    remember(settings, vault_id)
    return _receipt(settings, vault_id, created_vault=True, created_key=created_key)


def open_vault(
    settings: Settings,
    *,
    actor: str = "cli",
    flow_run: str | None = None,
    listener: Callable[[Event], None] | None = None,
) -> Vault:
    """Return the vault. Raises `NotInitialised` without one, `KeyUnavailable` without a key.

    Each event of its audit trail is logged and measured, unless there is another listener.
    """
    if settings.s3_bucket is None and not settings.vault.exists():
        raise NotInitialised(
            f"vault '{settings.place}': there is none",
            hint="run `jarkeeper init`, or `jarkeeper recover` where there is a backup of one",
        )
    settings = with_parameter(settings)
    store = open_store(settings)
    vault = Vault.open(
        store,
        open_root(store, open_key(settings), reopen=reopener(settings)),
        actor=who(actor),
        clock=utc_now,
        sites=settings.sites,
        backup_count=settings.backup_count,
        opens_per_hour=settings.opens_per_hour,
        anchors=(FileAnchors(settings.state_dir),),
        flow_run=flow_run,
        listener=listener or listener_of(settings),
        memory_key=settings.encryption_key,
    )
    _require_known(settings, vault)
    return vault


def listener_of(settings: Settings) -> Callable[[Event], None]:
    """Return what hears each event of the trail: the log, and the metrics where they are on."""
    if not settings.metrics:
        return log_event
    from jarkeeper.metrics.measure import measurements
    from jarkeeper.metrics.record import record

    def hear(event: Event) -> None:
        record(settings.metrics, measurements(event))
        log_event(event)

    return hear


def open_journal(settings: Settings, vault: Vault | None) -> Journal:
    """Return the incidents of a vault; without one, those of its place that are kept here.

    What keeps a vault from being opened cannot be put on record in it: its store or its key is
    what is wrong. The records here have no key either, so their MAC shows accidents alone; who
    could forge them owns the directory, and could mute everything anyway.
    """
    if vault is not None:
        ports = vault.ports
        key = ports.keys.derive(Purpose.INCIDENT_MAC)
        return Journal(ports.store, key=key, vault=vault.id, clock=ports.clock, trail=ports.trail)
    name = hashlib.sha256(settings.place.encode()).hexdigest()[:32]
    store = LocalStore(settings.state_dir / "incidents" / name)
    return Journal(store, key=UNKEYED, vault=name, clock=utc_now)


def remember(settings: Settings, vault: VaultId) -> None:
    """Remember that this vault was founded here, or brought here: another one is refused later."""
    with suppress(StoreError):  # lending tells what is wrong with the place of anchors
        FileAnchors(settings.state_dir).remember(settings.place, vault)


def _require_known(settings: Settings, vault: Vault) -> None:
    """Raise `RollbackError` where another vault was here before: a whole one can be put in place.

    Anchors of heads cannot tell, because they belong to one vault.
    """
    anchors = FileAnchors(settings.state_dir)
    try:
        known = anchors.vault_at(settings.place)
    except StoreError as error:
        raise RollbackError(
            f"vault '{settings.place}': cannot tell whether another one was put in its place, "
            f"{error.message}",
            hint="make JARKEEPER_STATE_DIR readable for you alone; if a file in it is damaged, be "
            f"sure of the vault first, then remove '{anchors.file_of(settings.place)}'",
        ) from None
    if known is None:
        remember(settings, vault.id)
    elif known != vault.id:
        raise RollbackError(
            f"vault '{settings.place}': is vault {vault.id[:8]}, where {known[:8]} was before",
            hint=f"find out who put it there; if it was you, remove "
            f"'{anchors.file_of(settings.place)}'",
        )


def existing_vault(settings: Settings, *, actor: str) -> str | None:
    """Return the id of the vault that is there, or None."""
    try:
        # Before any key is looked for: a new vault's own may have to be made first.
        read_raw_identity(open_store(settings))
    except NotInitialised:
        return None
    return open_vault(settings, actor=actor).id


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name: a bucket, else a directory."""
    if settings.s3_bucket is None:
        return LocalStore(settings.vault)
    from jarkeeper.aws import Clients
    from jarkeeper.stores.s3 import S3Store

    return S3Store(
        Clients.of(settings.aws),
        bucket=settings.s3_bucket,
        prefix=settings.s3_prefix,
        encryption=settings.s3_encryption,
        kms_key=settings.s3_kms_key_id or settings.kms_key_id,
    )


def connect(settings: Settings) -> None:
    """Make the clients of AWS that the vault needs, while the environment still tells how."""
    if settings.s3_bucket is None and settings.kms_key_id is None:
        return
    from jarkeeper.aws import Clients
    from jarkeeper.keys.kms import region_of

    clients = Clients.of(settings.aws)
    with suppress(JarkeeperError):  # whoever needs the vault will be told
        clients.get("ssm")
        clients.get("s3")
        if settings.kms_key_id is not None:
            clients.get("kms", region=region_of(settings.kms_key_id))


def open_key(settings: Settings) -> WrappingKey:
    """Return the wrapping key: KMS's, else the setting's, else the key file's."""
    if settings.kms_key_id is not None:
        return _kms_key(settings, settings.kms_key_id)
    if settings.encryption_key is not None:
        return LocalKey(settings.encryption_key, name="key in COOKIE_ENCRYPTION_KEY")
    return read_key_file(settings.key_file)


def reopener(settings: Settings) -> Callable[[Mapping[str, str]], WrappingKey]:
    """Return what makes a vault's former keys from its record of them."""

    def reopen(fields: Mapping[str, str]) -> WrappingKey:
        if "kms" in fields:
            return _kms_key(settings, fields["kms"])
        return LocalKey(base64.b64decode(fields["local"]), name="the vault's former local key")

    return reopen


def with_parameter(settings: Settings) -> Settings:
    """Return the settings with the key that Parameter Store holds, where they name it there."""
    if settings.encryption_key_parameter is None or settings.encryption_key is not None:
        return settings
    from jarkeeper.aws import Clients
    from jarkeeper.keys.parameter import read_parameter

    key = read_parameter(Clients.of(settings.aws), settings.encryption_key_parameter)
    return replace(settings, encryption_key=key)


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


def _kms_key(settings: Settings, key_id: str) -> WrappingKey:
    from jarkeeper.aws import Clients
    from jarkeeper.keys.kms import KMSKey

    return KMSKey(Clients.of(settings.aws), key_id)


def _is_key_file(settings: Settings) -> bool:
    return settings.kms_key_id is None and settings.encryption_key is None


def _receipt(
    settings: Settings, vault_id: str, *, created_vault: bool, created_key: bool
) -> InitReceipt:
    return InitReceipt(
        place=settings.place,
        vault_id=vault_id,
        key=open_key(settings).name,
        key_file=settings.key_file if _is_key_file(settings) else None,
        created_vault=created_vault,
        created_key=created_key,
    )
