"""Commands that need a Prefect server, where there is none or it gives no answer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from functools import partial

import pytest

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import run
from jarkeeper.cli.schedule import parse_span
from jarkeeper.errors import InputError


@pytest.fixture
def python(tmp_path):
    """Run Python in a process of its own: Prefect reads its address when it is imported."""

    def run_python(*arguments, api=None):
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DO_NOT_TRACK": "1"}
        environment |= {"PREFECT_API_URL": api} if api else {}
        return subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run_python


@pytest.fixture
def silent(python):
    """Run Python where the server's address is nobody's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return partial(python, api=f"http://127.0.0.1:{port}/api")


@pytest.mark.parametrize("arguments", [["schedule"], ["alerts", "install"], ["blocks", "register"]])
def test_without_a_server_the_command_says_how_to_have_one(python, arguments):
    done = python("-m", "jarkeeper", *arguments)

    assert done.returncode == Exit.USAGE
    assert "PREFECT_API_URL is not set" in done.stderr
    assert "prefect server start" in done.stderr


def test_a_server_that_gives_no_answer_is_an_error_of_the_schedule(silent):
    done = silent("-m", "jarkeeper", "schedule")

    assert done.returncode == Exit.USAGE
    assert "cannot be reached" in done.stderr


def test_a_server_that_gives_no_answer_is_a_warning_after_an_import(silent):
    done = silent("-c", "from jarkeeper.cli.going_on import go_on; print(go_on('youtube'))")

    assert done.stdout == "0\n"
    assert "cannot be reached" in done.stderr
    assert "the next validation sends them on" in done.stderr


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1d", 86_400)])
def test_a_span_is_read(text, seconds):
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "m", "-1h", "1w", "90"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(InputError, match="expected a span"):
        parse_span(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [([], "got none"), (["--cron", "0 * * * *", "--every", "1h"], "got both")],
)
def test_a_change_says_what_it_changes(capsys, options, words):
    code = run(["schedule", "set", "validate", *options])

    assert code == Exit.USAGE
    assert words in capsys.readouterr().err
