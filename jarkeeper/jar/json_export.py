"""From the JSON of browser extensions and automation tools to a jar.

Cookie-Editor, EditThisCookie and Get cookies.txt LOCALLY write an array of what the browser itself
calls a cookie; Playwright and Puppeteer an object that holds such an array under `cookies`. As in
a Netscape file, an entry of another site needs no more than a domain; one that is kept must be
right in every field that counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from jarkeeper.errors import JarFormatError
from jarkeeper.jar import rules
from jarkeeper.jar.cookie import Cookie
from jarkeeper.jar.emit import emit_jar
from jarkeeper.jar.parsed import Form, ParsedJar, gathered, too_many
from jarkeeper.limits import LIMITS

NUMBER_CHARS_MAX = 40
"""Of one number: a float with all its digits has 24, and Python reads long ones slowly."""

EXPIRIES = ("expirationDate", "expires", "expiry")
"""What extensions, Playwright and Selenium call it."""

SHAPE = "expected an array of cookies, or an object with one under 'cookies'"
HINT = "export the cookies again, as JSON or in the Netscape (cookies.txt) format"
KINDS = {str: "text", bool: "true or false"}

T = TypeVar("T", str, bool)


class Pairs(tuple[Any, ...]):
    """A JSON object as it was written: a name that stands there twice can still be seen."""

    __slots__ = ()


def parse_json(text: str, *, sites: tuple[str, ...]) -> ParsedJar:
    """Return the cookies of these sites, or raise `JarFormatError` at the first bad entry."""
    wanted = tuple(site.lower() for site in sites)
    cookies: list[Cookie] = []
    dropped = 0
    for number, entry in enumerate(_entries(_loaded(text)), 1):
        fields = _fields(entry, f"entry {number}")
        domain = _domain(fields, f"entry {number}")
        if not rules.belongs(domain, wanted):
            dropped += 1
            continue
        if len(cookies) == LIMITS.jar_cookies_max:
            raise too_many()
        cookies.append(_cookie(fields, domain, f"entry {number}"))
    parsed = gathered(cookies, sites=sites, dropped=dropped, form=Form.JSON)
    emit_jar(parsed.jar)
    return parsed


def _loaded(text: str) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=Pairs,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refuse,
        )
    except json.JSONDecodeError as error:
        wrong = JarFormatError("expected JSON, it is broken here", line=error.lineno, hint=HINT)
    except ValueError:
        wrong = JarFormatError("expected JSON, with numbers that are finite", hint=HINT)
    except RecursionError:
        wrong = JarFormatError(f"{SHAPE}, got deep nesting", hint=HINT)
    raise wrong  # out here: what was caught holds the text, and would be chained


def _number(text: str) -> float:
    # Exact to far beyond the last second that is allowed.
    return float(text) if len(text) <= NUMBER_CHARS_MAX else math.inf


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _entries(document: object) -> list[Any]:
    if isinstance(document, Pairs):
        document = _fields(document, "the object").get("cookies")
    if not isinstance(document, list):
        raise JarFormatError(SHAPE, hint=HINT)
    return document


def _fields(entry: object, place: str) -> dict[str, Any]:
    if not isinstance(entry, Pairs):
        raise JarFormatError(f"{place}: expected an object with the fields of a cookie", hint=HINT)
    fields = dict(entry)
    if len(fields) != len(entry):
        raise JarFormatError(f"{place}: expected each field once, got one twice", hint=HINT)
    return fields


def _domain(fields: Mapping[str, Any], place: str) -> str:
    domain = _lower(_required(fields, "domain", str, place))
    if not rules.is_visible(domain):
        raise _wrong(rules.DOMAIN, place)
    return domain


def _cookie(fields: Mapping[str, Any], domain: str, place: str) -> Cookie:
    if wrong := rules.wrong_domain(domain):
        raise _wrong(wrong, place)
    host_only = domain[:1] != "."
    if _given(fields, "hostOnly", bool, place, default=host_only) != host_only:
        raise _wrong("expected 'hostOnly' false exactly where the domain begins with a dot", place)
    cookie = Cookie(
        domain=domain,
        include_subdomains=not host_only,
        path=_required(fields, "path", str, place),
        secure=_required(fields, "secure", bool, place),
        expires=_expiry(fields, place),
        name=_required(fields, "name", str, place),
        value=_required(fields, "value", str, place),
        http_only=_given(fields, "httpOnly", bool, place, default=False),
    )
    if wrong := rules.wrong_cookie(cookie):
        raise _wrong(wrong, place)
    return cookie


def _expiry(fields: Mapping[str, Any], place: str) -> int:
    """Return whole seconds; 0 where the entry calls itself one of the session, or has no date."""
    dates = [(name, fields[name]) for name in EXPIRIES if fields.get(name) is not None]
    if len(dates) > 1:
        raise _wrong("expected one expiry, got several", place)
    is_session = _given(fields, "session", bool, place, default=not dates)
    if not dates:
        return 0
    name, seconds = dates[0]
    if type(seconds) is not float or not 0 <= seconds <= LIMITS.expiry_max:
        if name == "expires" and seconds == -1.0 and type(seconds) is float:
            return 0  # Playwright's and Puppeteer's word for it
        raise _wrong(rules.EXPIRY, place)
    return 0 if is_session else int(seconds)


def _required(fields: Mapping[str, Any], name: str, kind: type[T], place: str) -> T:
    value = fields.get(name)
    if type(value) is not kind:
        raise _wrong(f"expected {KINDS[kind]} in '{name}'", place)
    return value


def _given(fields: Mapping[str, Any], name: str, kind: type[T], place: str, *, default: T) -> T:
    # Some exporters write null for what they do not know.
    return default if fields.get(name) is None else _required(fields, name, kind, place)


def _wrong(what: str, place: str) -> JarFormatError:
    return JarFormatError(f"{place}: {rules.without_place(what)}", hint=HINT)


def _lower(domain: str) -> str:
    # Beyond ASCII, other letters become those of a site's name; the rules refuse them as they are.
    return domain.lower() if domain.isascii() else domain
