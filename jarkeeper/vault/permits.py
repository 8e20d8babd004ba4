"""Permits: how often a jar is opened in an hour, over all processes, by the one primitive.

A permit is an object that can be created once: `opens/<jar>/<hour>/0001` to the limit. Whoever
creates it has it, and a process that dies or starts again gets no fresh ones. No answer means no
permit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from jarkeeper.audit import Access
from jarkeeper.errors import JarkeeperError, LendRefused
from jarkeeper.limits import LIMITS
from jarkeeper.names import opens_prefix, parse_permit_key, permit_key, window_of
from jarkeeper.records import read_record, read_time, write_record, write_time
from jarkeeper.stores import put_once
from jarkeeper.vault.ports import Ports

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Opens:
    """How much of its share of opens a jar has used, as far as permits tell."""

    this_hour: int
    per_hour: int
    last: datetime | None
    """None where it was opened by nobody, or longer ago than permits are kept."""


def take_permit(ports: Ports, access: Access) -> None:
    """Count one open of the access's jar, or raise `LendRefused` where the hour has had its share.

    Whatever the store raises passes: an open that cannot be counted does not happen.
    """
    now = ports.clock()
    window = window_of(now)
    permit = _write_permit(ports, access, now=now)
    # From the highest on: who takes permits away gains nothing by it.
    for number in range(_highest(ports, access.jar, window) + 1, ports.opens_per_hour + 1):
        if put_once(ports.store, permit_key(access.jar, window, number), permit):
            return
    raise _refused(access.jar, limit=ports.opens_per_hour, now=now)


def read_opens(ports: Ports, jar: str) -> Opens:
    """Return how often the jar was opened this hour, and when last. Reads one permit."""
    keys = [key for key in ports.store.list(opens_prefix(jar)) if parse_permit_key(key)]
    newest = max(keys, key=_place, default=None)
    return Opens(
        this_hour=_highest(ports, jar, window_of(ports.clock())),
        per_hour=ports.opens_per_hour,
        last=None if newest is None else _taken_at(ports, newest),
    )


def _place(key: str) -> tuple[str, int]:
    _, window, number = parse_permit_key(key) or ("", "", 0)
    return window, number


def _taken_at(ports: Ports, key: str) -> datetime | None:
    """Return when the permit was taken; None for one that is not authentic: it tells nothing."""
    try:
        raw = ports.store.get(key)
        name = f"permit '{key}'"
        fields = read_record(raw, key=ports.trail.key, kind=_kind(ports), name=name)
        return read_time(fields["at"])
    except (JarkeeperError, ValueError, KeyError, TypeError):
        return None


def permits_taken(ports: Ports, jar: str) -> int:
    """Return how often the jar was opened in this hour of the clock, by everybody."""
    return _highest(ports, jar, window_of(ports.clock()))


def collect_permits(ports: Ports, jar: str, *, now: datetime) -> int:
    """Delete the permits of windows that are over for a day; return how many they were."""
    oldest = window_of(now - timedelta(hours=LIMITS.permit_hours))
    old = [
        key
        for key in ports.store.list(opens_prefix(jar))
        if (place := parse_permit_key(key)) and place[1] < oldest
    ]
    for key in old:
        ports.store.delete(key)
    return len(old)


def _highest(ports: Ports, jar: str, window: str) -> int:
    places = map(parse_permit_key, ports.store.list(opens_prefix(jar, window)))
    return max((place[2] for place in places if place), default=0)


def _write_permit(ports: Ports, access: Access, *, now: datetime) -> bytes:
    fields = {"format": FORMAT, "access": access.id, "at": write_time(now)}
    return write_record(fields, key=ports.trail.key, kind=_kind(ports))


def _kind(ports: Ports) -> str:
    return f"permit {ports.vault}"


def _refused(jar: str, *, limit: int, now: datetime) -> LendRefused:
    begin = now.replace(minute=0, second=0, microsecond=0)
    times = "once" if limit == 1 else f"{limit} times"
    return LendRefused(
        f"jar '{jar}': was opened {times} since {begin:%H:%M} UTC, which is the limit "
        f"for an hour; the next begins at {begin + timedelta(hours=1):%H:%M} UTC",
        reason="rate",
        hint="see `jarkeeper audit` for what opens it so often; `jarkeeper download "
        "--beyond-limit` does not wait, and goes on record; COOKIE_OPENS_PER_HOUR sets the limit",
    )
