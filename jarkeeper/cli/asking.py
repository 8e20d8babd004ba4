"""Asking YouTube about slots from a command: a worker asks, and each answer is told in a line."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from jarkeeper.checks import IMPORT
from jarkeeper.cli.output import Output

if TYPE_CHECKING:
    from jarkeeper.cli.story import Told
    from jarkeeper.heads import Head
    from jarkeeper.lifecycle.validation import Validation
    from jarkeeper.settings import Settings
    from jarkeeper.vault import Vault
    from jarkeeper.youtube.messages import Answered

TRIES = 1
"""Further ones where no answer comes: somebody waits at a terminal."""


def ask(settings: Settings, vault: Vault, head: Head, *, visit: bool = False) -> Validation:
    """Return what YouTube says of the slots of a jar whose turn it is."""
    from jarkeeper.lifecycle.validation import Validation, due, validate
    from jarkeeper.youtube.errand import errand

    if not due(head, now=vault.ports.clock(), visit=visit):
        return Validation(head, ())
    with (
        Output(aside=True).busy(f"asking YouTube about '{head.jar}'"),
        errand(settings, head.jar, base_head=head.seq, actor="cli") as asker,
    ):
        return validate(vault, head.jar, asker, visit=visit, waits=settings.retry_seconds[:TRIES])


def sentence(answer: Answered) -> Told:
    """Return severity, message and next step of an answer."""
    name = f"{answer.slot or 'generation'} {answer.generation[:8]}"
    if answer.withheld:
        return "warning", f"{name} was not asked about: {answer.detail}", None
    if answer.alive is None:
        return "warning", f"{name}: no answer, {answer.detail}", "run it again later"
    if not answer.alive:
        certain = answer.state == "dead"
        message = "YouTube says that nobody is logged in"
        step = IMPORT if certain else "run it again in ten minutes: one answer ends no login"
        return ("critical" if certain else "warning"), f"{name}: {message}", step
    kept = ", and what YouTube renewed is kept" if answer.kept else ""
    lost = f", but what YouTube renewed was not kept ({answer.refused})" if answer.refused else ""
    return "ok", f"{name}: YouTube says that somebody is logged in{kept}{lost}", None


def as_dict(answer: Answered) -> dict[str, Any]:
    """Return an answer as plain values for JSON."""
    return {name: value for name, value in asdict(answer).items() if name != "number"}
