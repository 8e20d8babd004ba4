"""`jarkeeper download --flow` on a machine without a Prefect server."""

import json
import os
import subprocess
import sys

import pytest

from orchestration.server import QUIET

pytestmark = pytest.mark.harness

VIDEO, PRIVATE = "dQw4w9WgXcQ", "private0000"


def test_the_flow_runs_without_a_server_and_ends_as_the_command_does(settings, youtube, tmp_path):
    youtube.control.set_size(200_000)
    youtube.control.add_video(PRIVATE, answer="private")
    environment = {
        **QUIET,
        **settings.environment(),
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    del environment["JARKEEPER_VAULT"]
    text = youtube.control.new_session("one", canary="canary-7f3a")

    def jarkeeper(*words, text=""):
        return subprocess.run(
            [sys.executable, "-m", "jarkeeper", "--vault", str(tmp_path / "elsewhere"), *words],
            cwd=tmp_path,
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=240,
        )

    jarkeeper("init")
    jarkeeper("import", "-", text=text)
    ended = jarkeeper("download", "--flow", "--json", VIDEO, PRIVATE)

    summary = json.loads(ended.stdout)
    assert ended.returncode == 1, ended.stderr
    assert (summary["downloaded"], summary["failures"]) == (1, {"PRIVATE": 1})
    assert "Finished in state PartlyDone" in ended.stderr
    assert "canary-7f3a" not in ended.stdout + ended.stderr
    assert len(list((tmp_path / "downloads").glob("*.mp4"))) == 1
