"""A jar in use: lent by the vault, shared by threads, given back by guarded write-back."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.cookiejar import Cookie as LibraryCookie

from yt_dlp.cookies import YoutubeDLCookieJar

from jarkeeper.checks import is_authenticated, observe
from jarkeeper.errors import JarkeeperError, KeyUnavailable, StoreError, WriteBackRefused
from jarkeeper.heads import Head, SlotState
from jarkeeper.jar import AUTHENTICATION_COOKIES, Cookie, Jar, belongs, emit_jar, login_cookies
from jarkeeper.vault import BoundVault, LentJar
from jarkeeper.youtube.cleaning import Cleaner
from jarkeeper.youtube.failures import Classification
from jarkeeper.youtube.messages import Event, Lent, Marked, WroteBack

WRITE_BACK_SECONDS = 5.0
"""Between two write-backs of one run: a rotated session must not be lost, nor each step stored."""

PASSING = frozenset({"conflict", "key_unavailable"})
"""Why a write-back is refused that may succeed another time."""

GONE = frozenset({"revoked", "not_current", "slot_dead"})
"""Why a write-back is refused where the vault has other cookies by now, or none."""


class Loan:
    """One slot's jar for the time of a run. Thread-safe."""

    def __init__(
        self,
        vault: BoundVault,
        lent: LentJar,
        *,
        use: str,
        sites: tuple[str, ...],
        send: Callable[[Event], None],
        cleaner: Cleaner,
    ) -> None:
        self.use = use
        self.is_stale = False
        """Whether the vault has something better by now, or nothing: ask it before the next try."""
        self._cleaner = cleaner
        self._vault = vault
        self._lent = lent
        self._sites = sites
        self._send = send
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._began = time.monotonic()
        self._lent_at = time.time()
        self._kept_at = -WRITE_BACK_SECONDS
        self._is_over = False
        self._is_recorded = False
        self._marked: SlotState | None = None
        with lent.open() as jar:
            self._http_only = {cookie.identity for cookie in jar.cookies if cookie.http_only}
            self._base = login_cookies(jar)
            self._before = jar
            self.cookiejar = load(jar)
        send(Lent(use, lent.generation, lent.fingerprint, lent.head_seq))

    @property
    def generation(self) -> str:
        """The generation in use; a write-back moves it on."""
        return self._lent.generation

    @property
    def age_seconds(self) -> float:
        """How long the jar has been on loan."""
        return time.monotonic() - self._began

    def is_alive(self, now: datetime) -> bool:
        """Return whether the session survived so far, by yt-dlp's own rule."""
        return is_authenticated(observe(self.snapshot(), sites=self._sites), now)

    def snapshot(self) -> Jar:
        """Return what the jar holds now."""
        # The library's own lock: other threads add cookies while we look.
        with self.cookiejar._cookies_lock:  # noqa: SLF001 - it has no public name
            jar = Jar(tuple(self._convert(cookie) for cookie in self.cookiejar))
        self._cleaner.learn(cookie.value for cookie in jar.cookies)
        return jar

    def note(self, outcome: Classification, *, now: datetime) -> bool:
        """Count one try, keep a refreshed session, change the slot's state as the table says.

        Returns whether a verdict on the slot counts: not when newer cookies took its place.
        """
        with self._lock:
            self._counts[outcome.failure.value if outcome.failure else "OK"] += 1
            if outcome.slot_verdict is SlotState.DEAD:
                self._heed(self._vault.status(self._lent.jar_name), verdict=SlotState.DEAD)
            if not (self._is_over or self.is_stale):
                if outcome.slot_verdict in (None, self._marked):
                    self._keep_in_time()
                else:
                    self._mark(outcome, now=now)
            return not self.is_stale

    def give_back(self) -> None:
        """Keep what YouTube changed and record the use; the loan is over."""
        with self._lock:
            if not self._is_over:
                self._keep()
            self._is_over = True
            self._record_use()

    def look(self) -> bool | None:
        """Ask the vault whether the login in use may not be used by anybody any more.

        None where the vault gives no answer. One that is only of no use any more makes the loan
        stale: what is under way goes on, nothing new begins.
        """
        with suppress(Exception):  # the watch must go on, whatever it meets
            lent = self._lent
            head = self._vault.status(lent.jar_name)
            # Who writes back or marks right now is no news, and the watch waits for nobody.
            if self._lock.acquire(blocking=False):
                try:
                    if lent is self._lent:
                        self._heed(head)
                finally:
                    self._lock.release()
            return head is not None and head.slots.is_revoked(lent.generation, lent.facts.login)
        return None

    def record_end(self) -> None:
        """Put on record what the jar was used for, if it is not; nothing of it is kept."""
        with suppress(Exception):
            self._record_use()

    def _record_use(self) -> None:
        if not self._is_recorded:
            self._is_recorded = True
            self._vault.record_use(self._lent, counts=dict(self._counts), seconds=self.age_seconds)

    def _mark(self, outcome: Classification, *, now: datetime) -> None:
        state = outcome.slot_verdict
        assert state is not None  # noqa: S101 - the caller looked
        if state is SlotState.DEAD:
            self._discard(now)
        until = now + timedelta(minutes=outcome.cool_minutes) if outcome.cool_minutes else None
        end = until.isoformat() if until else None
        self._vault.mark(
            self._lent.jar_name, self.generation, state, until=until, reason=outcome.reason
        )
        self._marked = state
        self._send(Marked(self.use, self.generation, state.value, end, outcome.reason))

    def _discard(self, now: datetime) -> None:
        # A jar that lost its login is offered all the same, so that the refusal is on record.
        if not self.is_alive(now):
            self._keep()
        self._is_over = True

    def _heed(self, head: Head | None, *, verdict: SlotState | None = None) -> None:
        """Take note of what others did to the slot; what this run says of it is no news."""
        item = None if head is None else head.slots.find(self.generation)
        if item is None:
            self.is_stale = True
        elif item.state not in (self._marked, verdict):
            # What others found dead, or told to rest, is used no more here either.
            self.is_stale |= not item.is_usable(datetime.fromtimestamp(time.time(), UTC))

    def _keep_in_time(self) -> None:
        if time.monotonic() - self._kept_at >= WRITE_BACK_SECONDS:
            self._keep()

    def _refreshed(self) -> Jar:
        """Return the lent jar with the login as it is now: what else servers set is not kept."""
        now = {one.identity: one for one in login_cookies(self.snapshot()) if self._is_ours(one)}
        old = {one.identity: one for one in self._before.cookies}
        kept = [one for one in old.values() if one.name not in AUTHENTICATION_COOKIES]
        # yt-dlp drops what had expired before; that is no loss.
        kept += [one for one in login_cookies(self._before) if 0 < one.expires <= self._lent_at]
        fresh = [
            one.changed(secure=one.secure or (identity in old and old[identity].secure))
            for identity, one in now.items()
        ]
        return Jar((*kept, *fresh))

    def _is_ours(self, cookie: Cookie) -> bool:
        return belongs(cookie.domain, self._sites)

    def _keep(self) -> None:
        jar = self._refreshed()
        if login_cookies(jar) == self._base:
            return
        try:
            receipt = self._vault.write_back(self._lent, jar)
        except WriteBackRefused as error:
            # A conflict may have been about another slot; the next change decides anew.
            self._is_over = error.reason not in PASSING
            self._kept_at = time.monotonic()
            self.is_stale |= error.reason in GONE
            self._send(WroteBack(self.use, None, error.reason))
            return
        except (KeyUnavailable, StoreError):  # another time they may answer
            self._kept_at = time.monotonic()
            self._send(WroteBack(self.use, None, "no_answer"))
            return
        assert receipt.lent is not None  # noqa: S101 - a kept jar goes on being lent
        self._lent = receipt.lent
        self._base = login_cookies(jar)
        self._kept_at = time.monotonic()
        self._send(WroteBack(self.use, self.generation, None))

    def _convert(self, cookie: LibraryCookie) -> Cookie:
        identity = (cookie.domain, cookie.path, cookie.name)
        return Cookie(
            domain=cookie.domain,
            include_subdomains=cookie.domain.startswith("."),
            path=cookie.path,
            secure=bool(cookie.secure),
            expires=int(cookie.expires or 0),
            name=cookie.name,
            value=cookie.value or "",
            http_only=identity in self._http_only
            or cookie.has_nonstandard_attr("HttpOnly")
            or cookie.has_nonstandard_attr("httponly"),
        )


def load(jar: Jar) -> YoutubeDLCookieJar:
    """Return yt-dlp's own cookie jar with these cookies, without a file."""
    cookiejar = YoutubeDLCookieJar(io.StringIO(emit_jar(jar).decode("ascii")))
    cookiejar.load()
    if len(cookiejar) != len(jar):
        raise JarkeeperError("jar: yt-dlp read another number of cookies than were stored")
    return cookiejar
