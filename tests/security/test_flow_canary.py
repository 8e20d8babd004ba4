"""A marked cookie value runs through every flow; nothing that anybody can look at holds it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestration.driver import DONE
from orchestration.evidence import (
    Evidence,
    ProcessWatch,
    from_api,
    from_database,
    from_files,
    places_of,
)
from orchestration.place import Place, url
from orchestration.server import PrefectServer, prefect_server, wait_for
from standin.server import StandIn

pytestmark = [pytest.mark.harness, pytest.mark.timeout(240)]

CANARY = "KANARI7c1d04e9b2"
PLANTED = "PLANTED5f83aa61d7"
LATE = {"api: logs", "api: events", "api: task run states"}
TESTS = Path(__file__).parents[1]


@dataclass
class Driver:
    """The process that runs the flows, and what it said."""

    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)

    def run(self, **order: object) -> str:
        """Return what it printed while it did this."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        printed = []
        while (line := self.process.stdout.readline()) and line.strip() != DONE:
            printed.append(line)
        assert line, "the driver ended"
        self.output += printed
        return "".join(printed)


@contextlib.contextmanager
def driver(server: PrefectServer, place: Place):
    environment = server.environment | place.environment
    environment |= {"PYTHONPATH": str(TESTS), "PREFECT_LOGGING_LEVEL": "DEBUG"}
    environment |= {"PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true"}
    with (
        (server.folder / "driver.log").open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "orchestration.driver"],
            cwd=server.folder,
            env=environment | {"JARKEEPER_LOG_LEVEL": "debug"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Driver(process)
        finally:
            process.stdin.close()
            process.wait(30)


@dataclass(frozen=True)
class Story:
    """What was printed in each act, and all that could be looked at afterwards."""

    printed: dict[str, str]
    evidence: Evidence


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Flows run well and badly with marked cookies; then one that leaks on purpose."""
    folder = tmp_path_factory.mktemp("canary")
    with StandIn() as yt, prefect_server(tmp_path_factory.mktemp("server")) as server:
        yt.control.set_size(60_000)
        place = Place(folder, yt)
        place.prepare()
        with driver(server, place) as running, ProcessWatch(running.process.pid) as watch:
            printed = acts(running, place, tmp_path_factory.mktemp("exports"))
            printed["leaky"] = running.run(job="leaky", secret=PLANTED)
        evidence = watch.evidence()
        # Logs and events arrive in batches.
        wait_for(
            lambda: {*places_of(PLANTED, from_api(server))} >= LATE,
            seconds=60,
            what="the planted secret in what is written late",
        )
        evidence |= from_api(server)
    # The server ended: its database is complete.
    evidence |= from_database(server)
    evidence |= from_files({"prefect's home": server.home, "our folders": folder})
    evidence |= {"output": [server_text(server), "".join(running.output).encode()]}
    return Story(printed, evidence)


def acts(running: Driver, place: Place, exports: Path) -> dict[str, str]:
    """Return what was printed in each act."""
    control = place.standin.control
    there = {"destination": str(place.downloads)}

    def fetch(*ids: str, **options: object) -> str:
        return running.run(job="download", urls=[url(i) for i in ids], **there, **options)

    printed = {}
    place.import_session("first", canary=CANARY, rotate_every=2)
    printed["success"] = fetch("success0000", "success0001")

    place.import_session("second", canary=CANARY)
    control.add_video("death000000", answer="age_gate")
    control.revoke("second")
    printed["death"] = fetch("death000000")

    control.add_video("private0000", answer="private")
    control.fault("media", video_id="forbidden00", status=403)
    printed["failure"] = fetch("private0000", "forbidden00", "success0002")

    export = exports / "cookies.txt"
    export.write_text(control.new_session("third", canary=CANARY, user_id="1001"))
    broken = exports / "broken.txt"
    broken.write_text(export.read_text() + f".youtube.com\tTRUE\t/\t{CANARY}\n")
    printed["block"] = running.run(job="block", path=str(export), bad_path=str(broken))

    drop = place.folder / "drop"
    drop.mkdir()
    left = drop / "youtube.txt"
    left.write_text(control.new_session("fourth", canary=CANARY, user_id="1001"))
    os.utime(left, (0, 0))
    printed["upkeep"] = running.run(job="upkeep", environment={"COOKIE_DROP": str(drop)})

    control.set_answer("bot_check")
    printed["stopped"] = fetch("stopped0000", "stopped0001")

    key = place.folder / "config" / "key"
    key.rename(key.with_name("other"))
    printed["no key"] = fetch("nokey000000")
    return printed


def server_text(server: PrefectServer) -> bytes:
    return b"".join((server.folder / f"{name}.log").read_bytes() for name in ("server", "driver"))


@pytest.mark.parametrize(
    ("act", "sign"),
    [
        ("success", "Completed 2 of 2"),
        ("death", "died"),
        ("failure", "PartlyDone 1 of 3"),
        ("block", "RuntimeError: in the middle of using"),
        ("upkeep", "the tested cookies are active"),
        ("upkeep", "drill Completed recovered"),
        ("upkeep", "audit-report Completed 12"),
        ("stopped", "Failed"),
        ("no key", "Failed"),
    ],
)
def test_the_acts_went_as_they_were_meant_to(story, act, sign):
    assert sign in story.printed[act]


def test_a_refreshed_jar_was_written_back(story):
    assert places_of("jarkeeper.write-back.kept", story.evidence)


@pytest.mark.parametrize(
    "place",
    [
        "api: flow runs",
        "api: flow run states",
        "api: task run states",
        "api: logs",
        "api: artifacts",
        "api: events",
        "api: variables",
        "api: blocks",
        "table flow_run",
        "table flow_run_state",
        "table task_run_state",
        "table log",
        "table events",
        "table artifact",
        "table variable",
        "prefect's home",
        "our folders",
        "our folders: names",
        "output",
        "processes: cmdline",
        "processes: environ",
    ],
)
def test_the_scan_sees_a_planted_secret(story, place):
    assert place in places_of(PLANTED, story.evidence)


def test_the_scan_sees_a_secret_in_a_stored_result(story):
    results = [item for item in story.evidence["prefect's home"] if b'"serializer"' in item]

    assert places_of(PLANTED, {"results": results})


def test_the_worker_was_watched(story):
    watched = {"processes": story.evidence["processes: cmdline"]}

    assert places_of("jarkeeper.worker", watched)


def test_no_cookie_is_anywhere(story):
    assert places_of(CANARY, story.evidence) == []
