"""Copies of a whole vault, and its move to another key: settings go in, receipts come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from jarkeeper.audit import Trail
from jarkeeper.audit.log import log_event
from jarkeeper.errors import InputError, JarkeeperError, KeyUnavailable, NotInitialised
from jarkeeper.keys.local import create_key_file
from jarkeeper.names import VAULT_KEY
from jarkeeper.settings import Settings
from jarkeeper.stores import Store
from jarkeeper.vault import Vault, copying
from jarkeeper.vault.copying import CopyReceipt, Note
from jarkeeper.vault.rewrap import RewrapReceipt, rewrap
from jarkeeper.vault.root import open_root
from jarkeeper.vault.vouching import remembered, set_back
from jarkeeper.wiring import (
    open_key,
    open_store,
    open_vault,
    remember,
    reopener,
    utc_now,
    who,
    with_parameter,
)

Progress = Callable[[int, int], None]


def elsewhere(
    settings: Settings, place: str, *, region: str | None = None, bucket_key: str | None = None
) -> Settings:
    """Return the settings for a copy in another place.

    In another region no key of this one encrypts: without `bucket_key`, the default there does.
    """
    there = settings.at(place)
    if region is not None:
        aws = {**settings.aws, "AWS_REGION": region}
        there = replace(there, aws=aws, s3_kms_key_id=None, kms_key_id=None)
    return there if bucket_key is None else replace(there, s3_kms_key_id=bucket_key)


def backup_vault(
    settings: Settings, target: Settings, *, progress: Progress, actor: str = "cli"
) -> CopyReceipt:
    """Copy the vault in force to the target."""
    _require_apart(settings, target)
    vault = open_vault(settings, actor=actor)
    return copying.backup(vault.ports, _prepared(target), progress=progress)


def recover_vault(
    settings: Settings, source: Settings, *, progress: Progress, actor: str = "cli"
) -> CopyReceipt:
    """Copy a backup into the place in force, and tell which anchors know of more."""
    _require_apart(settings, source)
    settings = with_parameter(settings)
    backup = _opened_backup(settings, source, actor=actor)
    store = _prepared(settings)
    trail = Trail(
        store,
        keys=backup.ports.keys,
        vault=backup.id,
        clock=utc_now,
        actor=who(actor),
        listener=log_event,
    )
    receipt = copying.recover(backup.ports, store, trail=trail, progress=progress)
    remember(settings, backup.id)
    return replace(receipt, notes=(*receipt.notes, *_anchored(settings, actor)))


def rewrap_vault(
    settings: Settings, to: Settings, *, progress: Progress, actor: str = "cli"
) -> RewrapReceipt:
    """Move the vault to the key that the settings `to` name; a key file is made if missing."""
    settings = with_parameter(settings)
    vault = _opened_by_either(settings, to, actor=actor)
    if to.kms_key_id is None and not to.key_file.exists():
        create_key_file(to.key_file)
    return rewrap(vault.ports, open_key(to), reopen=reopener(settings), progress=progress)


def _opened_by_either(settings: Settings, to: Settings, *, actor: str) -> Vault:
    """Return the vault, by the new key where an interrupted move has come that far."""
    try:
        return open_vault(settings, actor=actor)
    except KeyUnavailable as error:
        try:
            return open_vault(to, actor=actor)
        except JarkeeperError:
            raise error from None


def _opened_backup(settings: Settings, source: Settings, *, actor: str) -> Vault:
    if source.s3_bucket is None and not source.vault.exists():
        raise NotInitialised(
            f"backup '{source.place}': there is nothing",
            hint="name the folder that `jarkeeper backup` wrote to, or s3://bucket/prefix",
        )
    store = open_store(source)
    try:
        # Without anchors: a backup is older than what they have seen.
        return Vault.open(
            store,
            open_root(store, open_key(settings), reopen=reopener(settings)),
            actor=who(actor),
            clock=utc_now,
            sites=settings.sites,
            backup_count=settings.backup_count,
        )
    except NotInitialised as error:
        raise NotInitialised(
            f"backup '{source.place}': holds no vault, or one whose copying was interrupted",
            hint=f"look for '{VAULT_KEY}' in it" if error.hint else None,
        ) from None


def _prepared(target: Settings) -> Store:
    """Return the target's store; an empty bucket is probed first, as for a new vault."""
    store = open_store(target)
    if target.s3_bucket is not None and not store.list(""):
        from jarkeeper.stores.probe import probe_store

        probe_store(store)
    return store


def _anchored(settings: Settings, actor: str) -> list[Note]:
    """Return what the anchors say against the vault that is there now."""
    vault = open_vault(settings, actor=actor)
    told = []
    for jar in vault.jars():
        try:
            vault.status(jar)
        except JarkeeperError as error:
            told.append(Note(error.message, error.hint or ""))
    known = remembered(vault.ports)
    gone = set_back(vault.ports, vault.trail.checkpoints(), known)
    return told + [Note(f"audit trail: {item.message}", item.hint) for item in gone]


def _require_apart(one: Settings, other: Settings) -> None:
    """Raise `InputError` where one place is the other, or lies inside it."""
    if (one.s3_bucket is None) != (other.s3_bucket is None):
        return
    here, there = _path(one), _path(other)
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise InputError(
            f"'{one.place}' and '{other.place}': expected two places, none inside the other"
        )


def _path(settings: Settings) -> PurePosixPath:
    if settings.s3_bucket is None:
        try:
            return PurePosixPath(Path(settings.vault).resolve())
        except (OSError, RuntimeError):  # a loop of links
            raise InputError(f"'{settings.place}': expected a folder, links lead nowhere") from None
    return PurePosixPath("/", settings.s3_bucket, settings.s3_prefix)
