"""Accesses: the intent is durable before anything happens, and every ending has an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.errors import (
    AuditUnavailable,
    ConfirmationNeeded,
    Conflict,
    EnvelopeError,
    InputError,
    IntegrityError,
    KeyUnavailable,
    LendRefused,
    NotFound,
    NotGranted,
    RollbackError,
    StoreError,
    StoreUnknown,
    VaultError,
    WriteBackRefused,
)

_ENDINGS: tuple[tuple[type[Exception], Outcome, str], ...] = (
    (Conflict, Outcome.CONFLICT, "conflict"),
    (NotFound, Outcome.REFUSED, "not_found"),
    (NotGranted, Outcome.REFUSED, "capability"),
    (ConfirmationNeeded, Outcome.REFUSED, "unconfirmed"),
    (InputError, Outcome.REFUSED, "input"),
    (RollbackError, Outcome.FAILED, "rollback"),
    (EnvelopeError, Outcome.FAILED, "envelope"),
    (IntegrityError, Outcome.FAILED, "integrity"),
    (KeyUnavailable, Outcome.FAILED, "key"),
    (StoreUnknown, Outcome.UNKNOWN, "no_answer"),
    (StoreError, Outcome.FAILED, "store"),
    (VaultError, Outcome.FAILED, "vault"),
)


@contextmanager
def recorded(trail: Trail, access: Access, *, detail: str = "") -> Iterator[None]:
    """Record the intent, or raise `AuditUnavailable`; then the outcome of whatever goes wrong.

    The caller records that it went well: only it knows whether that may still fail.
    """
    trail.intent(access, detail=detail)
    try:
        yield
    except BaseException as error:
        outcome, detail = _ending(error)
        with suppress(AuditUnavailable):
            trail.outcome(access, outcome, detail=detail)
        raise


def _ending(error: BaseException) -> tuple[Outcome, str]:
    if isinstance(error, (LendRefused, WriteBackRefused)):
        overtaken = error.reason == "conflict"
        return (Outcome.CONFLICT if overtaken else Outcome.REFUSED), error.reason
    for kind, outcome, detail in _ENDINGS:
        if isinstance(error, kind):
            return outcome, detail
    return Outcome.UNKNOWN, "interrupted"
