"""Retention: the oldest events of the trail are given up, on record first.

What is given up leaves its hash behind: every proof stays as it was, and nothing else can be taken
away unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from jarkeeper.actions import Action
from jarkeeper.audit.archive import ArchiveReceipt, Verify, delete, listed, verified, volumes_in
from jarkeeper.audit.checkpoints import CheckpointLog
from jarkeeper.audit.events import Outcome
from jarkeeper.audit.places import PREFIX, parse_event_key, volume_key, voucher_key
from jarkeeper.audit.told import BEFORE, DELETED, LEAVES
from jarkeeper.audit.trail import Access, Trail
from jarkeeper.audit.volumes import read_voucher


def retire(trail: Trail, *, before: datetime, verify: Verify | None = None) -> ArchiveReceipt:
    """Give up the events that a checkpoint from before that moment knows; on record first.

    Their hashes stay, so that every proof does. `IntegrityError`, and nothing was changed, where
    the trail is not as it was written.
    """
    report = verified(verify or trail.verify)
    now = trail.now()
    young = _first_young(trail, report.log, before.date(), today=now.date())
    leaves = 0
    for one in report.log.checkpoints:
        if one.at > now:  # a clock was ahead: later ones vouch for the same events
            continue
        if one.at >= before or one.size > young:
            break
        leaves = one.size
    if not leaves:
        return ArchiveReceipt()
    doomed = tuple(_retired(trail, report.log, leaves, before=before.date()))
    if doomed or leaves > report.told.retired:  # also what one that was interrupted left
        counts = {LEAVES: leaves, BEFORE: before.date().toordinal()}
        trail.outcome(Access(Action.RETIRE), Outcome.OK, counts=counts)
    deletion = Access(Action.RETIRE)
    deleted, warnings = delete(trail, doomed)
    if deleted:
        trail.outcome(deletion, Outcome.OK, counts={DELETED: deleted})
    return ArchiveReceipt(deleted=deleted, warnings=warnings)


def _first_young(trail: Trail, log: CheckpointLog, day: date, *, today: date) -> int:
    """Return the first leaf that is of that day or later, by the events themselves.

    A checkpoint is no older than its clock says, but that may be wrong. So may that of a writer: a
    day that has not come yet is none, and holds up no retention.
    """
    young, days = [log.size], (day.isoformat(), (today + timedelta(days=1)).isoformat())
    for name in trail.store.list(PREFIX):
        place = parse_event_key(name)
        is_young = place is not None and days[0] <= place[0] <= days[1]
        leaf = log.leaf(place[1], place[2]) if place and is_young else None
        young += [leaf] if leaf is not None else []
    for when, number, is_volume in listed(trail):
        if is_volume and days[0] <= when <= days[1]:
            voucher = read_voucher(trail.store, when, number, key=trail.key, vault=trail.vault)
            young.append(voucher.first_leaf)
    return min(young)


def _retired(trail: Trail, log: CheckpointLog, leaves: int, *, before: date) -> Iterator[str]:
    """Give the objects that hold nothing but events below that leaf.

    What is dated ahead stays: it is said that nothing of that day or later was given up.
    """
    for name in trail.store.list(PREFIX):
        day, writer, seq = parse_event_key(name) or ("", "", 0)
        leaf = log.leaf(writer, seq) if "" < day < before.isoformat() else None
        if leaf is not None and leaf < leaves:
            yield name
    # A record by itself may be that of a volume which is being written right now.
    for day, number in sorted(volumes_in(listed(trail))):
        voucher = read_voucher(trail.store, day, number, key=trail.key, vault=trail.vault)
        if voucher.last_leaf < leaves and day < before.isoformat():
            yield volume_key(day, number)
            yield voucher_key(day, number)
