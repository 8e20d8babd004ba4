"""yt-dlp's options for every download: one place, each choice with its reason."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
from yt_dlp.utils import DownloadError, ExtractorError

from jarkeeper.limits import LIMITS
from jarkeeper.media.tools import find_deno, find_ffmpeg
from jarkeeper.settings import Settings

LIVE = "live event will begin to be a video when it has ended"
"""Worded as the classifier knows what is not there yet."""

HEIGHTS = {"2160p": 2160, "1440p": 1440, "1080p": 1080, "720p": 720, "480p": 480, "360p": 360}

Hook = Callable[[dict[str, Any]], None]


def download_options(
    settings: Settings, *, quality: str, logger: object, hook: Hook
) -> dict[str, Any]:
    """Return the options for fetching single videos into the current directory."""
    ffmpeg = find_ffmpeg()
    return common_options(settings, logger=logger) | {
        "format": format_selector(quality, can_merge=ffmpeg is not None),
        "ffmpeg_location": str(ffmpeg) if ffmpeg else None,
        "progress_hooks": [hook],
        # Names in staging hold nothing but the id that the gate let through.
        # No path: yt-dlp expands variables in one, and the worker stands in the staging directory.
        "outtmpl": {"default": "%(id)s.%(ext)s"},
        "match_filter": refuse_live,
        "noplaylist": True,
        "continuedl": True,
        "updatetime": False,
        # The library's own defaults are 0; these are the command's.
        "retries": 10,
        "fragment_retries": 10,
        "file_access_retries": 3,
        # Other downloaders get cookies in arguments or files that others can read.
        "external_downloader": {"default": "native"},
        "hls_prefer_native": True,
        "fixup": "never" if ffmpeg is None else "detect_or_warn",
    }


def refuse_live(info: dict[str, Any], *, incomplete: bool = False) -> None:
    """Refuse a broadcast: yt-dlp has ffmpeg fetch it, with the cookies among its arguments."""
    if info.get("is_live") and not incomplete:
        raise ExtractorError(LIVE, expected=True)


def forbid_ffmpeg_downloads() -> None:
    """Let ffmpeg merge files but never fetch one: others can read the arguments of a process."""
    from yt_dlp.downloader.external import FFmpegFD

    def refuse(*_: object) -> bool:
        raise DownloadError(
            "this format needs ffmpeg to fetch it; requested format is not available"
        )

    FFmpegFD.real_download = refuse


def list_options(settings: Settings, *, most: int, logger: object) -> dict[str, Any]:
    """Return the options for listing a playlist or channel without looking at its videos."""
    return common_options(settings, logger=logger) | {
        "extract_flat": True,
        "skip_download": True,
        "playlistend": most,
    }


def common_options(settings: Settings, *, logger: object) -> dict[str, Any]:
    """Return what holds for every request to YouTube."""
    deno = find_deno()
    options: dict[str, Any] = {
        "logger": logger,
        "quiet": True,
        "noprogress": True,
        # YouTube and nothing else, whatever a page redirects to; it also makes starting quicker.
        "allowed_extractors": ["youtube.*"],
        "ignoreerrors": False,
        # Solved signatures and tokens of one session must not outlive it on disk.
        "cachedir": False,
        "extractor_retries": 3,
        "socket_timeout": LIMITS.socket_timeout_seconds,
        "proxy": settings.proxy,
        "enable_file_urls": False,
        "js_runtimes": {"deno": {"path": str(deno)} if deno else {}},
    }
    if settings.ca_file is not None:
        # yt-dlp trusts certifi's list alone unless told to ask the system's, which we extend.
        options["compat_opts"] = {"no-certifi"}
    return options


def format_selector(quality: str, *, can_merge: bool) -> str:
    """Return the format to choose; without ffmpeg only files with sound and picture together."""
    if quality == "audio":
        return "ba/b"
    height = HEIGHTS.get(quality)
    bound = f"[height<={height}]" if height else ""
    whole = f"b{bound}/b"
    return f"bv*{bound}+ba/{whole}" if can_merge else whole


def trust_also(ca_file: Path, *, folder: Path | None = None) -> None:
    """Have this process trust the certificates of `ca_file` besides the usual ones.

    OpenSSL reads one file, so a joint one is made: in the folder, else in the private home that
    ends with the process.
    """
    usual = ssl.get_default_verify_paths().cafile or certifi.where()
    bundle = (folder or Path.home()) / "trusted.pem"
    bundle.write_bytes(Path(usual).read_bytes() + b"\n" + ca_file.read_bytes())
    os.environ["SSL_CERT_FILE"] = str(bundle)
