"""What the trail vouches for beyond itself: each head has its intent, and no checkpoint is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

from jarkeeper.actions import Action
from jarkeeper.anchors import Anchor, Anchors
from jarkeeper.audit import Discrepancy, TrailReport
from jarkeeper.audit.checkpoints import Checkpoint, CheckpointLog
from jarkeeper.audit.discrepancy import UNFINISHED
from jarkeeper.audit.places import checkpoint_key
from jarkeeper.errors import IntegrityError, RecordMissing, RollbackError, StoreError
from jarkeeper.heads import Head
from jarkeeper.names import head_key, heads_prefix
from jarkeeper.vault.log import read_anchors, read_history, read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.view import jar_names

TRAIL = "_trail"
"""In the place of a jar, where anchors remember the log of checkpoints: no jar is named so."""

Known: TypeAlias = tuple[tuple[Anchors, Anchor], ...]
"""Which anchors remember the log, and what."""


def verify(ports: Ports) -> TrailReport:
    """Verify the trail, and compare it with the heads and with what anchors remember."""
    # Before the trail is read: a head of later on would have its intent in what was not read.
    heads: list[Head] = []
    found = []
    for jar in jar_names(ports):
        try:
            heads += read_history(ports, jar)
        except IntegrityError as error:
            code = "removed" if isinstance(error, RecordMissing) else "edited"
            found.append(Discrepancy(code, heads_prefix(jar), error.message))
    known = remembered(ports)
    report = compared(ports, ports.trail.verify(), known)
    found += unvouched(report, heads)
    found += _cut_off(ports, report)
    return replace(report, discrepancies=(*report.discrepancies, *found))


def compared(ports: Ports, report: TrailReport, known: Known) -> TrailReport:
    """Return the report with what was remembered of the log before it was read."""
    found = tuple(set_back(ports, report.log, known))
    anchors = tuple(place.name for place, _ in known)
    return replace(report, discrepancies=(*report.discrepancies, *found), anchors=anchors)


def _cut_off(ports: Ports, report: TrailReport) -> Iterator[Discrepancy]:
    """Name the jars whose newest heads are gone: the trail, or an anchor, tells of more."""
    for jar in sorted({*report.head_seqs, *jar_names(ports), *anchored_jars(ports)} - {""}):
        told = report.head_seqs.get(jar, 0)
        try:
            # Read now: what the trail tells of was there before.
            head = read_newest(ports, jar).head
        except RollbackError as error:
            yield Discrepancy("removed", heads_prefix(jar), error.message, error.hint or "")
            continue
        except IntegrityError:
            continue  # its history told it
        seq = head.seq if head else 0
        if seq < told:
            what = f"jar '{jar}': the newest head is {seq}, but the trail tells of head {told}"
            yield Discrepancy("removed", head_key(jar, told), what, UNFINISHED)


def anchored_jars(ports: Ports) -> set[str]:
    """Return the jars of which an anchor remembers anything."""
    found: set[str] = set()
    for place in ports.anchors:
        with suppress(StoreError):  # reading the heads tells it
            found.update(place.jars(ports.vault))
    return found - {TRAIL}


def unvouched(report: TrailReport, heads: Iterable[Head]) -> Iterator[Discrepancy]:
    """Name the heads that nobody is on record for: somebody with the key went round the vault.

    A head has the outcome that names it or, where a process ended in between, an intent of its own.
    """
    told = report.told
    intents, spare = told.intents, told.unsettled
    for head in heads:
        key = (head.jar, head.action)
        if told.commits[*key, head.seq] or report.is_retired(head.at):
            continue
        # An empty commit settles somebody else's; the clean-up's one intent is for all jars.
        if head.action is Action.SETTLE or intents["", head.action]:
            continue
        if spare[key] > 0:
            spare[key] -= 1
        else:
            where = "what is left of the trail" if report.discrepancies else "the trail"
            message = f"jar '{head.jar}': head {head.seq} ({head.action}) has no intent in {where}"
            hint = f"{UNFINISHED}; otherwise find out who wrote it"
            yield Discrepancy("spliced", head_key(head.jar, head.seq), message, hint)


def remembered(ports: Ports) -> Known:
    """Return what anchors know of the log; to be asked before it is read, as it may go on."""
    return tuple(read_anchors(ports, TRAIL)[0])  # the heads' own tell what cannot be read


def set_back(ports: Ports, log: CheckpointLog, known: Known) -> Iterator[Discrepancy]:
    """Name the checkpoints that an anchor remembers otherwise; the others learn the newest."""
    wrong = []
    for place, anchor in known:
        if log.digests[anchor.seq - 1 : anchor.seq] == [anchor.digest]:
            continue
        wrong.append(place)
        if anchor.seq <= len(log.digests) or not log.found:  # else it is told already
            what = f"checkpoint {anchor.seq} is not the one that {place.name} remembers"
            hint = f"if it was you who went back, {place.how_to_forget(ports.vault, TRAIL)}"
            yield Discrepancy("removed", checkpoint_key(anchor.seq), what, hint)
    # What an anchor has against the log must not be forgotten when the log goes on.
    remember(replace(ports, anchors=tuple(one for one in ports.anchors if one not in wrong)), log)


def checkpoint(ports: Ports, report: TrailReport) -> Checkpoint | None:
    """Append to the log what verification saw, and return the newest; anchors remember it.

    `Conflict` where another process wrote one meanwhile.
    """
    newest = ports.trail.checkpoint(report)
    remember(ports, report.log)
    return newest


def remember(ports: Ports, log: CheckpointLog) -> None:
    """Have all anchors remember the newest checkpoint, unless they know a newer one."""
    for place in ports.anchors if log.digests else ():
        with suppress(StoreError):
            place.advance(ports.vault, TRAIL, Anchor(len(log.digests), log.digests[-1]))
