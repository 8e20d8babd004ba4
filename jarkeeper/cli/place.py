"""Which vault and jar a command is about: commands in hints and next steps name them too."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

import click

DEFAULT_JAR = "youtube"

_IMPORT = re.compile(r"\bjarkeeper import (?=cookies\.txt)")
_OF_ONE_JAR = "history|diff|restore|revoke|promote|rotate|replace|refresh"
_NAMES = (
    "init|import|status|validate|download|check|doctor|audit|incidents|settings|backup|recover|"
    f"rewrap|usage|report|health|drill|cleanup|{_OF_ONE_JAR}"
)
_COMMAND = re.compile(rf"\bjarkeeper (?:{_NAMES})\b(?! --(?:vault|help))")
_JAR_COMMAND = re.compile(rf"\bjarkeeper (?:{_OF_ONE_JAR})\b(?! --(?:vault|jar|help))")


@dataclass
class Place:
    """The vault and jar that were named on the command line, if any were."""

    vault: str | None = None
    jar: str | None = None

    def fit(self, text: str) -> str:
        """Return the text with its commands as they must be typed to be about this place."""
        if self.jar not in (None, DEFAULT_JAR):
            option = f"--jar {shlex.quote(str(self.jar))} "
            text = _IMPORT.sub(lambda found: f"{found[0]}{option}", text)
            text = _JAR_COMMAND.sub(lambda found: f"{found[0]} {option.rstrip()}", text)
        if self.vault is not None:
            option = f" --vault {shlex.quote(str(self.vault))}"
            text = _COMMAND.sub(lambda found: f"{found[0]}{option}", text)
        return text


def current_place() -> Place:
    """Return the place of the command that runs in this thread."""
    context = click.get_current_context(silent=True)
    return (context and context.find_object(Place)) or Place()
