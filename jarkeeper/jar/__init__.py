"""The jar: all cookies of one login, read strictly and written in one canonical form."""

from jarkeeper.jar.canonical import read_canonical
from jarkeeper.jar.cookie import (
    AUTHENTICATION_COOKIES,
    HTTP_ONLY_COOKIES,
    LASTING_COOKIES,
    LOGIN_COOKIE,
    SAPISID_COOKIES,
    Cookie,
    Jar,
    login_cookies,
)
from jarkeeper.jar.emit import emit_jar
from jarkeeper.jar.export import read_export
from jarkeeper.jar.parse import parse_jar
from jarkeeper.jar.parsed import Form, ParsedJar
from jarkeeper.jar.rules import belongs

__all__ = [
    "AUTHENTICATION_COOKIES",
    "HTTP_ONLY_COOKIES",
    "LASTING_COOKIES",
    "LOGIN_COOKIE",
    "SAPISID_COOKIES",
    "Cookie",
    "Form",
    "Jar",
    "ParsedJar",
    "belongs",
    "emit_jar",
    "login_cookies",
    "parse_jar",
    "read_canonical",
    "read_export",
]
