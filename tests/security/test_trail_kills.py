"""Writers that are killed while they write: what was acknowledged is there, and all is whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jarkeeper.audit import Trail
from jarkeeper.audit.archive import pack
from jarkeeper.stores.local import LocalStore
from jarkeeper.wiring import utc_now
from vaultkit import ACTOR, KEYS

VAULT = "a" * 32
WRITERS = 8
EACH = 2_500 if "JARKEEPER_PROOF" in os.environ else 120

WRITER = """
import sys
from jarkeeper.actions import Action
from jarkeeper.audit import Access, Actor, Outcome, Trail
from jarkeeper.stores.local import LocalStore
from jarkeeper.wiring import utc_now
from pathlib import Path
from vaultkit import ACTOR, KEYS

place, each = sys.argv[1:]
trail = Trail(LocalStore(Path(place)), keys=KEYS, vault="a" * 32, clock=utc_now, actor=ACTOR)
for _ in range(int(each) // 2):
    access = trail.intent(Access(Action.LEND, jar="youtube"))
    trail.outcome(access, Outcome.OK)
    print(access.id, flush=True)
"""


@pytest.fixture
def place(tmp_path):
    return tmp_path / "vault"


def start(place: Path, folder: Path, number: int):
    """Start a writer; the first half would write for very long, and is killed on its way."""
    each = EACH * 100 if number < WRITERS // 2 else EACH
    with (folder / f"{number}.txt").open("wb") as acknowledged:
        return subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place), str(each)],
            stdout=acknowledged,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )


@pytest.mark.timeout(600)
def test_killed_writers_lose_nothing_that_was_acknowledged(place, tmp_path):
    chance = random.Random(7)
    writers = [start(place, tmp_path, number) for number in range(WRITERS)]
    trail = Trail(LocalStore(place), keys=KEYS, vault=VAULT, clock=utc_now, actor=ACTOR)
    # Half of them are killed somewhere on their way, and checkpoints are written meanwhile.
    doomed, looks = writers[: WRITERS // 2], 0
    while any(writer.poll() is None for writer in writers):
        time.sleep(chance.uniform(0.05, 0.4))
        if doomed and (tmp_path / f"{len(doomed) - 1}.txt").stat().st_size:
            doomed.pop().kill()
        report = trail.verify()
        assert report.discrepancies == ()
        trail.checkpoint(report)
        looks += 1
    for writer in writers:
        writer.wait()

    report = trail.verify()
    acknowledged = {
        line for path in tmp_path.glob("*.txt") for line in path.read_text().split("\n")[:-1]
    }
    on_record = {event.access for event in trail.read() if event.outcome is not None}
    assert report.discrepancies == ()
    assert looks > 1
    ends = [writer.returncode for writer in writers]
    assert ends == [-signal.SIGKILL] * (WRITERS // 2) + [0] * (WRITERS // 2)
    assert acknowledged <= on_record
    assert len(acknowledged) > WRITERS * EACH / 8

    trail.checkpoint(report)
    pack(trail, before=utc_now().date())
    assert trail.verify().discrepancies == ()
