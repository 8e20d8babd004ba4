"""The probe: one question to YouTube that only a login can answer with yes.

A public video proves nothing about a jar. Each page of YouTube says in its configuration whether
it was made for somebody, and for whom.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from jarkeeper.errors import NoAnswer
from jarkeeper.facts import Probed
from jarkeeper.jar import AUTHENTICATION_COOKIES, HTTP_ONLY_COOKIES, Cookie, Jar, belongs
from jarkeeper.settings import Settings
from jarkeeper.vault.write_back import is_another_login, lost_login

HOME = "https://www.youtube.com/"
LIKED = "https://www.youtube.com/playlist?list=LL"
PAGES = (HOME,)
VISIT = (HOME, LIKED)
"""What a person looks at who comes by: enough for YouTube to renew a session that is due."""
PAGE_BYTES_MAX = 8 << 20
"""Of one of YouTube's pages; the real ones have less than one MiB."""

NETWORK = "check the network, JARKEEPER_PROXY and JARKEEPER_CA_FILE, then try again"
LATER = "try again later, or leave the probe out"


def probe(jar: Jar, settings: Settings) -> Probed:
    """Ask YouTube who is logged in by this jar, or raise `NoAnswer` where it does not say.

    Nothing is stored. The answer may renew the session: what is to be kept is the jar returned.
    """
    with _prepared(settings):
        return ask(jar, settings)


def ask(jar: Jar, settings: Settings, *, pages: tuple[str, ...] = PAGES) -> Probed:
    """Do what `probe` does in a process that was prepared for it, such as a worker.

    `pages` are looked at one after the other with the same cookies; the last one's word counts.
    """
    from jarkeeper.youtube.downloader import YouTubeOnly
    from jarkeeper.youtube.extract import Journal
    from jarkeeper.youtube.loan import load
    from jarkeeper.youtube.options import common_options

    options = common_options(settings, logger=Journal())
    # As in a run, whose worker sees no proxy but the setting's.
    options["proxy"] = settings.proxy or ""
    with YouTubeOnly(options) as ydl:
        ydl.cookiejar = load(jar)
        for url in pages:
            config = _configuration(ydl, _page(ydl, url))
        alive = config.get("LOGGED_IN")
        if not isinstance(alive, bool):
            raise NoAnswer(
                "probe: YouTube's page does not say whether somebody is logged in", hint=LATER
            )
        if not alive:
            return Probed(alive=False, account=None, jar=jar)
        renewed = _renewed(jar, ydl.cookiejar, settings.sites)
        return Probed(alive=True, account=_account(config), jar=renewed)


def _page(ydl: Any, url: str) -> str:
    from yt_dlp.networking.exceptions import HTTPError, RequestError

    status = None
    try:
        with ydl.urlopen(url) as response:
            return str(response.read(PAGE_BYTES_MAX).decode(errors="replace"))
    except HTTPError as error:
        status = error.status
        error.close()
    except (RequestError, OSError):
        pass
    # Out of the handlers: what was caught holds the request, with its cookies.
    raise _failure(status)


def _failure(status: int | None) -> NoAnswer:
    if status is None:
        return NoAnswer("probe: there is no connection to YouTube", hint=NETWORK)
    return NoAnswer(f"probe: YouTube refused to answer, HTTP status {status}", hint=LATER)


def _configuration(ydl: Any, page: str) -> dict[str, Any]:
    config = ydl.get_info_extractor("Youtube").extract_ytcfg("probe", page)
    return config if isinstance(config, dict) else {}


def _account(config: dict[str, Any]) -> str | None:
    """Return whose login it is; a person's channels share one login."""
    user = config.get("USER_SESSION_ID")
    if isinstance(user, str) and user:
        return user
    both = config.get("DATASYNC_ID")
    if not isinstance(both, str):
        return None
    delegated, _, user = both.partition("||")  # the second is empty for the first channel
    return user or delegated or None


def _renewed(jar: Jar, cookies: Any, sites: tuple[str, ...]) -> Jar:
    """Return the jar with the login as it is now, if it still is that login."""
    old = {cookie.identity: cookie for cookie in jar.cookies}
    fresh = [
        _converted(cookie, old.get((cookie.domain, cookie.path, cookie.name)))
        for cookie in cookies
        if cookie.name in AUTHENTICATION_COOKIES and belongs(cookie.domain, sites)
    ]
    after = Jar((*jar.cookies, *fresh))
    return jar if lost_login(jar, after) or is_another_login(jar, after) else after


def _converted(cookie: Any, before: Cookie | None) -> Cookie:
    return Cookie(
        domain=cookie.domain,
        include_subdomains=cookie.domain.startswith("."),
        path=cookie.path,
        secure=bool(cookie.secure or (before and before.secure)),
        expires=int(cookie.expires or 0),
        name=cookie.name,
        value=cookie.value or "",
        http_only=before.http_only if before else cookie.name in HTTP_ONLY_COOKIES,
    )


@contextlib.contextmanager
def _prepared(settings: Settings) -> Iterator[None]:
    """Let yt-dlp see no plugins, and the certificates that a run would see."""
    from jarkeeper.temporary import private_home
    from jarkeeper.youtube.options import trust_also

    names = ("YTDLP_NO_PLUGINS", "SSL_CERT_FILE")
    before = {name: os.environ.get(name) for name in names}
    try:
        with private_home(settings.temp_dir) as folder:
            os.environ["YTDLP_NO_PLUGINS"] = "1"
            if settings.ca_file is not None:
                trust_also(settings.ca_file, folder=folder)
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
