"""Where the story plays: a folder, the stand-in as YouTube, a Prefect server, real commands."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jarkeeper.heads import Head
from jarkeeper.settings import Settings
from jarkeeper.vault import Vault
from jarkeeper.wiring import open_vault
from orchestration.server import PrefectServer, answers, end, free_port, prefect_process, wait_for
from standin.control import Control
from standin.server import StandIn
from story.voice import Voice

ACCOUNT = "104729130363170399581"
"""Whose logins they all are."""

CANARY = "made-up-secret"
"""How every cookie value of the story begins: what is searched for where none may be."""

JAR = "youtube"
BIN = Path(sys.executable).parent
PASSED_ON = ("COLORTERM", "COLUMNS", "LC_ALL", "LINES", "LOGNAME", "NO_COLOR", "TERM", "TZ", "USER")
SERVER_SECONDS = 120
LOG_PREFIX = re.compile(r"[\d:.]{12} \| (\w+) +\| \w+ run '.*?' - ")
ROUTINE = re.compile(
    r"Beginning flow run|View at |Finished in state Completed\(\)|\d+ videos? from "
    r"|videos \d+ of |what came back from the |YouTube refreshed the |downloaded {3,}"
)
"""Left out of the retold log: what Prefect says of every run, and what is said twice."""


@dataclass
class Stage:
    """What the acts share."""

    folder: Path
    voice: Voice
    youtube: StandIn
    server: PrefectServer
    process: subprocess.Popen[bytes] | None
    """Prefect's server; None in a chapter that needs none."""

    @property
    def control(self) -> Control:
        """What the stand-in can be told."""
        return self.youtube.control

    @property
    def places(self) -> dict[str, str]:
        """Return the variables that lead to this story's vault."""
        return {
            "JARKEEPER_VAULT": str(self.folder / "vault"),
            "JARKEEPER_KEY_FILE": str(self.folder / "key" / "vault.key"),
            "JARKEEPER_STATE_DIR": str(self.folder / "state"),
        }

    @cached_property
    def environment(self) -> dict[str, str]:
        """Return all that the story's commands get to know: nothing of the reader's own.

        The server is told to flow runs alone: each command that asks it starts slower.
        """
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {
            **self.server.environment,
            **passed_on,
            **self.places,
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "COOKIE_DROP": str(self.folder / "drop"),
            "JARKEEPER_PROXY": self.youtube.proxy_url,
            "JARKEEPER_CA_FILE": self.youtube.ca_file,
            "JARKEEPER_RETRY_SECONDS": "1,2",
            "PREFECT_API_URL": "",
        }

    @property
    def settings(self) -> Settings:
        """Return the settings that the commands read."""
        return Settings.read(self.environment)

    @property
    def vault(self) -> Vault:
        """Return the vault, for a look at what the commands did."""
        return open_vault(self.settings, actor="demo")

    @property
    def head(self) -> Head:
        """Return the truth about the jar."""
        head = self.vault.status(JAR)
        assert head is not None, "there is no jar yet"
        return head

    @property
    def videos(self) -> Path:
        """Where the videos go."""
        return self.folder / "videos"

    def export(self, file: str, session: str, **kind: object) -> None:
        """Log in to the stand-in and export that session's cookies, as a browser extension does."""
        text = self.control.new_session(session, **{"canary": CANARY, "user_id": ACCOUNT} | kind)  # type: ignore[arg-type]
        (self.folder / file).write_text(text)

    def run(self, *argv: str, code: int | None = 0) -> None:
        """Show a command and run it; what it prints is part of the story, and how it ends.

        With None it may end as it likes.
        """
        self.voice.command(*argv)
        with self._started(argv) as process:
            process.wait()
        ended = f"`{' '.join(argv[:2])}` ended with {process.returncode}"
        assert code in (None, process.returncode), f"{ended}, expected {code}"

    def run_flow(self, *argv: str) -> None:
        """Show a command and run it; of its Prefect log, only what is not routine is retold."""
        self.voice.command(*argv)
        server = {} if self.process is None else {"PREFECT_API_URL": self.server.api}
        with self._started(argv, stdout=subprocess.PIPE, **server) as process:
            assert process.stdout is not None
            for line in process.stdout:
                self._retell(line.decode(errors="replace").rstrip())
            process.wait()
        assert process.returncode == 0, f"the flow run ended with {process.returncode}"

    def end_server(self) -> None:
        """End Prefect's server, so that all it knows is on disk."""
        with self.voice.waiting("Prefect's server is ending …"):
            end(self._serving)

    def wait_for_server(self) -> None:
        """Return once Prefect answers; it was started when the story began."""
        with self.voice.waiting("Prefect's server is starting …"):
            wait_for(
                lambda: answers(self.server, self._serving),
                seconds=SERVER_SECONDS,
                what="Prefect's server",
            )

    @property
    def _serving(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "this chapter has no server"
        return self.process

    @contextlib.contextmanager
    def _started(
        self, argv: tuple[str, ...], *, stdout: int | None = None, **server: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            argv,
            executable=BIN / argv[0] if (BIN / argv[0]).exists() else None,
            cwd=self.folder,
            env=self.environment | server,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()

    def _retell(self, line: str) -> None:
        prefix = LOG_PREFIX.match(line)
        message = line[prefix.end() :] if prefix else line
        if message and not ROUTINE.match(message):
            self.voice.event(message, "warn" if prefix and prefix[1] == "WARNING" else "")


@contextlib.contextmanager
def on_stage(folder: Path, voice: Voice, *, with_prefect: bool = True) -> Iterator[Stage]:
    """Yield the stage with everything running; all of it has ended afterwards."""
    server = PrefectServer(folder, free_port())
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(_serving(server)) if with_prefect else None
        youtube = stack.enter_context(StandIn(ca_file=folder / "youtube-ca.pem"))
        try:
            yield Stage(folder, voice, youtube, server, process)
        except KeyboardInterrupt:
            # While it starts, it listens to nothing else, and who interrupts does not want to wait.
            if process is not None:
                process.kill()
            raise


def _serving(server: PrefectServer) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    command = ["server", "start", "--host", "127.0.0.1", "--port", str(server.port)]
    return prefect_process(server, command, name="server", settings={})
