"""`jarkeeper download --flow` on a machine without a Prefect server."""

import json
import os
import subprocess
import sys

import pytest

from emf import read_emf
from orchestration.server import QUIET

pytestmark = pytest.mark.harness

VIDEO, PRIVATE = "dQw4w9WgXcQ", "private0000"


@pytest.fixture
def jarkeeper(settings, tmp_path):
    """Run a command with a vault that is not where the environment says."""
    environment = {
        **QUIET,
        **settings.environment(),
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PREFECT_HOME": str(tmp_path / "prefect"),
    }
    del environment["JARKEEPER_VAULT"]

    def run(*words, text="", **more):
        return subprocess.run(
            [sys.executable, "-m", "jarkeeper", "--vault", str(tmp_path / "elsewhere"), *words],
            cwd=tmp_path,
            env=environment | more,
            input=text,
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


def test_the_flow_runs_without_a_server_and_ends_as_the_command_does(jarkeeper, youtube, tmp_path):
    youtube.control.set_size(200_000)
    youtube.control.add_video(PRIVATE, answer="private")
    text = youtube.control.new_session("one", canary="canary-7f3a")

    jarkeeper("init")
    jarkeeper("import", "-", text=text)
    ended = jarkeeper("download", "--flow", "--json", VIDEO, PRIVATE, JARKEEPER_METRICS="emf")

    told = [line for line in ended.stderr.splitlines(keepends=True) if line.startswith('{"_aws"')]
    summary = json.loads(ended.stdout)
    assert ended.returncode == 1, ended.stderr
    assert (summary["downloaded"], summary["failures"]) == (1, {"PRIVATE": 1})
    assert "Finished in state PartlyDone" in ended.stderr
    assert sum(read_emf(line).get("downloads", 0) for line in told) == 2
    assert "canary-7f3a" not in ended.stdout + ended.stderr
    assert len(list((tmp_path / "downloads").glob("*.mp4"))) == 1


def test_a_server_that_gives_no_answer_is_one_clear_error(jarkeeper):
    url = "http://user:canary-7f3a@127.0.0.1:9/api"

    ended = jarkeeper("download", "--flow", VIDEO, PREFECT_API_URL=url)

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "jarkeeper: error: Prefect server at http://127.0.0.1:9/api: cannot be reached",
        "hint: start it with `prefect server start`, or see whether PREFECT_API_URL is right",
    ]


def test_quiet_leaves_out_what_prefect_says_when_all_is_well(jarkeeper, youtube):
    youtube.control.set_size(200_000)
    jarkeeper("init")
    jarkeeper("import", "-", text=youtube.control.new_session("one"))

    ended = jarkeeper("download", "--flow", "-q", VIDEO)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
