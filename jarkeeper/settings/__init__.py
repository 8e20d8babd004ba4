"""The settings: read once from the environment, checked together, never echoed when secret."""

from jarkeeper.settings.aws import AWS_VARIABLES, RENEWING
from jarkeeper.settings.model import OPENS_PER_HOUR, TEMP_DIR, Settings
from jarkeeper.settings.origins import Origin, origins
from jarkeeper.settings.variables import VARIABLES, Variable

__all__ = [
    "AWS_VARIABLES",
    "OPENS_PER_HOUR",
    "RENEWING",
    "TEMP_DIR",
    "VARIABLES",
    "Origin",
    "Settings",
    "Variable",
    "origins",
]
