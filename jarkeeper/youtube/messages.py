"""What a run and its worker say to each other: one JSON object a line, typed on both sides.

Nothing here can carry a cookie: requests name videos and slots; events carry ids, counts and text
from which every value of the jar was removed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, get_args

from jarkeeper.errors import JarkeeperError


@dataclass(frozen=True, slots=True)
class Start:
    """The first line: what the run may do in the vault, and what the worker needs besides.

    It may use `jar`, of head `base_head` or a newer one, until an ISO 8601 moment. `staging` is a
    directory.
    """

    jar: str
    base_head: int
    until: str
    beyond_limit: bool
    staging: str
    quality: str
    threads: int
    actor: str
    flow_run: str | None = None


@dataclass(frozen=True, slots=True)
class Expand:
    """List the videos of a playlist or channel, `most` at most."""

    number: int
    url: str
    list_id: str
    use: str
    most: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download one video with the cookies of `use` into the staging directory."""

    number: int
    video_id: str
    use: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask YouTube whether a generation still makes a login; `visit` looks at more than a page."""

    number: int
    generation: str
    visit: bool


@dataclass(frozen=True, slots=True)
class Close:
    """Leave what is under way to a later run, write refreshed jars back, and end."""


Request = Start | Expand | Fetch | Probe | Close


@dataclass(frozen=True, slots=True)
class Lent:
    """The worker opened the jar of a slot."""

    use: str
    generation: str
    fingerprint: str
    head_seq: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """The vault did not lend the jar of a slot; `reason` says why, `failure` is its class."""

    use: str
    reason: str
    failure: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes of one video so far. `total` and `eta_seconds` are None while unknown."""

    video_id: str
    received: int
    total: int | None
    bytes_per_second: float | None
    eta_seconds: float | None


@dataclass(frozen=True, slots=True)
class Expanded:
    """The videos of one list as (id, title); `failure` is None when it could be read."""

    number: int
    videos: list[tuple[str, str | None]]
    failure: str | None
    detail: str
    slot_state: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """How one try at one video ended; `file` is the name in the staging directory."""

    number: int
    video_id: str
    use: str
    failure: str | None
    file: str | None
    title: str | None
    received: int
    seconds: float
    http_status: int | None
    detail: str
    warnings: list[str]
    slot_state: str | None
    generation: str | None


@dataclass(frozen=True, slots=True)
class Answered:
    """What YouTube answered to a probe of one generation, and what became of its slot.

    `alive` is None where it was not asked or did not say; `withheld` where the vault did not lend.
    """

    number: int
    generation: str
    slot: str
    alive: bool | None
    state: str | None
    kept: bool
    refused: str
    withheld: bool
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Marked:
    """A slot changed its state, as the classifier's table says. `until` is ISO 8601."""

    use: str
    generation: str
    state: str
    until: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class WroteBack:
    """A refreshed jar was kept as `generation`, or `refused` says why it was not."""

    use: str
    generation: str | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement of the worker, which has no output of its own: the words are its dimensions."""

    name: str
    value: float
    words: list[str]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The worker's last line; `error` is set when it could not go on."""

    error: str | None
    hint: str | None


Event = (
    Lent
    | Withheld
    | Progress
    | Expanded
    | Fetched
    | Answered
    | Marked
    | WroteBack
    | Measured
    | Stopped
)

_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (*get_args(Request), *get_args(Event))
}


class MessageError(JarkeeperError):
    """A line that is none of the messages above."""


def encode(message: Request | Event) -> bytes:
    """Return the message as one line."""
    content = {"type": type(message).__name__, **asdict(message)}
    return (
        json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
        + b"\n"
    )


def decode(line: bytes) -> Request | Event:
    """Return the message of one line, or raise `MessageError`, which quotes nothing."""
    try:
        content = json.loads(line)
        message: Request | Event = _TYPES[content.pop("type")](**content)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MessageError("worker message: expected one of the known types") from None
    return message
