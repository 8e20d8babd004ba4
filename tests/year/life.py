"""A year of a jar, by one seed: schedules, downloads, trouble, an operator, and what must hold."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from jarkeeper.anchors import MemoryAnchors
from jarkeeper.downloads.receipts import Outcome
from jarkeeper.errors import JarkeeperError
from jarkeeper.facts import is_authenticated
from jarkeeper.heads import SlotState
from jarkeeper.health import is_lost
from jarkeeper.lifecycle.drop import StoreDrop
from jarkeeper.lifecycle.rotation import Rotation, Step, fail_over, rotate
from jarkeeper.lifecycle.validation import validate
from jarkeeper.slots import Slot, choose
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import Vault
from jarkeeper.youtube.messages import Start
from standin.sessions import Session
from standin.videos import Video
from vaultkit import START, Clock, FaultyStore, Room
from year.clocks import Time, turned
from year.fate import VALIDATED_EVERY, Sky, Window, new_session, windows
from year.ledger import Broken, Ledger
from year.person import Person
from year.runs import SETTINGS, Errand, Run, Shelf
from year.watch import Watch
from year.weather import Died, SortedStore, Weather
from year.youtube import Visit, YouTube

JAR = "youtube"
ACCOUNT = "123456789012345678901"
FAULTS_OFTEN = 0.01
WANTING_PAUSE = ("BOT_CHECK", "CAPTCHA")
IMPORTED_MEANWHILE = 0.01
"""How often somebody imports other cookies while a run is under way, after one of its steps."""
FOR_EVER = timedelta(days=400)
CONFIRMED_AFTER = timedelta(minutes=15)
WATCH = "https://www.youtube.com/watch?v="
ANSWERS = ("ok",) * 6 + ("age_gate",) * 2 + ("members_only", "removed")
NEED_LOGIN = ("age_gate", "members_only")


@dataclass
class Life:
    """Everything that lives through one year."""

    seed: int
    days: int = 365
    clock: Clock = field(default_factory=Clock)
    story: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.weather = Weather(Random(self.seed + 1))
        self.store = SortedStore(clock=self.clock)
        self.anchors = MemoryAnchors()
        self.room = Room(
            self.store,
            clock=self.clock,
            anchors=(self.anchors,),
            backup_count=self.chance.choice((2, 3)),
        )
        self.youtube = YouTube(self.clock, watcher=self._seen)
        self.sky = Sky(self.youtube, self.weather, ACCOUNT, [])
        self.ledger = Ledger(self.room.vault, JAR, self.youtube.world, self.room.backup_count)
        self.shelf = Shelf()
        self.drop_store = MemoryStore()
        self.person = Person(
            self.chance, self, self.youtube, self.drop_store, JAR, is_needed=self._needs_cookies
        )
        self.watch = Watch(self)
        self.waiting: dict[str, str] = {}
        self.jar, self.is_over, self.must_wait = JAR, False, False
        self._agenda: list[tuple[datetime, int, str, Callable[[], object]]] = []
        self._numbers = itertools.count()

    # the calendar

    def at(self, when: datetime, what: Callable[[], object], name: str) -> None:
        heapq.heappush(self._agenda, (when, next(self._numbers), name, what))

    def later(self, after: timedelta, what: Callable[[], None], name: str) -> None:
        self.at(self.clock.now + after, what, name)

    def tell(self, text: str) -> None:
        self.story.append(f"{self.clock.now:%m-%d %H:%M} {text}")

    def act(self, text: str) -> None:
        self.tell(text)
        self.ledger.disturbed(self.clock.now)

    def live(self) -> Life:
        """Live through it, or raise `Broken` with the story."""
        with ExitStack() as stack:
            head = lambda settings, jar, **_: self.vault.status(jar)  # noqa: E731
            self.time: Time = stack.enter_context(turned(self.clock, read_head=head))
            try:
                self._prepare()
                while self._agenda:
                    when, _, _, what = heapq.heappop(self._agenda)
                    if when > START + timedelta(days=self.days):
                        break
                    self.clock.now = max(self.clock.now, when)
                    what()
                self._rest()
                self.watch.end()
                self.ledger.end(days=self.days)
            except AssertionError as error:
                story = "\n".join(self.story[-60:])
                raise Broken(f"seed {self.seed}: {error}\n{story}") from error
        return self

    def _prepare(self) -> None:
        self.vault = self.room.vault
        for _ in range(2):
            while not self.person.import_fresh():
                self.clock.advance(minutes=1)
        for day in range(self.days):
            morning = START + timedelta(days=day)
            for hour in range(0, 24, VALIDATED_EVERY):
                self.at(morning + timedelta(hours=hour), self.validate, "validate")
            for hour in (4.5, 16.5):
                self.at(morning + timedelta(hours=hour), self.refresh, "refresh")
                self.at(morning + timedelta(hours=hour + 0.5), self.rotate, "rotate")
            for hour in sorted(self.chance.sample(range(1, 24), self.chance.randint(1, 3))):
                moment = morning + timedelta(hours=hour + self.chance.random())
                self.at(moment, self.download, "download")
        for day in range(30, self.days, 45):
            self.at(START + timedelta(days=day, hours=9), self.person.rotate, "drop")
        for day in range(7, self.days, 7):
            self.at(START + timedelta(days=day, hours=3.3), self.collect, "gc")
        for window in windows(Random(self.seed + 2), start=START, days=self.days):
            self.at(window.begins, lambda window=window: self._begin(window), window.name)
            self.at(window.ends, lambda window=window: self._end(window), window.name)

    def _rest(self) -> None:
        """Live through two days without trouble, with two logins that were just made."""
        self._agenda.clear()
        self.sky.open.clear()
        self.sky.settle()
        self.drop_store.delete(f"{JAR}.txt")
        self.is_over = True
        for _ in range(2):
            while not self.person.import_fresh():
                self.clock.advance(minutes=10)
        for _ in range(8):
            self.clock.advance(hours=6)
            self.refresh()
            self.rotate()

    def _begin(self, window: Window) -> None:
        self.tell(f"{window.name} begins")
        self.ledger.disturbed(window.ends)
        self.sky.begin(window)

    def _end(self, window: Window) -> None:
        self.tell(f"{window.name} ends")
        self.sky.end(window)

    # sessions

    def log_in(self, account: str | None = None) -> Session:
        name = f"s{len(self.youtube.world.book.sessions)}"
        now = self.clock.now
        session, end = new_session(
            self.chance, name=name, account=account or ACCOUNT, now=now, clock=self.time.time
        )
        self.youtube.world.book.add(session)
        self.sky.settle()
        if self.is_over:
            end, session.expires_at = now + FOR_EVER, int((now + FOR_EVER).timestamp())
        expired = end.timestamp() >= session.expires_at - 1
        self.at(end, lambda: self._end_session(session, expired=expired), "session ends")
        self.ledger.disturbed(now)
        return session

    def _end_session(self, session: Session, *, expired: bool) -> None:
        if session.state != "alive":
            return
        session.state = "expired" if expired else "revoked"
        self.tell(f"session {session.name} is {session.state}")
        self.ledger.disturbed(self.clock.now)

    # processes

    def process(self, name: str, work: Callable[[Vault], object]) -> bool:
        """Open the vault as another process does and work with it; whether it went well."""
        self.counts[name.split()[0]] += 1
        before = {item.name: item.rotations for item in self.youtube.world.book.sessions.values()}
        self.weather.begin(often=0 if self.is_over else FAULTS_OFTEN)
        store = FaultyStore(self.store, before=self.weather.before, after=self.weather.after)
        went_well = False
        try:
            self.vault = self.room.reopen(store)
            work(self.vault)
            went_well = True
        except Died:
            self.tell(f"{name}: the process died")
        except JarkeeperError as error:
            self.tell(f"{name}: {type(error).__name__}: {error.message}")
        struck = self.weather.struck
        if struck:
            self.counts["faults"] += 1
            self.ledger.disturbed(self.clock.now)
            for item in self.youtube.world.book.sessions.values():
                if item.rotations != before.get(item.name, item.rotations):
                    self.ledger.excused.add(item.name)
        self.weather.quiet()
        self.vault = self.room.vault
        self.watch.hand_out(struck=struck)
        self.ledger.look()
        return went_well

    def _errand(self, vault: Vault) -> Errand:
        head = vault.status(JAR)
        until = (self.clock.now + timedelta(minutes=30)).isoformat()
        start = Start(
            jar=JAR,
            base_head=0 if head is None else head.seq,
            until=until,
            beyond_limit=False,
            staging=".",
            quality="best",
            threads=1,
            actor="flow",
        )
        return Errand(vault, self.youtube, start)

    def validate(self, *, visit: bool = False) -> None:
        """Do what the flow does: ask, fail over, put on record; soon again where there is doubt."""

        def work(vault: Vault) -> None:
            asker = self._errand(vault)
            done = validate(
                vault,
                JAR,
                asker,
                visit=visit,
                waits=SETTINGS.retry_seconds,
                sleep=self.time.sleep,
            )
            if is_lost(done.head, now=self.clock.now):
                self._moved(fail_over(vault, JAR, asker))
            self.watch.validated(vault)
            if any(item.state == SlotState.SUSPECT for item in done.answers):
                self.later(CONFIRMED_AFTER, self.validate, "confirm")

        self.process("validate", work)

    def refresh(self) -> None:
        self.validate(visit=True)

    def rotate(self) -> None:
        def work(vault: Vault) -> None:
            done = rotate(vault, JAR, self._errand(vault), StoreDrop(self.drop_store))
            self._moved(done)
            self.watch.rotated(vault, done)
            self.watch.validated(vault)

        self.process("rotate", work)

    def _moved(self, done: Rotation) -> None:
        if done.step is not Step.NOTHING:
            self.tell(f"{done.step}: {done.note}")

    def collect(self) -> None:
        self.process("gc", lambda vault: vault.gc(grace=timedelta(days=7)))

    # downloads

    def download(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            answer = self.chance.choice(ANSWERS)
            video_id = f"v{self.counts['videos']:010d}"
            self.counts["videos"] += 1
            self.youtube.world.catalogue.videos[video_id] = Video(video_id, "t", answer=answer)
            self.waiting[video_id] = answer
        wanted = list(self.waiting)[:40]
        cut = len(wanted) // 2 if self.chance.random() < 0.2 else 0
        shares = [share for share in (wanted[:cut], wanted[cut:]) if share]
        sure = self._could_arrive()
        self.must_wait = self._wants_pause()
        went_well = self.process("download", lambda vault: self._runs(vault, shares))
        self.must_wait = False
        arrived = [one for one in wanted if one in self.shelf.videos]
        if went_well and sure is not None and not self.weather.struck:
            missing = [one for one in wanted if self.waiting[one] in sure and one not in arrived]
            if missing:
                raise Broken(f"videos could have arrived and did not: {missing}")
        for one in (*arrived, *(one for one in wanted if self.waiting[one] == "removed")):
            del self.waiting[one]
        self.counts["arrived"] += len(arrived)

    def _runs(self, vault: Vault, shares: list[list[str]]) -> None:
        """Do one run, or two that share the jar and take turns."""
        with ExitStack() as stack:
            runs = []
            for share in shares:
                urls = tuple(WATCH + one for one in share)
                run = stack.enter_context(Run(vault, self.youtube, self.shelf, urls, JAR))
                runs.append((run, run.steps(self.time)))
            left = list(runs)
            while left:
                left = [pair for pair in left if next(pair[1], None) is not None]
                if self.chance.random() < IMPORTED_MEANWHILE and self.sky.is_clear:
                    self.person.import_fresh()
            for run, _ in runs:
                outcomes = Counter(receipt.outcome for receipt in run.receipts.values())
                self.counts["put off"] += outcomes[Outcome.PUT_OFF]
                if run.downloader.stopped:
                    self.counts["stopped runs"] += 1

    def _could_arrive(self) -> tuple[str, ...] | None:
        """Return which answers of the world a run that begins now must turn into a file."""
        head = self.ledger.head
        if head is None or not self.sky.is_clear:
            return None
        now = self.clock.now
        if any(item.is_cooling(now) for item in head.slots.records()):
            return None
        chosen = [choose(head.slots, slot, now=now) for slot in Slot]
        good = [item for item in chosen if item is not None and self.ledger.is_good(item)]
        return ("ok", *NEED_LOGIN) if good else ("ok",)

    def _wants_pause(self) -> bool:
        """Whether YouTube wants a pause, and no login is left: then nothing may be asked."""
        head, now = self.ledger.head, self.clock.now
        items = [item for item in (head.active, *head.backups) if item is not None]
        resting = [item for item in items if item.state == "cooling" and item.until > now]
        # A day's end may come while the run begins: so what ends soon is no pause any more.
        lasting = [item for item in resting if item.until > now + timedelta(minutes=5)]
        left = [item for item in items if item.state != "dead" and item not in resting]
        left = [item for item in left if is_authenticated(item.generation.facts, now)]
        return not left and any(item.reason in WANTING_PAUSE for item in lasting)

    # what is watched

    def _seen(self, visit: Visit) -> None:
        if self.must_wait and visit.by is not self.person:
            raise Broken("YouTube wants a pause, and was asked all the same")
        self.ledger.seen(visit, self.clock.now)

    def _needs_cookies(self) -> bool:
        return not self.weather.is_down and self.watch.wants_import()
