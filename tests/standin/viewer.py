"""A real yt-dlp with the options of production, pointed at a stand-in."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import yt_dlp
from yt_dlp.networking.exceptions import HTTPError

WATCH = "https://www.youtube.com/watch?v="


@dataclass(slots=True)
class Outcome:
    """What one download or one look came to."""

    info: dict[str, Any] | None = None
    error: yt_dlp.utils.DownloadError | None = None
    warnings: list[str] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The error's words, folded as the classifier's table wants them."""
        return str(self.error or "").casefold().replace("’", "'")

    @property
    def warned(self) -> str:
        return "\n".join(self.warnings).casefold()


class Listener:
    """Keeps warnings; everything else is of no interest."""

    def __init__(self, warnings: list[str]) -> None:
        self.warning = warnings.append

    def debug(self, message: str) -> None: ...

    def error(self, message: str) -> None: ...


def look(
    proxy_url: str,
    url: str,
    *,
    cookies: str | None = None,
    folder: Path | None = None,
    **options: object,
) -> Outcome:
    """Return what yt-dlp makes of a URL or video id; downloads into `folder` if there is one.

    The certificate is verified: SSL_CERT_FILE must name the stand-in's authority.
    """
    outcome = Outcome()
    settings: dict[str, Any] = {
        "proxy": proxy_url,
        "compat_opts": {"no-certifi"},
        "allowed_extractors": ["youtube.*"],
        "logger": Listener(outcome.warnings),
        "quiet": True,
        "cachedir": False,
        "noplaylist": True,
        "format": "bv*+ba/b",
        "ffmpeg_location": imageio_ffmpeg.get_ffmpeg_exe(),
        "paths": {"home": str(folder or "")},
        "outtmpl": "%(id)s.%(ext)s",
        **options,
    }
    if cookies is not None:
        settings["cookiefile"] = io.StringIO(cookies)
    with yt_dlp.YoutubeDL(settings) as downloader:
        try:
            target = url if ":" in url else WATCH + url
            info = downloader.extract_info(target, download=folder is not None)
            outcome.info = downloader.sanitize_info(info)
        except yt_dlp.utils.DownloadError as error:
            outcome.error = error
            _hang_up(error)
        outcome.cookies = {cookie.name: cookie.value for cookie in downloader.cookiejar}
    return outcome


def _hang_up(error: BaseException) -> None:
    """Close the responses that yt-dlp leaves open in the causes of an error."""
    for cause in _causes(error, set()):
        if isinstance(cause, HTTPError):
            cause.close()


def _causes(error: object, known: set[int]) -> Iterator[BaseException]:
    if not isinstance(error, BaseException) or id(error) in known:
        return
    known.add(id(error))
    yield error
    info = getattr(error, "exc_info", None) or (None, None, None)
    for cause in (error.__cause__, error.__context__, getattr(error, "cause", None), info[1]):
        yield from _causes(cause, known)
