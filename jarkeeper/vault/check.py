"""The vault's health in words: everything is read and verified, and the view is repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, TrailReport
from jarkeeper.audit.discrepancy import LOST
from jarkeeper.audit.places import PREFIX as AUDIT_PREFIX
from jarkeeper.checks import Finding, Severity
from jarkeeper.errors import AuditUnavailable, Conflict, JarkeeperError
from jarkeeper.incidents import Journal
from jarkeeper.keys import Purpose
from jarkeeper.names import (
    METADATA_KEY,
    PROBE_PREFIX,
    VAULT_KEY,
    parse_generation_key,
    parse_head_key,
    parse_incident_key,
    parse_key_entry_key,
    parse_permit_key,
    view_key,
)
from jarkeeper.slots import Slot
from jarkeeper.stores import Tended
from jarkeeper.vault.access import recorded
from jarkeeper.vault.check_jar import check_jar
from jarkeeper.vault.findings import counted, critical, ok, warning
from jarkeeper.vault.log import read_anchors
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.root import read_entry
from jarkeeper.vault.view import jar_names
from jarkeeper.vault.vouching import TRAIL, anchored_jars, compared
from jarkeeper.vault.vouching import checkpoint as append_checkpoint

SHOWN_MAX = 5


def check(ports: Ports, *, checkpoint: bool = False) -> tuple[Finding, ...]:
    """Return what is well and what is not, the worst first.

    With `checkpoint`, what was verified of the trail is appended to its log. Not by every check:
    the log of a copy that is looked at must not part from the original's.
    """
    found = list(_all(ports, checkpoint=checkpoint))
    order = [Severity.CRITICAL, Severity.WARNING, Severity.OK]
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def _all(ports: Ports, *, checkpoint: bool) -> Iterator[Finding]:
    yield ok("key", f"{ports.keys.name} is the key of this vault")
    access = Access(Action.CHECK)
    try:
        with recorded(ports.trail, access):
            found = Counter[str]()
            for finding in _contents(ports, checkpoint=checkpoint):
                found[finding.severity] += finding.severity is not Severity.OK
                yield finding
        ports.trail.outcome(access, Outcome.OK, counts=+found)
    except Conflict as error:
        yield warning("busy", error.message, error.hint or "run it again")
    except AuditUnavailable as error:
        yield critical("audit-unavailable", error.message, error.hint or "make it writable")
    except JarkeeperError as error:
        yield critical("store", error.message, error.hint or "make the store readable")


def _contents(ports: Ports, *, checkpoint: bool) -> Iterator[Finding]:
    known, unread = read_anchors(ports, TRAIL)
    for text in unread:
        yield warning("anchor", text, "make the place of the anchors readable and writable")
    trail = ports.trail.verify()
    # The trail, and anchors, know jars whose every object was removed.
    told = {jar for jar, seq in trail.head_seqs.items() if seq > 0}
    jars = sorted({*jar_names(ports), *told, *anchored_jars(ports)})
    yield ok("store", f"the store can be read: {counted(len(jars), 'jar')}")
    # All of them first: looking at one jar's view reads the others, and that makes anchors.
    anchored = {jar: [place.name for place, _ in read_anchors(ports, jar)[0]] for jar in jars}
    for jar in jars:
        yield from check_jar(ports, jar, trail, consulted=anchored[jar])
    trail = compared(ports, trail, tuple(known))
    yield from _trail(trail)
    if checkpoint and not trail.discrepancies:
        yield from _checkpoint(ports, trail)
    yield from _incidents(ports)
    yield from _strangers(ports, jars)
    yield from _place(ports)


def _trail(report: TrailReport) -> Iterator[Finding]:
    for item in report.discrepancies[:SHOWN_MAX]:
        step = item.hint or LOST
        yield critical(f"audit-{item.code}", f"audit trail: {item.message}", step)
    if (more := len(report.discrepancies) - SHOWN_MAX) > 0:
        message = f"audit trail: {counted(more, 'more record')} not as written"
        yield critical("audit-more", message, "run `jarkeeper audit verify`")
    if not report.discrepancies:
        events = counted(report.events, "event")
        chains = counted(len(report.tails), "chain")
        message = f"audit trail: {events} in {chains}, none changed, none missing"
        message = f"{message}, {report.unanchored} since the last checkpoint"
        if report.log.size and not report.anchors:
            message += ", which nothing outside the vault remembered"
        yield ok("audit", message)


def _checkpoint(ports: Ports, report: TrailReport) -> Iterator[Finding]:
    try:
        newest = append_checkpoint(ports, report)
    except Conflict:
        return  # another process has just done it
    if newest is not None:
        events = counted(newest.size, "event")
        yield ok("checkpoint", f"audit trail: checkpoint {newest.seq} vouches for {events}")


def _incidents(ports: Ports) -> Iterator[Finding]:
    key = ports.keys.derive(Purpose.INCIDENT_MAC)
    damage = Journal(ports.store, key=key, vault=ports.vault, clock=ports.clock).verify()
    for message in damage[:SHOWN_MAX]:
        yield critical("incident", message, "find out who put it there, and remove it")
    if (more := len(damage) - SHOWN_MAX) > 0:
        message = f"incidents: {counted(more, 'more record')} not as written"
        yield critical("incident", message, "find out who put them there, and remove them")


def _strangers(ports: Ports, jars: list[str]) -> Iterator[Finding]:
    views = {view_key(jar, slot) for jar in jars for slot in Slot}
    known = {VAULT_KEY, METADATA_KEY} | views
    strange = [
        key
        for key in ports.store.list("")
        if key not in known
        and not key.startswith(AUDIT_PREFIX)
        and not _is_of_keys(ports, key)
        and not parse_head_key(key)
        and not parse_generation_key(key)
        and not parse_permit_key(key)
        and not parse_incident_key(key)
    ]
    if strange:
        shown = ", ".join(f"'{key}'" for key in strange[:SHOWN_MAX])
        message = f"store: {counted(len(strange), 'object')} that no vault writes: {shown}"
        yield warning("stranger", message, "find out who put it there; nothing reads it")


def _is_of_keys(ports: Ports, key: str) -> bool:
    """Whether it is a record of this vault's keys, or what a probe of the store left."""
    if key.startswith(PROBE_PREFIX):
        return True
    seq = parse_key_entry_key(key)
    try:
        return bool(seq) and read_entry(ports.store, seq or 0).vault == ports.vault
    except JarkeeperError:
        return False


def _place(ports: Ports) -> Iterator[Finding]:
    if not isinstance(ports.store, Tended):
        return
    complaints = ports.store.complaints()
    for complaint in complaints[:SHOWN_MAX]:
        yield warning("permissions", f"store: {complaint}", "allow nobody but yourself")
    if not complaints:
        yield ok("permissions", "nobody but you can read or change the directory")
