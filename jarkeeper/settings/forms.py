"""How the text of a variable becomes a value: each form says what it expected, not what it got.

Whoever knows whether the text is a secret adds that.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

KEY_BYTES = 32
LOG_LEVELS = ("debug", "info", "warning", "error")
SINKS = ("emf", "otel")
ROOMS = ("audit", "cookies", "incidents", "keys", "opens")
"""What a vault at the bucket's top would take another one below for."""
ENCRYPTIONS = ("aws:kms", "none")

_SITE = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
_PRINCIPAL = re.compile(r"[A-Za-z0-9_.:/*?[\] -]{1,64}@[A-Za-z0-9_.:/*?[\]-]{1,64}", re.ASCII)
_ROLE = re.compile(
    r"arn:aws[a-z-]*:(?:iam|sts)::[0-9*?]{1,12}:[A-Za-z0-9_.:/@+=,*?[\]-]{1,512}", re.ASCII
)
_PATH_ALONE = re.compile(r"[^/]*:role/.*/[*?]*", re.ASCII)
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(
    r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){0,7}"
)
_KMS_KEY = re.compile(
    r"(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:)?"
    r"(?:alias/[A-Za-z0-9/_-]{1,250}|(?:(?<=:)key/)?[A-Za-z0-9-]{8,64})",
    re.ASCII,
)
_PARAMETER = re.compile(
    r"(?:arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter)?[A-Za-z0-9_./-]{1,1011}"
)


def path(text: str) -> Path:
    """Return an absolute path; `~` is the home folder."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("expected a path, the home directory in it is not known") from None


def folder(text: str) -> Path:
    """Return a folder's absolute path; what looks like a URL is none."""
    if "://" in text or text[:3].lower() == "s3:":
        raise ValueError(
            "expected a folder; a bucket is named by COOKIE_S3_BUCKET and COOKIE_S3_PREFIX, or by "
            "`--vault s3://bucket/prefix`"
        )
    return path(text)


def existing_file(text: str) -> Path:
    """Return the path of a file that is there."""
    found = path(text)
    try:
        exists = found.is_file()
    except OSError:  # a folder that may not be searched, a name that is too long
        exists = False
    if not exists:
        raise ValueError(f"expected an existing file, got '{found}'")
    return found


def flag(text: str) -> bool:
    """Return what a word such as `yes` or `off` means."""
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    if text.casefold() not in words:
        raise ValueError("expected true or false")
    return words[text.casefold()]


def write_flag(value: bool) -> str:
    """Return the word for it."""
    return "true" if value else "false"


AUDIT_DAYS_MIN = 35
"""A month's report, and the two weeks that make a pattern, need what is younger."""


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return the form of a whole number within these bounds."""

    def parse(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
        if not digits or not low <= int(text) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(text)

    return parse


def days(text: str) -> float:
    """Return a number of days, ten years at most."""
    return _number(text, 0, 3650, "days")


def audit_days(text: str) -> int:
    """Return how long a trail is kept: for ever, or longer than anything here looks back."""
    try:
        kept = whole(0, 36_500)(text)
    except ValueError:
        kept = 1
    if 0 < kept < AUDIT_DAYS_MIN:
        raise ValueError(f"expected 0 for ever, or a whole number from {AUDIT_DAYS_MIN} to 36500")
    return kept


def percent(text: str) -> float:
    """Return a share of a hundred."""
    return _number(text, 0, 100, "percent")


def principals(text: str) -> tuple[str, ...]:
    """Return patterns of `user@host`."""
    found = tuple(part.strip() for part in text.split(","))
    if not all(_PRINCIPAL.fullmatch(pattern) for pattern in found):
        raise ValueError("expected names separated by commas, such as 'prefect@worker-*'")
    return found


def waits(text: str) -> tuple[float, ...]:
    """Return waiting times in seconds; none for the word `none`."""
    if text == "none":
        return ()
    found = tuple(_number(part, 0, 86_400, "seconds") for part in text.split(","))
    if len(found) > 10:
        raise ValueError("expected at most 10 waits, separated by commas")
    return found


def write_waits(values: tuple[float, ...]) -> str:
    """Return the text that `waits` reads."""
    return ",".join(repr(wait) for wait in values) or "none"


def sites(text: str) -> tuple[str, ...]:
    """Return domain names."""
    found = tuple(part.strip().strip(".").lower() for part in text.split(","))
    if not all(_SITE.fullmatch(site) for site in found):
        raise ValueError("expected domain names separated by commas, such as 'youtube.com'")
    return found


def key(text: str) -> bytes:
    """Return a key's bytes."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != KEY_BYTES:
        raise ValueError(f"expected {KEY_BYTES} bytes in base64")
    return found


def write_key(value: bytes) -> str:
    """Return the text that `key` reads."""
    return base64.b64encode(value).decode()


def proxy(text: str) -> str:
    """Return a proxy's URL; it may hold a password, so it is never quoted."""
    schemes = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        usable = usable and text.isprintable() and " " not in text
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("expected a URL such as 'http://proxy.example:3128'")
    return text


def endpoint(text: str) -> str:
    """Return the URL of a service; it may hold a password, so it is never quoted."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and text.isascii() and text.isprintable() and " " not in text
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("expected a URL such as 'https://s3.example'")
    return text


def drop(text: str) -> str:
    """Return a place for exports: a folder's absolute path, or 's3://bucket/prefix'."""
    if not text.startswith("s3://"):
        return str(path(text))
    name, _, rest = text.removeprefix("s3://").partition("/")
    return f"s3://{bucket(name)}/{prefix(rest)}".rstrip("/")


def logs(text: str) -> str:
    """Return a place of AWS's logs: a folder's absolute path, or 's3://bucket/prefix'."""
    if not text.startswith("s3://"):
        return str(path(text))
    name, _, rest = text.removeprefix("s3://").partition("/")
    rest = rest.strip("/")
    # No vault lies there, so a prefix may be named as what vaults have.
    if rest and not _PREFIX.fullmatch(rest):
        raise ValueError("expected plain names separated by '/', such as 'logs/jars'")
    return f"s3://{bucket(name)}/{rest}".rstrip("/")


def roles(text: str) -> tuple[str, ...]:
    """Return patterns of ARNs of roles and users."""
    found = tuple(part.strip() for part in text.split(","))
    if not all(_ROLE.fullmatch(pattern) for pattern in found):
        raise ValueError(
            "expected ARNs separated by commas, such as "
            "'arn:aws:iam::123456789012:role/jarkeeper-*'"
        )
    if any(_PATH_ALONE.fullmatch(pattern) for pattern in found):
        raise ValueError(
            "expected the names of roles after their path: sessions, and so AWS's logs, have no "
            "path, and a pattern of nothing else would allow every role"
        )
    return found


def level(text: str) -> str:
    """Return a log level."""
    return _one_of(LOG_LEVELS, text.lower())


def sinks(text: str) -> tuple[str, ...]:
    """Return where metrics go; nowhere for the word `none`."""
    if text == "none":
        return ()
    found = {part.strip() for part in text.split(",")}
    if not found <= set(SINKS):
        raise ValueError(f"expected {' or '.join(SINKS)}, both separated by a comma, or none")
    return tuple(sorted(found))


def write_sinks(values: tuple[str, ...]) -> str:
    """Return the text that `sinks` reads."""
    return ",".join(values) or "none"


def encryption(text: str) -> str:
    """Return how the store encrypts at rest."""
    return _one_of(ENCRYPTIONS, text)


def bucket(text: str) -> str:
    """Return a bucket's name by the rules of S3."""
    if not _BUCKET.fullmatch(text):
        raise ValueError(
            "expected the name of a bucket: 3 to 63 lower-case letters, digits, dots or dashes"
        )
    return text


def prefix(text: str) -> str:
    """Return a prefix without slashes around it."""
    found = text.strip("/")
    if found and not _PREFIX.fullmatch(found):
        raise ValueError("expected plain names separated by '/', such as 'teams/media'")
    if found.partition("/")[0] in ROOMS:
        raise ValueError(
            f"expected another name first than {', '.join(ROOMS)}, as vaults have them"
        )
    return found


def kms_key(text: str) -> str:
    """Return the id, ARN or alias of a KMS key."""
    if not _KMS_KEY.fullmatch(text):
        raise ValueError(
            "expected the id or ARN of a KMS key, or an alias such as 'alias/jarkeeper'"
        )
    return text


def parameter(text: str) -> str:
    """Return the name of a parameter in Parameter Store."""
    if not _PARAMETER.fullmatch(text):
        raise ValueError("expected the name of a parameter, such as '/jarkeeper/encryption-key'")
    return text


def toml(text: str) -> str:
    """Return a TOML document's text; it may hold tokens, so it is never quoted."""
    import tomllib

    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise ValueError("expected recipients and steps in TOML") from None
    return text


def _one_of(words: tuple[str, ...], text: str) -> str:
    if text not in words:
        raise ValueError(f"expected one of {', '.join(words)}")
    return text


def _number(text: str, low: float, high: float, unit: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ValueError(f"expected a number of {unit} from {low:g} to {high:g}")
    return number
