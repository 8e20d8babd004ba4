"""Channels: Apprise's services, SNS, and Prefect's notification blocks. Each loads when it is used.

A channel raises `AlertError`, whose words quote neither an address nor an answer: both may hold a
token. What Apprise and the libraries below it log is kept back for the same reason.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, get_ident
from typing import Any, Protocol

from jarkeeper.alerts.plan import Plan, kind_of
from jarkeeper.alerts.words import Message
from jarkeeper.checks import Severity
from jarkeeper.errors import AlertError, JarkeeperError
from jarkeeper.settings import Settings

TALKATIVE = ("apprise", "urllib3", "requests", "httpx", "httpcore")
_ONE = Lock()
_STATUS = re.compile(r"error=([0-9]{3})\b", re.ASCII)


class Channel(Protocol):
    """One way to one recipient."""

    @property
    def recipient(self) -> str:
        """Whose it is."""

    @property
    def label(self) -> str:
        """What messages call it: the recipient and the position of its entry."""

    @property
    def kind(self) -> str:
        """Such as 'slack' or 'sns'."""

    def send(self, message: Message) -> None:
        """Hand the message over, or raise `AlertError`."""


def open_channels(
    plan: Plan, settings: Settings, environment: Mapping[str, str] | None = None
) -> tuple[Channel, ...]:
    """Return a channel for each entry; one that cannot be meant fails when it is used."""
    environ = os.environ if environment is None else environment
    return tuple(
        _opened(f"{name} {number}", name, entry, settings, environ)
        for name, entries in plan.recipients.items()
        for number, entry in enumerate(entries, start=1)
    )


def _opened(
    label: str, recipient: str, entry: str, settings: Settings, environ: Mapping[str, str]
) -> Channel:
    scheme, _, rest = entry.partition(":")
    if scheme == "env":
        entry = environ.get(rest, "").strip()
        if not entry or kind_of(entry) in (None, "env"):
            return Broken(recipient, label, "env", f"expected an entry in the variable {rest}")
        scheme, _, rest = entry.partition(":")
    if scheme == "sns":
        return Topic(recipient, label, "sns", rest, settings.aws)
    if scheme == "prefect-block":
        return PrefectBlock(recipient, label, "prefect-block", rest)
    return _apprise(recipient, label, str(kind_of(entry)), entry)


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry that leads nowhere."""

    recipient: str
    label: str
    kind: str
    reason: str

    @property
    def entry(self) -> str:
        """What the plan's own mistakes call it."""
        return f"recipient '{self.recipient}' entry {self.label.rpartition(' ')[2]}"

    def send(self, message: Message) -> None:  # noqa: ARG002
        """Raise `AlertError`."""
        raise AlertError(f"channel '{self.label}': {self.reason}")


@dataclass(frozen=True, slots=True)
class Service:
    """A service that Apprise knows."""

    recipient: str
    label: str
    kind: str
    service: Any = field(repr=False)

    def send(self, message: Message) -> None:
        """Hand the message over, or raise `AlertError`."""
        from apprise import Apprise, NotifyFormat, NotifyType

        kind = NotifyType.FAILURE if message.severity is Severity.CRITICAL else NotifyType.WARNING
        kind = NotifyType.SUCCESS if message.is_over else kind
        with _hushed() as heard:
            try:
                # Not the service's own `notify`, which would send text where it promises HTML.
                taken = Apprise(servers=[self.service]).notify(
                    title=message.title,
                    body=message.body,
                    notify_type=kind,
                    body_format=NotifyFormat.TEXT,
                )
            except Exception as error:  # noqa: BLE001 - over a hundred plugins, each with its own
                raise _untaken(self, type(error).__name__) from None
        if taken is not True:
            raise _untaken(self, f"HTTP {heard[-1]}" if heard else "no answer")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of SNS."""

    recipient: str
    label: str
    kind: str
    arn: str
    aws: Mapping[str, str] = field(repr=False)

    def send(self, message: Message) -> None:
        """Hand the message over, or raise `AlertError`."""
        from jarkeeper.aws.topics import publish

        try:
            publish(self.aws, self.arn, message.title, message.body, message.document)
        except JarkeeperError as error:
            raise AlertError(f"channel '{self.label}': {error.message}", hint=error.hint) from None


@dataclass(frozen=True, slots=True)
class PrefectBlock:
    """A notification block of the Prefect server in force; loaded by name, as Prefect is slow."""

    recipient: str
    label: str
    kind: str
    name: str

    def send(self, message: Message) -> None:
        """Hand the message over, or raise `AlertError`."""
        import importlib

        with _hushed():
            try:
                importlib.import_module("prefect.blocks.notifications")
                block = importlib.import_module("prefect.blocks.core").Block.load(self.name)
            except Exception:  # noqa: BLE001 - no Prefect, no server, no such block
                raise _untaken(self, "Prefect gives no such block") from None
            try:
                with block.raise_on_failure():
                    block.notify(body=message.body, subject=message.title)
            except Exception as error:  # noqa: BLE001 - its text may quote the block's URL
                raise _untaken(self, type(error).__name__) from None


def _apprise(recipient: str, label: str, kind: str, url: str) -> Channel:
    try:
        from apprise import Apprise
    except ImportError:
        return Broken(recipient, label, kind, "module 'apprise' is missing")
    with _hushed():
        try:
            service = Apprise.instantiate(url, suppress_exceptions=True)
        except Exception:  # noqa: BLE001 - its text may quote the URL
            service = None
    if service is None:
        return Broken(recipient, label, kind, f"Apprise does not understand its '{kind}' URL")
    return Service(recipient, label, kind, service)


def _untaken(channel: Channel, why: str) -> AlertError:
    return AlertError(f"channel '{channel.label}' ({channel.kind}): did not take it, {why}")


class _Statuses(logging.Handler):
    """Hears the HTTP statuses of failures by the thread that sends, and nothing else of them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: dict[int, list[str]] = {}
        self.before: list[tuple[logging.Logger, bool, list[logging.Handler]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        match = _STATUS.search(record.getMessage())
        if match:
            self.heard.get(get_ident(), []).append(match[1])


_STATUSES = _Statuses()


@contextmanager
def _hushed() -> Iterator[list[str]]:
    """Keep back what libraries log: their lines quote URLs. Gives the statuses that were told.

    It changes what holds for the whole process, so the first that sends begins it and the last
    ends it; nobody waits for a channel that gives no answer.
    """
    statuses: list[str] = []
    with _ONE:
        if not _STATUSES.heard:
            _hush()
        _STATUSES.heard[get_ident()] = statuses
    try:
        yield statuses
    finally:
        with _ONE:
            del _STATUSES.heard[get_ident()]
            if not _STATUSES.heard:
                for logger, propagate, handlers in _STATUSES.before:
                    logger.propagate, logger.handlers = propagate, handlers


def _hush() -> None:
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    _STATUSES.before = [(item, item.propagate, item.handlers[:]) for item in loggers]
    for logger in loggers:
        logger.propagate, logger.handlers = False, [_STATUSES]
