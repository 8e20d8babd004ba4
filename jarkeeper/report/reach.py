"""How much of a time is on record. The report and the statement go by this alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from jarkeeper.actions import Action
from jarkeeper.audit import Event, TrailReport


class Cover(StrEnum):
    """How much that is, and why it is not more."""

    WHOLE = "whole"
    IN_PART = "covered in part"
    """The trail begins in this time."""
    NOTHING = "not covered"
    """The trail begins after this time, or holds nothing."""
    RETIRED = "retired"
    """All of it is past retention."""
    RETIRED_IN_PART = "retired in part"


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of a time is on record."""

    cover: Cover
    words: str
    """Where the record begins, or up to where it may be deleted."""
    from_day: str = ""
    """The day on which the record begins; empty where there is none."""
    is_founding: bool = False
    """Whether the trail begins with its vault, so that nothing happened before."""

    @property
    def is_enough(self) -> bool:
        """Whether all that happened in this time is on record."""
        return self.cover is Cover.WHOLE or (self.cover is Cover.IN_PART and self.is_founding)

    @property
    def is_retired(self) -> bool:
        """Whether events of this time may be deleted, as they are past their retention."""
        return self.cover in (Cover.RETIRED, Cover.RETIRED_IN_PART)

    @property
    def sentence(self) -> str:
        """What to know of this time, for a reader of its numbers; empty where it is whole."""
        match self.cover:
            case Cover.WHOLE:
                return ""
            case Cover.RETIRED:
                return f"this time is past retention: {self.words}"
            case Cover.RETIRED_IN_PART:
                return f"part of this time is past retention: {self.words}"
            case Cover.NOTHING:
                return f"nothing of this time is on record: {self.words}"
        if self.is_founding:
            return f"{self.words}, with its vault: all numbers are of the time since"
        return f"what happened earlier in this time is not on record: {self.words}"


def reach_of(
    report: TrailReport, first: Event | None, *, since: datetime, until: datetime
) -> Reach:
    """Return how much of since <= t < until a trail has, whose first event is that one."""
    if first is None:
        return Reach(Cover.NOTHING, "no event is on record")
    if until <= first.at and not report.told.retired:
        return Reach(Cover.NOTHING, _begins(first), _day(first.at))
    retired_before = retired_before_of(report)
    if _day(since) < retired_before:
        words = f"events before {retired_before} are past their retention and may be deleted"
        is_all = _day(until - timedelta(microseconds=1)) < retired_before
        return Reach(Cover.RETIRED if is_all else Cover.RETIRED_IN_PART, words, retired_before)
    if report.told.retired:
        return Reach(Cover.WHOLE, f"what is still on record begins {second(first.at)}")
    if since < first.at:
        is_founding = first.action is Action.INIT
        return Reach(Cover.IN_PART, _begins(first), _day(first.at), is_founding)
    return Reach(Cover.WHOLE, _begins(first))


def retired_before_of(report: TrailReport) -> str:
    """Return the day before which events are past their retention; empty where none are."""
    told = report.told
    return str(date.fromordinal(told.retired_before)) if told.retired_before else ""


def second(moment: datetime) -> str:
    """Return the moment to the second, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _begins(first: Event) -> str:
    return f"the trail begins {second(first.at)}"
