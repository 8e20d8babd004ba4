"""The videos, playlists and channels that exist here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from standin.media import Media

VIDEO_ID = re.compile(r"[\w-]{11}", re.ASCII)
ITAGS = {360: 18, 480: 59, 720: 22, 1080: 37, 1440: 38, 2160: 85}
VIDEO_ITAGS = {360: 134, 480: 135, 720: 136, 1080: 137, 1440: 264, 2160: 266}
AUDIO_ITAG = 140
AUDIO_SHARE = 8
"""The audio is an eighth of a video whose streams are separate."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One downloadable format of a video."""

    itag: int
    kind: str
    height: int
    media: Media


@dataclass(frozen=True, slots=True)
class Video:
    """One video, its content and who may see it."""

    id: str
    title: str
    uploader: str = "Stand-in Channel"
    handle: str = "@standin"
    channel_id: str = "UC" + "standin".ljust(22, "0")
    size: int = 1 << 20
    answer: str = "ok"
    separate: bool = False
    heights: tuple[int, ...] = (360,)
    allowed: tuple[str, ...] = ()
    countries: tuple[str, ...] = ("CH", "DE")
    subtitles: tuple[str, ...] = ()
    starts_in: str = "3 hours"
    description: str = ""
    upload_date: str = "2024-01-02"

    def streams(self) -> tuple[Stream, ...]:
        """Return the formats; the last of several heights is `size` bytes long, lower ones less."""
        best = max(self.heights)
        shares = [(height, self.size * height // best) for height in sorted(self.heights)]
        if not self.separate:
            return tuple(
                self._stream(ITAGS[height], "both", height, size) for height, size in shares
            )
        audio = self.size // AUDIO_SHARE
        return (
            *(
                self._stream(VIDEO_ITAGS[height], "video", height, size - audio)
                for height, size in shares
            ),
            self._stream(AUDIO_ITAG, "audio", 0, audio),
        )

    def stream(self, itag: int) -> Stream | None:
        return next((stream for stream in self.streams() if stream.itag == itag), None)

    def _stream(self, itag: int, kind: str, height: int, size: int) -> Stream:
        name = "audio.m4a" if kind == "audio" else f"{kind}.mp4"
        return Stream(itag, kind, height, Media.of(name, size=size, label=f"{self.id} {itag}"))


@dataclass(frozen=True, slots=True)
class Playlist:
    """A list of videos; private ones exist for the named sessions only."""

    id: str
    title: str
    videos: tuple[str, ...]
    private_to: tuple[str, ...] = ()
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel with tabs of videos."""

    handle: str
    title: str
    tabs: dict[str, tuple[str, ...]]
    fault: str | None = None

    @property
    def id(self) -> str:
        return "UC" + hashlib.sha256(self.handle.encode()).hexdigest()[:22]


@dataclass(slots=True)
class Catalogue:
    """All content. Unless `strict`, every well-formed video id exists."""

    strict: bool = False
    size: int = 1 << 20
    videos: dict[str, Video] = field(default_factory=dict)
    playlists: dict[str, Playlist] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)

    def video(self, video_id: str) -> Video | None:
        """Return the video, made up from its id if need be; None if it does not exist."""
        found = self.videos.get(video_id)
        if found or self.strict or not VIDEO_ID.fullmatch(video_id):
            return found
        return Video(video_id, f"Video {video_id}", size=self.size)

    def channel(self, name: str) -> Channel | None:
        """Return the channel with that handle or id."""
        return self.channels.get(name) or next(
            (channel for channel in self.channels.values() if channel.id == name), None
        )
