"""All that the stand-in knows, shared by its connections and its control API."""

from __future__ import annotations

import collections
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

from standin.faults import Faults
from standin.sessions import Session, SessionBook
from standin.videos import Catalogue, Video

LOG_ENTRIES_MAX = 200_000
PLAYLIST_PAGE = 100
CHANNEL_PAGE = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that arrived."""

    time: float
    method: str
    host: str
    path: str
    endpoint: str
    video_id: str | None = None
    session: str | None = None
    client: str | None = None
    range: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer that overrides what a video would get, for some visitors or some videos."""

    answer: str
    who: str = "all"
    video_id: str | None = None

    def concerns(self, video_id: str, session: Session | None) -> bool:
        names = {"all", "anonymous"} if session is None else {"all", "authenticated", session.name}
        return self.who in names and self.video_id in (None, video_id)


@dataclass(slots=True)
class World:
    """Content, sessions, rules, faults and the log."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    book: SessionBook = field(default_factory=SessionBook)
    faults: Faults = field(default_factory=Faults)
    rules: list[Rule] = field(default_factory=list)
    latency_ms: float = 0
    playlist_page: int = PLAYLIST_PAGE
    channel_page: int = CHANNEL_PAGE
    log: collections.deque[Seen] = field(
        default_factory=lambda: collections.deque(maxlen=LOG_ENTRIES_MAX)
    )
    lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, video: Video, session: Session | None) -> str:
        """Return which answer this visitor gets for this video; the newest rule wins."""
        with self.lock:
            for rule in reversed(self.rules):
                if rule.concerns(video.id, session):
                    return rule.answer
        if session and session.flagged:
            return "bot_check"
        if session and session.rate_limited:
            return "rate_limit"
        return video.answer

    def note(self, seen: Seen) -> None:
        self.log.append(seen)

    def seen(self) -> list[dict[str, Any]]:
        """Return the log, oldest first."""
        return [asdict(entry) for entry in self.log.copy()]

    def reset(self) -> None:
        """Forget everything that was added, set or seen."""
        with self.lock:
            self.catalogue = Catalogue()
            self.book = SessionBook()
            self.faults = Faults()
            self.rules.clear()
            self.latency_ms = 0
            self.playlist_page, self.channel_page = PLAYLIST_PAGE, CHANNEL_PAGE
            self.log.clear()
