"""What jars were used for, day by day: opens and tries, counted from the trail. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date

from jarkeeper.actions import Action
from jarkeeper.audit.events import Event, Outcome, Phase

SUCCEEDED = "OK"
"""Among the counts of a use: what arrived. Every other word is the class of a failure."""
COOKIE_FAILURES = frozenset({
    "COOKIE_FORMAT",
    "COOKIE_ROTATED",
    "COOKIE_MISSING",
    "BOT_CHECK",
    "CAPTCHA",
    "RATE_LIMIT_ACCOUNT",
    "RATE_LIMIT_GUEST",
    "ACCOUNT_FLAGGED",
    "NOT_AUTHENTICATED",
})  # fmt: skip
"""The classes that speak of the cookies or the account; all others are a video's or a network's."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One jar on one day (UTC) by one way in."""

    day: date
    jar: str
    flow: str
    """The program that opened it, such as `cli` or `flow`."""
    opens: int = 0
    videos: int = 0
    """Tries of a video with these cookies: one that fell back to others counts at both."""
    succeeded: int = 0
    cookie_failures: int = 0
    """Of the failures, those that speak of the cookies."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """By class."""


def usage_by_day(events: Iterable[Event]) -> tuple[Usage, ...]:
    """Return the usage of each day, jar and way in, oldest first."""
    opens: Counter[tuple[date, str, str]] = Counter()
    counts: dict[tuple[date, str, str], Counter[str]] = {}
    for event in events:
        place = (event.at.astimezone(UTC).date(), event.jar, program_of(event.actor))
        if is_open(event):
            opens[place] += 1
        elif is_use(event):
            counts.setdefault(place, Counter()).update(event.counts)
    places = sorted({*opens, *counts})
    return tuple(_usage(place, opens[place], counts.get(place, Counter())) for place in places)


def is_open(event: Event) -> bool:
    """Tell whether a jar was opened: handed out, or looked at for an outline."""
    return event.action in (Action.LEND, Action.OUTLINE) and event.outcome is Outcome.OK


def is_use(event: Event) -> bool:
    """Tell whether it counts what a jar was used for."""
    return event.action is Action.USE and event.phase is Phase.OUTCOME


def principal_of(actor: str) -> str:
    """Return the `user@host` of an actor as the trail writes it."""
    return actor.rpartition(" ")[0] or actor


def program_of(actor: str) -> str:
    """Return the program of an actor as the trail writes it."""
    return actor.rpartition(" ")[2]


def _usage(place: tuple[date, str, str], opens: int, counts: Counter[str]) -> Usage:
    failures = {name: count for name, count in sorted(counts.items()) if name != SUCCEEDED}
    return Usage(
        *place,
        opens=opens,
        videos=counts.total(),
        succeeded=counts[SUCCEEDED],
        cookie_failures=sum(failures.get(name, 0) for name in COOKIE_FAILURES),
        failures=failures,
    )
