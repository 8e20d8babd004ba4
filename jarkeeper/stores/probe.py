"""A probe that a store honours conditions: without them two writers would erase each other."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from jarkeeper.errors import JarkeeperError, ObjectMissing, StoreError, StoreUnknown
from jarkeeper.names import PROBE_PREFIX
from jarkeeper.stores import Store

ROUNDS = 3
CREATORS = 6

_HINT = "use S3 itself, or a store that honours `If-None-Match: *` on every write"


def probe_store(store: Store) -> None:
    """Raise `StoreError` where racing creates do not have exactly one winner each.

    What the probe wrote is removed where that is allowed; where it is not, nothing minds it.
    """
    for _ in range(ROUNDS):
        key = PROBE_PREFIX + secrets.token_hex(8)
        _race(store, key)
        _remove(store, key)


def _race(store: Store, key: str) -> None:
    contents = [f"probe {number}\n".encode() for number in range(CREATORS)]
    start = Barrier(CREATORS)

    def create(content: bytes) -> bool:
        start.wait()
        try:
            return store.put_if_absent(key, content)
        except StoreUnknown:
            return False  # whether it won nobody knows: nobody was told that it did

    with ThreadPoolExecutor(CREATORS, "jarkeeper-probe") as pool:
        answers = list(pool.map(create, contents))
    won = [content for content, created in zip(contents, answers, strict=True) if created]
    # A winner whose answer got lost was told nothing either.
    one_winner = len(won) <= 1 and _kept(store, key) in (won or contents)
    if not one_winner or store.put_if_absent(key, b"once more\n"):
        raise StoreError(
            f"{store!r}: does not honour conditional writes, {len(won)} of {CREATORS} racing "
            "creates were told that they won",
            hint=_HINT,
        )


def _kept(store: Store, key: str) -> bytes:
    try:
        return store.get(key)
    except ObjectMissing:
        raise StoreError(
            f"{store!r}: what was just written cannot be read", hint="allow `s3:GetObject` there"
        ) from None


def _remove(store: Store, key: str) -> None:
    try:
        store.delete(key)
    except JarkeeperError:
        return
