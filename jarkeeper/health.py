"""A jar's health: what its newest head says of each slot, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jarkeeper.checks import IMPORT, NOTHING, Finding, Severity, Thresholds, check_jar
from jarkeeper.errors import NotFound
from jarkeeper.facts import is_authenticated
from jarkeeper.heads import Head, SlotRecord, SlotState
from jarkeeper.settings import Settings
from jarkeeper.slots import PENDING, UNTESTED, Slot, choose
from jarkeeper.words import short_span

if TYPE_CHECKING:
    from jarkeeper.vault import Vault

GRAVEST_FIRST = (Severity.CRITICAL, Severity.WARNING)
LOST = ("dead", "expired")
"""Findings on active cookies that will not work again; a backup may take their place."""

NO_ACTIVE = Finding("no-active", Severity.CRITICAL, "there are no active cookies", IMPORT)
PROMOTE = "`jarkeeper promote` makes the backup active, or import fresh cookies"
FAIL_OVER = (
    "run `jarkeeper rotate`, which lets the backup take over, or import fresh cookies with "
    "`jarkeeper import cookies.txt`"
)
WAITS = Finding(
    "waiting",
    Severity.WARNING,
    "a fresh export was tested, and waits to be taken",
    "`jarkeeper rotate` says why; `jarkeeper rotate --yes` takes it, any import puts it away",
)
NO_BACKUP = Finding(
    "no-backup",
    Severity.WARNING,
    "there is no backup to fall back to",
    "import a second login's cookies: the active ones become the backup",
)


@dataclass(frozen=True, slots=True)
class SlotHealth:
    """A slot by its name on the screen, and what was found of it."""

    name: str
    record: SlotRecord | None
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """The gravest of the findings."""
        found = {finding.severity for finding in self.findings}
        return next((item for item in GRAVEST_FIRST if item in found), Severity.OK)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; there is no secret in it."""
        findings = [asdict(finding) for finding in self.findings]
        if self.record is None:
            return {"slot": self.name, "generation": None, "findings": findings}
        record, facts = self.record, self.record.generation.facts
        return {
            "slot": self.name,
            "generation": record.generation.id,
            "fingerprint": record.generation.fingerprint,
            "source": record.generation.source,
            "created_at": record.generation.created_at,
            "state": record.state,
            "since": record.since,
            "until": record.until,
            "reason": record.reason,
            "cookies": facts.cookies,
            "login_until": facts.login_until,
            "findings": findings,
        }


def examine(head: Head, *, now: datetime, settings: Settings) -> tuple[SlotHealth, ...]:
    """Return the health of every slot, the active one first; a missing backup is a slot too.

    A bad backup alarms nobody while the active cookies are good: it is a warning at most.
    """
    thresholds = Thresholds(settings.expiry_warning_days, settings.expiry_critical_days)
    return tuple(
        SlotHealth(
            name,
            record,
            tuple(_of_slot(name, finding, head, now) for finding in _judge(record, now, thresholds))
            if record
            else (_missing(name, head, now),),
        )
        for name, record in _named(head)
    )


def _of_slot(name: str, finding: Finding, head: Head, now: datetime) -> Finding:
    if name == PENDING and finding.code == "authenticated":
        record = head.slots.pending
        return WAITS if record is not None and record.state is SlotState.HEALTHY else finding
    if name != Slot.ACTIVE and finding.severity is Severity.CRITICAL:
        return replace(finding, severity=Severity.WARNING)
    if name == Slot.ACTIVE and finding.code in LOST and _stands_by(head, now):
        return replace(finding, next_step=FAIL_OVER)
    return finding


def _stands_by(head: Head, now: datetime) -> bool:
    return any(
        item.is_usable(now) and is_authenticated(item.generation.facts, now)
        for item in head.backups
    )


def is_lost(head: Head, *, now: datetime) -> bool:
    """Whether the active cookies will not work again by themselves: none, dead, or expired."""
    active = head.active
    if active is None or active.state is SlotState.DEAD:
        return True
    return not is_authenticated(active.generation.facts, now)


def next_step(slots: tuple[SlotHealth, ...]) -> str:
    """Return the one thing to do now: the gravest of the active slot, else of the others.

    A further backup is spare, and asks for nothing; what is pending waits for somebody.
    """
    for severity in GRAVEST_FIRST:
        for slot in (*slots[:2], *(one for one in slots[2:] if one.name == PENDING)):
            for finding in slot.findings:
                if finding.severity is severity:
                    return finding.next_step
    return NOTHING


def _named(head: Head) -> Iterator[tuple[str, SlotRecord | None]]:
    yield "active", head.active
    for number, record in enumerate(head.backups or (None,), start=1):
        yield "backup" if number == 1 else f"backup {number}", record
    if head.slots.pending is not None:
        yield PENDING, head.slots.pending


def _missing(name: str, head: Head, now: datetime) -> Finding:
    if name != "active":
        return NO_BACKUP
    backup = choose(head.slots, Slot.BACKUP, now=now)
    return NO_ACTIVE if backup is None else replace(NO_ACTIVE, next_step=PROMOTE)


def _judge(record: SlotRecord, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    why = f" ({record.reason})" if record.reason else ""
    ago = short_span((now - record.since).total_seconds())
    if record.state is SlotState.DEAD:
        yield Finding("dead", Severity.CRITICAL, f"YouTube ended this login {ago} ago{why}", IMPORT)
    elif record.is_cooling(now) and record.until is not None:
        left = short_span((record.until - now).total_seconds())
        message = f"YouTube asked for a pause: it rests for another {left}{why}"
        yield Finding(
            "cooling", Severity.WARNING, message, "nothing to do: it is used again afterwards"
        )
    elif record.reason == UNTESTED:
        message = f"stored {ago} ago, and not tested yet"
        yield Finding("untested", Severity.OK, message, "run `jarkeeper rotate`, which tests it")
    elif record.state is SlotState.SUSPECT:
        message = f"may not work any more, since {ago}{why}"
        again = "run `jarkeeper validate` in ten minutes: it asks YouTube again"
        yield Finding("suspect", Severity.WARNING, message, again)
    for finding in check_jar(record.generation.facts, now=now, thresholds=thresholds):
        # What a dead login's cookies say of themselves is no comfort.
        if record.state is not SlotState.DEAD or finding.severity is not Severity.OK:
            yield finding


def heads_of(vault: Vault, jar: str | None) -> tuple[Head, ...]:
    """Return the newest head of the jar, or of every jar; a jar that is not there is `NotFound`."""
    heads = {name: vault.status(name) for name in ([jar] if jar else vault.jars())}
    if jar and heads[jar] is None:
        raise NotFound(
            f"jar '{jar}': there is none in this vault",
            hint=f"run `jarkeeper import --jar {jar} cookies.txt`",
        )
    return tuple(head for head in heads.values() if head is not None)
