"""From whatever a person exported to a jar: the form is recognised from the content."""

from __future__ import annotations

from jarkeeper.jar import header, json_export, parse
from jarkeeper.jar.parsed import ParsedJar, text_of


def read_export(content: bytes, *, sites: tuple[str, ...]) -> ParsedJar:
    """Return the cookies of these sites, or raise `JarFormatError`, which quotes nothing.

    A Netscape cookie file, the JSON of an extension or of Playwright, or a `Cookie:` header.
    """
    text = text_of(content)
    if text.startswith(parse.HEADERS):
        return parse.parse_rows(text, sites=sites)
    if text.lstrip()[:1] in ("[", "{"):
        return json_export.parse_json(text, sites=sites)
    if headers := header.headers_in(text):
        return header.parse_header(headers, sites=sites)
    return parse.parse_rows(text, sites=sites)
