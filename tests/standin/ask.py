"""The remote control for a shell: `python -m standin.ask new_session me user_id=1001`.

The first word is a method of `Control`, words with `=` are its named arguments. What it returns is
printed as it is. The address is in `STANDIN_CONTROL`.
"""

from __future__ import annotations

import json
import os
import sys

from standin.control import Control, ControlError


def main(words: list[str]) -> int:
    """Ask the stand-in one thing."""
    control = Control(os.environ["STANDIN_CONTROL"])
    plain = [word for word in words if "=" not in word]
    named = dict(word.split("=", 1) for word in words if "=" in word)
    try:
        result = getattr(control, plain[0])(*plain[1:], **{k: _read(v) for k, v in named.items()})
    except (ControlError, AttributeError, TypeError) as error:
        print(f"standin: {error}", file=sys.stderr)
        return 2
    if result is not None:
        print(result, end="" if isinstance(result, str) else "\n")
    return 0


def _read(value: str) -> object:
    """Return numbers, lists and truths as such; anything else is a word, and so is an id."""
    try:
        read = json.loads(value)
    except ValueError:
        return value
    return value if isinstance(read, int) and len(value) > 9 else read


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
