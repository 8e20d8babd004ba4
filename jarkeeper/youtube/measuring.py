"""How a worker's accesses are counted: it measures, its run records.

The worker's own output is nobody's, so what its vault's trail measures goes to the run as messages.
The run adds what only messages tell, the verdict on a slot. So each event counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jarkeeper.audit import Event as AuditEvent
from jarkeeper.metrics.measure import (
    Measurement,
    cookie_failed,
    measurements,
    refreshed,
    validated,
)
from jarkeeper.youtube.messages import Answered, Event, Marked, Measured


def told_to_run(send: Callable[[Event], None]) -> Callable[[AuditEvent], None]:
    """Return the listener of a worker's vault: what each event measures is sent to the run."""

    def hear(event: AuditEvent) -> None:
        for one in measurements(event):
            send(Measured(one.instrument.name, one.value, list(one.dimensions.values())))

    return hear


def measured_by(message: Event, *, jar: str) -> Iterator[Measurement]:
    """Give what a message from a worker on this jar measures."""
    if isinstance(message, Measured):
        yield Measurement.named(message.name, message.value, *message.words)
    elif isinstance(message, Marked):
        yield cookie_failed(jar, failure=message.reason)


def measured_by_answer(answer: Answered, *, jar: str, visit: bool) -> Iterator[Measurement]:
    """Give what the answer to a probe measures: a validation, and a refresh where it visited."""
    if answer.alive is not None:
        yield validated(jar, seconds=answer.seconds)
    if visit:
        yield refreshed(jar, result=_result(answer))


def _result(answer: Answered) -> str:
    if answer.withheld:
        return "withheld"
    if answer.alive is None:
        return "unanswered"
    if not answer.alive:
        return "signed_out"
    return answer.refused or ("kept" if answer.kept else "unchanged")
