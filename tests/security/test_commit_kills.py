"""`kill -9` in the middle of commits, on a directory and on S3.

JARKEEPER_PROOF=10000 kills ten thousand times on a directory and a tenth of that on S3.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROOF = int(os.environ.get("JARKEEPER_PROOF") or 0)
KILLS = max(300, PROOF)
KILLS_ON_S3 = max(48, PROOF // 10)
DRIVER = Path(__file__).parent.parent / "commit_kills.py"


@pytest.fixture
def place():
    # In memory where there is any: a killed process loses nothing that the kernel has.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as path:
        yield path


def kill(place, *arguments):
    driver = [sys.executable, "-W", "error", DRIVER, place, *arguments]
    done = subprocess.run(driver, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.timeout(60 + KILLS)
def test_a_kill_at_any_step_of_a_commit_leaves_all_of_it_or_nothing(place):
    tally = kill(place, str(KILLS), "20260601")

    assert tally["nothing"] + tally["all"] == KILLS
    assert tally["killed"] > KILLS * 0.8
    assert min(tally["nothing"], tally["all"], tally["time"]) > KILLS / 10
    assert tally["steps"] > 150


@pytest.mark.timeout(120 + 3 * KILLS_ON_S3)
def test_a_kill_at_any_request_of_a_commit_to_s3_leaves_all_of_it_or_nothing(place):
    tally = kill(place, str(KILLS_ON_S3), "20260601", "s3")

    assert tally["nothing"] + tally["all"] == KILLS_ON_S3
    assert tally["killed"] > KILLS_ON_S3 * 0.6
    assert min(tally["nothing"], tally["all"], tally["time"]) > KILLS_ON_S3 / 10
    assert tally["steps"] > min(KILLS_ON_S3 / 2, 150)
