"""Whole runs with the vault on S3 and KMS, under the task role's own policy."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jarkeeper.downloads.request import DownloadRequest
from jarkeeper.downloads.run import run_downloads
from jarkeeper.settings import AWS_VARIABLES
from jarkeeper.wiring import init_vault, open_vault

VIDEO = "dQw4w9WgXcQ"


@pytest.fixture
def run(settings, youtube, tenancy, tmp_path, monkeypatch):
    """A vault on AWS with two jars, made by the operator; runs download as the task."""
    for name in AWS_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    youtube.control.set_size(200_000)
    tenancy.enforce()
    aws = tenancy.settings(tmp_path / "state", tenancy.role("operator"))
    operator = replace(aws, proxy=settings.proxy, ca_file=settings.ca_file)
    init_vault(operator)
    vault = open_vault(operator)
    for name in ("old", "new"):
        export = youtube.control.new_session(name, rotate_every=2).encode()
        vault.import_jar("youtube", export, confirmed=True)
    task = replace(operator, aws=tenancy.role("task"), retry_seconds=(0.05, 0.1))
    tenancy.cloud.calls.clear()

    def start(*urls, **choices):
        return run_downloads(task, DownloadRequest.of(urls, tmp_path / "videos", **choices))

    start.vault, start.aws = vault, task.aws
    return start


def test_a_run_lends_refreshes_and_writes_back_as_the_task(run, youtube, tenancy):
    before = run.vault.status("youtube").active.generation.id

    summary = run(VIDEO)

    active = run.vault.status("youtube").active
    denied = [call for call in tenancy.cloud.calls if not call.allowed]
    assert summary.downloaded == 1
    assert summary.receipts[0].used == "active"
    assert active.generation.id != before
    assert active.generation.source == "write-back"
    assert {call.principal_arn for call in tenancy.cloud.calls} >= {tenancy.role_arn("task")}
    assert [call for call in denied if call.action != "s3:GetObject"] == []


def test_a_dead_active_jar_hands_over_to_the_backup(run, youtube):
    youtube.control.add_video(VIDEO, answer="age_gate")
    youtube.control.revoke("new")

    summary = run(VIDEO)

    assert summary.receipts[0].used == "backup"
    assert run.vault.status("youtube").active.state == "dead"


def test_what_yt_dlp_starts_inherits_nothing_of_aws(run, youtube, tmp_path, monkeypatch):
    spy = tmp_path / "bin" / "ffmpeg"
    spy.parent.mkdir()
    spy.write_text(f"#!/bin/sh\nenv >> {tmp_path}/seen\nexit 1\n")
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    youtube.control.add_video(VIDEO, title="Merged", separate=True, heights=(360,))

    run(VIDEO)

    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "AWS_" not in seen
    assert "COOKIE_" not in seen


def test_no_credential_and_no_cookie_is_left_on_disk(run, youtube, tmp_path):
    run(VIDEO)

    secret = run.aws["AWS_SECRET_ACCESS_KEY"].encode()
    rows = youtube.control.cookies("new").splitlines()[1:]
    values = [row.split("\t")[6].encode() for row in rows if row.count("\t") == 6]
    cookies = [value for value in values if len(value) >= 20]
    assert len(cookies) > 3
    for path in (*tmp_path.rglob("*"), *Path("/dev/shm").glob("jarkeeper-*")):
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content
            assert not any(value in content for value in cookies)


def test_a_profile_and_a_region_in_files_reach_the_worker(
    run, youtube, tenancy, settings, tmp_path, monkeypatch
):
    aws = run.aws
    folder = tmp_path / "home" / ".aws"
    folder.mkdir(parents=True)
    (folder / "config").write_text(f"[profile jars]\nregion = {aws['AWS_REGION']}\n")
    (folder / "credentials").write_text(
        f"[jars]\naws_access_key_id = {aws['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {aws['AWS_SECRET_ACCESS_KEY']}\n"
        f"aws_session_token = {aws['AWS_SESSION_TOKEN']}\n"
    )
    monkeypatch.setenv("HOME", str(folder.parent))
    kept = ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE")
    told = {name: aws[name] for name in kept} | {"AWS_PROFILE": "jars"}
    task = replace(
        tenancy.settings(tmp_path / "state", told), proxy=settings.proxy, ca_file=settings.ca_file
    )

    summary = run_downloads(task, DownloadRequest.of((VIDEO,), tmp_path / "videos"))

    assert summary.receipts[0].used == "active"


@pytest.fixture
def agent(run):
    """An agent as containers have: it gives the role's credentials, soon to expire, for a token."""
    told = []
    aws = run.aws

    class Agent(BaseHTTPRequestHandler):
        def do_GET(self):
            told.append(self.headers.get("Authorization"))
            answer = {
                "AccessKeyId": aws["AWS_ACCESS_KEY_ID"],
                "SecretAccessKey": aws["AWS_SECRET_ACCESS_KEY"],
                "Token": aws["AWS_SESSION_TOKEN"],
                # Less than the ten minutes from which on boto3 asks again before each request.
                "Expiration": f"{datetime.now(UTC) + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}",
            }
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Agent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/role", told
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_containers_role_renews_itself_in_the_worker(run, agent, tenancy, settings, tmp_path):
    url, told = agent
    token = tmp_path / "token"
    token.write_text("the-pod's-token")
    kept = ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_REGION")
    role = {name: run.aws[name] for name in kept}
    role["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url
    role["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(token)
    task = replace(
        tenancy.settings(tmp_path / "state", role), proxy=settings.proxy, ca_file=settings.ca_file
    )
    request = DownloadRequest.of((VIDEO,), tmp_path / "videos")

    with pytest.MonkeyPatch.context() as environment:
        for name, text in role.items():  # boto3 asks an agent by the process's environment alone
            environment.setenv(name, text)
        summary = run_downloads(task, request)

    assert summary.receipts[0].used == "active"
    assert len(told) > 4
    assert set(told) == {"the-pod's-token"}
