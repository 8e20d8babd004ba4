"""A process that runs flows as told, so that all it says and starts can be looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.blocks.system import Secret
from prefect.events import emit_event
from prefect.variables import Variable

from blocks.cookie_manager import CookieManager
from flows.audit_report import audit_report
from flows.cleanup import cleanup
from flows.download import download
from flows.drill import drill
from flows.health import health
from flows.refresh import refresh
from flows.reviews import daily, monthly, weekly
from flows.rotate import rotate
from flows.validate import validate
from jarkeeper.errors import JarkeeperError

DONE = "driver: done"


@flow
def use_in_python(fail: bool) -> int:
    """What somebody's own flow does with the block, as well as it can go wrong."""
    manager = CookieManager.load("canary")
    lent = manager.get_active_cookies()
    print(repr(lent), str(lent))
    with lent.open() as jar:
        print(repr(jar), repr(jar.cookies[0]))
        get_run_logger().info("%r %s", lent, jar)
        if fail:
            raise RuntimeError(f"in the middle of using {jar!r} of {lent!r}")
        return len(jar)


def run_download(urls: list[str], **options: object) -> None:
    state = download(urls, return_state=True, **options)
    print(state.name, state.message, repr(state.result(raise_on_failure=False)))


def run_block(path: str, bad_path: str) -> None:
    CookieManager().save("canary", overwrite=True)
    manager = CookieManager.load("canary")
    print(repr(manager), manager.rotate_cookies(path))
    print(manager.validate_cookie_freshness(), manager.get_cookie_metadata())
    print(manager.cleanup_temporary_files())
    try:
        manager.rotate_cookies(bad_path)
    except JarkeeperError as error:
        print(repr(error))
    print(use_in_python(False))
    print(use_in_python(True, return_state=True))


@task(persist_result=True, result_serializer="compressed/pickle")
def leaky_result(secret: str) -> list[str]:
    return [secret]


@task
def leaky_failure(secret: str) -> None:
    raise ValueError(secret)


@flow
def leaky(secret: str) -> None:
    """Leaks in every way that the scan claims to see."""
    print(secret)
    get_run_logger().info(secret)
    create_markdown_artifact(secret, key="leak")
    emit_event("leak", resource={"prefect.resource.id": "leak"}, payload={"secret": secret})
    Variable.set("leak", secret, overwrite=True)
    Secret(value=secret).save("leak", overwrite=True)
    leaky_result(secret)
    (Path(os.environ["COOKIE_TEMP_DIR"]) / secret).write_text(secret)
    command = [sys.executable, "-c", "import time; time.sleep(1)", secret]
    subprocess.run(command, env={"LEAK": secret}, check=True)
    leaky_failure(secret)


def run_upkeep() -> None:
    for upkeep in (validate, refresh, rotate, health, cleanup, drill, daily, weekly, monthly):
        state = upkeep(return_state=True)
        print(upkeep.name, state.name, state.message, repr(state.result(raise_on_failure=False)))
    folder = Path(os.environ["JARKEEPER_STATE_DIR"]).parent / "reports"
    state = audit_report(since="1d", out=folder, return_state=True)
    print(audit_report.name, state.name, sum(file.is_file() for file in folder.rglob("*")))


def run_leaky(secret: str) -> None:
    print(leaky(secret, return_state=True))


def main() -> None:
    """Do what each line says, and say when it is done."""
    jobs = {"download": run_download, "block": run_block, "leaky": run_leaky, "upkeep": run_upkeep}
    for line in sys.stdin:
        order = json.loads(line)
        os.environ.update(order.pop("environment", {}))
        jobs[order.pop("job")](**order)
        print(DONE, flush=True)


if __name__ == "__main__":
    main()
