"""Stores: where sealed bytes live. One port, one adapter a file, one contract for all of them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol, runtime_checkable

from jarkeeper.errors import IntegrityError, StoreError, StoreUnknown

_KEY = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9._=-]{0,127}", re.ASCII)


class Store(Protocol):
    """Objects by key. Everything that counts is created once and never overwritten."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Create the object durably; False where one exists already, whatever it holds.

        `StoreUnknown` where no answer came, any other `StoreError` where nothing was created.
        """

    def get(self, key: str) -> bytes:
        """Return the object's bytes, or raise `ObjectMissing`."""

    def list(self, prefix: str) -> list[str]:
        """Return all keys that start with the prefix, sorted."""

    def created_at(self, key: str) -> datetime:
        """Return when the object was stored, by the store's clock, or raise `ObjectMissing`."""

    def put(self, key: str, content: bytes) -> None:
        """Create or overwrite, all or nothing: for the view only."""

    def delete(self, key: str) -> None:
        """Remove the object if it is there: for the clean-up only."""


class Readable(Protocol):
    """What reading needs of a store."""

    def get(self, key: str) -> bytes:
        """Return the object's bytes, or raise `ObjectMissing`."""

    def list(self, prefix: str) -> list[str]:
        """Return all keys that start with the prefix, sorted."""


@runtime_checkable
class Tended(Protocol):
    """What a store offers besides where it needs care: a directory does, S3 does not."""

    def sweep(self, before: datetime) -> int:
        """Remove what interrupted writes left before that moment; return how many."""

    def complaints(self) -> tuple[str, ...]:
        """Return what is wrong with the place itself, one sentence each."""


def put_once(store: Store, key: str, content: bytes) -> bool:
    """Return whether the object holds these very bytes now; False where it holds others.

    A write whose answer got lost may have happened, and some clients report their own write as
    somebody else's: so the same bytes are sent again, and in the end the object is read.
    `StoreUnknown` where even that gives no answer or no object; any other `StoreError` only where
    certainly nothing was written.
    """
    unsure = False
    for _ in range(2):
        try:
            return store.put_if_absent(key, content) or holds(store, key, content)
        except StoreUnknown:  # no answer, or taken by what cannot be read
            unsure = True
        except StoreError:
            if not unsure:
                raise
    return holds(store, key, content)


def holds(store: Store, key: str, content: bytes) -> bool:
    """Return whether the object holds these bytes, or raise `StoreUnknown` if it cannot be read."""
    try:
        return store.get(key) == content
    except (StoreError, IntegrityError) as error:
        raise StoreUnknown(
            f"object '{key}': the store gave no answer that can be believed, {error.message}",
            hint=error.hint,
        ) from None


def checked_key(key: str) -> str:
    """Return the key, or raise `StoreError` where it is not a plain relative path."""
    if not all(_KEY.fullmatch(part) for part in key.split("/")):
        raise StoreError(f"key of {len(key)} characters: expected plain names separated by '/'")
    return key


def checked_prefix(prefix: str) -> str:
    """Return the prefix, or raise `StoreError`; an empty one means everything."""
    parts = prefix.split("/")
    if not all(_KEY.fullmatch(part) for part in parts[:-1]):
        raise StoreError("prefix: expected plain names separated by '/'")
    if parts[-1] and not _KEY.fullmatch(parts[-1]):
        raise StoreError("prefix: expected plain names separated by '/'")
    return prefix
