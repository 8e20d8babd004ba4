"""An hour in miniature: a session that is renewed, ends, is replaced, and nobody watches.

A real server, worker and schedules; the stand-in is YouTube. People start downloads all the time.
Now and then YouTube ends the active login, or all of them at once; the operator hears of it by an
alert alone, and comes with fresh exports after a while.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun

from jarkeeper.incidents import Incident
from jarkeeper.slots import SlotState
from jarkeeper.wiring import open_journal, open_vault
from orchestration.hook import Hook
from orchestration.place import Place, url
from orchestration.server import PrefectServer, deploy, prefect_process, wait_for

PREFECT_YAML = Path(__file__).parents[2] / "prefect.yaml"
EVERY_SECONDS = {"validate": 20, "refresh": 60, "rotate": 45}
"""Schedules: hours and more as seconds and minutes."""
DOWNLOAD_SECONDS = 12
TROUBLE_SECONDS = 40
OPERATOR_SECONDS = 5
"""From the alert to the import: an operator's hours."""
CALM_SECONDS = 150
"""For what is under way at the end."""
UNDER_WAY_MAX = 8
"""Downloads that have not ended: nobody starts more, as a slow machine would never catch up."""
JAR = "youtube"
OPENS = "5000"
"""In an hour of the clock: a miniature's hour has many."""


@dataclass
class Story:
    """What happened, as far as the world outside of Jarkeeper knows it."""

    runs: dict[UUID, tuple[str, ...]] = field(default_factory=dict)
    """The videos that each download run was asked for."""
    refused: dict[str, int] = field(default_factory=dict)
    """How often YouTube had refused a login by when its end was known to everybody."""
    refused_at_end: dict[str, int] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    incidents: tuple[Incident, ...] = ()
    ended: dict[UUID, FlowRun] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)


class Soak:
    """One soak: the place, the server's client and who acts in it."""

    def __init__(self, place: Place, server: PrefectServer, hook: Hook) -> None:
        self.place, self.server, self.hook = place, server, hook
        self.youtube = place.standin.control
        self.story = Story()
        self.numbers = itertools.count(1)
        self.logins: list[str] = []
        self.digests: dict[str, str] = {}
        """How the vault knows each login."""
        self.over = threading.Event()

    @property
    def environment(self) -> dict[str, str]:
        alerts = f'[recipients]\nops = ["json://127.0.0.1:{self.hook.port}/"]\n'
        alerts += '[[steps]]\nafter_minutes = 0\nseverity = "warning"\nto = ["ops"]\n'
        return self.place.environment | {
            "JARKEEPER_ALERTS": alerts,
            "COOKIE_OPENS_PER_HOUR": OPENS,
        }

    def deploy(self, folder: Path) -> None:
        """Deploy what ships, on its pools, with miniature schedules."""
        content = yaml.safe_load(PREFECT_YAML.read_text())
        wanted = {"download", *EVERY_SECONDS}
        content["deployments"] = [one for one in content["deployments"] if one["name"] in wanted]
        for one in content["deployments"]:
            if seconds := EVERY_SECONDS.get(one["name"]):
                one["schedules"] = [{"slug": "soak", "interval": seconds, "active": True}]
        deploy(self.server, content, folder)

    def import_two(self) -> None:
        """Come with a spare login and one to be used; nobody tells Prefect of it."""
        vault = open_vault(self.place.settings, actor="operator")
        for _ in range(2):
            name = f"login{next(self.numbers):05d}"
            export = self.youtube.new_session(name, rotate_every=5, grace_seconds=120)
            receipt = vault.import_jar(JAR, export.encode(), confirmed=True)
            self.digests[name] = receipt.facts.login
            self.logins.append(name)

    def download(self, client: SyncPrefectClient) -> None:
        """Start a run of two videos, one of which needs a login."""
        number = next(self.numbers)
        ids = (f"plain{number:06d}", f"login{number:06d}")
        self.youtube.add_video(ids[1], answer="age_gate")
        deployment = client.read_deployment_by_name("download/download")
        parameters = {"urls": list(map(url, ids)), "destination": str(self.place.downloads)}
        run = client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
        self.story.runs[run.id] = ids

    def make_trouble(self, round_: int) -> None:
        """End the active login, and every second time the spare one too."""
        doomed = self.logins[-1:] if round_ % 2 else self.logins[-2:]
        for name in doomed:
            self.youtube.revoke(name)

    def operate(self) -> None:
        """Wait for an alert about a dead session; come after a while, with fresh exports."""
        heard = 0
        while not self.over.wait(1):
            about = [call for call in self.hook.calls if "session-dead" in call["title"]]
            # Trouble that comes back soon is the same incident, and not told again: look at it too.
            if len(about) == heard and not self.is_down():
                continue
            heard = len(about)
            if self.over.wait(OPERATOR_SECONDS):
                return
            self.note_the_dead()
            self.import_two()

    def is_down(self) -> bool:
        journal = open_journal(self.place.settings, open_vault(self.place.settings))
        return any(one.cause == "session-dead" for one in journal.open())

    def note_the_dead(self) -> None:
        """Note how often each login that the vault knows to be dead was refused up to now.

        A spare that ended with the active one is not known to, until somebody has asked about it.
        """
        head = open_vault(self.place.settings).status(JAR)
        slots = () if head is None else head.slots.records()
        known = {item.generation.facts.login for item in slots if item.state is SlotState.DEAD}
        for name in self.logins:
            if self.digests[name] in known and name not in self.story.refused:
                self.story.refused[name] = self.youtube.session(name).refused


def soak(place: Place, server: PrefectServer, folder: Path, *, seconds: float) -> Story:
    """Let it run for so long, then let everything come to rest; return the story."""
    with Hook().running() as hook:
        play = Soak(place, server, hook)
        play.import_two()
        play.deploy(folder)
        with (
            worker(play, "jarkeeper", limit=2),
            worker(play, "jarkeeper-upkeep", limit=2),
            SyncPrefectClient(server.api) as client,
            acting(play),
        ):
            live(play, client, seconds=seconds)
            come_to_rest(play, client)
        play.story.alerts = [call["title"] for call in hook.calls]
    return play.story


def worker(
    play: Soak, pool: str, *, limit: int
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Start a worker of its own for the pool: upkeep that is late must not hold up downloads."""
    command = ["worker", "start", "--pool", pool, "--type", "process", "--limit", str(limit)]
    return prefect_process(play.server, command, name=f"soak-{pool}", settings=play.environment)


@contextlib.contextmanager
def acting(play: Soak) -> Iterator[None]:
    """Have the operator at work meanwhile; what goes wrong there is told in the story."""

    def operate() -> None:
        try:
            play.operate()
        except BaseException as error:
            play.story.errors.append(error)

    thread = threading.Thread(target=operate)
    thread.start()
    try:
        yield
    finally:
        play.over.set()
        thread.join()


def live(play: Soak, client: SyncPrefectClient, *, seconds: float) -> None:
    """Start downloads, and make trouble, until the time is over."""
    end = time.monotonic() + seconds
    trouble, rounds = time.monotonic() + DOWNLOAD_SECONDS, itertools.count()
    while time.monotonic() < end:
        if under_way(play.story, client) < UNDER_WAY_MAX:
            play.download(client)
        # As long as the last trouble lasts, no new one: its cookies would be dead on arrival.
        if time.monotonic() >= trouble and not play.is_down():
            play.make_trouble(next(rounds))
            trouble = time.monotonic() + TROUBLE_SECONDS
        time.sleep(DOWNLOAD_SECONDS)


def under_way(story: Story, client: SyncPrefectClient) -> int:
    """Note which downloads have ended, and return how many have not."""
    for run in story.runs.keys() - story.ended.keys():
        found = client.read_flow_run(run)
        if found.state is not None and found.state.is_final():
            story.ended[run] = found
    return len(story.runs) - len(story.ended)


def come_to_rest(play: Soak, client: SyncPrefectClient) -> None:
    """Wait until every download has ended and nothing is wrong with the session any more."""
    story = play.story

    def all_ended() -> bool:
        return under_way(story, client) == 0

    try:
        wait_for(all_ended, seconds=CALM_SECONDS, what="the end of every download")
    except AssertionError as error:
        left = [client.read_flow_run(run) for run in story.runs.keys() - story.ended.keys()]
        told = [f"{run.state_name}: {run.state and run.state.message}" for run in left]
        raise AssertionError(f"{error}; {sorted(told)}") from None
    wait_for(lambda: not play.is_down(), seconds=CALM_SECONDS, what="the end of the incidents")
    vault = open_vault(play.place.settings)
    story.incidents = open_journal(play.place.settings, vault).look_back().incidents
    story.refused_at_end = {name: play.youtube.session(name).refused for name in story.refused}
