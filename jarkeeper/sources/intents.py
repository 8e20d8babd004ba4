"""Which requests our own operations make: the trail's accesses, asked by what a request touches.

An access spans from its intent to its outcome. Clocks differ, and some work is done around the two,
so a request counts as ours when it lies within `TOLERANCE` of such a span. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from jarkeeper.actions import Action
from jarkeeper.audit.events import Event
from jarkeeper.audit.told import DELETED
from jarkeeper.limits import LIMITS

TOLERANCE = timedelta(seconds=LIMITS.clock_skew_seconds_max + 2)
"""Between our clock and AWS's, which cuts to seconds; a repair after an outcome takes one more."""
ENDLESS = timedelta(seconds=LIMITS.commit_seconds_max)
"""How long an access without an outcome may have gone on."""
LONG = timedelta(hours=1)
"""The same of what an operator does to a whole vault, jar by jar or event by event."""
AT_LENGTH = frozenset({Action.ARCHIVE, Action.BACKUP, Action.RECOVER, Action.REWRAP})
GO_ON = frozenset({Action.REWRAP, Action.RETIRE})
"""What goes on after its outcome: on record is the decision."""

SEALS = frozenset({Action.IMPORT, Action.STAGE, Action.WRITE_BACK, Action.REWRAP, Action.RECOVER})
COMMITS = SEALS | {
    *(Action.ROTATE, Action.PROMOTE, Action.RESTORE, Action.REVOKE, Action.MARK, Action.PROBE),
    *(Action.GC, Action.SETTLE),
}
OPENS = SEALS | {
    *(Action.LEND, Action.OUTLINE, Action.ROTATE, Action.PROMOTE, Action.RESTORE, Action.REVOKE),
    *(Action.CHECK, Action.BACKUP),
}
"""What opens envelopes: to hand them out, to compare, to check what was sealed."""
READS = OPENS | COMMITS | {Action.REPAIR}
"""What reads envelopes sealed: also the view is made of them, after every commit."""
FOUNDS = frozenset({Action.INIT, Action.REWRAP, Action.RECOVER})
CLEANS = frozenset({Action.GC})
VOUCHES = frozenset({Action.CHECKPOINT, Action.RECOVER})
PACKS = frozenset({Action.ARCHIVE, Action.RECOVER})
"""What writes checkpoints, and volumes; a recovery copies both."""
TIDIES = frozenset({Action.ARCHIVE, Action.RETIRE})
"""What takes objects of the trail away: they are in a volume now, or past their retention."""
COPIES = frozenset({Action.RECOVER})
"""What writes again what was there, and looks for all of it before."""
READS_EXACT, READS_JAR, READS_VAULT = 4, 16, 4 * LIMITS.backups_max
"""Envelopes that an access reads at most: its own and those of the view, all slots, all slots
several times; a lost answer is asked for again."""
EXACT = frozenset({Action.LEND, Action.OUTLINE})
"""These open the one generation that they name; others compare it with those in the slots."""


@dataclass(frozen=True, slots=True)
class Span:
    """One access: what it was, and from when to when."""

    action: Action
    jar: str
    generation: str
    begin: datetime
    end: datetime


class Intents:
    """All accesses of a trail, to be asked for the one that a request belongs to."""

    def __init__(self, events: Iterable[Event]) -> None:
        spans: dict[str, list[Span]] = defaultdict(list)
        for span in _spans(events):
            spans[span.jar].append(span)
        self._spans = {jar: sorted(found, key=_begin) for jar, found in spans.items()}
        self._begins = {jar: [span.begin for span in found] for jar, found in self._spans.items()}
        self._longest = {
            jar: max(span.end - span.begin for span in found) for jar, found in self._spans.items()
        }

    def explain(
        self, at: datetime, *, actions: frozenset[Action], jar: str | None, generation: str = ""
    ) -> bool:
        """Whether one of these actions was under way, on that jar or on the whole vault.

        With a generation, an open of another one explains nothing; None is for any jar.
        """
        jars = self._spans.keys() if jar is None else {jar, ""}
        near = (span for name in jars for span in self._near(name, at))
        return any(
            span.action in actions
            and not (generation and span.action in EXACT and span.generation != generation)
            for span in near
        )

    def reads(self, jar: str, begin: datetime, end: datetime) -> int:
        """Return how many envelopes of the jar our own accesses of that time may have read."""
        return sum(
            _reads_of(span)
            for name in (jar, "")
            for span in self._spans.get(name, ())
            if span.begin <= end + TOLERANCE and span.end >= begin - TOLERANCE
        )

    def _near(self, jar: str, at: datetime) -> list[Span]:
        spans = self._spans.get(jar)
        if not spans:
            return []
        begins = self._begins[jar]
        last = bisect_right(begins, at + TOLERANCE)
        first = bisect_right(
            begins, at - TOLERANCE - self._longest[jar] - timedelta(microseconds=1)
        )
        return [span for span in spans[first:last] if span.end + TOLERANCE >= at]


def _spans(events: Iterable[Event]) -> Iterable[Span]:
    """Give one span an access, of all that its events tell."""
    open_: dict[str, Span] = {}
    for event in events:
        if event.action not in READS | FOUNDS | TIDIES | VOUCHES:
            continue
        known = open_.get(event.access)
        begin = event.at - timedelta(seconds=max(0.0, event.seconds))
        end = event.at
        if event.outcome is None and event.action in AT_LENGTH:
            end += LONG
        elif event.outcome is None or (event.action in GO_ON and DELETED not in event.counts):
            end += ENDLESS
        if known is not None:
            begin = min(begin, known.begin)
            # An outcome ends what its intent left open.
            end = end if event.outcome is not None else max(end, known.end)
        open_[event.access] = Span(
            event.action,
            event.jar,
            event.generation or (known.generation if known else ""),
            begin,
            end,
        )
    return open_.values()


def _reads_of(span: Span) -> int:
    if span.action not in READS:
        return 0
    if not span.jar:
        return READS_VAULT
    return READS_EXACT if span.action in EXACT else READS_JAR


def _begin(span: Span) -> datetime:
    return span.begin
