"""What is known of a jar without opening it: counts and times, no secret.

Computed once, when the plaintext is in hand, and kept in the head: `status` and `validate` never
open a jar.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime

from jarkeeper.errors import IntegrityError
from jarkeeper.jar import LOGIN_COOKIE, SAPISID_COOKIES, Cookie, Jar, belongs
from jarkeeper.jar.rules import is_visible
from jarkeeper.limits import LIMITS

HOST = "www.youtube.com"
"""yt-dlp asks which cookies `https://www.youtube.com` would get."""

DIGESTS = ("account", "login")
"""Facts that a vault's key makes, and that older records do not have."""
_DIGEST = re.compile(r"[0-9a-f]{16}")

VISITOR_COOKIES = frozenset({"CONSENT", "SOCS", "VISITOR_INFO1_LIVE", "VISITOR_PRIVACY_METADATA"})
"""YouTube gives these to anybody."""


@dataclass(frozen=True, slots=True)
class JarFacts:
    """A jar's observable properties; safe to store and to show."""

    cookies: int
    """How many cookies the jar holds."""
    dropped: int
    """How many rows of other sites were left out when it came in."""
    login_until: int | None
    """Unix second at which the login ends; 0 if no cookie says so; `None` if it is no login."""
    next_expiry: int
    """Unix second at which the first of the cookies expires; 0 if none ever does."""
    signed_out: bool
    """Whether it looks like the jar of a visitor, or of a session that was rotated away."""
    foreign: tuple[str, ...]
    """Domains that are not of the jar's sites."""
    account: str = ""
    """A keyed digest of whose login it is, as a probe found out; empty while nobody asked."""
    login: str = ""
    """A keyed digest that is the same through all renewals of one login; empty if it is none."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What YouTube answered to a jar: a probe's finding."""

    alive: bool
    """Whether somebody is logged in by it."""
    account: str | None = field(repr=False)
    """YouTube's own number for who that is; None where it did not say."""
    jar: Jar
    """The jar as YouTube left it: a session may be renewed by any request."""


def observe(jar: Jar, *, sites: tuple[str, ...], dropped: int = 0) -> JarFacts:
    """Return the facts of a jar."""
    sent = [cookie for cookie in jar.cookies if _reaches_youtube(cookie)]
    names = {cookie.name for cookie in sent}
    expiries = [cookie.expires for cookie in jar.cookies if cookie.expires]
    foreign = {_shown(cookie.domain) for cookie in jar.cookies if not belongs(cookie.domain, sites)}
    return JarFacts(
        cookies=len(jar),
        dropped=dropped,
        login_until=_login_until(sent),
        next_expiry=min(expiries, default=0),
        signed_out=LOGIN_COOKIE not in names and not names.isdisjoint(VISITOR_COOKIES),
        foreign=tuple(sorted(foreign)),
    )


def is_authenticated(facts: JarFacts, now: datetime) -> bool:
    """Tell whether yt-dlp would call this jar logged in at `now`."""
    until = facts.login_until
    return until is not None and (until == 0 or until > now.timestamp())


def _login_until(sent: Iterable[Cookie]) -> int | None:
    """Apply yt-dlp's rule (`YoutubeBaseInfoExtractor._has_auth_cookies`).

    `LOGIN_INFO` must be there, empty or not, and one of the SAPISID family with a value.
    """
    cookies = tuple(sent)
    login = _last_expiry(cookie for cookie in cookies if cookie.name == LOGIN_COOKIE)
    signature = _last_expiry(
        cookie for cookie in cookies if cookie.name in SAPISID_COOKIES and cookie.value.strip('"')
    )
    if login is None or signature is None:
        return None
    return min(login, signature) if login and signature else login or signature


def _last_expiry(cookies: Iterable[Cookie]) -> int | None:
    """Return when the last of them ends, 0 if one has no end, `None` if there is none."""
    expiries = [cookie.expires for cookie in cookies]
    if not expiries:
        return None
    return 0 if 0 in expiries else max(expiries)


def _reaches_youtube(cookie: Cookie) -> bool:
    # As CPython's jar sees it: one for `youtube.com` without a dot is sent to `www` as well.
    return cookie.path == "/" and f".{HOST}".endswith(f".{cookie.domain.removeprefix('.')}")


def _shown(domain: str) -> str:
    # A jar that comes back from use may hold what a server made up.
    return domain if is_visible(domain) else "(not a domain)"


def facts_to_json(facts: JarFacts) -> dict[str, object]:
    """Return the facts as what JSON can hold."""
    values = {item.name: getattr(facts, item.name) for item in fields(facts)}
    for name in DIGESTS:
        if not values[name]:
            del values[name]
    return values | {"foreign": list(facts.foreign)}


def facts_from_json(value: object) -> JarFacts:
    """Return the facts that were stored, or raise `IntegrityError` where they are not facts."""
    names = {item.name for item in fields(JarFacts)} - set(DIGESTS)
    if not isinstance(value, dict) or set(value) - set(DIGESTS) != names:
        raise IntegrityError(f"jar facts: expected the keys {', '.join(sorted(names))}")
    until, signed_out, foreign = value["login_until"], value["signed_out"], value["foreign"]
    if not isinstance(signed_out, bool):
        raise IntegrityError("jar facts signed_out: expected true or false")
    if not isinstance(foreign, list) or not all(isinstance(domain, str) for domain in foreign):
        raise IntegrityError("jar facts foreign: expected a list of domains")
    return JarFacts(
        cookies=_whole(value, "cookies"),
        dropped=_whole(value, "dropped"),
        login_until=None if until is None else _whole(value, "login_until"),
        next_expiry=_whole(value, "next_expiry"),
        signed_out=signed_out,
        foreign=tuple(foreign),
        account=_digest(value, "account"),
        login=_digest(value, "login"),
    )


def _digest(value: dict[str, object], key: str) -> str:
    text = value.get(key, "")
    if key in value and not (isinstance(text, str) and _DIGEST.fullmatch(text)):
        raise IntegrityError(f"jar facts {key}: expected 16 hexadecimal digits")
    return str(text)


def _whole(value: dict[str, object], key: str) -> int:
    number = value[key]
    if type(number) is not int or not 0 <= number <= LIMITS.expiry_max:
        raise IntegrityError(f"jar facts {key}: expected a number from 0 to {LIMITS.expiry_max}")
    return number
