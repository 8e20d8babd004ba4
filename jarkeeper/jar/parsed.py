"""What every form of an export becomes: a jar, what was left out, and in which form it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from jarkeeper.errors import JarFormatError
from jarkeeper.jar import rules
from jarkeeper.jar.cookie import Cookie, Jar
from jarkeeper.limits import LIMITS


class Form(StrEnum):
    """What an export looks like."""

    NETSCAPE = "netscape"
    JSON = "json"
    HEADER = "header"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class ParsedJar:
    """A jar, how many cookies of other sites were dropped, and what was put right on the way."""

    jar: Jar
    dropped: int
    warnings: tuple[str, ...]
    form: Form = Form.NETSCAPE
    repeated: int = 0
    """Of two cookies alike the first was left out; how often."""


def gathered(
    cookies: Sequence[Cookie],
    *,
    sites: tuple[str, ...],
    dropped: int = 0,
    form: Form = Form.NETSCAPE,
    warnings: Sequence[str] = (),
) -> ParsedJar:
    """Return the jar of these cookies, or raise `JarFormatError` where there are none."""
    if not cookies:
        raise _nothing_left(dropped, sites)
    jar = Jar(tuple(cookies))
    repeated = len(cookies) - len(jar)
    if repeated:
        rows = "row" if repeated == 1 else "rows"
        warnings = [*warnings, f"{repeated} repeated {rows} left out, the last of each kept"]
    return ParsedJar(jar, dropped, tuple(warnings), form, repeated)


def text_of(content: bytes) -> str:
    """Return the text with LF at the end of each line, or raise `JarFormatError`."""
    if len(content) > LIMITS.jar_bytes_max:
        raise JarFormatError(
            f"{rules.FILE_SIZE}, got {len(content)}",
            hint="a cookie file is far smaller; is this the right file?",
        )
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise JarFormatError("expected UTF-8 text, got UTF-16", line=1, hint="save it as UTF-8")
    # Latin-1 never fails and keeps one character a byte: what is kept must be ASCII anyway.
    text = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1").replace("\r\n", "\n")
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        raise JarFormatError("expected LF or CRLF at the end of a line, got CR", line=line)
    return text


def too_many(line: int | None = None) -> JarFormatError:
    """Return the error for a jar that would hold more cookies than any login has."""
    return JarFormatError(
        rules.COUNT,
        line=line,
        hint="export from a fresh private window, after one login",
    )


def _nothing_left(dropped: int, sites: tuple[str, ...]) -> JarFormatError:
    wanted = ", ".join(sites)
    others = f", but {dropped} of other sites" if dropped else ""
    return JarFormatError(
        f"expected cookies of {wanted}, got none{others}",
        hint=f"log in, stay on a page of {sites[0]}, and export its cookies from there",
    )
