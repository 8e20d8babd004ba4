"""Which settings are in force, and where each came from; a secret is shown as set or not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from jarkeeper.settings.aws import AWS_VARIABLES
from jarkeeper.settings.model import Settings
from jarkeeper.settings.variables import VARIABLES

SHOWN = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_CA_BUNDLE")
"""Of AWS's variables, those whose value is no secret; an endpoint may hold a password."""
SET = "(set, not shown)"


@dataclass(frozen=True, slots=True)
class Origin:
    """One setting: its variable, its value as text, and whether it was set or is the default."""

    variable: str
    value: str | None
    """None where nothing is set; never a secret."""
    source: str
    """`default`, `environment` or `command line`."""


def origins(settings: Settings, environment: Mapping[str, str] | None = None) -> tuple[Origin, ...]:
    """Return every setting in force, in the order of the documentation."""
    environ = os.environ if environment is None else environment
    read = Settings.read(environ)
    ours = [_origin(settings, read, name, environ) for name in VARIABLES]
    theirs = [
        Origin(name, environ[name] if name in SHOWN else SET, "environment")
        for name in AWS_VARIABLES
        if environ.get(name)
    ]
    return (*ours, *theirs)


def _origin(settings: Settings, read: Settings, name: str, environ: Mapping[str, str]) -> Origin:
    variable, value = VARIABLES[name], getattr(settings, name)
    text = None if value is None else variable.write(value) or None
    source = "environment" if environ.get(variable.name, "").strip() else "default"
    if value != getattr(read, name):
        source = "command line"
    return Origin(variable.name, SET if text and variable.is_secret else text, source)
