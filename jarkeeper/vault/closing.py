"""What follows a commit: the view and the outcome. Neither can make a committed thing fail."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from jarkeeper.audit import Access, Outcome
from jarkeeper.errors import JarkeeperError
from jarkeeper.heads import Head
from jarkeeper.vault.commit import Committed
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.view import publish, stale


def close_commit(
    ports: Ports, access: Access, done: Committed, *, generation: str | None = None
) -> tuple[str, ...]:
    """Publish the view, record the outcome, and return warnings about what did not work."""
    warnings = list(done.warnings)
    access = replace(
        access,
        head_seq=done.stored.head.seq,
        generation=access.generation if generation is None else generation,
    )
    try:
        if done.changed or stale(ports, done.stored.head):
            publish(ports, done.stored.head)
    except JarkeeperError as error:
        warnings.append(
            f"the view could not be published, the next use repairs it: {error.message}"
        )
    try:
        detail = "" if done.changed else "unchanged"
        ports.trail.outcome(access, Outcome.OK, detail=detail)
    except JarkeeperError as error:
        warnings.append(f"committed, but the outcome is not on record: {error.message}")
    return tuple(warnings)


def repair_view(ports: Ports, head: Head) -> None:
    """Publish the view where it shows another head: what a crash after a commit leaves behind."""
    with suppress(JarkeeperError):
        if stale(ports, head):
            publish(ports, head)
