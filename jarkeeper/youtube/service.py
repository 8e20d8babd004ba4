"""The worker's inside: requests go to threads, jars are borrowed once and given back at the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO
from weakref import WeakSet

from jarkeeper.errors import (
    IntegrityError,
    JarkeeperError,
    LendRefused,
    NoAnswer,
    NotFound,
    RollbackError,
)
from jarkeeper.facts import Probed
from jarkeeper.heads import Slot
from jarkeeper.jar import Jar
from jarkeeper.settings import Settings
from jarkeeper.vault import BoundVault
from jarkeeper.youtube.cleaning import Cleaner
from jarkeeper.youtube.extract import Extractor
from jarkeeper.youtube.failures import FailureClass
from jarkeeper.youtube.loan import Loan
from jarkeeper.youtube.messages import (
    Answered,
    Close,
    Event,
    Expand,
    Expanded,
    Fetch,
    Fetched,
    Probe,
    Start,
    Withheld,
    decode,
)
from jarkeeper.youtube.options import forbid_ffmpeg_downloads, trust_also
from jarkeeper.youtube.policy import Use
from jarkeeper.youtube.session import REVOKED_EXIT

UNASKED_SECONDS = 120.0
"""How long a worker keeps cookies without being able to ask whether it still may."""
RECORD_SECONDS = 5.0
"""How long the end of a worker waits for its record."""
WATCH_SECONDS = 5.0
"""How soon a worker that holds a revoked jar ends: an emergency must not wait for a long video.

As soon it begins nothing more with a jar that others found dead, or told to rest.
"""
REFUSALS = {"rate": FailureClass.OPEN_LIMIT, "dead": FailureClass.COOKIE_ROTATED}
"""What a loan that was refused is for the run, by the reason; damage where it is another."""
SLOTS = {Use.ACTIVE.value: Slot.ACTIVE, Use.BACKUP.value: Slot.BACKUP}


class SlotWithheld(JarkeeperError):
    """The vault keeps this slot's jar to itself; the class says whether other cookies may do."""

    def __init__(self, message: str, failure: FailureClass) -> None:
        super().__init__(message)
        self.failure = failure


class Service:
    """Answers the requests of one run."""

    def __init__(
        self,
        open_vault: Callable[[], BoundVault],
        *,
        settings: Settings,
        start: Start,
        send: Callable[[Event], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._open_vault = open_vault
        self._settings = settings
        self._start = start
        self._send = send
        self._fail = fail
        self._local = threading.local()
        self._lock = threading.Lock()
        self._loans: dict[str, Loan] = {}
        self._watched: WeakSet[Loan] = WeakSet()
        """Every loan that somebody has still: an exchanged one until its last video ends."""
        self._watched_lock = threading.Lock()  # never held for longer than a copy takes
        self._asked_at = time.monotonic()
        self._cleaner = Cleaner()
        forbid_ffmpeg_downloads()
        os.chdir(start.staging)
        if settings.ca_file is not None:
            trust_also(settings.ca_file)

    def serve(self, requests: BinaryIO) -> None:
        """Answer until `Close` or the end of the pipe, then give the jars back."""
        self._asked_at = time.monotonic()
        for task in (self._watch, self._limit):
            threading.Thread(target=task, name=task.__name__, daemon=True).start()
        pool = ThreadPoolExecutor(self._start.threads, "fetch")
        for line in requests:
            request = decode(line)
            if isinstance(request, Close):
                break
            pool.submit(self._answer, request)
        pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for loan in self._loans.values():
                loan.give_back()

    def _answer(self, request: object) -> None:
        try:
            if isinstance(request, Fetch):
                self._send(self._fetch(request))
            elif isinstance(request, Expand):
                self._send(self._expand(request))
            elif isinstance(request, Probe):
                self._send(self._probe(request))
        except Exception as error:  # noqa: BLE001 - no audit, no key, no store: the run cannot go on
            self._fail(error)

    def _fetch(self, request: Fetch) -> Fetched:
        try:
            loan = self._loan(request.use)
        except SlotWithheld as error:
            return Fetched(
                number=request.number,
                video_id=request.video_id,
                use=request.use,
                failure=error.failure,
                file=None,
                title=None,
                received=0,
                seconds=0.0,
                http_status=None,
                detail=error.message,
                warnings=[],
                slot_state=None,
                generation=None,
            )
        return self._extractor().fetch(request, loan)

    def _expand(self, request: Expand) -> Expanded:
        try:
            loan = self._loan(request.use)
        except SlotWithheld as error:
            return Expanded(request.number, [], error.failure, error.message, None)
        return self._extractor().expand(request, loan)

    def _probe(self, request: Probe) -> Answered:
        began = time.monotonic()
        unanswered = Answered(
            number=request.number,
            generation=request.generation,
            slot="",
            alive=None,
            state=None,
            kept=False,
            refused="",
            withheld=False,
            detail="",
            seconds=0.0,
        )
        try:
            found = self._open_vault().probe(
                self._start.jar, request.generation, self._asking(visit=request.visit)
            )
        except RollbackError:
            raise  # nothing of a vault that was set back can be trusted
        except NoAnswer as error:
            seconds = time.monotonic() - began
            return replace(unanswered, detail=error.message, seconds=seconds)
        except (NotFound, LendRefused, IntegrityError) as error:
            return replace(unanswered, withheld=True, detail=error.message)
        return replace(
            unanswered,
            generation=found.generation,
            slot=found.slot,
            alive=found.alive,
            state=found.state,
            kept=found.kept,
            refused=found.refused,
            seconds=time.monotonic() - began,
        )

    def _asking(self, *, visit: bool) -> Callable[[Jar], Probed]:
        from jarkeeper.youtube.probe import PAGES, VISIT, ask

        return lambda jar: ask(jar, self._settings, pages=VISIT if visit else PAGES)

    def _extractor(self) -> Extractor:
        if not hasattr(self._local, "extractor"):
            self._local.extractor = Extractor(
                self._settings,
                quality=self._start.quality,
                send=self._send,
                cleaner=self._cleaner,
            )
        extractor: Extractor = self._local.extractor
        return extractor

    def _loan(self, use: str) -> Loan | None:
        if use == Use.NONE:
            return None
        with self._lock:
            if use in self._loans and self._is_due(self._loans[use]):
                self._loans.pop(use).give_back()
            if use not in self._loans:
                self._loans[use] = self._borrow(use)
                with self._watched_lock:
                    self._watched.add(self._loans[use])
            return self._loans[use]

    def _watch(self) -> None:
        """End this process, and every copy of the jar with it, once what it holds was revoked."""
        while True:
            time.sleep(WATCH_SECONDS)
            began = time.monotonic()
            answers = [loan.look() for loan in self._held()]
            if True in answers:
                self._end()
            if None not in answers:
                self._asked_at = began

    def _limit(self) -> None:
        """End this process where the watch gets no answer, or waits for one without end."""
        while time.monotonic() - self._asked_at <= UNASKED_SECONDS:
            time.sleep(min(WATCH_SECONDS, UNASKED_SECONDS))
        self._end()

    def _held(self) -> tuple[Loan, ...]:
        with self._watched_lock:
            return tuple(self._watched)

    def _end(self) -> None:
        # The record is worth a moment; a store that does not answer keeps no plaintext alive.
        record = threading.Thread(target=self._record_ends, daemon=True)
        record.start()
        record.join(RECORD_SECONDS)
        os._exit(REVOKED_EXIT)

    def _record_ends(self) -> None:
        for loan in self._held():
            loan.record_end()

    def _is_due(self, loan: Loan) -> bool:
        # A long run must notice that newer cookies were imported meanwhile.
        return loan.is_stale or loan.age_seconds >= self._settings.refresh_interval

    def _borrow(self, use: str) -> Loan:
        vault = self._open_vault()
        try:
            lent = vault.lend(self._start.jar, SLOTS[use])
        except RollbackError:
            raise  # no slot of a vault that was set back can be trusted
        except (NotFound, LendRefused, IntegrityError) as error:
            failure = class_of(error)
            self._send(Withheld(use, error.message, failure))
            raise SlotWithheld(error.message, failure) from None
        return Loan(
            vault,
            lent,
            use=use,
            sites=self._settings.sites,
            send=self._send,
            cleaner=self._cleaner,
        )


def class_of(error: NotFound | LendRefused | IntegrityError) -> FailureClass:
    """Return what it means that the vault did not lend: too many opens concern every slot."""
    reason = error.reason if isinstance(error, LendRefused) else ""
    return REFUSALS.get(reason, FailureClass.COOKIE_FORMAT)
