"""Every generation that ever was in a slot, and what became of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jarkeeper.actions import Action
from jarkeeper.heads import GenerationRecord, Head, SlotState
from jarkeeper.names import GenerationId

REVOKED = "revoked"
DIED = "died"
CLEANED_UP = "cleaned up"
IN_NO_SLOT = "in no slot"

ENDINGS = {
    Action.WRITE_BACK: "renewed",
    Action.REWRAP: "sealed anew",
    Action.REVOKE: REVOKED,
}
"""How a generation's time as the active one ends, where it is not just replaced."""


@dataclass(frozen=True, slots=True)
class Past:
    """A generation, how long it was in use, how that ended, and where it is now."""

    generation: GenerationRecord
    active_seconds: float | None
    """While it was active and not dead; None where it never was."""
    ended: str
    """`replaced`, `renewed` (by its own write-back), `sealed anew`, `died`, `revoked`, or ''."""
    reason: str
    """Why it died, in a class of the classifier's."""
    place: str
    """The slot's name, `revoked`, `cleaned up`, or `in no slot`."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; there is no secret in it."""
        record = self.generation
        return {
            "generation": record.id,
            "fingerprint": record.fingerprint,
            "created_at": record.created_at,
            "source": record.source,
            "login_until": record.facts.login_until,
            "active_seconds": self.active_seconds,
            "ended": self.ended or None,
            "reason": self.reason,
            "now": self.place,
        }


def past_of(history: Sequence[Head], *, now: datetime) -> list[Past]:
    """Return the generations of a jar's heads, which come oldest first; the newest comes first."""
    if not history:
        return []
    tracks: dict[GenerationId, _Track] = {}
    for head in history:
        _follow(tracks, head)
    newest = history[-1]
    for track in tracks.values():
        track.stop(now)
    return [
        Past(
            generation=track.record,
            active_seconds=track.seconds,
            ended=track.ended,
            reason=track.reason,
            place=_place(newest, track),
        )
        for track in reversed(tracks.values())
    ]


@dataclass(slots=True)
class _Track:
    """What is known of a generation so far."""

    record: GenerationRecord
    last_seq: int
    seconds: float | None = None
    since: datetime | None = None
    """Since when it is in use, if it is."""
    ended: str = ""
    reason: str = ""

    def start(self, at: datetime) -> None:
        if self.since is None:
            self.since, self.seconds = at, self.seconds or 0.0
            self.ended, self.reason = "", ""

    def stop(self, at: datetime, *, ended: str = "", reason: str = "") -> None:
        if self.since is not None:
            self.seconds = (self.seconds or 0.0) + (at - self.since).total_seconds()
            self.since = None
        if ended:
            self.ended, self.reason = ended, reason


def _follow(tracks: dict[GenerationId, _Track], head: Head) -> None:
    active = None if head.active is None else head.active.generation.id
    for id_, track in tracks.items():
        if track.since is not None and id_ != active:
            track.stop(head.at, ended=ENDINGS.get(head.action, "replaced"))
    for item in head.slots.records():
        record = item.generation
        track = tracks.setdefault(record.id, _Track(record, head.seq))
        track.last_seq = head.seq
        if item.state is SlotState.DEAD:
            track.stop(item.since, ended=DIED, reason=item.reason)
        elif record.id == active:
            track.start(head.at)
    for id_ in head.revoked:
        if id_ in tracks:
            tracks[id_].stop(head.at, ended=REVOKED)


def _place(newest: Head, track: _Track) -> str:
    record = track.record
    if record.id in newest.revoked:
        return REVOKED
    item = newest.slots.find(record.id)
    if item is not None:
        return newest.slots.role_of(item)
    return CLEANED_UP if track.last_seq < newest.horizon else IN_NO_SLOT
