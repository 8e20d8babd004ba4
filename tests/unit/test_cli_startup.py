"""What a command does not need it does not load: the slowest of these takes over a second."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = {
    "aws_encryption_sdk",
    "boto3",
    "botocore",
    "cryptography",
    "duckdb",
    "httpx",
    "pandas",
    "plotly",
    "prefect",
    "pydantic",
    "pydantic_settings",
    "rich",
    "yt_dlp",
}

PROGRAM = """
import json, sys
from jarkeeper.cli.group import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.fixture
def places(tmp_path):
    """An environment with a vault of its own, made by `jarkeeper init`."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JARKEEPER_VAULT": str(tmp_path / "vault"),
        "JARKEEPER_KEY_FILE": str(tmp_path / "key"),
        "JARKEEPER_STATE_DIR": str(tmp_path / "state"),
    }
    loaded_by(["init"], environment)
    return environment


def loaded_by(words, environment):
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    code, modules = json.loads(ended.stderr.splitlines()[-1])
    assert code == 0, ended.stderr
    return set(modules)


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["download", "--help"],
        ["blocks", "--help"],
        ["blocks", "register", "--help"],
        ["status"],
        ["status", "--json"],
        ["init"],
        ["audit"],
        ["audit", "verify", "--help"],
        ["settings"],
        ["backup", "--help"],
        ["usage"],
        ["completion", "bash"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded_by(words, places):
    assert loaded_by(words, places) & HEAVY == set()


@pytest.mark.parametrize("words", [["check"], ["audit", "verify"], ["audit", "key"]], ids=" ".join)
def test_whoever_checks_signatures_loads_nothing_heavy_but_what_does(words, places):
    assert loaded_by(words, places) & HEAVY <= {"aws_encryption_sdk", "cryptography"}


def test_a_command_loads_no_other_command():
    program = "import sys; from jarkeeper.cli.group import run; run(['init', '--help']); "
    program += "print(sorted(n for n in sys.modules if n.startswith('jarkeeper.cli.')))"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    loaded = ended.stdout.splitlines()[-1]
    assert "jarkeeper.cli.init" in loaded
    assert "jarkeeper.cli.download" not in loaded
