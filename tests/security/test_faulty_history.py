"""Eight writers and eight readers on an S3 and KMS of whose requests every tenth fails.

Some 500 operations here, JARKEEPER_PROOF=1 for 4,000.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloud.faults import Kind

PROOF = "JARKEEPER_PROOF" in os.environ
OPERATIONS = 4000 if os.environ.get("JARKEEPER_PROOF") else 500
DRIVER = Path(__file__).parent.parent / "faulty_history.py"


def run(place, operations, *bug):
    driver = [sys.executable, "-W", "error", DRIVER, place, str(operations), "20260601", *bug]
    done = subprocess.run(driver, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.timeout(240 + OPERATIONS // 2)
def test_what_sixteen_processes_see_of_a_failing_s3_can_have_happened_in_one_order(tmp_path):
    tally = run(tmp_path, OPERATIONS)

    assert tally["violations"] == []
    assert tally["operations"] >= OPERATIONS
    assert tally["ok"] > OPERATIONS * 0.7
    assert tally["injected"].keys() == {str(kind) for kind in Kind}
    for kind in ("import", "write-back", "promote", "restore", "revoke", "mark"):
        assert tally.get(kind, 0) > 0
    for kind in ("status", "lend", "history"):
        assert tally[kind] > OPERATIONS / 60


BUGS = [
    ("overwriting", "does not follow the one before|is not the one that"),
    ("doubting", "made heads"),
    ("forgetful", "but stands behind it"),
]
"""Half a minute for each: the long proof takes them all."""


@pytest.mark.parametrize(("bug", "words"), BUGS if PROOF else BUGS[:1])
def test_a_store_that_breaks_its_promise_is_found_out(tmp_path, bug, words):
    tally = run(tmp_path, 1, bug)

    assert any(re.search(words, text) for text in tally["violations"]), tally["violations"]
