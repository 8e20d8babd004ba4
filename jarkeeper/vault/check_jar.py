"""The health of one jar: its log, its generations, its view."""

from __future__ import annotations

from collections.abc import Iterator

from jarkeeper.audit import TrailReport
from jarkeeper.audit.discrepancy import UNFINISHED
from jarkeeper.checks import Finding
from jarkeeper.errors import JarkeeperError, RollbackError
from jarkeeper.heads import GenerationRecord, Head
from jarkeeper.names import generations_prefix, parse_generation_key
from jarkeeper.vault.findings import (
    NOTHING,
    RECOVER,
    counted,
    critical,
    is_outage,
    ok,
    outage,
    warning,
)
from jarkeeper.vault.generations import open_generation, read_sealed
from jarkeeper.vault.log import read_history, read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.rewrap import needs_rewrap
from jarkeeper.vault.view import publish
from jarkeeper.vault.vouching import unvouched


def check_jar(
    ports: Ports, jar: str, trail: TrailReport, *, consulted: list[str]
) -> Iterator[Finding]:
    """Give what is well and what is not with one jar; the view is repaired on the way.

    `consulted` names the anchors that knew of the jar before this check looked at anything.
    """
    try:
        newest = read_newest(ports, jar)
        history = read_history(ports, jar)
    except RollbackError as error:
        yield critical("rolled-back", error.message, error.hint or RECOVER)
        return
    except JarkeeperError as error:
        damage = critical("log", error.message, error.hint or RECOVER)
        yield outage(error) if is_outage(error) else damage
        return
    yield from _freshness(jar, newest.head, trail, consulted)
    for text in newest.warnings:
        yield warning("anchor", text, "make the place of the anchors readable and writable")
    if newest.head is None:
        return
    yield ok("log", f"jar '{jar}': {counted(len(history), 'head')}, each follows the one before")
    yield from _unvouched(ports, history, trail)
    yield from _generations(ports, newest.head, history)
    yield from _view(ports, newest.head)


def _freshness(
    jar: str, head: Head | None, trail: TrailReport, consulted: list[str]
) -> Iterator[Finding]:
    seq = 0 if head is None else head.seq
    told = trail.head_seqs.get(jar, 0)
    if told > seq:
        message = f"jar '{jar}': the newest head is {seq}, but the audit trail tells of head {told}"
        yield critical("rolled-back", message, f"{UNFINISHED}; otherwise {RECOVER}")
        return
    # The trail lies in the vault: whoever set the one back set the other back with it.
    if not consulted:
        message = f"jar '{jar}': nothing outside the log remembers it, a rollback would not show"
        yield warning("unknown", message, "run it once more: now there is an anchor")
        return
    yield ok("fresh", f"jar '{jar}': not rolled back, by {', '.join(consulted)}")


def _unvouched(ports: Ports, history: tuple[Head, ...], trail: TrailReport) -> Iterator[Finding]:
    found = tuple(unvouched(trail, history))
    if found:  # what was committed since the trail was read is on record by now
        found = tuple(unvouched(ports.trail.verify(), history))
    for item in found:
        yield critical("unvouched", item.message, item.hint)


def _generations(ports: Ports, head: Head, history: tuple[Head, ...]) -> Iterator[Finding]:
    named = {item.generation.id: item.generation for item in head.slots.records()}
    opened = dependent = 0
    for record in named.values():
        try:
            open_generation(ports, head.jar, record)
            opened += 1
            dependent += bool(ports.keys.former) and needs_rewrap(ports, head.jar, record)
        except JarkeeperError as error:
            damage = critical("generation", error.message, error.hint or RECOVER)
            yield outage(error) if is_outage(error) else damage
    if opened:
        yield ok("generations", f"jar '{head.jar}': {counted(opened, 'slot')} opened, as committed")
    if dependent:
        message = f"jar '{head.jar}': {counted(dependent, 'slot')} sealed under a former key"
        step = "run `jarkeeper rewrap` to the key in force again, before the former one is disabled"
        yield warning("former-key", message, step)
    past = {
        item.generation.id: (item.generation, old.seq)
        for old in history
        for item in old.slots.records()
    }
    keys = ports.store.list(generations_prefix(head.jar))
    stored = {place[1] for key in keys if (place := parse_generation_key(key))}
    # What the clean-up may have deleted is not missed; everything else must be there.
    yield from _past(
        ports,
        head.jar,
        [
            record
            for record, last_seq in past.values()
            if record.id not in named and (record.id in stored or last_seq >= head.horizon)
        ],
    )
    if leftovers := len(stored - past.keys()):
        message = f"jar '{head.jar}': {counted(leftovers, 'generation')} sealed, never committed"
        yield ok("leftovers", message, "the clean-up removes what interrupted commits leave")


def _past(ports: Ports, jar: str, records: list[GenerationRecord]) -> Iterator[Finding]:
    for record in sorted(records, key=lambda record: record.created_at):
        try:
            read_sealed(ports, jar, record)
        except JarkeeperError as error:
            step = "it cannot be restored any more; nothing uses it"
            damage = warning("past-generation", error.message, step)
            yield outage(error) if is_outage(error) else damage


def _view(ports: Ports, head: Head) -> Iterator[Finding]:
    try:
        written = publish(ports, head)
    except JarkeeperError as error:
        about = f"jar '{head.jar}': "
        yield warning(
            "view",
            f"{about}the view cannot be published, {error.message.removeprefix(about)}",
            error.hint or "see the other findings",
        )
        return
    if written:
        message = f"jar '{head.jar}': the view differed from the truth and was repaired"
        yield warning("view-repaired", f"{message}: {', '.join(written)}", NOTHING)
    else:
        yield ok("view", f"jar '{head.jar}': the view shows the truth")
