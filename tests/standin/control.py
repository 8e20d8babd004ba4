"""The control API for tests, demo and benchmarks, in this process or another."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HALF_YEAR_SECONDS = 180 * 86400


class ControlError(Exception):
    """The stand-in refused a call."""


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request that YouTube got. `session` is None for anonymous visitors."""

    time: float
    method: str
    host: str
    path: str
    endpoint: str
    video_id: str | None
    session: str | None
    client: str | None
    range: str | None
    status: int | None


@dataclass(frozen=True, slots=True)
class SessionReport:
    """How a session is doing. `values` is what its cookies are now."""

    name: str
    state: str
    requests: int
    refused: int
    rotations: int
    values: dict[str, str] = field(repr=False)
    last_cookies: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What a complete download of one format must be."""

    size: int
    sha256: str


class Control:
    """Everything that can be arranged and asked. One object serves any number of threads."""

    def __init__(self, control_url: str) -> None:
        parts = urllib.parse.urlsplit(control_url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._path = parts.path

    def ping(self) -> None:
        """Return if the stand-in answers."""
        self._call("ping")

    def reset(self) -> None:
        """Forget all sessions, videos, rules, faults and requests."""
        self._call("reset")

    def new_session(
        self,
        name: str,
        *,
        expires_in: int = HALF_YEAR_SECONDS,
        canary: str = "",
        foreign_rows: int = 0,
        rotate_every: int | None = None,
        grace_seconds: float | None = None,
        dies_after: int | None = None,
        age_verified: bool = True,
        premium: bool = False,
        flagged: bool = False,
        rate_limited: bool = False,
        member_of: Sequence[str] = (),
        liked: Sequence[str] = (),
        watch_later: Sequence[str] = (),
        user_id: str | None = None,
    ) -> str:
        """Return the cookies.txt of a new session; one of the same name is replaced.

        Sessions of one `user_id` are logins of one account; without it each is its own.
        Every `rotate_every` requests YouTube replaces `LOGIN_INFO` and its like by Set-Cookie;
        the old values live on for `grace_seconds` (None: for ever, 0: die at once). After
        `dies_after` requests the session is revoked. Each value starts with `canary`. `flagged`
        sessions get the bot check, `rate_limited` ones the account's rate limit. `member_of`
        names handles or ids of channels.
        """
        return str(self._call("new_session", **_given(locals())))

    def update_session(self, name: str, **fields: object) -> None:
        """Change fields of `new_session`, or `state`: alive, revoked, expired."""
        self._call("update_session", name=name, **fields)

    def revoke(self, name: str) -> None:
        """Sign the session out: pages say so, and Set-Cookie clears `LOGIN_INFO`."""
        self.update_session(name, state="revoked")

    def expire(self, name: str) -> None:
        """Stop accepting the session without a word: the cookies look alive, and are not."""
        self.update_session(name, state="expired")

    def revive(self, name: str) -> None:
        """Accept the session again."""
        self.update_session(name, state="alive")

    def rotate(self, name: str) -> None:
        """Replace the session's values as use in the browser does: its cookies.txt is outdated.

        Whether the old values still sign in is up to `grace_seconds`.
        """
        self._call("rotate", name=name)

    def session(self, name: str) -> SessionReport:
        return SessionReport(**self._call("session", name=name))

    def cookies(self, name: str) -> str:
        """Return the cookies.txt that an export would give now."""
        return str(self._call("cookies", name=name))

    def add_video(
        self,
        video_id: str,
        *,
        title: str | None = None,
        uploader: str | None = None,
        handle: str | None = None,
        size: int | None = None,
        answer: str = "ok",
        separate: bool = False,
        heights: Sequence[int] = (360,),
        allowed: Sequence[str] = (),
        countries: Sequence[str] = ("CH", "DE"),
        subtitles: Sequence[str] = (),
        starts_in: str = "3 hours",
        description: str = "",
        upload_date: str = "2024-01-02",
    ) -> None:
        """Add or replace a video.

        `separate` gives one audio and one video format per height (360, 480, 720, 1080, 1440,
        2160) instead of files with both. `allowed` names the sessions that may see a private or
        paid one, `countries` those of a geo-restricted one. `answer`: see `standin.answers`.
        """
        self._call("add_video", **_given(locals()))

    def update_video(self, video_id: str, **fields: object) -> None:
        """Change fields of `add_video`."""
        self._call("update_video", video_id=video_id, **fields)

    def add_playlist(
        self,
        playlist_id: str,
        videos: Sequence[str],
        *,
        title: str = "A playlist",
        private_to: Sequence[str] = (),
        fault: str | None = None,
    ) -> None:
        """Add a playlist; `fault` is `incomplete` or `unknown`."""
        self._call("add_playlist", **_given(locals()))

    def add_channel(
        self,
        handle: str,
        videos: Sequence[str] = (),
        *,
        title: str = "A channel",
        tabs: Mapping[str, Sequence[str]] | None = None,
        fault: str | None = None,
    ) -> str:
        """Return the id of a new channel with tab `videos`, or `tabs`; `fault`: `home`."""
        all_tabs = {name: list(ids) for name, ids in (tabs or {"videos": videos}).items()}
        arguments = {"handle": handle, "title": title, "tabs": all_tabs, "fault": fault}
        return str(self._call("add_channel", **arguments))

    def strict(self, on: bool = True) -> None:
        """Let only videos that were added exist."""
        self._call("configure", strict=on)

    def set_size(self, size: int) -> None:
        """Set the bytes of videos that name no size."""
        self._call("configure", size=size)

    def set_latency(self, milliseconds: float) -> None:
        """Delay every answer."""
        self._call("configure", latency_ms=milliseconds)

    def set_pages(self, *, playlist: int = 100, channel: int = 30) -> None:
        """Set how many entries come before a continuation."""
        self._call("configure", playlist_page=playlist, channel_page=channel)

    def set_answer(self, answer: str, *, who: str = "all", video_id: str | None = None) -> None:
        """Give `answer` whatever the video is; `who`: all, anonymous, authenticated, a session."""
        self._call("set_answer", answer=answer, who=who, video_id=video_id)

    def clear_answers(self) -> None:
        self._call("clear_answers")

    def fault(
        self,
        endpoint: str = "all",
        *,
        video_id: str | None = None,
        session: str | None = None,
        status: int | None = None,
        latency_ms: float = 0,
        cut_after: int | None = None,
        stall_after: int | None = None,
        stall_seconds: float = 60,
        bytes_per_second: int | None = None,
        reset: bool = False,
        malformed: bool = False,
        times: int | None = None,
        skip: int = 0,
    ) -> int:
        """Return the id of a new fault; the newest that matches a request wins.

        `endpoint`: watch, embed, player, media, list (pages of playlists and channels), browse
        (their API), thumbnail, captions, other, all. `session`: a name, or `anonymous` (media
        requests always are). The first `skip` matches pass, then `times` fail. `reset` with
        `cut_after` breaks in mid-body.
        """
        return int(self._call("fault", **_given(locals())))

    def clear_faults(self, fault_id: int | None = None) -> None:
        self._call("clear_faults", fault_id=fault_id)

    def requests(
        self, endpoint: str | None = None, *, video_id: str | None = None, connects: bool = False
    ) -> list[SeenRequest]:
        """Return what was asked for, oldest first; with `connects`, tunnels too."""
        seen = [SeenRequest(**entry) for entry in self._call("requests")]
        return [
            entry
            for entry in seen
            if (connects or entry.endpoint != "connect")
            and endpoint in (None, entry.endpoint)
            and video_id in (None, entry.video_id)
        ]

    def clear(self) -> None:
        """Forget the requests."""
        self._call("clear")

    def media(self, video_id: str, *, itag: int = 18) -> MediaFacts:
        """Return size and digest of one format (18: 360p with sound; 140: separate audio)."""
        return MediaFacts(**self._call("media", video_id=video_id, itag=itag))

    def _call(self, call: str, /, **arguments: object) -> Any:
        connection = http.client.HTTPConnection(*self._address, timeout=30)
        try:
            connection.request("POST", f"{self._path}/{call}", json.dumps(arguments))
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in answer:
            raise ControlError(answer["error"])
        return answer["result"]


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a method's arguments as JSON, without `self` and without what was left open."""
    return {
        name: list(value) if isinstance(value, (tuple, list)) else value
        for name, value in arguments.items()
        if name != "self" and value is not None
    }
