"""From a `Cookie:` header to a jar: what browsers' developer tools show of a request.

A header holds names and values alone. The rest is what YouTube's own cookies have: all of the site,
path `/`, secure. When they expire, nobody can tell.
"""

from __future__ import annotations

import re

from jarkeeper.errors import JarFormatError
from jarkeeper.jar import rules
from jarkeeper.jar.cookie import HTTP_ONLY_COOKIES, Cookie
from jarkeeper.jar.emit import emit_jar
from jarkeeper.jar.parsed import Form, ParsedJar, gathered, too_many
from jarkeeper.limits import LIMITS

NO_EXPIRY = "a Cookie header says nothing about expiry: how long this login lives is not known"
HINT = "copy the whole value of the request's Cookie header from the browser's developer tools"

YOUTUBE = "youtube.com"

_LINE = re.compile(r"^[ \t]*cookie:(.*)$", re.IGNORECASE | re.MULTILINE)
_BARE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+=[^\t\n]*")
_CURL = re.compile(r"\s*curl\s")
_CURL_COOKIES = re.compile(r"(?:(?:-H|--header) '[Cc]ookie:|(?:-b|--cookie) ')([^'\n]*)'")


def headers_in(text: str) -> list[str]:
    """Return the values of the Cookie headers in a text; none where it is something else.

    It may be one line of pairs, a request's headers, or a request copied as a curl command.
    """
    if _CURL.match(text):
        return _CURL_COOKIES.findall(text)
    if found := _LINE.findall(text):
        return found
    return [text] if _BARE.fullmatch(text.strip()) else []


def parse_header(headers: list[str], *, sites: tuple[str, ...]) -> ParsedJar:
    """Return the cookies of the headers, or raise `JarFormatError` at the first bad pair."""
    site = YOUTUBE if YOUTUBE in sites else sites[0].lower()
    pairs = [pair for header in headers for part in header.split(";") if (pair := part.strip())]
    if len(pairs) > LIMITS.jar_cookies_max:
        raise too_many()
    cookies = [_cookie(pair, site, number) for number, pair in enumerate(pairs, 1)]
    parsed = gathered(cookies, sites=sites, form=Form.HEADER, warnings=[NO_EXPIRY])
    emit_jar(parsed.jar)  # which is far longer than the header, and may be too long
    return parsed


def _cookie(pair: str, site: str, number: int) -> Cookie:
    name, equals, value = pair.partition("=")
    if not equals:
        raise JarFormatError(f"pair {number}: expected name=value", hint=HINT)
    # Such a cookie belongs to one host, and nobody but that host can have set it.
    host_only = name.lower().startswith("__host-")
    cookie = Cookie(
        domain=f"www.{site}" if host_only else f".{site}",
        include_subdomains=not host_only,
        path="/",
        secure=True,
        expires=0,
        name=name,
        value=value,
        http_only=name in HTTP_ONLY_COOKIES,
    )
    if wrong := rules.wrong_cookie(cookie):
        raise JarFormatError(f"pair {number}: {rules.without_place(wrong)}", hint=HINT)
    return cookie
