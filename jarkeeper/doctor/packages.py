"""Packages whose newest versions break something, compared with the ranges that were tested."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from jarkeeper.checks import NOTHING, Finding, Severity

BREAKING = {
    "fastapi": "Prefect's server does not start, or deploying fails",
    "sqlalchemy": "Prefect's schedules never produce a run, without a word",
    "typer": "the command of prefect-aws does not start",
    "prefect": "flows and deployments are not tested with it",
}
"""Package → what goes wrong outside its range."""
REINSTALL = "run `pip install -c constraints.txt -e '.[media]'` in the project's folder"


def packages(installed: dict[str, str] | None = None) -> Iterator[Finding]:
    """Tell which packages are outside the range that they work in."""
    from packaging.requirements import Requirement

    wanted = map(Requirement, metadata.requires("jarkeeper") or ())
    ranges = {one.name.lower(): one.specifier for one in wanted if one.name.lower() in BREAKING}
    found = False
    for name, allowed in sorted(ranges.items()):
        version = _version(name) if installed is None else installed.get(name)
        if version is None or allowed.contains(version, prereleases=True):
            continue
        found = True
        message = f"{name} {version}, expected {allowed}: {BREAKING[name]}"
        yield Finding("packages", Severity.WARNING, message, REINSTALL)
    if not found:
        yield Finding("packages", Severity.OK, "Prefect has the versions that work", NOTHING)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
