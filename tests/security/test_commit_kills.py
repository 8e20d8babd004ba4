"""`kill -9` in the middle of commits: 300 times here, JARKEEPER_PROOF=10000 for the long proof."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

KILLS = max(300, int(os.environ.get("JARKEEPER_PROOF") or 0))
DRIVER = Path(__file__).parent.parent / "commit_kills.py"


@pytest.fixture
def place():
    # In memory where there is any: a killed process loses nothing that the kernel has.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as path:
        yield path


@pytest.mark.timeout(60 + KILLS)
def test_a_kill_at_any_step_of_a_commit_leaves_all_of_it_or_nothing(place):
    driver = [sys.executable, "-W", "error", DRIVER, place, str(KILLS), "20260601"]

    done = subprocess.run(driver, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    tally = json.loads(done.stdout)
    assert tally["nothing"] + tally["all"] == KILLS
    assert tally["killed"] > KILLS * 0.8
    assert min(tally["nothing"], tally["all"], tally["time"]) > KILLS / 10
    assert tally["steps"] > 150
