"""Waiting for an operator: downloads that need a login go on once there is one again."""

from __future__ import annotations

import time
from collections.abc import Callable

from jarkeeper.lifecycle.validation import may_be_asked
from jarkeeper.vault import Vault

LOOK_SECONDS = 15.0
"""Between two looks at the head: an import is noticed while its operator still watches."""


def has_login(vault: Vault, jar: str) -> bool:
    """Whether a run could use cookies of the jar now, as far as anybody knows."""
    head = vault.status(jar)
    slots = () if head is None else (head.active, *head.backups)
    now = vault.ports.clock()
    return any(may_be_asked(item, now=now) for item in slots if item is not None)


def wait_for_login(vault: Vault, jar: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Return once the jar has cookies that can be used."""
    while not has_login(vault, jar):
        sleep(LOOK_SECONDS)
