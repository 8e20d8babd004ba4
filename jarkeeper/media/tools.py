"""Where yt-dlp's programs are: ffmpeg merges streams, deno runs the player's JavaScript.

The system's own come first, then those that PyPI packages ship, so that a fresh machine works.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

_ASKING = threading.Lock()
"""A package tries its program before it names it, once: threads that ask together would all try."""


def find_ffmpeg() -> Path | None:
    """Return the system's ffmpeg, else the one in the package `imageio-ffmpeg`, else None."""
    return _on_path("ffmpeg") or _packaged("imageio_ffmpeg", "get_ffmpeg_exe")


def find_deno() -> Path | None:
    """Return the system's deno, else the one in the package `deno`, else None."""
    return _on_path("deno") or _packaged("deno", "find_deno_bin")


def _on_path(name: str) -> Path | None:
    found = shutil.which(name)
    return _program(found) if found else None


def _packaged(module: str, function: str) -> Path | None:
    """Ask a package that may not be installed, or may lack a binary for this platform."""
    try:
        with _ASKING:
            ask: Callable[[], str] = getattr(import_module(module), function)
            return _program(ask())
    except (ImportError, AttributeError, OSError, RuntimeError):
        return None


def _program(place: str) -> Path | None:
    """Return the path if it can be run and is absolute: others depend on where we stand."""
    path = Path(place)
    return path if path.is_absolute() and path.is_file() and os.access(path, os.X_OK) else None
