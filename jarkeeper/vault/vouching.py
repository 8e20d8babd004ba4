"""What the trail vouches for beyond itself: each head has its intent, and no checkpoint is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from jarkeeper.actions import Action
from jarkeeper.anchors import Anchor, Anchors
from jarkeeper.audit import Discrepancy, TrailReport
from jarkeeper.audit.places import checkpoint_key
from jarkeeper.errors import IntegrityError, StoreError
from jarkeeper.heads import Head
from jarkeeper.names import head_key, heads_prefix
from jarkeeper.vault.log import read_history
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.view import jar_names

TRAIL = "_trail"
"""In the place of a jar, where anchors remember the log of checkpoints: no jar is named so."""


def verify(ports: Ports) -> TrailReport:
    """Verify the trail, and compare it with the heads and with what anchors remember."""
    # Before the trail is read: a head of later on would have its intent in what was not read.
    heads: list[Head] = []
    found = []
    for jar in jar_names(ports):
        try:
            heads += read_history(ports, jar)
        except IntegrityError as error:
            found.append(Discrepancy("edited", heads_prefix(jar), error.message))
    known = remembered(ports)
    report = ports.trail.verify()
    found += unvouched(report, heads)
    found += set_back(ports, report, known)
    return replace(report, discrepancies=(*report.discrepancies, *found))


def unvouched(report: TrailReport, heads: Iterable[Head]) -> Iterator[Discrepancy]:
    """Name the heads that nobody is on record for: somebody with the key went round the vault.

    A head has the outcome that names it or, where a process ended in between, an intent of its own.
    """
    told = report.told
    spare = Counter(told.intents)
    for (jar, action, _), count in told.commits.items():
        spare[jar, action] -= count
    for head in heads:
        key = (head.jar, head.action)
        if told.commits[*key, head.seq] or report.is_retired(head.at):
            continue
        # An empty commit settles somebody else's; the clean-up's one intent is for all jars.
        if head.action is Action.SETTLE or told.intents["", head.action]:
            continue
        if spare[key] > 0:
            spare[key] -= 1
        else:
            message = (
                f"jar '{head.jar}': head {head.seq} ({head.action}) has no intent in the trail"
            )
            yield Discrepancy("spliced", head_key(head.jar, head.seq), message)


def remembered(ports: Ports) -> tuple[tuple[Anchors, Anchor | None], ...]:
    """Return what anchors know of the log; to be asked before it is read, as it may go on."""
    found = []
    for anchors in ports.anchors:
        with suppress(StoreError):  # the heads' own anchors tell of it
            found.append((anchors, anchors.read(ports.vault, TRAIL)))
    return tuple(found)


def set_back(
    ports: Ports, report: TrailReport, known: Iterable[tuple[Anchors, Anchor | None]]
) -> Iterator[Discrepancy]:
    """Name the checkpoints that an anchor remembers otherwise; have all remember the newest."""
    digests = report.log.digests
    for anchors, anchor in known:
        if anchor is None or digests[anchor.seq - 1 : anchor.seq] == [anchor.digest]:
            continue
        if anchor.seq <= len(digests) or not report.log.found:  # else it is told already
            what = f"checkpoint {anchor.seq} is not the one that {anchors.name} remembers"
            yield Discrepancy("removed", checkpoint_key(anchor.seq), what)
    remember(ports, report)


def remember(ports: Ports, report: TrailReport) -> None:
    """Have all anchors remember the newest checkpoint, unless they know a newer one."""
    digests = report.log.digests
    for anchors in ports.anchors if digests else ():
        with suppress(StoreError):
            anchors.advance(ports.vault, TRAIL, Anchor(len(digests), digests[-1]))
