"""The compliance statement: a month of one vault on a page of plain text, signed like a checkpoint.

Whoever has the vault's verifier key can check the signature with any tool for signed notes, and
compare what the page says with the trail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from jarkeeper.actions import Action
from jarkeeper.audit import Event, Outcome, Phase, TrailReport
from jarkeeper.audit.usage import is_open, principal_of
from jarkeeper.audit.verify import UNREMEMBERED
from jarkeeper.errors import Conflict, InputError
from jarkeeper.report.reach import Cover, Reach, reach_of, retired_before_of, second
from jarkeeper.settings import Settings
from jarkeeper.vault import Vault
from jarkeeper.words import count_of, printable

CHANGES = frozenset({
    Action.INIT,
    Action.IMPORT,
    Action.STAGE,
    Action.ROTATE,
    Action.PROMOTE,
    Action.RESTORE,
    Action.REVOKE,
    Action.GC,
    Action.REWRAP,
    Action.BACKUP,
    Action.RECOVER,
    Action.ARCHIVE,
    Action.RETIRE,
})  # fmt: skip
"""What a person or a schedule changed; renewals and marks are counted, not listed."""
COUNTED = (Action.WRITE_BACK, Action.MARK, Action.PROBE, Action.CHECKPOINT)
LINES_MAX = 200
"""Of one section; what is more is counted."""
RIGHTS = (
    "task: lends, writes back, marks, creates what an import takes; reads no trail, overwrites and "
    "deletes nothing",
    "operator: all of that, and founds, imports, checks, backs up, packs, cleans up, moves to "
    "another key",
    "auditor: reads and verifies the trail and incidents; opens no jar",
)
"""By role, as `infrastructure/policies/` grants it; docs/reference/permissions.md has each call."""


@dataclass(slots=True)
class Month:
    """What the events of one month come to."""

    opens: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """By principal, program and jar."""
    refused: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """By principal, jar and reason."""
    counted: Counter[str] = field(default_factory=Counter)
    changes: list[Event] = field(default_factory=list)
    incidents: list[Event] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Take one event."""
        who, _, program = event.actor.rpartition(" ")
        if is_open(event):
            self.opens[who, program, event.jar] += 1
        elif event.outcome in (Outcome.REFUSED, Outcome.FAILED):
            self.refused[principal_of(event.actor), event.jar, event.detail or event.action] += 1
        if event.action is Action.INCIDENT:
            self.incidents.append(event)
        elif event.phase is Phase.OUTCOME and event.outcome is Outcome.OK:
            if event.action in CHANGES:
                self.changes.append(event)
            elif event.action in COUNTED:
                self.counted[event.action] += 1


def month_of(text: str) -> tuple[datetime, datetime]:
    """Return the first moment of a month such as '2026-10', and of the month after it.

    `ValueError` for any other text.
    """
    since = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    if text != f"{since:%Y-%m}":
        raise ValueError("expected a month such as 2026-10")
    year, month = divmod(since.year * 12 + since.month, 12)
    return since, since.replace(year=year, month=month + 1)


def month_before(now: datetime) -> str:
    """Return the month that ended last."""
    year, month = divmod(now.year * 12 + now.month - 2, 12)
    return f"{year:04d}-{month + 1:02d}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A month's page, and whether the trail it was made from is whole."""

    note: str
    is_intact: bool


def state(vault: Vault, settings: Settings, month: str, *, now: datetime) -> Statement:
    """Return the signed statement of a month. Reads and verifies the whole trail.

    `InputError` for a month that has not begun, `Conflict` where the trail is changed meanwhile.
    """
    since, until = month_of(month)
    if since > now:
        raise InputError(f"month {month}: has not begun yet, nothing can be stated of it")
    first = next(vault.trail.read(), None)
    found, left_out = Month(), list[str]()
    for event in vault.trail.read(since, min(until, now), left_out=left_out):
        found.hear(event)
    # Afterwards, so that whatever was not there to be read is missed by it as well.
    report = vault.verify_trail()
    if left_out and not report.discrepancies:
        raise Conflict(
            f"month {month}: the trail was changed while it was read", hint="run it again"
        )
    signer = vault.trail.signer
    reach = reach_of(report, first, since=since, until=until)
    nothing = _nothing(report, reach)
    lines = (
        f"{signer.verifier.name} compliance {month}",
        *_span(since, until, now),
        *_damage(report),
        _reach(reach),
        *_section("verification", _verdict(report)),
        *_section("keys", _keys(vault)),
        *_section("who may do what", _rights(settings)),
        *_section("accesses, by principal, program and jar", _rows(found.opens, "open"), nothing),
        *_section(
            "refused and failed, by principal, jar and reason",
            _rows(found.refused, "time"),
            nothing,
        ),
        *_section("changes", map(_change, found.changes), nothing),
        *_section(
            "besides", _rows({(name,): n for name, n in found.counted.items()}, "time"), nothing
        ),
        *_section("incidents", map(_incident, found.incidents), nothing),
        *_section("retention", _retention(report, settings)),
    )
    note = signer.sign("".join(f"{printable(line)}\n" for line in lines))
    return Statement(note, is_intact=not report.discrepancies)


def _span(since: datetime, until: datetime, now: datetime) -> Iterator[str]:
    """Give when the page was made and of which time."""
    is_over = until <= now
    end = f"and before {until:%Y-%m-%d}" if is_over else "until it was made"
    yield f"made {second(now)} UTC of what happened from {since:%Y-%m-%d} on {end}, all in UTC"
    if not is_over:
        yield (
            f"INCOMPLETE: the month goes on until {second(until)}; what happens in it after this "
            "page was made is not told"
        )


def _damage(report: TrailReport) -> Iterator[str]:
    """Give what stands above all else where the trail is not what was written."""
    if report.discrepancies:
        places = count_of(len(report.discrepancies), "place")
        yield (
            f"NOT INTACT: the trail is not what was written, in {places}; below stands what is "
            "left of it, and of what is missing there nothing can be said"
        )


def _reach(reach: Reach) -> str:
    """Return since when there is a record at all."""
    match reach.cover:
        case Cover.WHOLE:
            return reach.words
        case Cover.IN_PART:
            return (
                f"COVERED IN PART: {reach.words}; what happened earlier in this month is not on "
                "record"
            )
        case Cover.NOTHING if reach.from_day:
            return (
                f"NOT COVERED: {reach.words}, after this month; nothing below tells what happened "
                "in it"
            )
        case Cover.NOTHING:
            return f"NOT COVERED: {reach.words}"
    return (
        f"RETIRED: {reach.words}; what they told is missing below then, their hashes were verified "
        "all the same"
    )


def _nothing(report: TrailReport, reach: Reach) -> str:
    """Return what stands where there is nothing to tell."""
    if report.discrepancies:
        return "nothing can be said: see NOT INTACT"
    match reach.cover:
        case Cover.WHOLE:
            return "none"
        case Cover.IN_PART:
            return "none since the trail begins: see COVERED IN PART"
        case Cover.NOTHING:
            return "nothing is on record: see NOT COVERED"
    return "none that is still on record: see RETIRED"


def _section(heading: str, lines: Iterable[str], nothing: str = "none") -> Iterator[str]:
    rows = list(lines)
    yield ""
    yield f"## {heading}"
    yield from rows[:LINES_MAX] or [nothing]
    if rows[LINES_MAX:]:
        yield f"… and {len(rows) - LINES_MAX} more: see the trail itself"


def _verdict(report: TrailReport) -> Iterator[str]:
    newest = report.log.newest
    if report.discrepancies:
        yield f"NOT INTACT: {count_of(len(report.discrepancies), 'discrepancy')}"
        yield from (f"{item.code}: {item.message}" for item in report.discrepancies)
    else:
        yield f"intact: {count_of(report.events, 'event')} verified"
    if newest is None:
        yield f"no checkpoint vouches for {'it' if report.events == 1 else 'them'} yet"
        return
    size = count_of(newest.size, "event")
    yield f"checkpoint {newest.seq} of {newest.at:%Y-%m-%d %H:%M} has {size}"
    yield f"root {newest.root.hex()}"
    yield f"{count_of(report.unanchored, 'event')} newer than it"
    if report.is_unremembered:
        yield UNREMEMBERED


def _keys(vault: Vault) -> Iterator[str]:
    keys = vault.ports.keys
    yield f"wrapping key: {keys.name}"
    yield f"record of keys: {keys.seq}" if keys.seq else "record of keys: none, it is the root"
    yield f"former wrapping keys: {len(keys.former)}"
    yield f"verifier key: {vault.trail.signer.verifier}"


def _rights(settings: Settings) -> Iterator[str]:
    patterns = ", ".join(settings.principals)
    yield f"expected principals (COOKIE_PRINCIPALS): {patterns or 'not set, strangers are noticed'}"
    if settings.s3_bucket is None:
        yield "local vault: whoever may read its folder and its key may do everything"
    else:
        yield from RIGHTS


def _rows(counts: Mapping[tuple[str, ...], int], what: str) -> Iterator[str]:
    for names, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{' | '.join(name or '-' for name in names)}: {count_of(count, what)}"


def _change(event: Event) -> str:
    parts = (
        second(event.at),
        event.action,
        event.jar or "-",
        event.generation[:8] or "-",
        event.actor,
        f"{event.writer[:8]}/{event.seq}",
    )
    return " | ".join(parts)


def _incident(event: Event) -> str:
    what = ", ".join(event.counts)
    lasted = f", lasted {event.seconds / 60:.0f} min" if "closed" in event.counts else ""
    return f"{event.at:%Y-%m-%d %H:%M} | {event.detail} | {event.jar or 'vault'} | {what}{lasted}"


def _retention(report: TrailReport, settings: Settings) -> Iterator[str]:
    kept = count_of(settings.audit_days, "day") if settings.audit_days else "for ever"
    yield f"events are kept {kept}, hashes and proofs for ever"
    yield f"archived: {count_of(report.archived, 'event')}"
    past = f", all before {retired_before_of(report)}" if report.given_up else ""
    yield f"past their retention: {count_of(report.given_up, 'event')}{past}"
