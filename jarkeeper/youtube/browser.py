"""Reading a browser's own cookies, through yt-dlp's reader, which knows where each keeps them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from jarkeeper.errors import InputError
from jarkeeper.jar import HTTP_ONLY_COOKIES, Cookie, Form, ParsedJar, belongs
from jarkeeper.jar.emit import emit_jar
from jarkeeper.jar.parsed import gathered
from jarkeeper.jar.rules import wrong_cookie, wrong_domain
from jarkeeper.settings import Settings
from jarkeeper.words import printable

ROTATES = (
    "a browser that goes on with this login will soon make these cookies useless; an export from "
    "a private window that is closed for good lasts longer"
)
SYNTAX = "BROWSER[+KEYRING][:PROFILE][::CONTAINER], such as firefox or chromium:'Profile 1'"

PROFILE = "close the browser, or name its profile, as in `--from-browser firefox:PROFILE`"
LOCKED = "close the browser, then try again"
KEYRING = "unlock the desktop's keyring, or name it, as in `--from-browser chromium+gnomekeyring`"

_SPEC = re.compile(
    r"(?P<name>[^+:]+)(?:\+(?P<keyring>[^:]+))?(?::(?!:)(?P<profile>.+?))?(?:::(?P<container>.+))?"
)
_UNREADABLE = re.compile(r"\((\d+) could not be decrypted\)")
_EPOCHS_APART = 11_644_473_600
"""Seconds from 1601, where Chromium's clock starts, to 1970."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A browser's profile as yt-dlp wants it named."""

    browser: str
    keyring: str | None = None
    profile: str | None = None
    container: str | None = None


class Listener:
    """Hears what yt-dlp's reader says, and keeps one number of it."""

    def __init__(self) -> None:
        self.unreadable = 0

    def info(self, message: str) -> None:
        """Keep how many cookies could not be decrypted."""
        if found := _UNREADABLE.search(message):
            self.unreadable = int(found[1])

    def debug(self, message: str) -> None:
        """Drop it."""

    def warning(self, message: str, only_once: bool = False) -> None:
        """Drop it."""

    def error(self, message: str) -> None:
        """Drop it: what matters is raised as well."""


def read_browser(spec: str, settings: Settings) -> ParsedJar:
    """Return the cookies of the jar's sites in a browser's profile, or raise `InputError`."""
    wanted = parse_spec(spec)
    listener = Listener()
    with _prepared(settings):
        found = _extract(wanted, listener)
    ours = [cookie for cookie in found if belongs(str(cookie.domain).lower(), settings.sites)]
    cookies = [_converted(cookie, wanted) for cookie in ours if _is_text(cookie)]
    kept = [cookie for cookie in cookies if not _is_wrong(cookie)]
    if listener.unreadable and not kept:
        raise _failure("its cookies cannot be decrypted", wanted, KEYRING)
    parsed = gathered(
        kept,
        sites=settings.sites,
        dropped=len(found) - len(ours),
        form=Form.BROWSER,
        warnings=[*_left_out(listener.unreadable, len(ours) - len(kept)), ROTATES],
    )
    emit_jar(parsed.jar)
    return parsed


def parse_spec(spec: str) -> Profile:
    """Return the profile that a text names, or raise `InputError`."""
    from yt_dlp.cookies import SUPPORTED_BROWSERS, SUPPORTED_KEYRINGS

    match = _SPEC.fullmatch(spec)
    if match is None:
        raise InputError("--from-browser: expected a browser's name", hint=SYNTAX)
    name, keyring, profile, container = (part and part.strip() for part in match.groups())
    if name.lower() not in SUPPORTED_BROWSERS:
        known = ", ".join(sorted(SUPPORTED_BROWSERS))
        got = printable(name[:40])
        raise InputError(f"--from-browser: expected one of {known}, got '{got}'", hint=SYNTAX)
    if keyring and keyring.upper() not in SUPPORTED_KEYRINGS:
        known = ", ".join(sorted(SUPPORTED_KEYRINGS)).lower()
        got = printable(keyring[:40])
        raise InputError(
            f"--from-browser: expected one of the keyrings {known}, got '{got}'", hint=SYNTAX
        )
    return Profile(name.lower(), keyring and keyring.upper(), profile, container)


def _extract(wanted: Profile, listener: Listener) -> list[Any]:
    import sqlite3

    from yt_dlp.cookies import extract_cookies_from_browser

    try:
        return list(
            extract_cookies_from_browser(
                wanted.browser,
                wanted.profile,
                listener,
                keyring=wanted.keyring,
                container=wanted.container,
            )
        )
    except FileNotFoundError:
        why = ("no profile with cookies was found", PROFILE)
    except PermissionError:
        why = ("its cookies may not be read", PROFILE)
    except sqlite3.OperationalError as error:
        locked = "locked" in str(error) or "busy" in str(error)
        why = (f"its database {'is locked' if locked else 'cannot be read'}", LOCKED)
    except (sqlite3.Error, OSError):
        why = ("its database cannot be read", LOCKED)
    except Exception as error:  # noqa: BLE001 - keyrings and damaged profiles raise anything
        why = (f"its cookies cannot be read ({type(error).__name__})", PROFILE)
    # Out here: what was caught may quote a cookie, and would be chained.
    raise _failure(why[0], wanted, why[1])


def _failure(what: str, wanted: Profile, hint: str) -> InputError:
    return InputError(f"browser {wanted.browser}: {what}", hint=hint)


def _converted(cookie: Any, wanted: Profile) -> Cookie:
    domain = cookie.domain.lower()
    return Cookie(
        domain=domain,
        include_subdomains=domain.startswith("."),
        path=cookie.path,
        secure=bool(cookie.secure),
        expires=_seconds(cookie.expires, wanted),
        name=cookie.name,
        value=cookie.value or "",
        http_only=cookie.name in HTTP_ONLY_COOKIES,  # yt-dlp's reader does not tell
    )


def _is_text(cookie: Any) -> bool:
    """Whether the database held what a browser writes there."""
    fields = (cookie.name, cookie.path, cookie.value or "")
    return all(isinstance(field, str) for field in fields)


def _seconds(expires: float | None, wanted: Profile) -> int:
    """Return Unix seconds; yt-dlp hands on Chromium's microseconds since 1601 as they are."""
    if not expires:
        return 0
    if wanted.browser in ("firefox", "safari"):
        return int(expires)
    return max(1, int(expires // 1_000_000) - _EPOCHS_APART)


def _is_wrong(cookie: Cookie) -> bool:
    return (wrong_domain(cookie.domain) or wrong_cookie(cookie)) is not None


def _left_out(unreadable: int, wrong: int) -> Iterator[str]:
    if unreadable:
        yield f"left out what could not be decrypted: {unreadable} of the profile's cookies"
    if wrong:
        yield f"left out what no jar may hold: {wrong} of the cookies"


@contextmanager
def _prepared(settings: Settings) -> Iterator[None]:
    """Have yt-dlp make its copy of the browser's database where our private files go."""
    from jarkeeper.temporary import private_home

    before = tempfile.tempdir
    with private_home(settings.temp_dir) as folder:
        tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before
