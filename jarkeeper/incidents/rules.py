"""The rules of incidents. Pure: `now` comes in, the next state comes out.

An incident is opened by its first condition and closed by the first examination that looked and
found none. Hysteresis: trouble that returns within `REOPEN_MINUTES` of closing, or before those
who know of the incident were told that it is over, is the same incident and is not told again. So
the end is told only after these minutes. What nobody was told in a day is history all the same.

Severity only rises while an incident goes on, and a rise is told to those who know of it.

Clocks differ: a moment a little ahead is as good as now. One far ahead was written by a clock that
was wrong. Nothing waits for it: it counts as long past, and the next look puts the present down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from jarkeeper.checks import Severity
from jarkeeper.incidents.model import (
    CLOSING,
    Cause,
    Condition,
    Due,
    Incident,
    Notice,
    NoticeKind,
    Step,
)

REOPEN_MINUTES = 30
"""Within these it is the same trouble; and before them nobody is told that it is over."""
UNTOLD_HOURS = 24
"""An end that could not be told for so long separates incidents too."""
QUIET_HOURS = 6
"""The same trouble goes on record anew after these: four records a day."""
WORDS_MINUTES = 15
"""Other words for the same trouble go on record no more often than this."""
CLAIM_MINUTES = 10
"""A claim older than this, of which nothing was heard, is free: its process died."""
AHEAD_MINUTES = 10
"""A moment further ahead than this is of a clock that was wrong."""
RETRY_MINUTES = (1, 5, 15, 60)
"""Before a channel that failed is tried again; the last of them counts for every further try."""
TRIES_MAX = 27
"""Failures of a channel before a notice is given up, after a day; the next step starts afresh."""
SILENT_TRIES = 9
"""What a try counts for that got no answer in time. The channel may well have taken the message,
so it is sent three times, an hour apart, and not 27 times."""

_RANKS = {Severity.OK: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
_NUMBER = re.compile(r"[0-9][0-9.,:TZ-]*")


def next_state(
    known: Incident | None, condition: Condition | None, *, now: datetime, new_id: str
) -> Incident | None:
    """Return the state to put on record, None where what is on record will do.

    `condition` is None where an examination looked and found nothing.
    """
    if condition is None:
        return _closed(known, now) if known is not None and known.is_open else None
    if known is None:
        return opened(condition, now=now, id=new_id)
    if _is_history(known, now):
        return replace(opened(condition, now=now, id=new_id), owed=known.owed)
    if not known.is_open:
        return replace(observed(known, condition, now=now), closed_at=None)
    return observed(known, condition, now=now) if _is_news(known, condition, now) else None


def opened(condition: Condition, *, now: datetime, id: str) -> Incident:  # noqa: A002
    """Return the incident that a condition opens."""
    return Incident(
        id=id,
        cause=condition.cause,
        jar=condition.jar,
        severity=condition.severity,
        opened_at=now,
        seen_at=now,
        message=condition.message,
        done=condition.done,
        next_step=condition.next_step,
        critical_at=now if condition.severity is Severity.CRITICAL else None,
    )


def lost(cause: Cause, jar: str, *, now: datetime, id: str) -> Incident:  # noqa: A002
    """Return what stands for an incident whose record is not what was written; it is over."""
    condition = Condition(
        cause=cause,
        jar=jar,
        severity=Severity.WARNING,
        message="a record of this cause was not what was written",
        done="wrote this one after it; there is no such trouble now",
        next_step="find out who changed it: see `jarkeeper audit verify`",
    )
    return replace(opened(condition, now=now, id=id), closed_at=now)


def observed(incident: Incident, condition: Condition, *, now: datetime) -> Incident:
    """Return the incident as one more look found it; its severity never falls."""
    severity = max(incident.severity, condition.severity, key=_RANKS.__getitem__)
    since = incident.critical_at or (now if severity is Severity.CRITICAL else None)
    return replace(
        incident,
        severity=severity,
        opened_at=min(incident.opened_at, now),
        critical_at=since and min(since, now),
        seen_at=now,
        count=incident.count + 1,
        message=condition.message,
        done=condition.done,
        next_step=condition.next_step,
    )


def due_steps(incident: Incident, steps: Sequence[Step], *, now: datetime) -> Due | None:
    """Return the message that has to be sent now, None where there is none.

    A step is due when the incident has been as severe for as long as the step says, and only
    once; once more where it has become critical since. Several that are due together are one
    message. The end is told, once, to those whose step was due while it went on, and to those who
    missed the end before.
    """
    if incident.is_open:
        return _due_while_open(incident, steps, now)
    assert incident.closed_at is not None  # noqa: S101 - it is not open
    told = [
        name
        for number, step in enumerate(steps, start=1)
        if incident.notice(number) or _is_time(incident, step, incident.seen_at)
        for name in step.to
    ]
    told += incident.owed
    certain = _passed(incident.closed_at, now) >= timedelta(minutes=REOPEN_MINUTES)
    if not (told and certain and is_free(incident.notice(CLOSING), now)):
        return None
    to = _names(_wanted(incident.notice(CLOSING), told))
    return Due(NoticeKind.CLOSED, (CLOSING,), to)


def claimed(incident: Incident, due: Due, *, now: datetime) -> Incident:
    """Return the incident with the due steps claimed by whoever puts this on record."""
    known = {notice.step: notice for notice in incident.notices}
    at = max(now, incident.critical_at or now)  # never before the rise that it tells of
    for step in due.steps:
        notice = notice_of(incident, step)
        known[step] = Notice(step, due.kind, claimed_at=at, tries=notice.tries if notice else 0)
    owed = incident.owed if due.kind is NoticeKind.CLOSED else _names((*incident.owed, *due.to))
    return replace(incident, owed=owed, notices=tuple(known[step] for step in sorted(known)))


def settled(
    incident: Incident, due: Due, *, missed: Iterable[str], now: datetime, silent: bool = False
) -> Incident:
    """Return the incident with how the sending of the due steps went.

    `silent` where none of the channels that missed it said so.
    """
    names, tries = tuple(missed), SILENT_TRIES if silent else 1
    return replace(
        incident,
        owed=names if due.kind is NoticeKind.CLOSED else incident.owed,
        notices=tuple(
            notice if notice.step not in due.steps else _settled(notice, names, tries, now)
            for notice in incident.notices
        ),
    )


def notice_of(incident: Incident, step: int) -> Notice | None:
    """Return the notice of a step; one of before the incident became critical is none any more."""
    notice = incident.notice(step)
    is_older = notice and incident.critical_at and notice.claimed_at < incident.critical_at
    return None if is_older and step != CLOSING else notice


def is_free(notice: Notice | None, now: datetime) -> bool:
    """Return whether somebody should send it: nobody did, or tried and failed, or died over it."""
    if notice is None:
        return True
    if notice.sent_at is not None or notice.tries >= TRIES_MAX:
        return False
    minutes = CLAIM_MINUTES
    if notice.missed:
        minutes = RETRY_MINUTES[min(notice.tries, len(RETRY_MINUTES)) - 1]
    return _passed(notice.claimed_at, now) >= timedelta(minutes=minutes)


def _settled(notice: Notice, missed: tuple[str, ...], tries: int, now: datetime) -> Notice:
    if not missed:
        return replace(notice, sent_at=now, missed=())
    return replace(notice, tries=notice.tries + tries, missed=missed)


def _due_while_open(incident: Incident, steps: Sequence[Step], now: datetime) -> Due | None:
    due = {
        number: step
        for number, step in enumerate(steps, start=1)
        if _is_time(incident, step, now) and is_free(notice_of(incident, number), now)
    }
    if not due:
        return None
    wanted = [
        name
        for number, step in due.items()
        for name in _wanted(notice_of(incident, number), step.to)
    ]
    first = not any(notice.sent_at for notice in incident.notices)
    kind = NoticeKind.OPENED if first else NoticeKind.ESCALATED
    return Due(kind, tuple(due), _names(wanted))


def _is_time(incident: Incident, step: Step, now: datetime) -> bool:
    since = incident.critical_at if step.severity is Severity.CRITICAL else incident.opened_at
    if since is None:
        return False
    # At once is at once, also for a process whose clock is behind that of the one that opened it.
    return not step.after_minutes or now - since >= timedelta(minutes=step.after_minutes)


def _wanted(notice: Notice | None, to: Iterable[str]) -> Iterable[str]:
    return notice.missed if notice is not None and notice.missed else to


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _passed(moment: datetime, now: datetime) -> timedelta:
    """Return how long ago it was; far ahead, of a clock that was wrong, is long ago."""
    passed = now - moment
    return timedelta.max if passed < -timedelta(minutes=AHEAD_MINUTES) else passed


def _closed(incident: Incident, now: datetime) -> Incident:
    return replace(incident, opened_at=min(incident.opened_at, now), closed_at=now)


def _is_history(incident: Incident, now: datetime) -> bool:
    """Whether trouble that returns now would be another incident."""
    if incident.closed_at is None:
        return False
    # An end that was claimed may have been told: whoever heard it has to hear of a new beginning.
    untold = bool(incident.notices) and incident.notice(CLOSING) is None
    passed = _passed(incident.closed_at, now)
    return passed >= timedelta(hours=UNTOLD_HOURS if untold else 0, minutes=REOPEN_MINUTES)


def _is_news(incident: Incident, condition: Condition, now: datetime) -> bool:
    """Whether a look at an open incident has to go on record."""
    if _RANKS[condition.severity] > _RANKS[incident.severity]:
        return True
    passed = _passed(incident.seen_at, now)
    if _words(condition) != _words(incident):
        return passed >= timedelta(minutes=WORDS_MINUTES)
    return passed >= timedelta(hours=QUIET_HOURS)


def _words(of: Condition | Incident) -> tuple[str, ...]:
    """Return what is said without the numbers: 'in 12 days' is no news after 'in 13 days'."""
    return tuple(_NUMBER.sub("#", text) for text in (of.message, of.done, of.next_step))
