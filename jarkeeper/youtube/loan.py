"""A jar in use: lent by the vault, shared by threads, given back by guarded write-back."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from http.cookiejar import Cookie as LibraryCookie

from yt_dlp.cookies import YoutubeDLCookieJar

from jarkeeper.checks import is_authenticated, observe
from jarkeeper.errors import JarkeeperError, WriteBackRefused
from jarkeeper.heads import SlotState
from jarkeeper.jar import Cookie, Jar, emit_jar, login_cookies
from jarkeeper.vault import LentJar, Vault
from jarkeeper.youtube.failures import Classification
from jarkeeper.youtube.messages import Event, Lent, Marked, WroteBack

WRITE_BACK_SECONDS = 30.0
"""Between two write-backs of one run: a rotated session must not be lost, nor each step stored."""

SECRET_CHARS_MIN = 6
"""Shorter values (`1`, `true`, a language) are words of everyday text, not secrets."""


class Loan:
    """One slot's jar for the time of a run. Thread-safe."""

    def __init__(
        self,
        vault: Vault,
        lent: LentJar,
        *,
        use: str,
        sites: tuple[str, ...],
        send: Callable[[Event], None],
    ) -> None:
        self.use = use
        self._vault = vault
        self._lent = lent
        self._sites = sites
        self._send = send
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._began = time.monotonic()
        self._kept_at = -WRITE_BACK_SECONDS
        self._is_over = False
        self._marked: SlotState | None = None
        with lent.open() as jar:
            self._http_only = {cookie.identity for cookie in jar.cookies if cookie.http_only}
            self._base = login_cookies(jar)
            self._secrets = {cookie.value for cookie in jar.cookies}
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
            return Jar(tuple(self._convert(cookie) for cookie in self.cookiejar))

    def clean(self, text: str) -> str:
        """Return the text without any value that this jar has or had."""
        self._secrets |= {cookie.value for cookie in self.snapshot().cookies}
        for value in sorted(self._secrets, key=len, reverse=True):
            if len(value) >= SECRET_CHARS_MIN:
                text = text.replace(value, "…")
        return text

    def note(self, outcome: Classification, *, now: datetime) -> None:
        """Count one try, keep a refreshed session, change the slot's state as the table says."""
        with self._lock:
            self._counts[outcome.failure.value if outcome.failure else "OK"] += 1
            if self._is_over:
                return
            if outcome.slot_verdict in (None, self._marked):
                self._keep_in_time()
            else:
                self._mark(outcome, now=now)

    def give_back(self) -> None:
        """Keep what YouTube changed and record the use; the loan is over."""
        with self._lock:
            if not self._is_over:
                self._keep()
            self._is_over = True
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

    def _keep_in_time(self) -> None:
        if time.monotonic() - self._kept_at >= WRITE_BACK_SECONDS:
            self._keep()

    def _keep(self) -> None:
        jar = self.snapshot()
        if login_cookies(jar) == self._base:
            return
        try:
            receipt = self._vault.write_back(self._lent, jar)
        except WriteBackRefused as error:
            # A conflict may have been about another slot; the next change decides anew.
            self._is_over = error.reason != "conflict"
            self._send(WroteBack(self.use, None, error.reason))
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
