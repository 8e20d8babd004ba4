"""From the bytes of a Netscape cookie file to a jar, or to an error that names the line.

The rows of other sites are dropped: they need seven fields and something like a domain, so that
they can be told apart, and nothing more is asked of them. Rows that are kept must be right in every
field. yt-dlp skips a malformed row and prints it, value included; here it stops the import.
"""

from __future__ import annotations

from collections.abc import Sequence

from jarkeeper.errors import JarFormatError
from jarkeeper.jar import rules
from jarkeeper.jar.cookie import Cookie
from jarkeeper.jar.emit import emit_jar
from jarkeeper.jar.parsed import ParsedJar, gathered, text_of, too_many
from jarkeeper.limits import LIMITS

HEADERS = (rules.HEADER, "# HTTP Cookie File")
FIELDS = 7
GROWTH_MAX = len(rules.HEADER) + 2 + LIMITS.jar_cookies_max
EXPIRY_DIGITS_MAX = len(str(LIMITS.expiry_max))

FLAGS = {"TRUE": True, "FALSE": False}

EXPORT = "export the cookies again, in the Netscape (cookies.txt) format"


def parse_jar(content: bytes, *, sites: tuple[str, ...]) -> ParsedJar:
    """Return the cookies of these sites, or raise `JarFormatError` at the first bad line."""
    return parse_rows(text_of(content), sites=sites)


def parse_rows(text: str, *, sites: tuple[str, ...]) -> ParsedJar:
    """Do the same with text whose lines end in LF."""
    lines = text.split("\n")
    warnings = []
    if not lines[0].startswith(HEADERS):
        warnings.append(f"line 1: expected '{rules.HEADER}', the missing header was supplied")
    cookies, dropped = _read_rows(lines, tuple(site.lower() for site in sites))
    parsed = gathered(cookies, sites=sites, dropped=dropped, warnings=warnings)
    # The canonical form can be longer than the file: by a header, and by the 0 of an empty expiry.
    if len(text) > LIMITS.jar_bytes_max - GROWTH_MAX:
        emit_jar(parsed.jar)
    return parsed


def _read_rows(lines: list[str], sites: tuple[str, ...]) -> tuple[list[Cookie], int]:
    domains: dict[str, str | None] = {}  # each distinct one is judged once
    cookies: list[Cookie] = []
    dropped = 0
    for number, line in enumerate(lines, 1):
        if _says_nothing(line):
            continue
        row = line.split("\t", FIELDS)
        if len(row) != FIELDS:
            raise _wrong_shape(line, number)
        if row[0] not in domains:
            domains[row[0]] = _kept_domain(row[0], sites, number)
        domain = domains[row[0]]
        if domain is None:
            dropped += 1
            continue
        if len(cookies) == LIMITS.jar_cookies_max:
            raise too_many(number)
        cookies.append(_cookie(domain, row, number))
    return cookies, dropped


def _says_nothing(line: str) -> bool:
    if line[:1] == "#":
        return not line.startswith(rules.HTTP_ONLY)
    return not line or line.isspace()


def _kept_domain(field: str, sites: tuple[str, ...], number: int) -> str | None:
    """Return the domain in its canonical form, or `None` for one of another site."""
    domain = field.removeprefix(rules.HTTP_ONLY).lower()
    if not rules.is_visible(domain):
        raise JarFormatError(rules.DOMAIN, line=number)
    if not rules.belongs(domain, sites):
        return None
    if wrong := rules.wrong_domain(domain):
        raise JarFormatError(wrong, line=number)
    return domain


def _cookie(domain: str, row: Sequence[str], number: int) -> Cookie:
    first, include_subdomains, path, secure, expires, name, value = row
    if include_subdomains not in FLAGS or secure not in FLAGS:
        raise JarFormatError("expected TRUE or FALSE in fields 2 and 4", line=number)
    cookie = Cookie(
        domain,
        FLAGS[include_subdomains],
        path,
        FLAGS[secure],
        _expiry(expires, number),
        name,
        value,
        first[:1] == "#",
    )
    if wrong := rules.wrong_cookie(cookie):
        raise JarFormatError(wrong, line=number)
    return cookie


def _expiry(field: str, number: int) -> int:
    """Read what exporters write: whole seconds, seconds with a fraction, or nothing (session)."""
    if _is_seconds(field):
        return int(field)
    whole, _, fraction = field.partition(".")
    if field and not (_is_seconds(whole) and _is_seconds(fraction)):
        raise JarFormatError(rules.EXPIRY, line=number)
    return int(whole or 0)


def _is_seconds(text: str) -> bool:
    return text.isdigit() and text.isascii() and len(text) <= EXPIRY_DIGITS_MAX


def _wrong_shape(line: str, number: int) -> JarFormatError:
    count = line.count("\t") + 1
    hint = EXPORT
    if count == 1 and len(line.split(None, FIELDS)) >= FIELDS - 1:
        hint = "the tabs seem to have become spaces; copy the file itself, not its text"
    return JarFormatError(
        f"expected {FIELDS} tab-separated fields, got {count}", line=number, hint=hint
    )
