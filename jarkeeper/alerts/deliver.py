"""Delivery: each message is claimed in the journal, sent, and put on record as sent.

A claim is create-only, so one process sends. A process that dies in between leaves a claim that
is free after `CLAIM_MINUTES`: the message may then go out twice, and never not at all. Whatever
goes wrong is told in the log and in the result, and is tried again by the next examination.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime

from jarkeeper.alerts.channels import Channel
from jarkeeper.alerts.plan import Plan
from jarkeeper.alerts.words import Message, message_of
from jarkeeper.errors import JarkeeperError
from jarkeeper.incidents import Due, Incident, Journal, due_steps

LOG = logging.getLogger("jarkeeper.alerts")
CHANNEL_SECONDS = 20.0
"""For one message: a channel that drips must not hold an examination up."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What went out: the cause, jar and kind of each message, and what failed, in sentences."""

    sent: tuple[tuple[str, str, str], ...] = ()
    failures: tuple[str, ...] = ()

    def __add__(self, other: Delivery) -> Delivery:
        return Delivery(self.sent + other.sent, self.failures + other.failures)


def deliver(
    journal: Journal, plan: Plan, channels: Iterable[Channel], *, place: str, now: datetime
) -> Delivery:
    """Send what is due; `place` is where the vault is. Never raises a failure."""
    if not plan.steps:
        return Delivery()
    opened = tuple(channels)
    try:
        incidents = journal.look().incidents
    except JarkeeperError as error:
        return _failed(error.message)
    delivery = Delivery()
    for incident in incidents:
        due = due_steps(incident, plan.steps, now=now)
        if due is not None:
            delivery += _deliver(journal, incident, due, opened, place=place)
    return delivery


def send(message: Message, channels: Iterable[Channel]) -> dict[str, str]:
    """Send to every channel; return what each answered that did not take it, by its label."""
    return {label: failure.sentence for label, failure in _send(message, channels).items()}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a channel did not take a message, as far as it said; silent, it may have taken it."""

    sentence: str
    is_silent: bool = False


def _send(message: Message, channels: Iterable[Channel]) -> dict[str, Failure]:
    """Send through all at once: a claim must not grow old over many slow ones."""
    answers = {channel.label: _asked(message, channel) for channel in channels}
    wait(answers.values(), CHANNEL_SECONDS)
    failures = {}
    for label, answer in answers.items():
        if not answer.done():  # one that answers for ever is left to itself
            told = f"channel '{label}': no answer in {CHANNEL_SECONDS:.0f} s"
            failures[label] = Failure(told, is_silent=True)
        elif (sentence := answer.result()) is not None:
            failures[label] = Failure(sentence)
    return failures


def _asked(message: Message, channel: Channel) -> Future[str | None]:
    answer: Future[str | None] = Future()

    def ask() -> None:
        try:
            answer.set_result(_answer(message, channel))
        except BaseException as error:  # noqa: BLE001 - it ends whoever waits, not this thread
            answer.set_exception(error)

    threading.Thread(target=ask, name="alert", daemon=True).start()
    return answer


def _answer(message: Message, channel: Channel) -> str | None:
    try:
        channel.send(message)
    except JarkeeperError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - no channel may end an examination
        return f"channel '{channel.label}': failed, {type(error).__name__}"
    return None


def _deliver(
    journal: Journal,
    incident: Incident,
    due: Due,
    channels: tuple[Channel, ...],
    *,
    place: str,
) -> Delivery:
    try:
        now = journal.claim(incident, due)
        if now is None:
            return Delivery()
        message = message_of(incident, due.kind, place=place, now=now)
        wanted = [channel for channel in channels if _is_for(channel, due)]
        failures = _send(message, wanted)
        silent = bool(failures) and all(one.is_silent for one in failures.values())
        journal.settle(incident, due, missed=failures, silent=silent)
    except JarkeeperError as error:
        return _failed(error.message)
    told = ((incident.cause, incident.jar, due.kind),) if len(failures) < len(wanted) else ()
    return Delivery(told) + _failed(*(failure.sentence for failure in failures.values()))


def _is_for(channel: Channel, due: Due) -> bool:
    return channel.recipient in due.to or channel.label in due.to


def _failed(*sentences: str) -> Delivery:
    for sentence in sentences:
        LOG.error("alerts: %s", sentence)
    return Delivery(failures=sentences)
