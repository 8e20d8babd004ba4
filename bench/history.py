"""A year of a vault's trail, made up: `history.py FOLDER EVENTS [DAYS] [--lines]`.

Written as the vault would have, only faster: `FOLDER/store` has volumes and checkpoints that
verify, `FOLDER/lines` the same events as they were before they were packed.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random

from jarkeeper.audit.checkpoints import CheckpointLog, Leaf, write_checkpoint
from jarkeeper.audit.events import read_event
from jarkeeper.audit.merkle import leaf_hash
from jarkeeper.audit.note import signer_of
from jarkeeper.audit.places import volume_key, voucher_key
from jarkeeper.audit.volumes import Row, Voucher, write_volume, write_voucher
from jarkeeper.keys import Purpose
from jarkeeper.keys.local import LocalKey
from jarkeeper.limits import LIMITS
from jarkeeper.names import VaultId
from jarkeeper.records import GENESIS, digest
from jarkeeper.stores import put_once
from jarkeeper.stores.local import LocalStore

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = 365
VAULT = VaultId("b" * 32)
KEYS = LocalKey(bytes(range(32)), name="bench")
SEED = 5
JARS = ("youtube", "music", "kids", "news", "sports", "archive")
RENEWALS = 3
"""Of each jar on each day."""
WRITERS = 8
"""On each day."""
DAY = 86_400_000_000
"""In microseconds."""
RUNNERS = tuple(f"worker@node{number} flows.download" for number in range(4))
PEOPLE = ("ann@desk jarkeeper", "bob@laptop jarkeeper", "ops@node0 flows.health")
FAILURES = (
    *("PRIVATE", "REMOVED", "GEO", "NETWORK", "NETWORK", "RATE_LIMIT_IP"),
    *("BOT_CHECK", "COOKIE_ROTATED", "ACCOUNT_FLAGGED"),
)
_LINE = (
    '{"access":"%s","action":"%s","actor":"%s","at":"%s","counts":%s,"detail":"%s","flow_run":"%s",'
    '"format":1,"generation":"%s","head_seq":%d,"jar":"%s","outcome":%s,"phase":"%s",'
    '"previous":"%s","seconds":%r,"seq":%d,"slot":"%s","writer":"%s"'
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made up, and where it goes."""

    folder: Path
    events: int
    days: int = YEAR
    has_lines: bool = False

    def events_on(self, day: int) -> int:
        """Return how many events a day has: the same on each, but for the rest."""
        return self.events // self.days + (day < self.events % self.days)

    @property
    def store(self) -> LocalStore:
        """Where the trail lies."""
        return LocalStore(self.folder / "store")


@dataclass(frozen=True, slots=True)
class Fact:
    """What an event tells, without its place in a chain."""

    at: int
    """In microseconds of its day."""
    action: str
    actor: str
    jar: str = ""
    generation: str = ""
    phase: str = "outcome"
    outcome: str = '"ok"'
    slot: str = "active"
    detail: str = ""
    counts: str = "{}"
    seconds: float = 0.0
    access: str = "0" * 16
    flow_run: str = ""
    writer: int = 0


def main() -> None:
    """Write a history."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("events", type=int)
    parser.add_argument("days", type=int, nargs="?", default=YEAR)
    parser.add_argument("--lines", action="store_true")
    options = parser.parse_args()
    write(Plan(options.folder, options.events, options.days, options.lines))


def write(plan: Plan) -> None:
    """Write all days, two at a time, and a checkpoint after each."""
    store, signer, log = plan.store, signer_of(KEYS, VAULT), CheckpointLog()
    key = KEYS.derive(Purpose.AUDIT_MAC)
    counts = [plan.events_on(day) for day in range(plan.days)]
    starts = [0, *itertools.accumulate(counts)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        days = pool.map(_write_day, itertools.repeat(plan), range(plan.days), starts)
        for day, chains in enumerate(days):
            leaves = (
                Leaf(writer, seq, blob[32 * (seq - 1) : 32 * seq])
                for writer, blob in chains
                for seq in range(1, len(blob) // 32 + 1)
            )
            at = BEGAN + timedelta(days=day + 1, minutes=5)
            while write_checkpoint(store, log, leaves, key=key, vault=VAULT, signer=signer, at=at):
                pass


def _write_day(plan: Plan, day: int, first_leaf: int) -> list[tuple[str, bytes]]:
    """Write a day's volumes and lines; return each writer and the hashes of its lines."""
    rows = list(_rows(plan, day, first_leaf))
    name = f"{BEGAN + timedelta(days=day):%Y-%m-%d}"
    key, store = KEYS.derive(Purpose.AUDIT_MAC), plan.store
    # What is made up has to be what the vault would read.
    read_event(rows[0].line, key=key, vault=VAULT, name="first of a day")
    size = LIMITS.volume_events_max
    for number, first in enumerate(range(0, len(rows), size), 1):
        batch = rows[first : first + size]
        content = write_volume(batch)
        voucher = Voucher(name, number, len(batch), batch[0].leaf, batch[-1].leaf, digest(content))
        put_once(store, voucher_key(name, number), write_voucher(voucher, key=key, vault=VAULT))
        put_once(store, volume_key(name, number), content)
    if plan.has_lines:
        place = plan.folder / "lines" / f"dt={name}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "events.jsonl").write_bytes(b"".join(row.line for row in rows))
    chains = itertools.groupby(rows, key=lambda row: row.writer)
    return [(writer, b"".join(leaf_hash(row.line) for row in chain)) for writer, chain in chains]


def _rows(plan: Plan, day: int, leaf: int) -> Iterator[Row]:
    """Give the events of a day, writer by writer, each in its chain."""
    facts = sorted(_facts(plan, day), key=lambda fact: (fact.writer, fact.at))
    key, kind = KEYS.derive(Purpose.AUDIT_MAC), f"event {VAULT}\n".encode()
    date = f"{BEGAN + timedelta(days=day):%Y-%m-%dT}"
    for writer, chain in itertools.groupby(facts, key=lambda fact: fact.writer):
        name, previous = _id("writer", day, writer), GENESIS
        for seq, fact in enumerate(chain, 1):
            seconds, micro = divmod(fact.at, 1_000_000)
            at = f"{date}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micro:06}Z"
            text = _LINE % (
                *(fact.access, fact.action, fact.actor, at, fact.counts, fact.detail),
                *(fact.flow_run, fact.generation, day + 1, fact.jar, fact.outcome, fact.phase),
                *(previous, fact.seconds, seq, fact.slot, name),
            )
            body = text.encode("ascii")
            mac = hmac.digest(key, kind + body + b"}", "sha256").hex().encode("ascii")
            line = body + b',"mac":"' + mac + b'"}\n'
            yield Row(leaf, name, seq, line)
            leaf, previous = leaf + 1, hashlib.sha256(line).hexdigest()


def _facts(plan: Plan, day: int) -> list[Fact]:
    """Return the events of a day: what changes jars, trouble, and as many accesses as fit."""
    random = Random(f"{SEED} {day}")
    wanted = plan.events_on(day)
    actives: dict[str, list[tuple[int, str]]] = {}
    facts: list[Fact] = []
    for number, jar in enumerate(JARS):
        facts += _renewals(random, actives, jar, day, number)
        facts += _trouble(random, jar, day + 5 * number)
    del facts[wanted:]
    while len(facts) < wanted - 4:
        facts += _run(random, actives) if random.random() < 0.6 else _look(random, actives)
    while len(facts) < wanted:
        facts.append(Fact(random.randrange(DAY), "check", PEOPLE[2], slot=""))
    return facts


def _renewals(
    random: Random, actives: dict[str, list[tuple[int, str]]], jar: str, day: int, number: int
) -> Iterator[Fact]:
    actives[jar] = [(0, _id(jar, day - 1, RENEWALS - 1))]
    for turn in range(RENEWALS):
        at = (turn * DAY + random.randrange(DAY)) // RENEWALS
        # A fresh login every two weeks, else what YouTube gave back.
        is_new = (day + 2 * number) % 14 == 0 and turn == 0
        action = random.choice(("import", "rotate")) if is_new else "write-back"
        generation = _id(jar, day, turn)
        actives[jar].append((at, generation))
        yield Fact(at, action, RUNNERS[number % 4], jar, generation)


def _trouble(random: Random, jar: str, day: int) -> Iterator[Fact]:
    """Give incidents: a death now and then that lasts overnight, suspicion more often."""
    by = PEOPLE[2]
    if day % 30 == 3:
        at = DAY // 2 + random.randrange(DAY // 3)
        yield _incident(at, by, jar, "session-dead", '{"opened":1,"warning":1}')
        yield _incident(at + 900_000_000, by, jar, "session-dead", '{"critical":1,"escalated":1}')
    if day % 30 == 4:
        at = random.randrange(DAY // 3)
        yield _incident(at, by, jar, "session-dead", '{"closed":1,"critical":1}', 40_000.0)
    if random.random() < 0.1:
        at, long = random.randrange(DAY // 2), random.randrange(60, 7200)
        cause = random.choice(("session-suspect", "youtube-pause", "opens", "expiry"))
        yield _incident(at, by, jar, cause, '{"opened":1,"warning":1}')
        end = at + long * 1_000_000
        yield _incident(end, by, jar, cause, '{"closed":1,"warning":1}', float(long))


def _incident(at: int, by: str, jar: str, cause: str, counts: str, seconds: float = 0.0) -> Fact:
    return Fact(at, "incident", by, jar, slot="", detail=cause, counts=counts, seconds=seconds)


def _run(random: Random, actives: dict[str, list[tuple[int, str]]]) -> Iterator[Fact]:
    """Give a run: a jar is lent, and comes back with how the videos ended."""
    jar, by = random.choice(JARS), random.choice(RUNNERS)
    at = random.randrange(DAY * 9 // 10)
    long = random.randrange(3_000_000, 3_600_000_000)
    generation = [name for began, name in actives[jar] if began <= at][-1]
    access, writer = f"{random.getrandbits(64):016x}", random.randrange(WRITERS)
    flow_run, counts = f"{random.getrandbits(128):032x}", _counts(random)
    place = {"access": access, "flow_run": flow_run, "writer": writer}
    yield Fact(at, "lend", by, jar, generation, "intent", "null", **place)
    if random.random() < 0.02:
        yield Fact(
            at + 9_000, "lend", by, jar, generation, outcome='"refused"', detail="cooling", **place
        )
        return
    yield Fact(at + 30_000, "lend", by, jar, generation, seconds=0.03, **place)
    end = min(at + long, DAY - 2)
    yield Fact(end, "use", by, jar, generation, counts=counts, **place)
    spent = (end - at) / 1_000_000
    yield Fact(end + 1, "download", by, jar, slot="", counts=counts, seconds=spent, **place)


def _look(random: Random, actives: dict[str, list[tuple[int, str]]]) -> Iterator[Fact]:
    """Give a look at a jar's outline."""
    jar, by, at = random.choice(JARS), random.choice(PEOPLE), random.randrange(DAY - 9_000)
    generation = [name for began, name in actives[jar] if began <= at][-1]
    access, writer = f"{random.getrandbits(64):016x}", random.randrange(WRITERS)
    place = {"access": access, "writer": writer}
    yield Fact(at, "outline", by, jar, generation, "intent", "null", **place)
    yield Fact(at + 8_000, "outline", by, jar, generation, seconds=0.008, **place)


def _counts(random: Random) -> str:
    counts = {"OK": random.randrange(1, 40)}
    if random.random() < 0.3:
        counts[random.choice(FAILURES)] = random.randrange(1, 4)
    return json.dumps(counts, sort_keys=True, separators=(",", ":"))


def _id(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, (SEED, *parts))).encode()).hexdigest()[:32]


if __name__ == "__main__":
    main()
