"""Keeps cookie values out of text that strangers wrote: titles, reasons, warnings.

A page can quote a cookie back, whole, encoded, in pieces or with invisible letters between. So
text is compared without case and separators, by pieces, in several encodings, and left out where
one is found.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable
from threading import Lock

from jarkeeper.limits import LIMITS

PIECE_CHARS = 12
"""Long enough that everyday text never matches by chance, short enough to be of no use."""

SECRET_CHARS_MIN = 6
"""Shorter values (`1`, `true`, a language) are words of everyday text, not secrets."""

LEFT_OUT = "(left out: it held part of a cookie)"
URL = re.compile(r"(?:https?|wss?)://\S+")
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


class Cleaner:
    """Knows the values of every jar in use. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: frozenset[str] = frozenset()
        self._pieces: frozenset[str] = frozenset()

    def learn(self, values: Iterable[str]) -> None:
        """Keep these values out from now on."""
        with self._lock:
            new = {value for value in values if len(value) >= SECRET_CHARS_MIN} - self._values
            if new:
                self._pieces |= {piece for value in new for piece in pieces_of(value)}
                self._values |= new

    def clean(self, text: str) -> str:
        """Return the text without addresses, controls and cookie values, shortened."""
        text = URL.sub("<url>", visible(text))
        for value in sorted(self._values, key=len, reverse=True):
            text = text.replace(value, "…")
        return LEFT_OUT if self.finds_in(text) else text[: LIMITS.detail_chars_max]

    def title(self, text: object) -> str | None:
        """Return a title, shortened; None where there is none or a part of a cookie is in it."""
        if not isinstance(text, str):
            return None
        text = visible(text)
        quoted = any(value in text for value in self._values)
        return None if quoted or self.finds_in(text) else text[: LIMITS.title_chars_max]

    def finds_in(self, text: str) -> bool:
        """Return whether a piece of any value is in the text, in whatever dress."""
        return not self._pieces.isdisjoint(windows(squeezed(text)))


def visible(text: str) -> str:
    """Return the text without colours and without what cannot be seen."""
    text = ANSI.sub("", text)
    return "".join(" " if c in "\t\r\n" else c for c in text if is_seen(c))


def is_seen(character: str) -> bool:
    """Return whether the character shows; white space between words counts."""
    return character in "\t\r\n" or unicodedata.category(character)[0] != "C"


def squeezed(text: str) -> str:
    """Return the letters and digits alone, without case."""
    return "".join(c for c in text.casefold() if c.isalnum())


def windows(text: str) -> set[str]:
    """Return every piece of the text."""
    return {text[start : start + PIECE_CHARS] for start in range(len(text) - PIECE_CHARS + 1)}


def pieces_of(value: str) -> set[str]:
    """Return the pieces of a value: as it is, backwards, in hexadecimal and in base64."""
    raw = value.encode(errors="replace")
    forms = [value, value[::-1], raw.hex()]
    # In base64 a text looks different at each of three places of what stands around it.
    forms += [base64.b64encode(b"\0" * shift + raw).decode()[shift + 1 : -4] for shift in range(3)]
    return {piece for form in forms for piece in windows(squeezed(form))}
