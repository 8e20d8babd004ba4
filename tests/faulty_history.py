"""Sixteen processes use one vault on an S3 and KMS that fail; what they saw is checked afterwards.

`python faulty_history.py DIRECTORY OPERATIONS SEED [BUG]` prints one JSON line: how much was done
with which end, what was injected, and every promise that was broken. BUG puts a mistake into the
processes' way to S3, to see that it is found.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from cloud.faults import Fault, Kind
from cloud.server import Cloud
from faulty_users import FOUNDER, PROCESSES, Clock, Person, founded, serve, user_of
from jarkeeper.audit import Phase
from jarkeeper.errors import JarkeeperError
from jarkeeper.heads import read_head
from jarkeeper.names import heads_prefix, parse_head_key
from jarkeeper.records import digest, write_time
from jarkeeper.wiring import init_vault
from linearizability import Entry, History, Intent, violations
from tenancy import Tenancy

JAR = "youtube"
SHARE = 0.1
DELAY_SECONDS = 1.2
"""Longer than the users of this proof wait for an answer."""
STORMS = (Kind.DROP_BEFORE, Kind.DELAY_BEFORE)
STORM_REQUESTS = 60
"""Writes of heads that fail one after the other: as many as eight writers make before they give up.
What tells what became of a write is in need then."""
SETTLE_SECONDS = 0.5
"""For what was under way when its client gave up."""


def main(directory: Path, operations: int, seed: int, bug: str = "") -> None:
    started = time.monotonic()
    tally: Counter[str] = Counter()
    injected: Counter[str] = Counter()
    broken: list[str] = []
    # Forked before the cloud's threads start; what is loaded by then need not be loaded again.
    people = hire(bug)
    with Cloud() as cloud:
        tenancy = Tenancy(cloud)
        roles = [tenancy.role(name, prefix="*/") for name in ("task", "operator")]
        if bug == "overwriting":
            roles = [cloud.environment]  # IAM refuses it to all others
        while tally["operations"] < operations:
            tenancy.prefix = f"vault-{tally['vaults']}"
            history, seen = one_vault(tenancy, people, roles, directory, seed + tally["vaults"])
            broken += [f"{tenancy.prefix}: {item}" for item in violations(history)]
            broken += [f"{tenancy.prefix}: {item}" for item in afterwards(tenancy, directory)]
            injected += seen
            tally += count(history)
    for person in people:
        person.dismiss()
    seconds = {"seconds": round(time.monotonic() - started, 1)}
    print(json.dumps(tally | seconds | {"injected": injected, "violations": broken}))


def hire(bug: str) -> list[Person]:
    """Start the processes."""
    import boto3  # noqa: F401  # loaded once, for all of them

    fork = multiprocessing.get_context("fork")
    people = []
    for number in range(PROCESSES):
        ours, theirs = fork.Pipe()
        # Whoever is forked later holds the earlier ones' pipes too, until it closes them.
        others = [ours, *(person.pipe for person in people)]
        process = fork.Process(target=serve, args=(theirs, others, number, bug), daemon=True)
        process.start()
        theirs.close()
        people.append(Person(process, ours))
    return people


def one_vault(tenancy, people, roles, directory, seed):
    """Let everybody use a new vault while it fails; return what was seen, and what failed how."""
    settings = tenancy.settings(directory / "founder")
    init_vault(settings)
    operations = founded(settings)
    for number, person in enumerate(people):
        aws = roles[number % len(roles)]
        variables = tenancy.variables(directory / f"state{number}", aws)
        person.ask(variables, seed * PROCESSES + number)
    for person in people:
        person.wait()
    faults = tenancy.cloud.faults
    faults.chance(SHARE, seed=seed, seconds=DELAY_SECONDS)
    for number, kind in enumerate(STORMS):
        storm = {"method": "PUT", "key_part": "/heads/", "seconds": DELAY_SECONDS}
        faults.add(Fault(kind, at=8 + 80 * number, times=STORM_REQUESTS, **storm))
    for person in people:
        person.go()
    for person in people:
        operations += person.wait()
    injected = Counter({str(kind): times for kind, times in faults.injected.items()})
    faults.clear()
    time.sleep(SETTLE_SECONDS)
    return read_back(settings, operations), injected


def read_back(settings, operations) -> History:
    """Return the history with the log and the trail as they are read when nothing fails."""
    vault = user_of(settings, Clock(FOUNDER)).vault
    ports = vault.ports
    log = []
    for key in ports.store.list(heads_prefix(JAR)):
        raw = ports.store.get(key)
        _, seq = parse_head_key(key)
        head = read_head(raw, key=ports.head_key, vault=vault.id, jar=JAR, seq=seq).head
        log.append(entry(head, raw, operations))
    intents = {
        event.access: Intent(event.action, write_time(event.at))
        for event in vault.trail.read()
        if event.phase is Phase.INTENT
    }
    return History(log, operations, intents)


def entry(head, raw: bytes, operations) -> Entry:
    """Return the head as the checker wants it; its time tells who made it, and when."""
    at = write_time(head.at)
    active = "" if head.active is None else str(head.active.generation.id)
    return Entry(
        seq=head.seq,
        digest=digest(raw),
        previous=head.previous,
        action=head.action,
        at=at,
        writer=Clock.maker(head.at, operations),
        active=active,
        states={str(item.generation.id): str(item.state) for item in head.slots.records()},
    )


def afterwards(tenancy, directory):
    """Yield what is wrong with the vault once nothing fails any more."""
    vault = user_of(tenancy.settings(directory / "state0"), Clock(FOUNDER)).vault
    first = {item.code: item.message for item in vault.check() if item.severity != "ok"}
    first.pop("view-repaired", None)
    second = {item.code: item.message for item in vault.check() if item.severity != "ok"}
    yield from (f"check: {text}" for text in {**first, **second}.values())
    yield from (item.message for item in vault.verify_trail().discrepancies)
    try:
        vault.gc(grace=timedelta(0))
    except JarkeeperError as error:
        yield f"clean-up: {error.message}"
    third = [item.message for item in vault.check() if item.severity != "ok"]
    yield from (f"check after the clean-up: {text}" for text in third)


def count(history: History) -> Counter[str]:
    """Return how much of what there was."""
    tally = Counter({"vaults": 1, "operations": len(history.operations), "heads": len(history.log)})
    tally += Counter(operation.result for operation in history.operations)
    tally += Counter(operation.kind for operation in history.operations if operation.result == "ok")
    tally["settled"] = sum(item.action == "settle" for item in history.log)
    return tally


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
