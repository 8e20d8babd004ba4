"""The gate: an id or a YouTube URL becomes a `Target`, everything else is refused.

A URL is taken apart and rebuilt from its parts, never passed through: what leaves the gate is
always `https://www.youtube.com/` and an id of known form. Nothing is looked up or connected to.

- `watch?v=…&list=…` means the video only; the list is had with `playlist?list=…`.
- `http://` and a missing scheme are rebuilt as https; other hosts as `www.youtube.com`.
- A channel's handle or name is ASCII here; a channel with another one has an id, `/channel/UC…`.
- Parameters that are not needed (`t`, `si`, `pp`, `index`) and the fragment are dropped.
- An id may begin with `-`: it leaves as a part of a URL, so it can never be read as an option.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from jarkeeper.errors import TargetError
from jarkeeper.limits import LIMITS

SITE = "https://www.youtube.com"
HOSTS = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com"})
SHORT_HOST = "youtu.be"
EMBED_HOSTS = frozenset({"youtube-nocookie.com", "www.youtube-nocookie.com"})
ALL_HOSTS = HOSTS | EMBED_HOSTS | {SHORT_HOST}
VIDEO_FOLDERS = frozenset({"shorts", "live", "v"})
CHANNEL_FOLDERS = frozenset({"c", "user"})
TABS = frozenset({"videos", "shorts", "streams"})
EXPECTED = "expected an 11-character video id or an https URL of youtube.com or youtu.be"

_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}", re.ASCII)
# The kinds of lists are yt-dlp's `_PLAYLIST_ID_RE`; the upper bound is ours.
_LIST_ID = re.compile(
    r"(?:PL|LL|EC|UU|FL|RD|UL|TL|PU|OLAK5uy_)[A-Za-z0-9_-]{10,64}|RDMM|WL|LL|LM", re.ASCII
)
_CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}", re.ASCII)
_HANDLE = re.compile(r"@[A-Za-z0-9_][A-Za-z0-9._-]{2,29}", re.ASCII)
_CHANNEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)
_PRINTABLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<host>[^/?#]*)(?P<path>/[^?#]*)?"
    r"(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.ASCII,
)
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)
_PLAIN_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}://[A-Za-z0-9.-]{1,60}", re.ASCII)
# Words of 11 characters that stand where an id would in `/embed/…`, and are none.
_NOT_VIDEOS = frozenset({"videoseries", "live_stream"})


class TargetKind(StrEnum):
    """What a target is."""

    VIDEO = "video"
    PLAYLIST = "playlist"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Target:
    """Something on YouTube that may be asked for; `url` was built here."""

    kind: TargetKind
    id: str
    """A video's or list's id; of a channel `UC…`, `@handle`, `c/name` or `user/name`."""
    url: str


def parse_target(text: str) -> Target:
    """Return the target that an id or URL names, or raise `TargetError`."""
    entry = text.strip(" \t\r\n")
    if len(entry) > LIMITS.target_chars_max:
        raise TargetError(f"{EXPECTED}, got {len(entry)} characters")
    # Tested first: what is not printable ASCII hides look-alikes, line breaks and bidi overrides.
    if not _PRINTABLE.fullmatch(entry) or "\\" in entry:
        raise TargetError(f"{EXPECTED}, got {excerpt(entry)}")
    if entry.startswith("--"):
        raise TargetError(
            f"{EXPECTED}, got something that reads as an option",
            hint=f"an id that starts with '--' is written {SITE}/watch?v=…",
        )
    if _VIDEO_ID.fullmatch(entry):
        return video_target(entry)
    return _parse_url(entry)


def parse_targets(texts: Iterable[str]) -> tuple[Target, ...]:
    """Return all targets, each once, in order, or raise one `TargetError` for all bad entries.

    It names them by position, counted from 1.
    """
    entries = tuple(texts)
    if not entries:
        raise TargetError("targets: expected at least one video id or URL, got none")
    if len(entries) > LIMITS.urls_max:
        raise TargetError(f"targets: expected at most {LIMITS.urls_max}, got {len(entries)}")
    targets: dict[str, Target] = {}
    mistakes = []
    for position, entry in enumerate(entries, start=1):
        try:
            target = parse_target(entry)
        except TargetError as error:
            mistakes.append(f"entry {position}: {error.message}")
        else:
            targets.setdefault(target.url, target)
    if mistakes:
        raise TargetError(_report(mistakes), hint="nothing was downloaded; correct the list")
    return tuple(targets.values())


def video_target(video_id: str) -> Target:
    """Return the target of a video whose id is known, such as one from a list."""
    if not _VIDEO_ID.fullmatch(video_id) or video_id in _NOT_VIDEOS:
        raise TargetError(
            f"video id: expected 11 letters, digits, '-' or '_', got {excerpt(video_id)}"
        )
    return Target(TargetKind.VIDEO, video_id, f"{SITE}/watch?v={video_id}")


def excerpt(text: str) -> str:
    """Return what may be said of a refused text: a scheme and host, a short plain word, or a size.

    People paste the wrong thing, a cookie for instance, so no more than that is ever repeated.
    """
    if _PLAIN_WORD.fullmatch(text):
        return f"'{text}' ({len(text)} characters)"
    if origin := _PLAIN_ORIGIN.match(text):
        rest = text[origin.end() :]
        if not rest or rest[0] in "/?#":
            return f"'{origin[0]}/…'" if rest.strip("/") else f"'{origin[0]}'"
    return f"{len(text)} characters of another form"


def _parse_url(entry: str) -> Target:
    parts = _URL.fullmatch(entry)
    if parts is None:  # the pattern takes any printable text; mypy cannot know
        raise TargetError(f"{EXPECTED}, got {excerpt(entry)}")
    scheme, host = (parts["scheme"] or "https").lower(), parts["host"].lower().removesuffix(":443")
    if scheme not in {"https", "http"} or host not in ALL_HOSTS:
        raise TargetError(f"{EXPECTED}, got {excerpt(entry)}")
    path = (parts["path"] or "").removesuffix("/")
    segments = path.split("/")[1:]
    target = _read_path(host, segments, _parameters(parts["query"] or "", entry))
    if target is None:
        raise TargetError(
            f"'{host}': expected the URL of a video, playlist or channel, got another page",
            hint=f"such as {SITE}/watch?v=…, {SITE}/playlist?list=… or {SITE}/@handle",
        )
    return target


def _parameters(query: str, entry: str) -> dict[str, str]:
    """Return `v` and `list` as they stand, undecoded; a second one would be ambiguous."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name in {"v", "list"}:
            if name in found:
                raise TargetError(f"{excerpt(entry)}: expected one '{name}' parameter, got two")
            found[name] = value
    return found


def _read_path(host: str, segments: list[str], parameters: dict[str, str]) -> Target | None:
    match segments:
        case [video_id] if host == SHORT_HOST:
            return video_target(video_id)
        case ["embed", video_id] if host != SHORT_HOST:
            return _playlist(parameters) if video_id == "videoseries" else video_target(video_id)
    return _read_page(segments, parameters) if host in HOSTS else None


def _read_page(segments: list[str], parameters: dict[str, str]) -> Target | None:
    match segments:
        case ["watch"] if "v" in parameters:
            return video_target(parameters["v"])
        case ["watch" | "playlist"]:
            return _playlist(parameters)
        case [folder, video_id] if folder in VIDEO_FOLDERS:
            return video_target(video_id)
    return _channel(segments)


def _playlist(parameters: dict[str, str]) -> Target:
    list_id = parameters.get("list", "")
    if not _LIST_ID.fullmatch(list_id):
        raise TargetError(
            "playlist: expected an id such as 'PL…' after 'list=', got none that fits"
        )
    return Target(TargetKind.PLAYLIST, list_id, f"{SITE}/playlist?list={list_id}")


def _channel(segments: list[str]) -> Target | None:
    """Return the channel, with its tab if one is named: all of it, or videos, shorts or streams."""
    tab = ""
    if len(segments) > 1 and segments[-1] in TABS:
        *segments, name = segments
        tab = f"/{name}"
    match segments:
        case ["channel", channel_id] if _CHANNEL_ID.fullmatch(channel_id):
            return Target(TargetKind.CHANNEL, channel_id, f"{SITE}/channel/{channel_id}{tab}")
        case [handle] if _HANDLE.fullmatch(handle):
            return Target(TargetKind.CHANNEL, handle, f"{SITE}/{handle}{tab}")
        case [folder, name] if folder in CHANNEL_FOLDERS and _CHANNEL_NAME.fullmatch(name):
            channel = f"{folder}/{name}"
            return Target(TargetKind.CHANNEL, channel, f"{SITE}/{channel}{tab}")
    return None


def _report(mistakes: list[str]) -> str:
    shown = "; ".join(mistakes[: LIMITS.mistakes_shown])
    hidden = len(mistakes) - LIMITS.mistakes_shown
    return f"{shown}; and {hidden} more" if hidden > 0 else shown
