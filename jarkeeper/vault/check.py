"""The vault's health in words: everything is read and verified, and the view is repaired."""

from __future__ import annotations

from collections.abc import Iterator

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, TrailReport, verify_trail
from jarkeeper.checks import Finding, Severity
from jarkeeper.errors import AuditUnavailable, JarkeeperError, RollbackError
from jarkeeper.heads import GenerationRecord, Head
from jarkeeper.names import (
    METADATA_KEY,
    VAULT_KEY,
    generations_prefix,
    parse_generation_key,
    parse_head_key,
    view_key,
)
from jarkeeper.slots import Slot
from jarkeeper.stores import Tended
from jarkeeper.vault.access import recorded
from jarkeeper.vault.generations import open_generation, read_sealed
from jarkeeper.vault.log import read_anchors, read_history, read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.view import jar_names, publish

NOTHING = "nothing to do"
RECOVER = "bring the object back from a backup of the store; until then do not delete anything"
SHOWN_MAX = 5


def check(ports: Ports) -> tuple[Finding, ...]:
    """Return what is well and what is not, the worst first."""
    found = list(_all(ports))
    order = [Severity.CRITICAL, Severity.WARNING, Severity.OK]
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def _all(ports: Ports) -> Iterator[Finding]:
    yield _ok("key", f"{ports.keys.name} is the key of this vault")
    access = Access(Action.CHECK)
    try:
        with recorded(ports.trail, access):
            yield from _contents(ports)
        ports.trail.outcome(access, Outcome.OK)
    except AuditUnavailable as error:
        yield _critical("audit-unavailable", error.message, error.hint or "make it writable")
    except JarkeeperError as error:
        yield _critical("store", error.message, error.hint or "make the store readable")


def _contents(ports: Ports) -> Iterator[Finding]:
    trail = verify_trail(ports.store, key=ports.trail.key, vault=ports.vault)
    # The trail knows jars whose every object was removed.
    jars = sorted({*jar_names(ports), *(jar for jar, seq in trail.head_seqs.items() if seq > 0)})
    yield _ok("store", f"the store can be read: {_counted(len(jars), 'jar')}")
    for jar in jars:
        yield from _jar(ports, jar, trail)
    yield from _trail(ports, trail)
    yield from _strangers(ports, jars)
    yield from _place(ports)


def _jar(ports: Ports, jar: str, trail: TrailReport) -> Iterator[Finding]:
    consulted = [name for name, _ in read_anchors(ports, jar)[0]]
    try:
        newest = read_newest(ports, jar)
        history = read_history(ports, jar)
    except RollbackError as error:
        yield _critical("rolled-back", error.message, error.hint or RECOVER)
        return
    except JarkeeperError as error:
        yield _critical("log", error.message, error.hint or RECOVER)
        return
    yield from _freshness(jar, newest.head, trail, consulted)
    for warning in newest.warnings:
        yield _warning("anchor", warning, "make the place of the anchors readable and writable")
    if newest.head is None:
        return
    yield _ok("log", f"jar '{jar}': {_counted(len(history), 'head')}, each follows the one before")
    yield from _generations(ports, newest.head, history)
    yield from _view(ports, newest.head)


def _freshness(
    jar: str, head: Head | None, trail: TrailReport, consulted: list[str]
) -> Iterator[Finding]:
    seq = 0 if head is None else head.seq
    told = trail.head_seqs.get(jar, 0)
    if told > seq:
        message = f"jar '{jar}': the newest head is {seq}, but the audit trail tells of head {told}"
        yield _critical("rolled-back", message, RECOVER)
        return
    names = [*consulted, *(["the audit trail"] if told else [])]
    if not names:
        message = f"jar '{jar}': nothing outside the log remembers it, a rollback would not show"
        yield _warning("unknown", message, "run it once more: now there is an anchor")
        return
    yield _ok("fresh", f"jar '{jar}': not rolled back, say {', '.join(names)}")


def _generations(ports: Ports, head: Head, history: tuple[Head, ...]) -> Iterator[Finding]:
    named = {item.generation.id: item.generation for item in head.slots.records()}
    opened = 0
    for record in named.values():
        try:
            open_generation(ports, head.jar, record)
            opened += 1
        except JarkeeperError as error:
            yield _critical("generation", error.message, error.hint or RECOVER)
    if opened:
        yield _ok(
            "generations", f"jar '{head.jar}': {_counted(opened, 'slot')} opened, as committed"
        )
    past = {item.generation.id: item.generation for old in history for item in old.slots.records()}
    keys = ports.store.list(generations_prefix(head.jar))
    stored = {place[1] for key in keys if (place := parse_generation_key(key))}
    yield from _past(ports, head.jar, [past[item] for item in past.keys() & stored - named.keys()])
    if leftovers := len(stored - past.keys()):
        message = f"jar '{head.jar}': {_counted(leftovers, 'generation')} sealed, never committed"
        yield _ok("leftovers", message, "the clean-up removes what interrupted commits leave")


def _past(ports: Ports, jar: str, records: list[GenerationRecord]) -> Iterator[Finding]:
    for record in sorted(records, key=lambda record: record.created_at):
        try:
            read_sealed(ports, jar, record)
        except JarkeeperError as error:
            step = "it cannot be restored any more; nothing uses it"
            yield _warning("past-generation", error.message, step)


def _view(ports: Ports, head: Head) -> Iterator[Finding]:
    try:
        written = publish(ports, head)
    except JarkeeperError as error:
        yield _warning(
            "view",
            f"jar '{head.jar}': the view cannot be published, {error.message}",
            error.hint or "see the other findings",
        )
        return
    if written:
        message = f"jar '{head.jar}': the view differed from the truth and was repaired"
        yield _warning("view-repaired", f"{message}: {', '.join(written)}", NOTHING)
    else:
        yield _ok("view", f"jar '{head.jar}': the view shows the truth")


def _trail(ports: Ports, report: TrailReport) -> Iterator[Finding]:
    for item in report.discrepancies[:SHOWN_MAX]:
        yield _critical(f"audit-{item.code}", f"audit trail: {item.message}", "find out who did it")
    if (more := len(report.discrepancies) - SHOWN_MAX) > 0:
        message = f"audit trail: {_counted(more, 'more record')} not as written"
        yield _critical("audit-more", message, "run `jarkeeper audit --verify`")
    if not report.discrepancies:
        events = _counted(report.events, "event")
        chains = _counted(len(report.tails), "chain")
        message = f"audit trail: {events} in {chains}, none changed, none missing"
        yield _ok("audit", f"{message}, {report.unanchored} since the last checkpoint")
        ports.trail.checkpoint(report)


def _strangers(ports: Ports, jars: list[str]) -> Iterator[Finding]:
    views = {view_key(jar, slot) for jar in jars for slot in Slot}
    known = {VAULT_KEY, METADATA_KEY} | views
    strange = [
        key
        for key in ports.store.list("")
        if key not in known
        and not key.startswith("audit/")
        and not parse_head_key(key)
        and not parse_generation_key(key)
    ]
    if strange:
        shown = ", ".join(f"'{key}'" for key in strange[:SHOWN_MAX])
        message = f"store: {_counted(len(strange), 'object')} that no vault writes: {shown}"
        yield _warning("stranger", message, "find out who put it there; nothing reads it")


def _place(ports: Ports) -> Iterator[Finding]:
    if not isinstance(ports.store, Tended):
        return
    complaints = ports.store.complaints()
    for complaint in complaints[:SHOWN_MAX]:
        yield _warning("permissions", f"store: {complaint}", "allow nobody but yourself")
    if not complaints:
        yield _ok("permissions", "nobody but you can read or change the directory")


def _ok(code: str, message: str, next_step: str = NOTHING) -> Finding:
    return Finding(code, Severity.OK, message, next_step)


def _warning(code: str, message: str, next_step: str) -> Finding:
    return Finding(code, Severity.WARNING, message, next_step)


def _critical(code: str, message: str, next_step: str) -> Finding:
    return Finding(code, Severity.CRITICAL, message, next_step)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
