"""What a failed download means: the table's first row that applies to what was observed.

Texts are normalised first, and parts of them that strangers choose (file names, names of membership
levels and of claimants) are cut out, so that no title can pose as another failure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jarkeeper.slots import SlotState
from jarkeeper.youtube.rows import FailureClass, Help, RetryRule, Row
from jarkeeper.youtube.table import LOCAL_STARTS, OPEN_LIMIT, TABLE, UNKNOWN

__all__ = [
    "OPEN_LIMIT",
    "TABLE",
    "UNKNOWN",
    "Classification",
    "FailureClass",
    "Help",
    "Observation",
    "RetryRule",
    "Row",
    "classify",
    "normalise",
    "row_of",
]

TEXT_CHARS_MAX = 5_000
"""Of one text: YouTube's longest reason with yt-dlp's hints is a fifth of that."""
PRIVATE_LISTS = frozenset({"LL", "WL", "LM", "RDMM"})
"""Every account has these; that one of them does not exist means that there is no login."""

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")
_PREFIX = re.compile(r"(?:error: )?(?:\[[\w:+.-]+\] (?:\S+: )?)?")
_STRANGERS = re.compile(
    r"(?<=members on level: ).*|(?<=content from ).*(?=, who )|(?<=claim by ).*"
)
# The name of a downloaded file holds its title, and so a space; that of a cookie file does not.
_PATH = re.compile(r"(?<=: )(['\"])(?![^\s'\"]*cookie[^\s'\"]*\1).*\1")
_STATUS = re.compile(r"http error ([1-5]\d\d)")
_ROWS = {row.failure: row for row in (*TABLE, OPEN_LIMIT, UNKNOWN)}
# A status or a broken connection, which is all that warnings are asked for beside rows 3 and 27.
_EVIDENCE = tuple(
    _ROWS[failure]
    for failure in (
        FailureClass.RATE_LIMIT_IP,
        FailureClass.MEDIA_FORBIDDEN,
        FailureClass.EXTRACT_TRANSIENT,
        FailureClass.NETWORK,
    )
)
_LOCAL = (_ROWS[FailureClass.DISK_FULL], _ROWS[FailureClass.LOCAL])


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was seen of one try."""

    text: str = ""
    """The exception's text; empty where there was none."""
    warnings: tuple[str, ...] = ()
    exception_type: str = ""
    http_status: int | None = None
    countries: tuple[str, ...] = ()
    used_cookies: bool = False
    jar_alive: bool | None = None
    """Whether the session was alive afterwards; None where no cookies were used."""
    list_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What one try means. A success has no failure, but may have a verdict on its slot."""

    failure: FailureClass | None = None
    row: int | None = None
    """The number of the row that applied; None for a plain success and for an unknown text."""
    slot_verdict: SlotState | None = None
    cool_minutes: int | None = None
    reason: str = ""
    """The class behind the verdict, as a word for a slot's record."""
    status: int | None = None
    countries: tuple[str, ...] = ()


def classify(observation: Observation, *, succeeded: bool) -> Classification:
    """Return what the try means; the same observation always means the same."""
    if succeeded:
        lost = _is_session_lost(observation)
        return (
            _judged(_ROWS[FailureClass.COOKIE_ROTATED], observation, failed=False)
            if lost
            else (Classification())
        )
    return _judged(_find_row(observation), observation, failed=True)


def row_of(failure: FailureClass) -> Row:
    """Return the row of a class: what it means to a user, and what may be done about it."""
    return _ROWS[failure]


def normalise(text: str) -> str:
    """Return the text casefolded, without colours, prefix and strangers' words.

    YouTube mixes two apostrophes, even in one sentence; here there is one.
    """
    text = _ANSI.sub("", text[:TEXT_CHARS_MAX]).replace("\u2019", "'").casefold()
    text = _SPACES.sub(" ", text).strip()
    text = text[match.end() :] if (match := _PREFIX.match(text)) else text
    return _PATH.sub("", _STRANGERS.sub("", text))


def _find_row(observation: Observation) -> Row:
    text = normalise(observation.text)
    if text.startswith(LOCAL_STARTS):
        return _first(_LOCAL, (text,)) or UNKNOWN
    if observation.http_status is not None:
        text = f"{text} http error {observation.http_status}"
    row = next((row for row in TABLE if _applies(row, observation, text)), UNKNOWN)
    return (_first(_EVIDENCE, _warnings(observation)) or row) if row.defers else row


def _applies(row: Row, observation: Observation, text: str) -> bool:
    match row.failure:
        case FailureClass.COOKIE_ROTATED:
            return _is_session_lost(observation)
        case FailureClass.NOT_AUTHENTICATED if observation.list_id not in PRIVATE_LISTS:
            return False
        case FailureClass.CONFIG if _first((row,), _warnings(observation)):
            return True
    return _matches(row, text, observation.exception_type)


def _warnings(observation: Observation) -> tuple[str, ...]:
    return tuple(map(normalise, observation.warnings))


def _is_session_lost(observation: Observation) -> bool:
    """Whether the login ended in this try: a warning says so, or the jar holds none afterwards.

    It is never an exception, and the download may have succeeded all the same.
    """
    if not observation.used_cookies:
        return False
    if observation.jar_alive is False:
        return True
    return _first((_ROWS[FailureClass.COOKIE_ROTATED],), _warnings(observation)) is not None


def _first(rows: tuple[Row, ...], texts: tuple[str, ...]) -> Row | None:
    return next((row for row in rows for text in texts if _matches(row, text)), None)


def _matches(row: Row, text: str, exception_type: str = "") -> bool:
    if any(_contains(text, pattern) for pattern in row.unless):
        return False
    return exception_type in row.types or any(_contains(text, p) for p in row.patterns)


def _contains(text: str, pattern: str) -> bool:
    """Whether the parts of the pattern stand in the text, in their order."""
    position = 0
    for part in pattern.split("…"):
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _judged(row: Row, observation: Observation, *, failed: bool) -> Classification:
    verdict = row.slot_verdict if observation.used_cookies else None
    return Classification(
        failure=row.failure if failed else None,
        row=None if row is UNKNOWN else row.number,
        slot_verdict=verdict,
        cool_minutes=row.cool_minutes if verdict else None,
        reason=row.failure.value if verdict else "",
        status=_status(observation),
        countries=observation.countries,
    )


def _status(observation: Observation) -> int | None:
    """Return the HTTP status that was seen: the exception's own, or the last one in a text."""
    if observation.http_status is not None:
        return observation.http_status
    for text in (observation.text, *reversed(observation.warnings)):
        if found := _STATUS.findall(normalise(text)):
            return int(found[-1])
    return None
