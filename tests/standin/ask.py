"""The remote control for a shell: `python -m standin.ask new_session me user_id=1001`.

The first word is a method of `Control`, words with `=` are its named arguments. What it returns is
printed as it is. `STANDIN_CONTROL` holds the address.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from standin.control import Control, ControlError


def main(words: list[str]) -> int:
    """Ask the stand-in one thing."""
    plain = [word for word in words if "=" not in word]
    named = [word.partition("=") for word in words if "=" in word]
    try:
        method = getattr(Control(os.environ["STANDIN_CONTROL"]), plain[0])
        result = method(*plain[1:], **{name: _read(method, name, text) for name, _, text in named})
    except (ControlError, AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        print(f"standin: {error}", file=sys.stderr)
        return 2
    if result is not None:
        print(result, end="" if isinstance(result, str) else "\n")
    return 0


def _read(method: Callable[..., Any], name: str, text: str) -> object:
    """Return a text where the method takes one, and else what it says as JSON."""
    parameter = inspect.signature(method).parameters.get(name)
    is_text = parameter is not None and str(parameter.annotation).startswith("str")
    return text if is_text else json.loads(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
