"""YouTube for a year: the stand-in's own world and sessions, asked without HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import Cookie as LibraryCookie
from typing import Any

from yt_dlp.utils import ExtractorError

from jarkeeper.errors import NoAnswer
from jarkeeper.facts import Probed
from jarkeeper.jar import Jar
from jarkeeper.youtube.loan import load
from jarkeeper.youtube.probe import _renewed
from standin.answers import OK, playability
from standin.sessions import LOGIN, Session
from standin.world import World
from vaultkit import SITES, Clock

WATCH_SECONDS = 20.0
PAGE_SECONDS = 1.0
ROTATED = (
    "The provided YouTube account cookies are no longer valid. They have likely been rotated in "
    "the browser as a security measure"
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: by whom (a run, a probe, the operator), with which generation's cookies."""

    by: object
    generation: str | None
    lent_at: object = None


class YouTube:
    """The world as a visitor finds it, at the clock's moment."""

    def __init__(self, clock: Clock, *, watcher: Callable[[Visit], None]) -> None:
        self.world = World()
        self.clock = clock
        self.is_down = False
        self.glitches_until = clock.now
        """Until then pages take everybody for a visitor, whom they know well."""
        self.requests = 0
        self._watcher = watcher

    def probe(self, jar: Jar, visit: Visit, *, pages: int = 1) -> Probed:
        """Answer as `jarkeeper.youtube.probe.ask` hears it."""
        cookies = load(jar)
        session = None
        for _ in range(pages):
            self._arrive(visit, PAGE_SECONDS)
            if self.is_down:
                raise NoAnswer("probe: there is no connection to YouTube")
            if self.clock.now < self.glitches_until:
                return Probed(alive=False, account=None, jar=jar)
            session = self._admit(cookies)
        if session is None:
            return Probed(alive=False, account=None, jar=jar)
        return Probed(True, session.user_id, _renewed(jar, cookies, SITES))

    def watch(
        self, video_id: str, cookies: Any | None, visit: Visit, warn: Callable[[str], None]
    ) -> dict[str, Any]:
        """Answer as yt-dlp hears it: a finished file, or an error in YouTube's words."""
        self._arrive(visit, WATCH_SECONDS)
        if self.is_down:
            raise ExtractorError("Unable to download webpage: [Errno 101] Network is unreachable")
        session = None if cookies is None else self._admit(cookies)
        if cookies is not None and session is None:
            warn(ROTATED)
        video = self.world.catalogue.video(video_id)
        assert video is not None
        status = playability(self.world.answer(video, session), video, session)
        if status is OK:
            return {"title": video.title, "requested_downloads": [{"filepath": f"{video_id}.mp4"}]}
        raise ExtractorError(words_of(status, signed_in=session is not None), expected=True)

    def _arrive(self, visit: Visit, seconds: float) -> None:
        self.requests += 1
        self._watcher(visit)
        self.clock.advance(seconds=seconds)

    def _admit(self, cookies: Any) -> Session | None:
        now = self.clock.now.timestamp()
        for cookie in [one for one in cookies if one.is_expired(now)]:
            cookies.clear(cookie.domain, cookie.path, cookie.name)
        sent = {cookie.name: cookie.value for cookie in cookies}
        session, headers = self.world.book.admit(sent, authorization=None)
        for _, header in headers:
            _take(cookies, header)
        return session


def words_of(status: dict[str, Any], *, signed_in: bool) -> str:
    """Return what yt-dlp makes of a playability status."""
    message = status["errorScreen"].get("playerErrorMessageRenderer", {})
    reason = ". ".join(
        part["simpleText"] for name in ("reason", "subreason") if (part := message.get(name))
    )
    if "playerCaptchaViewModel" in status["errorScreen"]:
        return f"{reason}. YouTube is requiring a captcha challenge before playback"
    if "try again later" in reason:
        who = "Your account" if signed_in else "The current session"
        return f"{reason} {who} has been rate-limited by YouTube for up to an hour"
    return reason


def _take(cookies: Any, header: str) -> None:
    """Keep what a `Set-Cookie` of the stand-in says, which is always for all of the site."""
    name, _, value = header.partition(";")[0].partition("=")
    known = next((cookie for cookie in cookies if cookie.name == name), None)
    if known is None:
        return
    if not value:
        cookies.clear(known.domain, known.path, known.name)
        return
    _renew(known, value)


def _renew(cookie: LibraryCookie, value: str) -> None:
    cookie.value = value


def login_in(jar: Jar) -> str:
    """Return the value by which the stand-in knows a session."""
    return next((cookie.value for cookie in jar.cookies if cookie.name == LOGIN), "")
