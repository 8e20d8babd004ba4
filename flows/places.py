"""Where a relative folder is: of whoever calls, or of the worker."""

from __future__ import annotations

from pathlib import Path

from prefect import runtime


def place_of(destination: Path) -> Path:
    """Return where the videos are; a worker's current folder is removed when the run ends."""
    deployed = runtime.deployment.id is not None
    return (Path.home() if deployed else Path.cwd()) / destination.expanduser()
