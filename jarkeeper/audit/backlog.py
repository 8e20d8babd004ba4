"""Days that should be packed and are not: a bucket's rules would delete them unpacked one day."""

from __future__ import annotations

from datetime import datetime, timedelta

from jarkeeper.audit.places import PREFIX, parse_event_key, parse_volume_key
from jarkeeper.checks import NOTHING, Finding, Severity
from jarkeeper.stores import Readable
from jarkeeper.words import count_of

LATE = timedelta(days=14)
"""So long the flow `archive` may not have run; the bucket's rules wait for a month."""


def find_backlog(store: Readable, *, now: datetime, archive_days: int) -> Finding:
    """Return whether days lie unpacked for two weeks longer than the setting says."""
    days, packed = set[str](), set[str]()
    before = f"{now - timedelta(days=archive_days) - LATE:%Y-%m-%d}"
    for key in store.list(PREFIX):
        if event := parse_event_key(key):
            days.add(event[0])
        elif (volume := parse_volume_key(key)) and volume[2]:
            packed.add(volume[0])
    late = sorted(day for day in days - packed if day < before)
    if not late:
        return Finding("backlog", Severity.OK, "the audit trail is packed as it should be", NOTHING)
    message = f"audit trail: {count_of(len(late), 'day')} not packed, the oldest is {late[0]}, "
    message += f"though COOKIE_ARCHIVE_DAYS is {archive_days}"
    step = "run `jarkeeper audit pack`, and have the deployment `archive` run every night; "
    step += "rules of a bucket delete events after a month more, packed or not"
    return Finding("backlog", Severity.WARNING, message, step)
