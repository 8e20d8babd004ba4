"""What AWS logged, joined with the audit trail: who went round Jarkeeper, and what else is odd.

A request for an envelope, a data key of a jar or a change in the store is ours when the trail has
an access that makes such requests, at that time. What makes none of the three says nothing by
itself: heads, lists and the trail are read by every command, and the vault's root is opened by it.
The rules are pure; requests come in any order, and one that two logs tell of counts once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from jarkeeper.checks import Severity
from jarkeeper.sources.intents import Intents
from jarkeeper.sources.judging import Judge
from jarkeeper.sources.meanings import MEANINGS, Meaning
from jarkeeper.sources.requests import (
    VIA_S3,
    Place,
    Request,
    Visit,
    network_of,
    object_of,
    shown_key,
    without_path,
)
from jarkeeper.words import count_of, utc_text

HOUR = timedelta(hours=1)
HISTORY = timedelta(days=7)
"""How far back before the range logs are read for who came before."""
KNOWN_AFTER = timedelta(days=3)
"""History that it takes before somebody who was never seen means anything."""
EVIDENCE_MAX = 20
SHOWN_MAX = 3
OPENS = {"Decrypt", *(name for name, meaning in MEANINGS.items() if meaning is Meaning.READ)}
OPENS_MIN = 20
"""Reads of a jar in an hour, before more of them than the trail accounts for mean anything."""
ECHO = timedelta(seconds=5)
"""Between a request and the call of KMS that S3 makes for it."""
OURS = "if it was none of yours, end that login in the browser, then run "
OURS += "`jarkeeper import cookies.txt`"
ASK = "ask who uses that role now, and look at `jarkeeper audit` of that time; "
STEPS = {
    "outside": ASK + OURS,
    "deleted": "run `jarkeeper check`; what the bucket's versions hold can be brought back",
    "overwritten": "run `jarkeeper check`, and compare the versions that the bucket keeps",
    "denied": "find out what tries; whoever ought to get in needs a policy of "
    "docs/reference/permissions.md",
    "role": "find out who it is; whom you know, add to COOKIE_ROLES",
    "address": "find out whether that is a new place of yours",
    "opens": "end what opens so much; " + OURS,
    "key": "enable the key again, or cancel its deletion: without it nothing opens",
    "rules": "compare with docs/reference/permissions.md, and ask who changed it",
    "logging": "start it again, and ask who ended it: what happened since is not on record",
}
SEVERITIES = {
    code: Severity.WARNING if code in ("denied", "address", "rules") else Severity.CRITICAL
    for code in STEPS
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One request as a report shows it."""

    at: datetime
    operation: str
    principal: str
    address: str
    key: str
    request_id: str


@dataclass(frozen=True, slots=True)
class SourceFinding:
    """What was found, as every check tells it, and the requests that show it, the first of them."""

    code: str
    severity: Severity
    jar: str
    """Empty where it concerns the vault."""
    message: str
    next_step: str
    count: int = 0
    evidence: tuple[Evidence, ...] = ()


@dataclass(slots=True)
class _Group:
    """Requests of one code, jar and principal."""

    requests: list[Request] = field(default_factory=list)
    count: int = 0
    operations: Counter[str] = field(default_factory=Counter)

    def add(self, request: Request) -> None:
        self.count += 1
        self.operations[request.operation] += 1
        self.requests.append(request)
        if len(self.requests) > 2 * EVIDENCE_MAX:
            self.requests = sorted(self.requests, key=_time)[:EVIDENCE_MAX]


def join(
    requests: Iterable[Request],
    *,
    intents: Intents,
    place: Place,
    complete_since: datetime,
) -> tuple[SourceFinding, ...]:
    """Return what the requests show that the trail does not; none of it is of our own making.

    Before `complete_since` the trail holds nothing, so nothing is missing there.
    """
    judge = Judge(intents, place, complete_since)
    groups: dict[tuple[str, str, str], _Group] = defaultdict(_Group)
    counted: set[tuple[object, ...]] = set()
    reads: Counter[tuple[str, datetime, str]] = Counter()
    echoes: list[tuple[tuple[str, str, str], Request]] = []
    for request in requests:
        if request.error and not request.is_denied:
            continue
        found = judge.verdict(request)
        if not found.code and not (found.jar and request.operation in OPENS):
            continue
        # Two logs tell of one request where both say the same of it: a line that says something
        # harmless, or names somebody else, silences no record of that id.
        group = (found.code, found.jar, request.principal)
        hour = (found.jar, _hour(request.at), request.service)
        told = group if found.code else hour
        mark = (told, request.request_id, request.key, request.operation)
        if request.request_id and mark in counted:
            continue
        counted.add(mark)
        if VIA_S3 in request.context:
            echoes += [(group, request)] if found.code else []
        elif found.code:
            groups[group].add(request)
        else:
            reads[hour] += 1
    for request, verdict in judge.overwritten():
        groups[verdict.code, verdict.jar, request.principal].add(request)
    for group, echo in echoes:
        if not _is_told(echo, groups[group].requests):
            groups[group].add(echo)
    findings = [_finding(*key, found) for key, found in groups.items()]
    return (*findings, *_surplus(reads, intents))


def strangers(
    visits: Sequence[Visit], *, roles: Sequence[str], since: datetime
) -> Iterator[SourceFinding]:
    """Name who came that may not or, where no setting says who may, was never seen; and new places.

    Visits before `since` are what the others are compared with.
    """
    before = [visit for visit in visits if visit.first < since]
    recent = [visit for visit in visits if visit.last >= since and visit.first >= since]
    is_known = bool(before) and min(visit.first for visit in before) <= since - KNOWN_AFTER
    known = {visit.principal for visit in before}
    if roles:
        unknown = {visit.principal for visit in recent if not _is_allowed(visit.principal, roles)}
        words, severity = "not among COOKIE_ROLES", Severity.CRITICAL
    else:
        unknown = {visit.principal for visit in recent} - known if is_known else set()
        words, severity = "never seen before", Severity.WARNING
    for who in sorted(unknown):
        times = sum(visit.requests for visit in recent if visit.principal == who)
        message = f"{words}: {_name(who)} got at the vault in {count_of(times, 'request')}"
        yield SourceFinding("role", severity, "", message, STEPS["role"], times)
    if is_known:
        yield from _addresses(before, [visit for visit in recent if visit.principal not in unknown])


def _addresses(before: Sequence[Visit], recent: Sequence[Visit]) -> Iterator[SourceFinding]:
    known = {network_of(visit.address) for visit in before}
    new: dict[str, list[Visit]] = defaultdict(list)
    for visit in recent:
        if network_of(visit.address) not in known:
            new[network_of(visit.address)].append(visit)
    for network, visits in sorted(new.items()):
        who = ", ".join(f"'{name}'" for name in sorted({visit.principal for visit in visits}))
        first = min(visits, key=lambda visit: visit.first)
        message = f"requests from {first.address}, first at {utc_text(first.first)}: nobody came "
        message += f"from {network} before; they are {who}'s"
        times = sum(visit.requests for visit in visits)
        yield SourceFinding("address", SEVERITIES["address"], "", message, STEPS["address"], times)


def _surplus(
    reads: Counter[tuple[str, datetime, str]], intents: Intents
) -> Iterator[SourceFinding]:
    """Name the hours in which a jar was read more often than the trail accounts for.

    Whoever reads at the same time as we do has our accesses for a cover, and these few alone.
    """
    for (jar, hour, service), count in sorted(reads.items()):
        expected = intents.reads(jar, hour, hour + HOUR)
        if count > max(OPENS_MIN, expected):
            what = "opened" if service == "kms" else "read"
            message = f"jar '{jar}': was {what} {count} times in the hour from {utc_text(hour)}, "
            message += f"the audit trail accounts for {expected} at most"
            yield SourceFinding("opens", SEVERITIES["opens"], jar, message, STEPS["opens"], count)


def _is_told(echo: Request, found: Iterable[Request]) -> bool:
    """Whether the request that S3 asked KMS for is among those found already."""
    _, key = object_of(echo.context[VIA_S3])
    return any(one.key == key and abs(one.at - echo.at) <= ECHO for one in found)


def _finding(code: str, jar: str, principal: str, group: _Group) -> SourceFinding:
    requests = sorted(group.requests, key=_time)[:EVIDENCE_MAX]
    first = requests[0]
    operations = ", ".join(name for name, _ in group.operations.most_common(SHOWN_MAX))
    about = f"jar '{jar}': " if jar else ""
    address = f" from {first.address}" if first.address else ""
    message = f"{about}{_WORDS[code].format(count=count_of(group.count, 'request'))}: {operations} "
    message += f"by {_name(principal)}{address}, first at {utc_text(first.at)}"
    return SourceFinding(
        code,
        SEVERITIES[code],
        jar,
        message,
        STEPS[code],
        group.count,
        tuple(map(_evidence, requests)),
    )


_WORDS = {
    "outside": "{count} that no access on record made",
    "deleted": "{count} deleted what nothing of ours deletes then",
    "overwritten": "{count} overwrote what is written once",
    "denied": "{count} denied",
    "key": "a KMS key was taken out of use in {count}",
    "rules": "who may do what, or what AWS logs of it, was changed in {count}",
    "logging": "CloudTrail was told to stop in {count}",
}


def _evidence(request: Request) -> Evidence:
    return Evidence(
        request.at,
        request.operation,
        request.principal,
        request.address,
        shown_key(request.key),
        request.request_id,
    )


def _is_allowed(principal: str, roles: Iterable[str]) -> bool:
    return any(fnmatchcase(principal, without_path(pattern)) for pattern in roles)


def _name(principal: str) -> str:
    return f"'{principal}'" if principal else "somebody who did not sign"


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _time(request: Request) -> datetime:
    return request.at
