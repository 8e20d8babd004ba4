"""Before the first request: which cookies can be used, judged by facts, without opening them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from jarkeeper import slots
from jarkeeper.checks import Finding, Severity, Thresholds, check_jar, is_authenticated
from jarkeeper.downloads.measuring import measure_jar
from jarkeeper.downloads.receipts import Preparation
from jarkeeper.downloads.request import DownloadRequest
from jarkeeper.errors import NotFound, NotInitialised
from jarkeeper.heads import Head, Slot, SlotRecord, SlotState
from jarkeeper.settings import Settings
from jarkeeper.youtube.failures import TABLE
from jarkeeper.youtube.policy import CookiePolicy, Use

USES = {Slot.ACTIVE: Use.ACTIVE, Slot.BACKUP: Use.BACKUP}
STOPPING = frozenset(row.failure.value for row in TABLE if row.cool_minutes and row.stops_run)
"""The classes that rest a slot and stop a run: a bot check, a captcha."""
IMPORT_HINT = (
    "run `jarkeeper import cookies.txt` with a fresh export, or download with `--cookies never`"
)


def prepare(settings: Settings, request: DownloadRequest, *, now: datetime) -> Preparation:
    """Return what a run can use. Raises `VaultError` where it needs cookies and has none."""
    if request.cookies is CookiePolicy.NEVER:
        return _without(request, "no cookies are used, as asked")
    try:
        head = read_head(settings, request.jar, now=now)
    except NotInitialised as error:
        if request.cookies is CookiePolicy.ALWAYS:
            raise
        return _without(request, f"{error.message}, so no cookies can help")
    if head is None:
        if request.cookies is CookiePolicy.ALWAYS:
            raise NotFound(f"jar '{request.jar}': there is none in this vault", hint=IMPORT_HINT)
        return _without(request, f"there is no jar '{request.jar}', so no cookies can help")
    return judge(head, request, settings=settings, now=now)


def judge(
    head: Head, request: DownloadRequest, *, settings: Settings, now: datetime
) -> Preparation:
    """Return what a run can use of this head's slots. Pure."""
    thresholds = Thresholds(settings.expiry_warning_days, settings.expiry_critical_days)
    usable = [Use.NONE]
    findings: list[Finding] = []
    sentences = []
    for slot, use in USES.items():
        record = choose(head, slot, now=now)
        if record is None:
            sentences.append(f"{slot} jar: none")
            continue
        found = check_jar(record.generation.facts, now=now, thresholds=thresholds)
        findings += found if slot is Slot.ACTIVE else (as_of_backup(finding) for finding in found)
        sentences.append(f"{slot} jar: {describe(record, found, now=now)}")
        if is_fit(record, settings, now=now):
            usable.append(use)
    stop = pause_asked_for(head, now=now) if len(usable) == 1 else None
    if len(usable) == 1:
        end = "the run must wait" if stop else "the run goes on without cookies"
        sentences.append(f"none can be used, so {end}")
    return Preparation(
        request.jar,
        request.cookies.value,
        tuple(use.value for use in usable),
        tuple(findings),
        "; ".join(sentences),
        head.seq,
        nothing_left(head, usable, now=now),
        stop,
    )


def nothing_left(head: Head, usable: Iterable[Use], *, now: datetime) -> bool:
    """Whether no login can be used, and none will be without an import: each is dead or expired."""
    records = (head.active, *head.backups)
    resting = any(record.is_cooling(now) for record in records if record is not None)
    return any(records) and not resting and set(usable) == {Use.NONE}


def pause_asked_for(head: Head, *, now: datetime) -> str | None:
    """Return why a slot rests, where going on without cookies would be the same hammering."""
    resting = [record.reason for record in head.slots.records() if record.is_cooling(now)]
    return next((reason for reason in resting if reason in STOPPING), None)


def as_of_backup(finding: Finding) -> Finding:
    """Return the finding as that of a backup: named so, and never worse than a warning."""
    calmer = Severity.WARNING if finding.severity is Severity.CRITICAL else finding.severity
    return replace(finding, message=f"backup: {finding.message}", severity=calmer)


def choose(head: Head, slot: Slot, *, now: datetime) -> SlotRecord | None:
    """Return what the vault would lend for the slot, or else what stands in it."""
    return slots.choose(head.slots, slot, now=now) or head.slot(slot)


def is_fit(record: SlotRecord, settings: Settings, *, now: datetime) -> bool:
    """Return whether a run may use this jar; an expired login only where nobody validates."""
    if not record.is_usable(now):
        return False
    return not settings.validation_enabled or is_authenticated(record.generation.facts, now)


def describe(record: SlotRecord, findings: tuple[Finding, ...], *, now: datetime) -> str:
    """Return a slot's state in the user's words."""
    if record.is_cooling(now):
        assert record.until is not None  # noqa: S101 - cooling has an end
        return f"resting until {record.until:%Y-%m-%d %H:%M} UTC ({record.reason})"
    if record.state is SlotState.DEAD:
        return f"dead ({record.reason}), import fresh cookies"
    return ", ".join(_sentences(findings))


def _sentences(findings: tuple[Finding, ...]) -> Iterator[str]:
    for finding in findings:
        prefix = "" if finding.severity is Severity.OK else f"{finding.severity}: "
        yield f"{prefix}{finding.message}"


def read_head(settings: Settings, jar: str, *, now: datetime) -> Head | None:
    """Return the jar's newest head, verified."""
    from jarkeeper.wiring import open_vault

    began = time.monotonic()
    vault = open_vault(settings)
    head = vault.status(jar)
    if head is not None:
        measure_jar(settings, vault, head, now=now, seconds=time.monotonic() - began)
    return head


def _without(request: DownloadRequest, sentence: str) -> Preparation:
    return Preparation(request.jar, request.cookies.value, (Use.NONE.value,), (), sentence)
