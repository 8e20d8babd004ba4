"""The vault as it is reached from here: key, store, clock, room on the disks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from jarkeeper.audit import Event
from jarkeeper.audit.events import key_of
from jarkeeper.audit.log import log_event
from jarkeeper.checks import NOTHING, Finding, Severity
from jarkeeper.errors import JarkeeperError, KeyUnavailable
from jarkeeper.jar import read_export
from jarkeeper.limits import LIMITS
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from jarkeeper.stores import Store
from jarkeeper.vault import Vault
from jarkeeper.vault.generations import login_digest
from jarkeeper.wiring import open_vault
from jarkeeper.words import count_of, short_span, size

SHOWN_MAX = 5
DOWNLOADS = Path("downloads")


def vault(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Open the vault and, where `deep`, verify all of it; compare its store's clock with ours."""
    written: list[Event] = []

    def listen(event: Event) -> None:
        log_event(event)
        written.append(event)

    try:
        opened = open_vault(settings, listener=listen)
    except JarkeeperError as error:
        group = "keys" if isinstance(error, KeyUnavailable) else "vault"
        step = error.hint or "run `jarkeeper settings` and see where vault and key should be"
        yield Finding(group, Severity.CRITICAL, error.message, step)
        return
    yield Finding("keys", Severity.OK, f"{opened.ports.keys.name} opens the vault", NOTHING)
    if deep:
        yield from condensed(opened.check())
        if written:
            yield clock(opened.ports.store, key_of(written[-1]), at=written[-1].at)
    else:
        message = f"can be read: {count_of(len(opened.jars()), 'jar')}"
        yield Finding("vault", Severity.OK, message, NOTHING)


def knower(settings: Settings) -> Callable[[bytes], bool]:
    """Return who tells whether the vault has, or has revoked, the login of an export.

    The vault is opened with the first question; one that cannot be opened knows nothing.
    """

    @cache
    def logins() -> tuple[Vault, frozenset[str]]:
        opened = open_vault(settings)
        heads = [head for jar in opened.jars() if (head := opened.status(jar))]
        held = {
            item.generation.facts.login
            for head in heads
            for item in head.slots.records()
            if item.state is not SlotState.DEAD  # a younger export may live still
        }
        return opened, frozenset(held.union(*(head.slots.barred for head in heads)) - {""})

    def knows(content: bytes) -> bool:
        try:
            opened, known = logins()
            export = read_export(content, sites=opened.ports.sites).jar
        except JarkeeperError:
            return False
        return login_digest(opened.ports, export) in known

    return knows


def condensed(found: tuple[Finding, ...]) -> Iterator[Finding]:
    """Give the first few of what is wrong, and one finding for all that is well."""
    wrong = [finding for finding in found if finding.severity is not Severity.OK]
    for finding in wrong[:SHOWN_MAX]:
        yield Finding("vault", finding.severity, finding.message, finding.next_step)
    if (more := len(wrong) - SHOWN_MAX) > 0:
        gravest = wrong[SHOWN_MAX].severity
        yield Finding("vault", gravest, f"{more} more findings", "run `jarkeeper check`")
    if not wrong:
        yield Finding("vault", Severity.OK, f"all is as written: {len(found)} checks", NOTHING)


def clock(store: Store, key: str, *, at: datetime) -> Finding:
    """Compare our clock, which said `at` when the object was written, with the store's."""
    try:
        skew = (store.created_at(key) - at).total_seconds()
    except JarkeeperError as error:
        return Finding("clock", Severity.WARNING, error.message, "make the store readable")
    if abs(skew) <= LIMITS.clock_skew_seconds_max:
        return Finding("clock", Severity.OK, "agrees with the store's", NOTHING)
    words = "behind" if skew > 0 else "ahead of"
    message = f"is {short_span(abs(skew))} {words} the store's"
    return Finding("clock", Severity.WARNING, message, "run `timedatectl set-ntp true`")


def rooms_of(settings: Settings) -> dict[str, Path]:
    """Return what needs room on this machine."""
    rooms = {"state": settings.state_dir, "temporary": settings.temp_dir, "downloads": DOWNLOADS}
    return rooms if settings.s3_bucket else {"vault": settings.vault, **rooms}


def disk(
    rooms: Mapping[str, Path], *, free_bytes_min: int = LIMITS.free_bytes_min
) -> Iterator[Finding]:
    """Tell how much is free where something is written."""
    free = {name: shutil.disk_usage(_existing(path)).free for name, path in rooms.items()}
    for name, count in free.items():
        if count < free_bytes_min:
            message = f"only {size(count)} free for {name}, in '{rooms[name]}'"
            step = f"run `du -xh {_existing(rooms[name])} | sort -h` and make room"
            yield Finding("disk", Severity.WARNING, message, step)
    if all(count >= free_bytes_min for count in free.values()):
        told = ", ".join(f"{name} {size(count)}" for name, count in free.items())
        yield Finding("disk", Severity.OK, f"free: {told}", NOTHING)


def _existing(path: Path) -> Path:
    path = path.absolute()
    return next((one for one in (path, *path.parents) if one.exists()), Path("/"))
