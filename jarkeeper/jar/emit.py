"""From a jar to the one canonical form of its cookie file."""

from __future__ import annotations

from jarkeeper.errors import JarFormatError
from jarkeeper.jar import rules
from jarkeeper.jar.cookie import Cookie, Jar
from jarkeeper.limits import LIMITS

_FLAGS = ("FALSE", "TRUE")


def emit_jar(jar: Jar) -> bytes:
    """Return the Netscape text that `parse_jar` reads back as this very jar.

    A jar may come from code that never saw a file, such as yt-dlp's after use: each cookie is
    checked again, so that no field can smuggle in a row. `JarFormatError` says which one failed.
    """
    if len(jar) > LIMITS.jar_cookies_max:
        raise JarFormatError(f"{rules.COUNT}, got {len(jar)}")
    rows = [rules.HEADER]
    for position, cookie in enumerate(jar.cookies, 1):
        if wrong := rules.wrong_domain(cookie.domain) or rules.wrong_cookie(cookie):
            raise JarFormatError(f"cookie {position}: {wrong}")
        rows.append(_row(cookie))
    content = ("\n".join(rows) + "\n").encode("ascii")
    if len(content) > LIMITS.jar_bytes_max:
        raise JarFormatError(f"{rules.FILE_SIZE}, got {len(content)}")
    return content


def _row(cookie: Cookie) -> str:
    fields = (
        rules.HTTP_ONLY + cookie.domain if cookie.http_only else cookie.domain,
        _FLAGS[cookie.include_subdomains],
        cookie.path,
        _FLAGS[cookie.secure],
        str(cookie.expires),
        cookie.name,
        cookie.value,
    )
    return "\t".join(fields)
