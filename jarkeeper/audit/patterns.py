"""What the trail shows when looked at as a whole: failing downloads, odd opens, strangers. Pure.

Each rule tells what it looked at, also where all is well; of what it cannot judge yet it says
nothing. So whoever keeps incidents knows which of them a look may close. What is older than the
window is over, so every trouble gets a word that closes it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import chain

from jarkeeper.audit.events import Event, Outcome, Phase
from jarkeeper.audit.usage import COOKIE_FAILURES, SUCCEEDED, is_open, is_use, principal_of
from jarkeeper.checks import NOTHING, Finding, Severity
from jarkeeper.settings import Settings
from jarkeeper.words import count_of

HOUR = timedelta(hours=1)
WINDOW = timedelta(days=1)
"""What is judged; everything before it is what it is compared with."""
HISTORY = timedelta(days=14)
"""How far back a caller should read: two weeks hold every habit of a weekly schedule."""
KNOWN_AFTER = timedelta(days=7)
"""History that it takes before an unknown principal means anything."""
TRIES_MIN = 20
"""Of videos, before a rate means anything: one failure more is then five percent at most."""
BROKEN_PERCENT = 50
"""From here on it is no bad day any more."""
OPENS_TIMES = 3
"""More than so many times the busiest hour before is out of pattern …"""
OPENS_MIN = 20
"""… if it is more than this: a quiet vault's second run is no attack."""
REFUSED_MIN = 5
"""Refusals in a row: a run gives up at its first, so these are somebody who tries."""
ENDED_AFTER = HOUR
"""An access takes seconds; without an outcome after this, none will come."""
SHOWN_MAX = 3

VIDEOS_OWN = frozenset({
    "PRIVATE",
    "MEMBERS_ONLY",
    "AGE_GATE",
    "NOT_FOUND",
    "GEO",
    "DRM",
    "NOT_YET",
    "PAID",
    "REMOVED",
    "BAD_TARGET",
})  # fmt: skip
"""Classes that are a fact about the video: no download failed that could have ended well, and a
list with such videos in it would be an alarm every night."""
REFUSALS = frozenset({"capability", "rate"})
DAMAGE = {"integrity": "integrity", "envelope": "integrity", "rollback": "rollback"}
"""The word in a failed outcome → the code of the finding."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What was found of one jar, or with an empty name of the vault; the code is the cause."""

    jar: str
    finding: Finding


def find_patterns(
    events: Iterable[Event], *, now: datetime, settings: Settings
) -> tuple[Pattern, ...]:
    """Return at most one pattern for each cause and jar, from all events of `HISTORY`.

    Nothing may be left out of the events, or it would look removed.
    """
    known = tuple(events)
    recent = tuple(event for event in known if event.at > now - WINDOW)
    return _merged(
        chain(
            download_failures(known, now=now, settings=settings),
            opens(known, now=now),
            refusals(recent),
            principals(known, now=now, settings=settings),
            damage(known, now=now),
            gaps(known, now=now),
        )
    )


def download_failures(
    events: Iterable[Event], *, now: datetime, settings: Settings
) -> Iterator[Pattern]:
    """Judge the share of tries that failed, of each jar that was used.

    With too few tries it is well where so few failed that no number of them would be too many.
    """
    tries: dict[str, Counter[str]] = defaultdict(Counter)
    for event in filter(is_use, events):
        recent = event.counts if event.at > now - WINDOW else {}
        tries[event.jar].update({name: n for name, n in recent.items() if name not in VIDEOS_OWN})
    for jar, counts in sorted(tries.items()):
        finding = _of_tries(jar, counts, settings)
        if counts.total() >= TRIES_MIN or finding.severity is Severity.OK:
            yield Pattern(jar, finding)


def opens(events: Iterable[Event], *, now: datetime) -> Iterator[Pattern]:
    """Compare each jar's opens in the last hour with its busiest hour before."""
    hours: dict[str, Counter[int]] = defaultdict(Counter)
    for event in filter(_is_of_jar, events):
        # Of a clock that is ahead of ours: it has just happened. Others than opens: nothing did.
        hours[event.jar][max(0, (now - event.at) // HOUR)] += is_open(event)
    for jar, counts in sorted(hours.items()):
        last = counts.pop(0, 0)
        busiest = max(counts.values(), default=0)
        if last > max(OPENS_MIN, OPENS_TIMES * busiest):
            message = f"was opened {last} times in an hour, at most {busiest} times before"
            step = (
                "run `jarkeeper audit --since 1h` and ask who opens it; if nobody of yours does, "
            )
            step += "end that login in the browser, then run `jarkeeper import cookies.txt`"
            yield _found("opens", jar, Severity.CRITICAL, message, step)
        else:
            yield _well("opens", jar, f"was opened {_times(last)} in the last hour, as usual")


def refusals(events: Iterable[Event]) -> Iterator[Pattern]:
    """Judge the longest row of refused accesses to each jar; one that succeeds ends a row."""
    rows: Counter[str] = Counter()
    longest: dict[str, int] = defaultdict(int)
    for event in events:
        if event.outcome is Outcome.REFUSED and event.detail in REFUSALS:
            rows[event.jar] += 1
            longest[event.jar] = max(longest[event.jar], rows[event.jar])
        elif is_open(event):
            rows[event.jar] = 0
    for jar, count in sorted(longest.items()):
        if count >= REFUSED_MIN:
            message = f"was asked for {count} times in a row beyond what was granted"
            step = "run `jarkeeper audit --since 24h` and stop what keeps asking"
            yield _found("opens", jar, Severity.WARNING, message, step)


def principals(events: Sequence[Event], *, now: datetime, settings: Settings) -> Iterator[Pattern]:
    """Name who acted and is not allowed to or, where no setting says who is, was never seen."""
    before = {principal_of(event.actor) for event in events if event.at <= now - WINDOW}
    recent = {principal_of(event.actor) for event in events if event.at > now - WINDOW}
    if settings.principals:
        strangers = {who for who in recent if not _is_allowed(who, settings.principals)}
        words, severity = "not among COOKIE_PRINCIPALS", Severity.CRITICAL
    elif events and min(event.at for event in events) <= now - KNOWN_AFTER:
        strangers = recent - before
        words, severity = "never seen before", Severity.WARNING
    else:
        return
    if strangers:
        message = f"{words}: {_some(strangers)} used this vault in the last 24 hours"
        step = "run `jarkeeper audit --since 24h`; whom you know, add to COOKIE_PRINCIPALS"
        yield _found("principal", "", severity, message, step)
    else:
        yield _well("principal", "", f"{count_of(len(recent), 'principal')} used it, all known")


def damage(events: Iterable[Event], *, now: datetime) -> Iterator[Pattern]:
    """Name the jars of which something was not what was written; it is over after the window."""
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event.outcome is Outcome.FAILED and event.detail in DAMAGE:
            found[DAMAGE[event.detail], event.jar] += event.at > now - WINDOW
    for (code, jar), count in sorted(found.items()):
        if count:
            message = f"opening it failed {_times(count)}: what is stored is not what was written"
            step = "run `jarkeeper check`, and do not delete anything before"
            yield _found(code, jar, Severity.CRITICAL, message, step)
        else:
            yield _well(code, jar, "what was not as written did not show in the last 24 hours")


def gaps(events: Iterable[Event], *, now: datetime) -> Iterator[Pattern]:
    """Name what the trail should hold and does not: events in between, outcomes of accesses."""
    seqs: dict[str, set[int]] = defaultdict(set)
    began: set[str] = set()
    ended: set[str] = set()
    for event in events:
        seqs[event.writer].add(event.seq)
        if event.phase is Phase.OUTCOME:
            ended.add(event.access)
        elif now - WINDOW < event.at <= now - ENDED_AFTER:
            began.add(event.access)
    missing = sum(max(seen) - min(seen) + 1 - len(seen) for seen in seqs.values())
    lost = len(began - ended)
    if missing:
        message = f"{count_of(missing, 'event')} of the audit trail missing or changed"
        yield _found("audit-gap", "", Severity.CRITICAL, message, "run `jarkeeper audit verify`")
    if lost:
        message = f"{count_of(lost, 'intent')} without an outcome: processes that were ended, or "
        message += "outcomes that could not be written"
        step = "run `jarkeeper audit --since 24h` and look for `no outcome`"
        yield _found("audit-gap", "", Severity.WARNING, message, step)
    if not missing and not lost:
        yield _well("audit-gap", "", "every access has its outcome, no event is missing")


def _of_tries(jar: str, counts: Counter[str], settings: Settings) -> Finding:
    total = counts.total()
    judged = max(total, TRIES_MIN)
    failures = Counter({name: count for name, count in counts.items() if name != SUCCEEDED})
    ours = Counter({name: count for name, count in failures.items() if name in COOKIE_FAILURES})
    for failed, bound, words, step in (
        (ours, settings.login_failure_rate, "because of the cookies", "run `jarkeeper validate`"),
        (failures, settings.failure_rate, "in all", "run `jarkeeper audit --since 24h --json`"),
    ):
        percent = 100 * failed.total() / judged
        if percent > bound:
            severity = Severity.CRITICAL if percent >= BROKEN_PERCENT else Severity.WARNING
            classes = ", ".join(f"{name} {count}" for name, count in _commonest(failed))
            message = f"{failed.total()} of {total} tries failed {words}, {percent:.1f} % where "
            message += f"{bound:g} % are allowed: {classes}"
            return _found("download-failures", jar, severity, message, step).finding
    message = f"{failures.total()} of {total} tries failed, {ours.total()} because of the cookies"
    return _well("download-failures", jar, message).finding


def _commonest(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_MAX]


def _is_of_jar(event: Event) -> bool:
    return bool(event.jar)


def _is_allowed(principal: str, allowed: Iterable[str]) -> bool:
    return any(fnmatchcase(principal, pattern) for pattern in allowed)


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - SHOWN_MAX} more" if listed[SHOWN_MAX:] else ""
    return ", ".join(f"'{name}'" for name in listed[:SHOWN_MAX]) + more


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _found(code: str, jar: str, severity: Severity, message: str, step: str) -> Pattern:
    about = f"jar '{jar}': " if jar else ""
    return Pattern(jar, Finding(code, severity, about + message, step))


def _well(code: str, jar: str, message: str) -> Pattern:
    return _found(code, jar, Severity.OK, message, NOTHING)


def _merged(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    """Join what several rules say of the same cause and jar: it is one trouble."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for pattern in patterns:
        groups[pattern.finding.code, pattern.jar].append(pattern.finding)
    return tuple(Pattern(jar, _joined(found)) for (_, jar), found in sorted(groups.items()))


def _joined(found: list[Finding]) -> Finding:
    order = [Severity.CRITICAL, Severity.WARNING, Severity.OK]
    first, *rest = sorted(found, key=lambda finding: order.index(finding.severity))
    also = [finding.message for finding in rest if finding.severity is not Severity.OK]
    return Finding(first.code, first.severity, "; ".join([first.message, *also]), first.next_step)
