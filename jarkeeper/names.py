"""What things are called: jars, vaults, generations, and where each object lies in the store."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import NewType

from jarkeeper.errors import InputError
from jarkeeper.words import printable

VaultId = NewType("VaultId", str)
GenerationId = NewType("GenerationId", str)

VAULT_KEY = "vault.json"
JARS_PREFIX = "cookies/"
METADATA_KEY = "cookies/metadata.json"
KEYS_PREFIX = "keys/"
PROBE_PREFIX = "keys/probe-"
"""Beside the records of keys, where whoever may found a vault may write anyway."""
OPENS_PREFIX = "opens/"
"""Beside the jars: whoever lists those need not wade through permits."""
INCIDENTS_PREFIX = "incidents/"
WHOLE_VAULT = "_vault"
"""Stands for the jar in the place of an incident that concerns the vault: no jar is named so."""
HEAD_DIGITS = 12
PERMIT_DIGITS = 4
WINDOW_FORMAT = "%Y%m%dT%H"

_JAR = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_KEY_ENTRY_KEY = re.compile(r"keys/([0-9]{12})\.json", re.ASCII)
_HEAD_KEY = re.compile(
    r"cookies/([a-z0-9][a-z0-9-]{0,31})/heads/(?!0{12})([0-9]{12})\.json", re.ASCII
)
_GENERATION_KEY = re.compile(
    r"cookies/([a-z0-9][a-z0-9-]{0,31})/generations/([0-9a-f]{32})", re.ASCII
)
_PERMIT_KEY = re.compile(
    r"opens/([a-z0-9][a-z0-9-]{0,31})/([0-9]{8}T[0-9]{2})/([0-9]{4}|[1-9][0-9]{4})",
    re.ASCII,
)
_INCIDENT_KEY = re.compile(
    r"incidents/(_vault|[a-z0-9][a-z0-9-]{0,31})/([a-z][a-z-]{0,31})/([0-9]{12})\.json", re.ASCII
)


def new_id() -> str:
    """Return 128 random bits in hexadecimal: never guessed, never met twice."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Whether the text has the form of a vault's, generation's or writer's id."""
    return _ID.fullmatch(text) is not None


def is_jar(text: str) -> bool:
    """Whether the text can name a jar."""
    return _JAR.fullmatch(text) is not None


def checked_jar_name(text: str) -> str:
    """Return the name, or raise `InputError` where it cannot name a jar."""
    if not is_jar(text):
        raise InputError(
            f"jar name '{printable(text[:40])}': expected 1 to 32 lower-case letters, digits or "
            "'-', starting with a letter or digit",
            hint="for example 'youtube'",
        )
    return text


def checked_generation(text: str) -> GenerationId:
    """Return the id, or raise `InputError` where it cannot be one."""
    if not is_id(text):
        raise InputError("generation: expected 32 hexadecimal digits")
    return GenerationId(text)


def heads_prefix(jar: str) -> str:
    return f"{JARS_PREFIX}{jar}/heads/"


def head_key(jar: str, seq: int) -> str:
    return f"{heads_prefix(jar)}{seq:0{HEAD_DIGITS}d}.json"


def generations_prefix(jar: str) -> str:
    return f"{JARS_PREFIX}{jar}/generations/"


def generation_key(jar: str, generation: GenerationId) -> str:
    return f"{generations_prefix(jar)}{generation}"


def opens_prefix(jar: str, window: str = "") -> str:
    """Return where the permits of a jar lie: all of them, or those of one window."""
    return f"{OPENS_PREFIX}{jar}/{window}{'/' if window else ''}"


def permit_key(jar: str, window: str, number: int) -> str:
    return f"{opens_prefix(jar, window)}{number:0{PERMIT_DIGITS}d}"


def incidents_prefix(jar: str, cause: str) -> str:
    """Return where the log of one cause of a jar lies; no jar means the vault."""
    return f"{INCIDENTS_PREFIX}{jar or WHOLE_VAULT}/{cause}/"


def incident_key(jar: str, cause: str, seq: int) -> str:
    return f"{incidents_prefix(jar, cause)}{seq:0{HEAD_DIGITS}d}.json"


def window_of(moment: datetime) -> str:
    """Return the window of a moment, its hour in UTC: '20260601T12'."""
    return moment.astimezone(UTC).strftime(WINDOW_FORMAT)


def view_key(jar: str, slot: str) -> str:
    """Return the name that operators were promised: 'cookies/youtube-cookies-active.txt'."""
    return f"{JARS_PREFIX}{jar}-cookies-{slot}.txt"


def key_entry_key(seq: int) -> str:
    return f"{KEYS_PREFIX}{seq:0{HEAD_DIGITS}d}.json"


def parse_key_entry_key(key: str) -> int | None:
    """Return the seq of a record of keys, or None for any other object."""
    match = _KEY_ENTRY_KEY.fullmatch(key)
    return int(match[1]) if match else None


def parse_head_key(key: str) -> tuple[str, int] | None:
    """Return jar and seq of a head's key, or None for any other object."""
    match = _HEAD_KEY.fullmatch(key)
    return (match[1], int(match[2])) if match else None


def parse_generation_key(key: str) -> tuple[str, GenerationId] | None:
    """Return jar and id of a generation's key, or None for any other object."""
    match = _GENERATION_KEY.fullmatch(key)
    return (match[1], GenerationId(match[2])) if match else None


def parse_permit_key(key: str) -> tuple[str, str, int] | None:
    """Return jar, window and number of a permit's key, or None for any other object."""
    match = _PERMIT_KEY.fullmatch(key)
    return (match[1], match[2], int(match[3])) if match and int(match[3]) else None


def parse_incident_key(key: str) -> tuple[str, str, int] | None:
    """Return jar, cause and seq of an incident's record, or None for any other object."""
    match = _INCIDENT_KEY.fullmatch(key)
    if match is None or not int(match[3]):
        return None
    return ("" if match[1] == WHOLE_VAULT else match[1], match[2], int(match[3]))
