"""yt-dlp, limited to the hosts that YouTube is served from, whatever a page or a list names."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from yt_dlp import YoutubeDL
from yt_dlp.networking.exceptions import RequestError

HOSTS = (
    "youtube.com",
    "youtu.be",
    "youtube-nocookie.com",
    "googlevideo.com",
    "ytimg.com",
    "ggpht.com",
    "googleusercontent.com",
    "google.com",
    "googleapis.com",
)
"""Pages and their API, media, thumbnails and pictures, the consent page, and tokens."""


class YouTubeOnly(YoutubeDL):  # type: ignore[misc]  # yt-dlp ships no types
    """Refuses every request to another host, and every one that is not encrypted."""

    def urlopen(self, req: Any) -> Any:
        """Send the request, or raise as for a host that is not there."""
        if not is_youtube(req if isinstance(req, str) else req.url):
            raise RequestError("not a host of YouTube's, so it was not asked")
        return super().urlopen(req)


def is_youtube(url: str) -> bool:
    """Return whether the address is an encrypted one of a host in `HOSTS`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    known = any(host == one or host.endswith(f".{one}") for one in HOSTS)
    return parts.scheme == "https" and port in (None, 443) and known
