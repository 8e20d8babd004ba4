"""Jarkeeper: the cookies that yt-dlp needs, sealed, versioned and audited."""

__version__ = "0.1.0"
