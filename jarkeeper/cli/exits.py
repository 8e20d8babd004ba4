"""What a command's exit code says. `docs/reference/exit-codes.md` tells it to users."""

from __future__ import annotations

from enum import IntEnum

import click

from jarkeeper.errors import InputError, JarkeeperError, NotFound, StoreError, VaultError


class Exit(IntEnum):
    """The codes that scripts may rely on."""

    OK = 0
    FAILED = 1
    """Done, with something to look at: a video failed, a check or a copy warns."""
    USAGE = 2
    """What was asked cannot be done as asked, or no Prefect server answers; nothing was changed."""
    VAULT = 3
    """The vault cannot be used: missing, no key, damaged, no audit, no answer."""
    STOPPED = 4
    """The run was stopped: YouTube said stop, or the destination is full."""
    PUT_OFF = 5
    """Some videos wait for fresh cookies; the rest is there."""
    INTERNAL = 70
    """A mistake in Jarkeeper, as sysexits.h numbers it."""
    INTERRUPTED = 130
    """Ctrl-C, as shells number it."""
    PIPE_CLOSED = 141
    """Whoever read the output went away, as shells number it."""
    TERMINATED = 143
    """SIGTERM, as shells number it."""


class Interrupted(click.Abort):
    """Ctrl-C during a run; `message` tells how far it had come."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def exit_of(error: BaseException) -> Exit:
    """Return the code with which a command ends that raised this error."""
    match error:
        case click.Abort() | KeyboardInterrupt():
            return Exit.INTERRUPTED
        case click.ClickException() | InputError() | NotFound():
            return Exit.USAGE
        case VaultError() | StoreError():
            return Exit.VAULT
        case JarkeeperError() | OSError():
            return Exit.FAILED
        case _:
            return Exit.INTERNAL
