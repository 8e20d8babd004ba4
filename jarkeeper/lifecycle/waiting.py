"""Waiting for an operator: downloads that need a login go on once there is one again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

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


def logins(vault: Vault, jar: str) -> frozenset[datetime]:
    """Return since when each login of the jar is in use, by which a new one is told from them."""
    head = vault.status(jar)
    slots = () if head is None else (head.active, *head.backups)
    return frozenset(item.login_began for item in slots if item is not None)


def wait_for_login(
    vault: Vault,
    jar: str,
    *,
    known: frozenset[datetime] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once somebody has changed the jar, and it has cookies that can be used.

    Only then: what was put off with the cookies that are there would be put off again. But a login
    that is not among the `known` ones, of before the run, may have come while it still went on.
    """
    before = _seq(vault, jar)
    if known is not None and logins(vault, jar) - known and has_login(vault, jar):
        return
    while _seq(vault, jar) == before or not has_login(vault, jar):
        sleep(LOOK_SECONDS)


def _seq(vault: Vault, jar: str) -> int:
    head = vault.status(jar)
    return 0 if head is None else head.seq
