"""Judging one request: whether an access on record makes such requests, at that time. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from jarkeeper.actions import Action
from jarkeeper.audit.places import (
    CHECKPOINTS_PREFIX,
    HASHES_PREFIX,
    is_of_trail,
    parse_event_key,
    parse_volume_key,
)
from jarkeeper.audit.places import PREFIX as TRAIL_PREFIX
from jarkeeper.names import (
    INCIDENTS_PREFIX,
    KEYS_PREFIX,
    METADATA_KEY,
    PROBE_PREFIX,
    VAULT_KEY,
    parse_generation_key,
    parse_head_key,
    parse_incident_key,
    parse_permit_key,
)
from jarkeeper.sources.intents import (
    CLEANS,
    COMMITS,
    COPIES,
    EXACT,
    FOUNDS,
    OPENS,
    PACKS,
    READS,
    SEALS,
    TIDIES,
    VOUCHES,
    Intents,
)
from jarkeeper.sources.meanings import FOUND, MEANINGS, Meaning
from jarkeeper.sources.requests import VIA_S3, Place, Request, object_of

NOBODY: frozenset[Action] = frozenset()
"""What is no part of the trail and lies in its place."""
ANYBODYS = ("audit/", "incidents/", "opens/")
"""What a lifecycle rule may end: the trail is kept as long as it should be, and nothing else."""

_VIEW = re.compile(r"cookies/([a-z0-9][a-z0-9-]{0,31})-cookies-(?:active|backup)\.txt", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a request, as a code, empty where nothing is; and the jar it concerns."""

    code: str = ""
    jar: str = ""


FINE = Verdict()


@dataclass(slots=True)
class Judge:
    """Judges request after request against the accesses of a trail."""

    intents: Intents
    place: Place
    complete_since: datetime
    """Before it, the trail holds nothing: so nothing is missing there."""
    written: dict[str, dict[tuple[str, str], Request]] = field(default_factory=dict)
    """Of each object that is written once, the requests that did it: two logs may tell of one, and
    then name the same id and caller."""

    def verdict(self, request: Request) -> Verdict:
        """Return what the request is, given what is on record."""
        if request.is_denied:
            return FINE if request.is_service or self._is_usual(request) else Verdict("denied")
        meaning = MEANINGS.get(request.operation)
        if meaning in FOUND:
            return Verdict(meaning, request.context.get("jar", ""))
        if VIA_S3 in request.context:
            key = self.place.key_in_vault(*object_of(request.context[VIA_S3]))
            return self._read(request, key or "") if request.operation == "Decrypt" else FINE
        if request.service == "kms":
            return self._use_of_key(request)
        return self._touch(request) if request.service == "s3" else FINE

    def overwritten(self) -> Iterator[tuple[Request, Verdict]]:
        """Give the writes of what others had written before, once all requests were judged."""
        for key, requests in self.written.items():
            _, *again = sorted(requests.values(), key=lambda request: request.at)
            for request in again:
                jar = (_made_by(key) or ("", None))[0]
                verdict = self._outside(request, COPIES, jar, code="overwritten")
                if verdict.code:
                    yield request, verdict

    def _is_usual(self, request: Request) -> bool:
        """Whether what was denied is what we ask for all the same.

        S3 calls denied what is not there yet, to who may not list. And no role may delete an
        event: packing tries, and leaves it to the bucket's rules.
        """
        key = self.place.key_in_vault(request.bucket, request.key) or ""
        if MEANINGS.get(request.operation) is Meaning.DELETE:
            return key.startswith("audit/") and self._explain(request, TIDIES)
        if request.operation not in ("GetObject", "HeadObject") or not key:
            return False
        if parse_incident_key(key):  # the place of the next record
            return True
        is_sought = key in (VAULT_KEY, METADATA_KEY) or _VIEW.fullmatch(key) is not None
        return self._explain(request, COPIES | READS | FOUNDS if is_sought else COPIES)

    def _explain(self, request: Request, actions: frozenset[Action]) -> bool:
        return self.intents.explain(request.at, actions=actions, jar=None)

    def _touch(self, request: Request) -> Verdict:
        key = self.place.key_in_vault(request.bucket, request.key)
        if key is None:
            return self._without_key(request)
        match MEANINGS.get(request.operation):
            case Meaning.READ:
                return self._read(request, key)
            case Meaning.WRITE:
                return self._write(request, key)
            case Meaning.DELETE:
                return self._delete(request, key)
        return FINE

    def _without_key(self, request: Request) -> Verdict:
        """CloudTrail may name only the bucket of many objects that are deleted at once.

        Nothing of ours deletes so: nobody can tell what it was, so it is told.
        """
        is_bucket = request.bucket == self.place.bucket and not request.key
        deletes = is_bucket and MEANINGS.get(request.operation) is Meaning.DELETE
        return self._wrong(request, "deleted", "") if deletes else FINE

    def _read(self, request: Request, key: str) -> Verdict:
        place, view = parse_generation_key(key), _VIEW.fullmatch(key)
        jar = place[0] if place else view[1] if view else ""
        return self._outside(request, READS, jar) if jar else FINE

    def _write(self, request: Request, key: str) -> Verdict:
        if event := parse_event_key(key):
            return self._write_event(request, day=event[0])
        jar, actions = _made_by(key) or ("", None)
        is_view = key == METADATA_KEY or _VIEW.fullmatch(key) is not None
        is_once = not is_view and not key.startswith(PROBE_PREFIX)
        if is_once:
            self.written.setdefault(key, {})[request.request_id, request.principal] = request
        return FINE if actions is None else self._outside(request, actions, jar)

    def _write_event(self, request: Request, *, day: str) -> Verdict:
        """Events are written on their day, and copied by a recovery: any other was there before."""
        with suppress(ValueError):  # no day at all
            if abs(request.at.date() - date.fromisoformat(day)) <= timedelta(days=1):
                return FINE
        return self._outside(request, COPIES, "", code="overwritten")

    def _delete(self, request: Request, key: str) -> Verdict:
        if request.is_service:
            ends = key.startswith(ANYBODYS)
            return FINE if ends else self._wrong(request, "deleted", "")
        place, permit = parse_generation_key(key), parse_permit_key(key)
        jar = place[0] if place else permit[0] if permit else ""
        actions: frozenset[Action] = frozenset()
        if jar or key.startswith(INCIDENTS_PREFIX):
            actions = CLEANS
        elif key.startswith(PROBE_PREFIX):
            actions = FOUNDS
        elif key.startswith("audit/"):
            actions = TIDIES
        return self._outside(request, actions, jar, code="deleted")

    def _use_of_key(self, request: Request) -> Verdict:
        context, jar = request.context, request.context.get("jar", "")
        is_use = MEANINGS.get(request.operation) is Meaning.USE
        if not is_use or (request.is_service and not jar):
            return FINE
        if "vault" not in context and self.place.is_bucket_key(request.key):
            return FINE  # another application's: with that key alone no jar opens
        if context.get("vault") != self.place.vault:
            return self._wrong(request, "outside", "")
        if request.operation != "Decrypt":
            return self._outside(request, SEALS if jar else FOUNDS, jar)
        if jar:
            return self._outside(request, OPENS, jar, generation=context.get("generation", ""))
        # The root: every command opens it, and no jar opens with it alone.
        return FINE if context.get("purpose") == "root" else self._wrong(request, "outside", "")

    def _outside(
        self,
        request: Request,
        actions: frozenset[Action],
        jar: str,
        *,
        generation: str = "",
        code: str = "outside",
    ) -> Verdict:
        """Return the code, unless one of the actions was under way."""
        is_ours = self.intents.explain(
            request.at, actions=actions, jar=jar or None, generation=generation
        )
        return Verdict(jar=jar) if is_ours else self._wrong(request, code, jar)

    def _wrong(self, request: Request, code: str, jar: str) -> Verdict:
        return Verdict(code if request.at >= self.complete_since else "", jar)


def _made_by(key: str) -> tuple[str, frozenset[Action]] | None:
    """Return which actions write that object, and of which jar; None where no rule asks."""
    of_jars = (parse_generation_key, SEALS), (parse_head_key, COMMITS), (parse_permit_key, EXACT)
    for parse, actions in of_jars:
        if place := parse(key):
            return place[0], actions
    if view := _VIEW.fullmatch(key):
        return view[1], READS
    if key == METADATA_KEY:
        return "", READS
    if key == VAULT_KEY or key.startswith(KEYS_PREFIX):
        return "", FOUNDS
    return _made_of_trail(key)


def _made_of_trail(key: str) -> tuple[str, frozenset[Action]] | None:
    if key.startswith((CHECKPOINTS_PREFIX, HASHES_PREFIX)):
        return "", VOUCHES
    if parse_volume_key(key):
        return "", PACKS
    return ("", NOBODY) if key.startswith(TRAIL_PREFIX) and not is_of_trail(key) else None
