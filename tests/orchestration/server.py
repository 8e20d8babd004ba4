"""A real Prefect server and worker, as processes of their own; ended by their process ids."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 120
STOP_SECONDS = 30

# Nothing leaves the machine, and records are written in batches: fewer locks on SQLite.
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "100",
}


@dataclass(frozen=True)
class PrefectServer:
    """A running server: where it is, and the environment that leads there."""

    folder: Path
    port: int

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def home(self) -> Path:
        return self.folder / "prefect"

    @property
    def environment(self) -> dict[str, str]:
        passed_on = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **passed_on,
            **QUIET,
            "HOME": str(self.folder),
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_URL": self.api,
            "PREFECT_WORKER_QUERY_SECONDS": "2",
        }


@contextlib.contextmanager
def prefect_server(folder: Path, **settings: str) -> Iterator[PrefectServer]:
    """Yield a server with an empty database in `folder`."""
    server = PrefectServer(folder, free_port())
    command = ["server", "start", "--host", "127.0.0.1", "--port", str(server.port)]
    with prefect_process(server, command, name="server", settings=settings) as process:
        wait_for(lambda: answers(server, process), seconds=START_SECONDS, what="the server")
        yield server


@contextlib.contextmanager
def prefect_process(
    server: PrefectServer, command: list[str], *, name: str, settings: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a running `prefect` command whose output goes to a file; it is ended at the end."""
    with (server.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *command],
            cwd=server.folder,
            env=server.environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            end(process)


def prefect(server: PrefectServer, *arguments: str, cwd: Path | None = None) -> str:
    """Return the output of a `prefect` command that must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=cwd or server.folder,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def deploy(server: PrefectServer, content: object, folder: Path) -> None:
    """Deploy what a prefect.yaml with this content says, and nothing else."""
    import yaml
    from prefect.client.orchestration import SyncPrefectClient

    with SyncPrefectClient(server.api) as client:
        for deployment in client.read_deployments():
            client.delete_deployment(deployment.id)
    (folder / "prefect.yaml").write_text(yaml.safe_dump(content))
    prefect(server, "--no-prompt", "deploy", "--all", cwd=folder)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process as an operator would, by force if it does not listen."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(claim: Callable[[], object], *, seconds: float, what: str) -> object:
    """Return what `claim` returns once it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := claim():
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds:g} seconds")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def answers(server: PrefectServer, process: subprocess.Popen[bytes]) -> bool:
    """Return whether the server can be used; a server that ended is an error."""
    assert process.poll() is None, (server.folder / "server.log").read_text()
    try:
        with urllib.request.urlopen(f"{server.api}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
