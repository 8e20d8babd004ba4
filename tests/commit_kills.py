"""Kills commits at every step, in real processes, and looks at what is left.

`python commit_kills.py DIRECTORY COUNT SEED [s3]` prints one JSON line. It runs by itself, with one
thread, so that it can fork: a fork costs milliseconds where an interpreter costs half a second.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from jarkeeper.names import METADATA_KEY, generation_key, view_key
from jarkeeper.slots import Slot, SlotState
from jarkeeper.vault import Vault
from kill_places import Bucket, Killer, Local, cloud_in_child
from vaultkit import cookie_file, jar_of, tag_of

OPERATIONS = ("import", "write-back", "promote", "restore", "revoke", "mark", "gc")
ROUNDS_PER_VAULT = 20


def found(place) -> None:
    """Make a vault with a past and all backups filled."""
    place.found()
    vault = place.vault()
    for number in range(5):
        vault.import_jar("youtube", cookie_file(f"first{number}"))


def operate(vault: Vault, operation: str, tag: str) -> int:
    """Do it, and return the head that it acknowledges."""
    head = vault.status("youtube")
    if operation == "import":
        return vault.import_jar("youtube", cookie_file(tag)).head_seq
    if operation == "write-back":
        lent = vault.lend("youtube", random.choice(list(Slot)))
        return vault.write_back(lent, jar_of(tag)).head_seq
    if operation == "promote":
        return vault.promote("youtube").head_seq
    if operation == "restore":
        return vault.restore("youtube", past_generation(vault)).head_seq
    if operation == "revoke":
        return vault.revoke("youtube", head.backups[-1].generation.id).head_seq
    if operation == "mark":
        state = SlotState.SUSPECT if head.active.state == "healthy" else SlotState.HEALTHY
        return vault.mark("youtube", head.active.generation.id, state).head_seq
    vault.gc(grace=timedelta(0))
    return vault.status("youtube").seq


def past_generation(vault: Vault) -> str:
    """Return a generation that can be restored: the newest in no slot, else a backup."""
    *_, head = history = vault.history("youtube")
    for old in reversed(history[:-1]):
        for item in old.slots.records():
            taken = head.slots.find(item.generation.id)
            gone = old.seq < head.horizon or item.generation.id in head.revoked
            if taken is None and not gone:
                return item.generation.id
    return head.backups[-1].generation.id


def in_child(place, operation: str, tag: str, *, at: int | None, level: str, wait: float = 0):
    """Do it in a child that dies on the way; return the acknowledged head and the steps made."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            killer = Killer(at)
            seq = operate(place.vault(killer, level), operation, tag)
            killer.at = None
            os.write(writing, json.dumps({"seq": seq, "steps": killer.steps}).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    if wait:
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    if not killed and os.WEXITSTATUS(status) != 0:
        raise AssertionError(f"{operation}: failed without being killed")
    return (json.loads(answer) if answer else None), killed


def inspect(place, before, operation: str, tag: str, acknowledged) -> str:
    """Return whether it happened, or raise `AssertionError` where a promise was broken."""
    vault = place.vault()
    head = vault.status("youtube")
    for slot in Slot:
        with vault.lend("youtube", slot, beyond_limit=True).open() as jar:
            assert len(jar) == 7
            tag_of(jar)
    expect_view(vault, head)
    assert head.seq in (before.seq, before.seq + 1), "more than one commit happened"
    if head.seq == before.seq:
        assert head == before, "a head was changed"
        assert not acknowledged or acknowledged["seq"] == before.seq, "an acknowledged one is lost"
        return "nothing"
    assert head.action == operation
    assert not acknowledged or acknowledged["seq"] == head.seq
    expect_whole(vault, before, head, operation, tag)
    return "all"


def expect_whole(vault: Vault, before, head, operation: str, tag: str) -> None:
    """Check that the commit happened entirely."""
    old, new = before.slots, head.slots
    if operation == "import":
        assert new.backups == old.records()[:3]
        with vault.lend("youtube", beyond_limit=True).open() as jar:
            assert tag_of(jar) == tag
    elif operation == "write-back":
        fresh = {item.generation.id for item in new.records()} - known(old)
        assert len(fresh) == 1
        assert len(new.records()) == len(old.records())
    elif operation == "promote":
        assert known(new) == known(old)
        assert new.active == old.backups[0]
    elif operation == "restore":
        assert new.active.generation.id != old.active.generation.id
    elif operation == "revoke":
        assert known(old) - known(new) == {head.revoked[-1]}
    elif operation == "mark":
        assert (known(new), new.active.state) != (known(old), old.active.state)
    else:
        assert new == old
        assert head.horizon > before.horizon


def expect_view(vault: Vault, head) -> None:
    """Check that the use after the crash has repaired the view."""
    store = vault.ports.store
    shown = json.loads(store.get(METADATA_KEY))["jars"]["youtube"]["head_seq"]
    assert shown == head.seq, f"the view shows head {shown} instead of {head.seq}"
    for slot in Slot:
        sealed = store.get(generation_key("youtube", head.slot(slot).generation.id))
        assert store.get(view_key("youtube", slot)) == sealed, f"the view of {slot} is another"


def known(slots):
    return {item.generation.id for item in slots.records()}


def refill(place) -> None:
    """Make sure that there are backups to lose."""
    vault = place.vault()
    head = vault.status("youtube")
    if head.active is None or len(head.backups) < 3:
        for number in range(3):  # never seen before: what was revoked comes back in no other form
            vault.import_jar("youtube", cookie_file(f"refill{head.seq}x{number}"))


def steps_of(place, level: str) -> dict[str, int]:
    """Return how many steps each operation takes when nobody kills it."""
    found(place)
    steps = {}
    for operation in OPERATIONS:
        refill(place)
        answer, _ = in_child(place, operation, "dry", at=None, level=level)
        steps[operation] = answer["steps"]
    return steps


def plan(place_at, levels, seconds, count: int):
    """Give operation, level, step and waiting time: every step once, then by chance."""
    totals = {
        (operation, level): total
        for level in levels
        for operation, total in steps_of(place_at(f"dry-{level}"), level).items()
    }
    every = [
        (operation, level, step, 0.0)
        for (operation, level), total in totals.items()
        for step in range(1, total + 1)
    ]
    random.shuffle(every)
    # The system's steps are taken first: they include the store's.
    every.sort(key=lambda item: item[1] == "system")
    for turn in range(count):
        if turn % 6 == 5:
            yield random.choice(OPERATIONS), "time", None, random.uniform(*seconds)
        elif every:
            yield every.pop()
        else:
            (operation, level), total = random.choice(list(totals.items()))
            yield operation, level, random.randint(1, total), 0.0


def main(directory: Path, count: int, seed: int, store: str = "local") -> None:
    random.seed(seed)
    tally: Counter[str] = Counter()
    steps: set[tuple[str, int | None]] = set()
    variables = cloud_in_child() if store == "s3" else {}

    def place_at(name: str):
        path = directory / name
        return Bucket(path, variables) if store == "s3" else Local(path)

    place = place_at("none")
    planned = plan(place_at, place.levels, place.seconds, count)
    for turn, (operation, level, step, wait) in enumerate(planned):
        if turn % ROUNDS_PER_VAULT == 0:
            place = place_at(f"vault{turn}")
            found(place)
        refill(place)
        before = place.vault().status("youtube")
        tag = f"turn{turn}"
        answer, killed = in_child(place, operation, tag, at=step, level=level, wait=wait)
        try:
            result = inspect(place, before, operation, tag, answer)
            if turn % ROUNDS_PER_VAULT == ROUNDS_PER_VAULT - 1:
                inspect_all(place)
        except Exception as error:
            raise AssertionError(f"turn {turn}: {operation} at {level} {step}: {error}") from error
        tally[result] += 1
        tally["killed" if killed else "completed"] += 1
        tally["acknowledged"] += answer is not None
        tally[level] += 1
        if answer is None and level in ("system", "request"):
            steps.add((operation, step))
    print(json.dumps(tally | {"steps": len(steps)}))


def inspect_all(place) -> None:
    """Check the whole vault: nothing but the view may need a repair, and then nothing at all."""
    vault = place.vault()
    first = {item.code for item in vault.check() if item.severity != "ok"}
    assert first <= {"view-repaired"}, first
    second = {item.code for item in vault.check() if item.severity != "ok"}
    assert second == set(), second


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
