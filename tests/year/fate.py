"""What the world does in a year: drawn from a seed before it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from standin.sessions import Session
from standin.world import Rule
from year.weather import Weather
from year.youtube import YouTube

VALIDATED_EVERY = 6
"""Hours: a glitch falls on one of these moments, as else nobody would notice it."""

SIGNED_OUT = "signed out everywhere"
"""Somebody changed the password: every login of the account ends at once."""


@dataclass(frozen=True, slots=True)
class Window:
    """Something that holds for a while."""

    name: str
    begins: datetime
    ends: datetime


def windows(chance: Random, *, start: datetime, days: int) -> Iterator[Window]:
    """Draw the year's trouble."""

    def some(name: str, yearly: float, hours: tuple[float, float]) -> Iterator[Window]:
        for _ in range(_often(chance, yearly * days / 365)):
            begins = start + timedelta(days=chance.uniform(1, days))
            yield Window(name, begins, begins + timedelta(hours=chance.uniform(*hours)))

    yield from some("unreachable", 15, (0.3, 1.5))
    yield from some("rate-limited", 8, (1, 4))
    yield from some("flagged", 6, (2, 30))
    yield from some("captcha", 1, (12, 40))
    yield from some("address-suspected", 2, (1, 12))
    yield from some("store-down", 5, (0.3, 2))
    yield from some(SIGNED_OUT, 3, (0, 0))
    for day in sorted(chance.sample(range(1, days), _often(chance, 25 * days / 365))):
        hour = VALIDATED_EVERY * chance.randrange(24 // VALIDATED_EVERY)
        begins = start + timedelta(days=day, hours=hour, minutes=-1)
        yield Window("glitch", begins, begins + timedelta(minutes=chance.uniform(2, 9)))


def _often(chance: Random, mean: float) -> int:
    return max(0, min(round(chance.gauss(mean, mean**0.5)), int(mean * 3) + 1))


@dataclass
class Sky:
    """Applies windows to the world, several at a time."""

    youtube: YouTube
    weather: Weather
    account: str
    open: list[Window]

    def begin(self, window: Window) -> None:
        self.open.append(window)
        if window.name == SIGNED_OUT:
            for session in self.youtube.world.book.sessions.values():
                if session.user_id == self.account and session.state == "alive":
                    session.state = "revoked"
        self.settle()

    def end(self, window: Window) -> None:
        self.open.remove(window)
        self.settle()

    def has(self, name: str) -> bool:
        return any(window.name == name for window in self.open)

    @property
    def is_clear(self) -> bool:
        """Whether nothing stands between a good login and a video."""
        return not self.open

    def settle(self) -> None:
        world = self.youtube.world
        self.youtube.is_down = self.has("unreachable")
        self.weather.is_down = self.has("store-down")
        glitches = [window.ends for window in self.open if window.name == "glitch"]
        self.youtube.glitches_until = max(glitches, default=self.youtube.clock.now)
        world.rules.clear()
        if self.has("address-suspected"):
            world.rules.append(Rule("bot_check"))
        for session in world.book.sessions.values():
            ours = session.user_id == self.account
            session.rate_limited = ours and self.has("rate-limited")
            session.flagged = ours and self.has("flagged")
            if ours and self.has("captcha"):
                world.rules.append(Rule("captcha", who=session.name))


def new_session(
    chance: Random, *, name: str, account: str, now: datetime, clock: Callable[[], float]
) -> tuple[Session, datetime]:
    """Return a login as somebody makes one in a browser, and when YouTube will end it."""
    lasts = timedelta(days=chance.choice((30, *(400,) * 9)))
    session = Session(
        name,
        expires_at=int((now + lasts).timestamp()),
        rotate_every=chance.choice((None, 5, 20, 40)),
        grace_seconds=chance.choice((None, None, 3 * 86400)),
        member_of=("@standin",),
        user_id=account,
        clock=clock,
    )
    return session, min(now + timedelta(days=chance.expovariate(1 / 60)), now + lasts)
