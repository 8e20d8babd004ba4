"""Everyday work after a vault moved to another key, whose former one is disabled."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from awsroom import running_aws

VIDEO = "dQw4w9WgXcQ"
SMALL = 200_000


@pytest.fixture(scope="module")
def aws():
    with running_aws() as room:
        yield room


@pytest.fixture
def environment(aws, settings, tmp_path, request):
    paths = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm"}
    local = settings.environment() | aws.variables()
    del local["JARKEEPER_VAULT"], local["JARKEEPER_KEY_FILE"]
    return paths | local


@pytest.fixture
def jarkeeper(environment, tmp_path):
    def run(*words, code=0):
        ended = subprocess.run(
            [sys.executable, "-m", "jarkeeper", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    return run


@pytest.mark.parametrize(
    ("old", "new", "store"),
    [
        ("local", "kms", "s3"),
        ("kms", "kms", "s3"),
        ("kms", "local", "local"),
        ("local", "local", "local"),
    ],
)
def test_after_a_move_everything_works_without_the_former_key(
    aws, youtube, jarkeeper, environment, tmp_path, old, new, store
):
    youtube.control.set_size(SMALL)
    youtube.control.add_video(VIDEO, title="A song", size=SMALL)
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.txt").write_text(youtube.control.new_session(name, canary=f"c-{name}"))
    if store == "s3":
        environment["COOKIE_S3_BUCKET"] = aws.make_bucket(f"moves-{old}-{new}")
        environment["COOKIE_S3_KMS_KEY_ID"] = aws.make_key()
    if old == "kms":
        environment["COOKIE_KMS_KEY_ID"] = former = aws.make_key()
    jarkeeper("init")
    jarkeeper("import", "one.txt")
    jarkeeper("import", "--yes", "two.txt")

    to = ["--to-kms-key", aws.make_key()] if new == "kms" else ["--to-key-file", "new-key"]
    told = jarkeeper("rewrap", *to)

    environment.pop("COOKIE_KMS_KEY_ID", None)
    for line in told.splitlines():
        if line.startswith("set "):
            name, value = line.removeprefix("set").strip().split("=", 1)
            environment[name] = value
    if old == "kms":
        aws.disable(former)
    else:
        (tmp_path / ".config/jarkeeper/key").unlink()
    assert "2 generations sealed anew" in told
    jarkeeper("status")
    jarkeeper("check")
    jarkeeper("import", "--yes", "three.txt")
    jarkeeper("download", VIDEO, "--to", "videos")
    jarkeeper("check")
    assert "0 generations sealed anew" in jarkeeper("rewrap", *to)
    assert list((tmp_path / "videos").glob("*.mp4"))
