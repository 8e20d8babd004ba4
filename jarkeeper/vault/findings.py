"""Findings about a vault: each with a word, a sentence and a next step."""

from __future__ import annotations

from jarkeeper.checks import Finding, Severity
from jarkeeper.errors import JarkeeperError, KeyUnavailable, ObjectDenied, ObjectMissing, StoreError

NOTHING = "nothing to do"
RECOVER = "bring the object back from a backup of the store; until then do not delete anything"


def ok(code: str, message: str, next_step: str = NOTHING) -> Finding:
    """Return what is well."""
    return Finding(code, Severity.OK, message, next_step)


def warning(code: str, message: str, next_step: str) -> Finding:
    """Return what somebody should look at."""
    return Finding(code, Severity.WARNING, message, next_step)


def critical(code: str, message: str, next_step: str) -> Finding:
    """Return what somebody must do something about."""
    return Finding(code, Severity.CRITICAL, message, next_step)


def is_outage(error: JarkeeperError) -> bool:
    """Whether the store or the key gave no answer: that says nothing of what is stored."""
    if isinstance(error, ObjectMissing):
        return isinstance(error, ObjectDenied)
    return isinstance(error, (KeyUnavailable, StoreError))


def outage(error: JarkeeperError) -> Finding:
    """Return that the store or the key gave no answer."""
    return critical("store", error.message, error.hint or "make the store and the key readable")


def counted(count: int, thing: str) -> str:
    """Return the number with its noun."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
