"""What each part of a cookie file may be.

Each rule returns `None`, or what was expected: words of ours, never a byte of the field. Octets are
those of RFC 6265 section 4.1.1, name prefixes those of RFC 6265bis section 4.1.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from jarkeeper.jar.cookie import Cookie
from jarkeeper.limits import LIMITS

HEADER = "# Netscape HTTP Cookie File"
HTTP_ONLY = "#HttpOnly_"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_OCTETS = re.compile(r'[!#-+\--:<-\[\]-~]*|"[!#-+\--:<-\[\]-~]*"')
_PATH = re.compile(r"/[ -:<-~]*")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
_VISIBLE = re.compile(r"[!-~]{1,255}")

DOMAIN = "expected a domain name in field 1"
NAME = "expected a cookie name of RFC 6265 token characters in field 6"
VALUE = "expected a cookie value of RFC 6265 cookie octets in field 7"
PATH = "expected a path that begins with '/' in field 3"
EXPIRY = f"expected an expiry in whole seconds from 0 (session) to {LIMITS.expiry_max} in field 5"
FILE_SIZE = f"expected a cookie file of at most {LIMITS.jar_bytes_max} bytes"
COUNT = f"expected at most {LIMITS.jar_cookies_max} cookies of the jar's sites"
SIZE = f"expected a cookie of at most {LIMITS.cookie_bytes_max} bytes"
SUBDOMAINS = "expected TRUE in field 2 exactly where the domain begins with a dot, else FALSE"
SECURE_PREFIX = "expected a cookie with the prefix __Secure- to be secure (TRUE in field 4)"
HOST_PREFIX = (
    "expected a cookie with the prefix __Host- to be secure (TRUE in field 4), "
    "of path '/' and of a domain without a dot in front"
)

_PLACE = re.compile(r" \(TRUE in field \d\)| in field \d")


def without_place(message: str) -> str:
    """Return what was expected without the field of a Netscape row, for forms that have none."""
    return _PLACE.sub("", message)


def is_visible(domain: str) -> bool:
    """Tell whether this is enough of a domain to say that it is not one of ours."""
    return _VISIBLE.fullmatch(domain) is not None


def belongs(domain: str, sites: Iterable[str]) -> bool:
    """Tell whether a lower-case domain is one of the sites or lies below one."""
    host = domain.removeprefix(".")
    return any(host == site or host.endswith("." + site) for site in sites)


def wrong_domain(domain: str) -> str | None:
    """Check a domain that is kept: a lower-case host name, with at most one dot in front."""
    return None if _HOST.fullmatch(domain.removeprefix(".")) else DOMAIN


def wrong_cookie(cookie: Cookie) -> str | None:
    """Check everything but the domain's own form."""
    return _wrong_attribute(cookie) or _wrong_pair(cookie)


def _wrong_attribute(cookie: Cookie) -> str | None:
    # CPython's reader asserts this, and yt-dlp's goes by it.
    if cookie.include_subdomains != (cookie.domain[:1] == "."):
        return SUBDOMAINS
    if cookie.path != "/" and not _PATH.fullmatch(cookie.path):
        return PATH
    return None if 0 <= cookie.expires <= LIMITS.expiry_max else EXPIRY


def _wrong_pair(cookie: Cookie) -> str | None:
    name, value = cookie.name, cookie.value
    if not _TOKEN.fullmatch(name):
        return NAME
    if not _OCTETS.fullmatch(value):
        return VALUE
    if len(name) + len(value) + len(cookie.path) + len(cookie.domain) > LIMITS.cookie_bytes_max:
        return SIZE
    return _wrong_prefix(cookie) if name[:2] == "__" else None


def _wrong_prefix(cookie: Cookie) -> str | None:
    # Browsers compare the prefixes without regard to case.
    name = cookie.name.lower()
    if name.startswith("__secure-") and not cookie.secure:
        return SECURE_PREFIX
    hosted = cookie.secure and cookie.path == "/" and not cookie.include_subdomains
    if name.startswith("__host-") and not hosted:
        return HOST_PREFIX
    return None
