"""The settings: read once from the environment, checked together, never echoed when secret."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jarkeeper.errors import SettingsError
from jarkeeper.limits import LIMITS

YOUTUBE_SITES = ("youtube.com",)
LOG_LEVELS = ("debug", "info", "warning", "error")
KEY_BYTES = 32
SITE = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
TEMP_DIR = Path("/dev/shm")  # noqa: S108 - checked for safe permissions on use
WARNING_DAYS = 14.0
CRITICAL_DAYS = 3.0
OPENS_PER_HOUR = 120
"""Two a minute: a run opens a slot once, and again after each COOKIE_REFRESH_INTERVAL."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set. `Settings.read()` takes it from the environment."""

    vault: Path
    """The vault's directory."""
    key_file: Path
    """The file with the local wrapping key."""
    state_dir: Path
    """Where anchors are kept: outside the vault, so that a rolled-back vault shows."""
    encryption_key: bytes | None = field(default=None, repr=False)
    """A wrapping key used instead of the key file."""
    temp_dir: Path = TEMP_DIR
    """Where a temporary file goes if one cannot be avoided; memory, not disk."""
    refresh_interval: int = 86_400
    """Seconds after which a run asks the vault again for the jar it uses."""
    validation_enabled: bool = True
    """Whether a run checks its cookies before it starts."""
    backup_count: int = 3
    """How many earlier generations stay as backups."""
    opens_per_hour: int = OPENS_PER_HOUR
    """How often a jar may be opened in an hour of the clock, by all processes together."""
    expiry_warning_days: float = WARNING_DAYS
    """Warn when the login expires within this many days."""
    expiry_critical_days: float = CRITICAL_DAYS
    """Call it critical when the login expires within this many days; no more than the warning's."""
    sites: tuple[str, ...] = YOUTUBE_SITES
    """The sites whose cookies a jar keeps."""
    concurrency: int = 4
    """Videos downloaded at once."""
    retry_seconds: tuple[float, ...] = (10.0, 30.0, 90.0, 270.0)
    """Seconds to wait before each further try of a curable failure, varied at random."""
    proxy: str | None = field(default=None, repr=False)
    """An HTTP or SOCKS proxy for YouTube; may hold a password."""
    ca_file: Path | None = None
    """Certificates, in PEM form, trusted in addition to the usual ones."""
    log_level: str = "warning"
    """What is said on standard error besides: `info` every access, `debug` every try, as JSON."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings in force, or raise `SettingsError` naming every mistake at once."""
        environ = os.environ if environment is None else environment
        values: dict[str, Any] = default_places(environ)
        mistakes = []
        for name, variable in VARIABLES.items():
            text = environ.get(variable.name, "").strip()
            if not text:
                continue
            try:
                values[name] = variable.parse(text)
            except ValueError as error:
                mistakes.append(f"{variable.name}: {error}")
        mistakes += [
            f"{VARIABLES[name].name}: expected a path, as there is no home directory"
            for name in ("vault", "key_file", "state_dir")
            if name not in values and not environ.get(VARIABLES[name].name, "").strip()
        ]
        mistakes += disagreements(values)
        if mistakes:
            raise SettingsError(tuple(mistakes))
        return cls(**values)

    def checked(self) -> Settings:
        """Return these settings, or raise `SettingsError` where two of them disagree."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        if mistakes := disagreements(values):
            raise SettingsError(tuple(mistakes))
        return self

    def environment(self) -> dict[str, str]:
        """Return the variables from which another process reads these very settings."""
        pairs = {
            VARIABLES[item.name].name: VARIABLES[item.name].write(getattr(self, item.name))
            for item in fields(self)
            if getattr(self, item.name) is not None
        }
        return {name: text for name, text in pairs.items() if text}


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, how its text is read and how it is written again."""

    name: str
    parse: Callable[[str], Any]
    write: Callable[[Any], str] = str


def disagreements(values: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each pair of settings that contradict each other."""
    warning = values.get("expiry_warning_days", WARNING_DAYS)
    critical = values.get("expiry_critical_days", CRITICAL_DAYS)
    if critical <= warning:
        return []
    return [
        "COOKIE_EXPIRY_CRITICAL_DAYS: expected at most COOKIE_EXPIRY_WARNING_DAYS "
        f"({warning:g}), got {critical:g}"
    ]


def default_places(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return where vault, key and state live by the XDG rules, as far as that is known."""
    places = {
        "vault": ("XDG_DATA_HOME", ".local/share", "jarkeeper/vault"),
        "key_file": ("XDG_CONFIG_HOME", ".config", "jarkeeper/key"),
        "state_dir": ("XDG_STATE_HOME", ".local/state", "jarkeeper"),
    }
    home = _home(environ)
    found = {}
    for name, (variable, fallback, rest) in places.items():
        folder = Path(environ.get(variable, ""))
        if folder.is_absolute():  # the XDG rules: a relative one is to be ignored
            found[name] = folder / rest
        elif home:
            found[name] = home / fallback / rest
    return found


def _home(environ: Mapping[str, str]) -> Path | None:
    # A container's user may have no home at all.
    try:
        return Path(environ.get("HOME") or "~").expanduser().absolute()
    except RuntimeError:
        return None


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("expected a path, the home directory in it is not known") from None


def _existing_file(text: str) -> Path:
    path = _path(text)
    try:
        exists = path.is_file()
    except OSError:  # a folder that may not be searched, a name that is too long
        exists = False
    if not exists:
        raise ValueError(f"expected an existing file, got '{path}'")
    return path


def _flag(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    if text.casefold() not in words:
        raise ValueError("expected true or false")
    return words[text.casefold()]


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
        if not digits or not low <= int(text) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(text)

    return parse


def _days(text: str) -> float:
    return _number(text, 0, 3650, "days")


def _number(text: str, low: float, high: float, unit: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ValueError(f"expected a number of {unit} from {low:g} to {high:g}")
    return number


def _waits(text: str) -> tuple[float, ...]:
    if text == "none":
        return ()
    waits = tuple(_number(part, 0, 86_400, "seconds") for part in text.split(","))
    if len(waits) > 10:
        raise ValueError("expected at most 10 waits, separated by commas")
    return waits


def _write_waits(waits: tuple[float, ...]) -> str:
    return ",".join(repr(wait) for wait in waits) or "none"


def _sites(text: str) -> tuple[str, ...]:
    sites = tuple(part.strip().strip(".").lower() for part in text.split(","))
    if not all(SITE.fullmatch(site) for site in sites):
        raise ValueError("expected domain names separated by commas, such as 'youtube.com'")
    return sites


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"expected {KEY_BYTES} bytes in base64")
    return key


def _proxy(text: str) -> str:
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


def _level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"expected one of {', '.join(LOG_LEVELS)}")
    return text.lower()


VARIABLES: dict[str, Variable] = {
    "vault": Variable("JARKEEPER_VAULT", _path),
    "key_file": Variable("JARKEEPER_KEY_FILE", _path),
    "state_dir": Variable("JARKEEPER_STATE_DIR", _path),
    "encryption_key": Variable(
        "COOKIE_ENCRYPTION_KEY", _key, lambda key: base64.b64encode(key).decode()
    ),
    "temp_dir": Variable("COOKIE_TEMP_DIR", _path),
    "refresh_interval": Variable("COOKIE_REFRESH_INTERVAL", _whole(1, 31_536_000)),
    "validation_enabled": Variable(
        "COOKIE_VALIDATION_ENABLED", _flag, lambda flag: "true" if flag else "false"
    ),
    "backup_count": Variable("COOKIE_BACKUP_COUNT", _whole(1, LIMITS.backups_max)),
    "opens_per_hour": Variable("COOKIE_OPENS_PER_HOUR", _whole(1, LIMITS.opens_per_hour_max)),
    "expiry_warning_days": Variable("COOKIE_EXPIRY_WARNING_DAYS", _days),
    "expiry_critical_days": Variable("COOKIE_EXPIRY_CRITICAL_DAYS", _days),
    "sites": Variable("JARKEEPER_SITES", _sites, ",".join),
    "concurrency": Variable("JARKEEPER_CONCURRENCY", _whole(1, LIMITS.concurrency_max)),
    "retry_seconds": Variable("JARKEEPER_RETRY_SECONDS", _waits, _write_waits),
    "proxy": Variable("JARKEEPER_PROXY", _proxy),
    "ca_file": Variable("JARKEEPER_CA_FILE", _existing_file),
    "log_level": Variable("JARKEEPER_LOG_LEVEL", _level),
}
