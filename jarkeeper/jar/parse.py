"""From the bytes of a Netscape cookie file to a jar, or to an error that names the line.

The rows of other sites are dropped: they need seven fields and something like a domain, so that
they can be told apart, and nothing more is asked of them. Rows that are kept must be right in every
field. yt-dlp skips a malformed row and prints it, value included; here it stops the import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jarkeeper.errors import JarFormatError
from jarkeeper.jar import rules
from jarkeeper.jar.cookie import Cookie, Jar
from jarkeeper.jar.emit import emit_jar
from jarkeeper.limits import LIMITS

HEADERS = (rules.HEADER, "# HTTP Cookie File")
FIELDS = 7
GROWTH_MAX = len(rules.HEADER) + 2 + LIMITS.jar_cookies_max
EXPIRY_DIGITS_MAX = len(str(LIMITS.expiry_max))

FLAGS = {"TRUE": True, "FALSE": False}

EXPORT = "export the cookies again, in the Netscape (cookies.txt) format"


@dataclass(frozen=True, slots=True)
class ParsedJar:
    """A jar, how many rows of other sites were dropped, and what was put right on the way."""

    jar: Jar
    dropped: int
    warnings: tuple[str, ...]


def parse_jar(content: bytes, *, sites: tuple[str, ...]) -> ParsedJar:
    """Return the cookies of these sites, or raise `JarFormatError` at the first bad line."""
    lines = _lines(content)
    warnings = []
    if not lines[0].startswith(HEADERS):
        _refuse_other_formats(lines[0])
        warnings.append(f"line 1: expected '{rules.HEADER}', the missing header was supplied")
    cookies, dropped = _read_rows(lines, tuple(site.lower() for site in sites))
    if not cookies:
        raise _nothing_left(dropped, sites)
    jar = Jar(tuple(cookies))
    # The canonical form can be longer than the file: by a header, and by the 0 of an empty expiry.
    if len(content) > LIMITS.jar_bytes_max - GROWTH_MAX:
        emit_jar(jar)
    if repeated := len(cookies) - len(jar):
        warnings.append(f"{repeated} repeated {_rows(repeated)} left out, the last of each kept")
    return ParsedJar(jar, dropped, tuple(warnings))


def _lines(content: bytes) -> list[str]:
    if len(content) > LIMITS.jar_bytes_max:
        raise JarFormatError(
            f"{rules.FILE_SIZE}, got {len(content)}",
            hint="a cookie file is far smaller; is this the right file?",
        )
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise JarFormatError("expected UTF-8 text, got UTF-16", line=1, hint="save it as UTF-8")
    # Latin-1 never fails and keeps one character a byte: what is kept must be ASCII anyway.
    text = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1").replace("\r\n", "\n")
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        raise JarFormatError("expected LF or CRLF at the end of a line, got CR", line=line)
    return text.split("\n")


def _refuse_other_formats(first_line: str) -> None:
    if first_line.lstrip()[:1] in ("[", "{"):
        raise JarFormatError("expected a Netscape cookie file, got JSON", line=1, hint=EXPORT)


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
            raise _too_many(number)
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


def _too_many(number: int) -> JarFormatError:
    return JarFormatError(
        rules.COUNT,
        line=number,
        hint="export from a fresh private window, after one login",
    )


def _nothing_left(dropped: int, sites: tuple[str, ...]) -> JarFormatError:
    wanted = ", ".join(sites)
    others = f", but {dropped} of other sites" if dropped else ""
    return JarFormatError(
        f"expected cookies of {wanted}, got none{others}",
        hint=f"log in, stay on a page of {sites[0]}, and export its cookies from there",
    )


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"
