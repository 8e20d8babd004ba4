"""What goes wrong on demand: before a request is applied, after it, or to its answer."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cloud import wire
from cloud.identities import is_own_hand
from cloud.refusals import Refused, respond
from cloud.wire import Request, Response

DELAY_SECONDS = 12.0
"""Longer than the ten seconds that a client waits for an answer."""


class Kind(StrEnum):
    SLOW_DOWN = "503 before applying"
    ERROR_AFTER = "500 after applying"
    DROP_BEFORE = "dropped before applying"
    DROP_AFTER = "dropped after applying"
    DELAY_BEFORE = "delayed before applying"
    DELAY_AFTER = "delayed after applying"
    CONFLICT = "409 on a conditional write"
    TRUNCATE = "truncated body of a GET"
    DENY = "403 on a GET"


CONDITIONAL = ("if-none-match", "if-match")
SERVICES = frozenset({"s3", "kms"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, from the `at`-th matching request on, `times` in a row.

    `key_part` is part of the path of an S3 request, or of the operation's name elsewhere.
    """

    kind: Kind
    service: str = "s3"
    method: str = ""
    key_part: str = ""
    at: int = 1
    times: int = 1
    seconds: float = DELAY_SECONDS

    def concerns(self, request: Request) -> bool:
        named = request.path if request.service == "s3" else request.operation
        return (
            request.service == self.service
            and self.method in ("", request.method)
            and self.key_part in named
            and _fits(self.kind, request)
        )


def _fits(kind: Kind, request: Request) -> bool:
    """Some ways to fail exist for some requests only."""
    is_s3 = request.service == "s3"
    match kind:
        case Kind.CONFLICT:
            writes = request.method in ("PUT", "POST")
            return is_s3 and writes and any(x in request.headers for x in CONDITIONAL)
        case Kind.TRUNCATE | Kind.DENY:
            return is_s3 and request.method == "GET"
        case _:
            return True


class Faults:
    """All faults that are set, and how often each kind was injected."""

    def __init__(self) -> None:
        self.injected: Counter[Kind] = Counter()
        self._lock = threading.Lock()
        self._set: list[tuple[Fault, Counter[str]]] = []
        self._chance: Callable[[Request], Fault | None] | None = None
        self._ended = threading.Event()

    def add(self, fault: Fault) -> None:
        """Set a fault; each counts for itself the requests that it matches."""
        with self._lock:
            self._set.append((fault, Counter()))

    def chance(
        self,
        share: float,
        *,
        seed: int,
        kinds: tuple[Kind, ...] = tuple(Kind),
        seconds: float = DELAY_SECONDS,
    ) -> None:
        """Let a random share of the S3 and KMS requests fail, in any of the kinds that fit."""
        dice = random.Random(seed)

        def throw(request: Request) -> Fault | None:
            if request.service not in SERVICES or dice.random() >= share:
                return None
            fitting = [kind for kind in kinds if _fits(kind, request)]
            if not fitting:
                return None
            return Fault(dice.choice(fitting), service=request.service, seconds=seconds)

        with self._lock:
            self._chance = throw

    def clear(self) -> None:
        """Forget every fault and the counts; whoever is being delayed goes on."""
        with self._lock:
            self._set.clear()
            self._chance = None
            self.injected.clear()
            self._ended.set()
            self._ended = threading.Event()

    def around(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        """Answer the request, or let it fail; delays happen outside any lock."""
        fault = None if is_own_hand(request) else self._take(request)
        if fault is None:
            return answer(request)
        return self._fail(fault, request, answer)

    def _take(self, request: Request) -> Fault | None:
        with self._lock:
            found = None
            for fault, seen in self._set:
                if fault.concerns(request):
                    seen["requests"] += 1
                    if found is None and 0 <= seen["requests"] - fault.at < fault.times:
                        found = fault
            if found is None and self._chance:
                found = self._chance(request)
            if found is not None:
                self.injected[found.kind] += 1
            return found

    def _fail(
        self, fault: Fault, request: Request, answer: Callable[[Request], Response]
    ) -> Response:
        match fault.kind:
            case Kind.SLOW_DOWN:
                return respond(request, Refused("slow down", "Please reduce your request rate."))
            case Kind.CONFLICT:
                message = "A conflicting operation occurred. Please retry."
                return respond(request, Refused("conflict", message))
            case Kind.DENY:
                return respond(request, Refused("denied", "Access Denied"))
            case Kind.DROP_BEFORE:
                wire.drop(request.environ)
            case Kind.DELAY_BEFORE:
                self._ended.wait(fault.seconds)
        response = answer(request)
        match fault.kind:
            case Kind.ERROR_AFTER:
                return respond(request, Refused("internal", "We encountered an internal error."))
            case Kind.DROP_AFTER:
                wire.drop(request.environ)
            case Kind.DELAY_AFTER:
                self._ended.wait(fault.seconds)
            case Kind.TRUNCATE:
                return _truncated(response)
        return response


def _truncated(response: Response) -> Response:
    headers = [(k, v) for k, v in response.headers if k.lower() != "content-length"]
    headers.append(("Content-Length", str(len(response.body))))
    return Response(response.status, headers, response.body[: len(response.body) // 2])
