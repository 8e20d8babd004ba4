"""What must hold all year, checked after every process and at every request."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jarkeeper.actions import Action
from jarkeeper.heads import Head, SlotRecord, SlotState
from jarkeeper.jar import read_canonical
from jarkeeper.names import head_key
from jarkeeper.slots import Source
from jarkeeper.vault import Vault
from jarkeeper.vault.generations import open_generation
from jarkeeper.vault.log import load_head
from standin.sessions import Session
from standin.world import World
from year.youtube import Visit, login_in

PUSHING = frozenset({Action.IMPORT, Action.ROTATE, Action.RESTORE})
"""What brings a new login, so that the oldest backup falls out."""
CALM_AFTER = timedelta(hours=40)
"""After the last trouble everything it moved has come to rest: a captcha's day, two refreshes."""
CHANGES_EACH = 4
"""States that one disturbance may move: each slot's, there and back, is eight at the very worst."""


class Broken(AssertionError):
    """A promise was broken."""


@dataclass
class Ledger:
    """Follows the heads of one jar, knowing what the world knows of each login."""

    vault: Vault
    jar: str
    world: World
    backup_count: int
    heads: list[Head] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    """The login in each generation that ever was in a slot."""
    taken: set[str] = field(default_factory=set)
    """The names of the sessions that the vault has to keep."""
    excused: set[str] = field(default_factory=set)
    """Sessions that were renewed in a process that failed: the new values died with it."""
    changes: list[tuple[datetime, str, SlotState, SlotState]] = field(default_factory=list)
    troubled_until: datetime | None = None
    once: set[tuple[object, str]] = field(default_factory=set)
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def head(self) -> Head | None:
        """The newest head."""
        self.read()
        return self.heads[-1] if self.heads else None

    def end(self, *, days: int) -> None:
        """Check that states moved no more often than the world gave cause, and heads neither."""
        moved, disturbed = len(self.changes), self.tally["disturbances"]
        if moved > CHANGES_EACH * disturbed:
            raise Broken(f"states changed {moved} times for {disturbed} disturbances")
        quiet = len(self.heads) - self.tally[Action.WRITE_BACK] - self.tally[Action.GC]
        tests = 2 * (1 + self.backup_count) * (days + 2)
        if quiet > tests + moved + 2 * disturbed:
            raise Broken(f"{len(self.heads)} heads in {days} days")

    def disturbed(self, until: datetime) -> None:
        """Something happens in the world that may move states until a while after."""
        self.tally["disturbances"] += 1
        self.troubled_until = max(until, self.troubled_until or until)

    def read(self) -> None:
        """Follow the log to its end."""
        ports = self.vault.ports
        while head_key(self.jar, len(self.heads) + 1) in ports.store.objects:
            head = load_head(ports, self.jar, len(self.heads) + 1).head
            for item in head.slots.records():
                self._learn(item)
            if self.heads:
                self._follow(self.heads[-1], head)
            self.heads.append(head)

    def look(self) -> None:
        """Check that no good login is lost."""
        self.read()
        if not self.heads:
            return
        kept = {login for item in self.heads[-1].slots.records() if (login := self._login(item))}
        for name in tuple(self.taken):
            session = self.world.book.sessions[name]
            if session.state != "alive":
                self.taken.discard(name)
            elif name not in self.excused and not any(map(session.accepts, kept)):
                raise Broken(f"session {name} is good, and no slot holds what it accepts")

    def seen(self, visit: Visit, now: datetime) -> None:
        """Check that a request may be made with these cookies, or without any."""
        head = self.head
        if head is None:
            return
        if visit.generation is None:
            return
        item = head.slots.find(visit.generation)
        if item is None:
            return
        dead = item.state is SlotState.DEAD
        resting = item.state is SlotState.COOLING and item.until > now
        if not (dead or resting):
            return
        # Somebody else found out meanwhile: who had the jar already learns it by one request.
        earlier = visit.lent_at is not None and visit.lent_at <= item.since.timestamp()
        told = (visit.by, visit.generation)
        if earlier and told not in self.once:
            self.once.add(told)
            self.tally["late requests"] += 1
            return
        word = "dead" if dead else "resting"
        raise Broken(f"generation {visit.generation[:8]} was known to be {word}, and was used")

    def session_of(self, item: SlotRecord) -> Session | None:
        """Return whose login lies in a slot, by the world's knowledge."""
        login = self.held[item.generation.id]
        return self.world.book._owner(login)

    def is_good(self, item: SlotRecord) -> bool:
        """Whether the world would sign in with what lies in the slot."""
        return self._login(item) is not None

    def _login(self, item: SlotRecord) -> str | None:
        login = self.held[item.generation.id]
        session = self.world.book._owner(login)
        return login if session is not None and session.accepts(login) else None

    def _learn(self, item: SlotRecord) -> None:
        record = item.generation
        if record.id in self.held:
            return
        jar = read_canonical(open_generation(self.vault.ports, self.jar, record))
        self.held[record.id] = login_in(jar)
        session = self.session_of(item)
        if record.source is Source.IMPORT and session is not None and self.is_good(item):
            self.taken.add(session.name)

    def _follow(self, old: Head, new: Head) -> None:
        self.tally[f"{new.action}"] += 1
        if new.action in (Action.PROMOTE, Action.ROTATE):
            self._took_over(old, new)
        after = {item.generation.id: item for item in new.slots.records()}
        for item in old.slots.records():
            successor = after.get(item.generation.id) or self._heir(old, new)
            if successor is None:
                self._left(item, old, new)
            elif successor.state is not item.state:
                self._changed(item, successor, new)

    def _took_over(self, old: Head, new: Head) -> None:
        if not self.is_good(new.active):
            raise Broken(f"what is no good became active by {new.action}")
        if old.active is None or not self.is_good(old.active):
            return
        before, after = self.session_of(old.active), self.session_of(new.active)
        if before.user_id != after.user_id:
            raise Broken(f"another account's login took the place of a good one by {new.action}")

    @staticmethod
    def _heir(old: Head, new: Head) -> SlotRecord | None:
        """Return what a write-back put in a slot."""
        if new.action is not Action.WRITE_BACK:
            return None
        known = {item.generation.id for item in old.slots.records()}
        return next(item for item in new.slots.records() if item.generation.id not in known)

    def _changed(self, before: SlotRecord, after: SlotRecord, head: Head) -> None:
        self.changes.append((head.at, after.generation.id, before.state, after.state))
        self.tally[f"{before.state} to {after.state}"] += 1
        if after.state is SlotState.DEAD and self.is_good(after):
            raise Broken(f"generation {after.generation.id[:8]} is good, and was called dead")
        session = self.session_of(after)
        if session is not None and self.held[after.generation.id] in session.replaced:
            return  # an older copy of a login, whose grace ended
        if self.troubled_until is None or head.at > self.troubled_until + CALM_AFTER:
            raise Broken(
                f"{before.state} became {after.state} while nothing happened, {after.reason}"
            )

    def _left(self, item: SlotRecord, old: Head, new: Head) -> None:
        if not self.is_good(item):
            return
        session = self.session_of(item)
        name = f"session {session.name}, {item.state}, left its slot by {new.action}"
        same = [one for one in new.slots.records() if self.session_of(one) is session]
        if item is old.slots.pending and new.action in (Action.STAGE, Action.IMPORT):
            self.taken.discard(session.name)
        elif new.action is Action.REVOKE or any(map(self.is_good, same)):
            pass
        elif new.action not in PUSHING or len(new.backups) < self.backup_count:
            raise Broken(name)
        elif any(one.state is SlotState.DEAD for one in new.backups):
            raise Broken(f"{name}, though a dead one stays")
        else:
            self.tally["fell out by count"] += 1
            self.taken.discard(session.name)
