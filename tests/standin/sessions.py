"""The accounts that are signed in, and the cookies that prove it."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate

LOGIN = "LOGIN_INFO"
ROTATING = (LOGIN, "__Secure-1PSIDTS", "__Secure-3PSIDTS", "SIDCC", "__Secure-1PSIDCC")
LASTING = (
    "SID",
    "HSID",
    "SSID",
    "APISID",
    "SAPISID",
    "__Secure-1PAPISID",
    "__Secure-3PAPISID",
    "__Secure-1PSID",
    "__Secure-3PSID",
    "__Secure-3PSIDCC",
)
HTTP_ONLY = frozenset({LOGIN, "HSID", "SSID", "__Secure-1PSID", "__Secure-3PSID", *ROTATING[1:3]})
LONG_AGO = formatdate(0, usegmt=True)
YEAR_SECONDS = 365 * 86400


@dataclass(slots=True)
class Session:
    """One signed-in browser session of one account."""

    name: str
    expires_at: int
    canary: str = ""
    rotate_every: int | None = None
    grace_seconds: float | None = None
    dies_after: int | None = None
    age_verified: bool = True
    premium: bool = False
    flagged: bool = False
    rate_limited: bool = False
    member_of: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()
    watch_later: tuple[str, ...] = ()
    state: str = "alive"
    values: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, float] = field(default_factory=dict)
    """Earlier values of `LOGIN_INFO`, and when each was replaced."""
    user_id: str = field(default_factory=lambda: str(secrets.randbelow(10**21)).zfill(21))
    requests: int = 0
    refused: int = 0
    rotations: int = 0
    last_cookies: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = field(default=time.time, repr=False)

    def __post_init__(self) -> None:
        self.values = {name: self._fresh(name) for name in (*LASTING, *ROTATING)}
        self.values["SAPISID"] = self.values["__Secure-3PAPISID"]
        self.values["__Secure-1PAPISID"] = self.values["__Secure-3PAPISID"]

    def accepts(self, login: str) -> bool:
        """Tell whether this `LOGIN_INFO` still signs in."""
        if self.state != "alive":
            return False
        if login == self.values[LOGIN]:
            return True
        replaced_at = self.replaced.get(login)
        if replaced_at is None:
            return False
        return self.grace_seconds is None or self.clock() - replaced_at < self.grace_seconds

    def rotate(self) -> list[tuple[str, str]]:
        """Replace the values that YouTube replaces in use; return the headers that say so."""
        self.replaced[self.values[LOGIN]] = self.clock()
        self.rotations += 1
        for name in ROTATING:
            self.values[name] = self._fresh(name)
        expires = formatdate(self.expires_at, usegmt=True)
        return [("Set-Cookie", set_cookie(name, self.values[name], expires)) for name in ROTATING]

    def _fresh(self, name: str) -> str:
        prefix = f"{self.canary}-" if self.canary else ""
        return prefix + secrets.token_urlsafe(64 if name == LOGIN else 24)


def set_cookie(name: str, value: str, expires: str) -> str:
    """Return the value of a `Set-Cookie` header for all of youtube.com."""
    http_only = "; HttpOnly" if name in HTTP_ONLY else ""
    return f"{name}={value}; Domain=.youtube.com; Path=/; Expires={expires}; Secure{http_only}"


CLEARED = [("Set-Cookie", set_cookie(LOGIN, "", LONG_AGO))]


def cookies_txt(session: Session, *, foreign_rows: int = 0) -> str:
    """Return what a browser extension would export: a Netscape cookie file."""
    rows = ["# Netscape HTTP Cookie File", "# https://curl.haxx.se/rfc/cookie_spec.html", ""]
    now = int(session.clock())
    rows.append(_row("PREF", "tz=UTC&f7=100", now + 2 * YEAR_SECONDS))
    rows.append(_row("VISITOR_INFO1_LIVE", session.user_id[:11], now + YEAR_SECONDS // 2))
    rows.extend(_row(name, value, session.expires_at) for name, value in session.values.items())
    rows.extend(_foreign_row(session, number) for number in range(foreign_rows))
    return "\n".join(rows) + "\n"


def _row(name: str, value: str, expires: int, *, domain: str = ".youtube.com") -> str:
    prefix = "#HttpOnly_" if name in HTTP_ONLY else ""
    return "\t".join((prefix + domain, "TRUE", "/", "TRUE", str(expires), name, value))


def _foreign_row(session: Session, number: int) -> str:
    expires = int(session.clock()) + YEAR_SECONDS
    if number < len(LASTING):
        return _row(LASTING[number], secrets.token_urlsafe(24), expires, domain=".google.com")
    return _row(f"foreign{number}", secrets.token_urlsafe(12), expires, domain=".example.com")


class SessionBook:
    """All sessions, found by the cookies that a request brings."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.sessions: dict[str, Session] = {}

    def add(self, session: Session) -> None:
        with self.lock:
            self.sessions[session.name] = session

    def admit(
        self, cookies: dict[str, str], *, authorization: str | None
    ) -> tuple[Session | None, list[tuple[str, str]]]:
        """Return who is signed in, and the cookies to set.

        `authorization` is the header of an API request, which proves that the client knows
        SAPISID; None for pages. A `LOGIN_INFO` that is dead, revoked or from another world is
        cleared, as YouTube does.
        """
        login = cookies.get(LOGIN)
        with self.lock:
            session = self._owner(login)
            if not login:
                return None, []
            if session is None:
                return None, CLEARED
            if not session.accepts(login) or not _has_sid(session, cookies):
                session.refused += 1
                return None, [] if session.state == "expired" else CLEARED
            if authorization is not None and not _is_authorized(session, authorization):
                return None, []
            return session, self._count(session, cookies)

    def _owner(self, login: str | None) -> Session | None:
        if not login:
            return None
        return next(
            (
                session
                for session in self.sessions.values()
                if login == session.values[LOGIN] or login in session.replaced
            ),
            None,
        )

    @staticmethod
    def _count(session: Session, cookies: dict[str, str]) -> list[tuple[str, str]]:
        session.requests += 1
        if session.requests == session.dies_after:
            session.state = "revoked"
        session.last_cookies = cookies
        due = session.rotate_every and session.requests % session.rotate_every == 0
        return session.rotate() if due else []


def _has_sid(session: Session, cookies: dict[str, str]) -> bool:
    return cookies.get("SAPISID") == session.values["SAPISID"] or (
        cookies.get("__Secure-3PAPISID") == session.values["__Secure-3PAPISID"]
    )


def _is_authorized(session: Session, authorization: str) -> bool:
    found = re.match(r"SAPISIDHASH (\d+)_([0-9a-f]{40})(_u)?", authorization)
    if not found:
        return False
    user = f"{session.user_id} " if found[3] else ""
    proof = f"{user}{found[1]} {session.values['SAPISID']} https://www.youtube.com"
    return hashlib.sha1(proof.encode()).hexdigest() == found[2]
