"""Which yt-dlp is installed."""

from __future__ import annotations

from yt_dlp.version import __version__


def yt_dlp_version() -> str:
    """Return yt-dlp's version, which is the date of its release."""
    return str(__version__)
