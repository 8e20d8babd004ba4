"""The table of instruments: the only place where a metric has its name, unit and dimensions.

Every dimension takes few values: a jar, a slot, a class, a word for how something ended. None names
a generation, a video or a person: CloudWatch would bill each as a metric of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How values of one instrument add up."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


class Unit(StrEnum):
    """A unit, as CloudWatch calls it."""

    COUNT = "Count"
    SECONDS = "Seconds"
    PERCENT = "Percent"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing that is measured."""

    name: str
    kind: Kind
    unit: Unit
    dimensions: tuple[str, ...]
    """From the widest to the narrowest: each leading part of them makes sense by itself."""
    meaning: str
    """One sentence for the page of metrics."""


DOWNLOADS = Instrument(
    "downloads",
    Kind.COUNTER,
    Unit.COUNT,
    ("jar", "outcome", "class"),
    "Videos of a run by how they ended (`downloaded`, `already_there`, `failed`, `skipped`, "
    "`put_off`) and by the class of the failure, else `none`; counted when the run ends.",
)
TRIES = Instrument(
    "tries",
    Kind.COUNTER,
    Unit.COUNT,
    ("jar", "slot", "class"),
    "Tries made with a jar's cookies by the class of the failure, else `none`; counted when the "
    "jar is given back.",
)
COOKIE_FAILURES = Instrument(
    "cookie_failures",
    Kind.COUNTER,
    Unit.COUNT,
    ("jar", "class"),
    "Times that YouTube ended a login or asked for a pause, by the class that says so; "
    "`signed_out` where a probe found nobody logged in.",
)
OPENS = Instrument(
    "opens",
    Kind.COUNTER,
    Unit.COUNT,
    ("jar", "slot", "result"),
    "Times that somebody asked for a jar: `ok`, or the word for why it was not opened, such as "
    "`rate`, `dead`, `cooling`, `integrity`.",
)
OPEN_DURATION = Instrument(
    "open_duration",
    Kind.HISTOGRAM,
    Unit.SECONDS,
    ("jar", "slot"),
    "How long it took to open a jar, the record in the audit trail included.",
)
VALIDATION_DURATION = Instrument(
    "validation_duration",
    Kind.HISTOGRAM,
    Unit.SECONDS,
    ("jar",),
    "How long it took to validate a jar: before a run by what is known of it, or by a probe that "
    "YouTube answered.",
)
REFRESHES = Instrument(
    "refreshes",
    Kind.COUNTER,
    Unit.COUNT,
    ("jar", "result"),
    "Visits with a session that keep it alive: `kept` where the vault has what YouTube renewed, "
    "`unchanged`, `signed_out`, `unanswered`, `withheld` by the vault, or why the guard refused.",
)
WRITE_BACKS = Instrument(
    "write_backs",
    Kind.COUNTER,
    Unit.COUNT,
    ("jar", "slot", "result"),
    "Refreshed jars that came back from use: `kept`, `unchanged`, or the word for why the guard "
    "refused, such as `login_gone`, `conflict`.",
)
ACTIVE_AGE = Instrument(
    "active_age",
    Kind.GAUGE,
    Unit.SECONDS,
    ("jar",),
    "How long ago the active cookies were stored, by an import or a write-back.",
)
SLOTS = Instrument(
    "slots",
    Kind.GAUGE,
    Unit.COUNT,
    ("jar", "slot", "state"),
    "How many generations of a slot are in each state, zeros included.",
)
INCIDENTS_OPENED = Instrument(
    "incidents_opened",
    Kind.COUNTER,
    Unit.COUNT,
    ("jar", "cause"),
    "Incidents by cause, counted once when they open; the jar is `-` where it is the vault's.",
)
INCIDENTS_OPEN = Instrument(
    "incidents_open",
    Kind.GAUGE,
    Unit.COUNT,
    ("severity",),
    "Incidents that are open now, by severity, zeros included.",
)
BUDGET_USED = Instrument(
    "budget_used",
    Kind.GAUGE,
    Unit.PERCENT,
    ("jar",),
    "Opens of this hour of the clock as a share of `COOKIE_OPENS_PER_HOUR`.",
)

INSTRUMENTS = {
    one.name: one
    for one in (
        DOWNLOADS,
        TRIES,
        COOKIE_FAILURES,
        OPENS,
        OPEN_DURATION,
        VALIDATION_DURATION,
        REFRESHES,
        WRITE_BACKS,
        ACTIVE_AGE,
        SLOTS,
        INCIDENTS_OPENED,
        INCIDENTS_OPEN,
        BUDGET_USED,
    )
}
"""All of them by name, in the order of the page."""
