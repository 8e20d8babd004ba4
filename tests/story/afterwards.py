"""Act 5 and what comes after it: the record of everything, and where to look."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from pathlib import Path

from jarkeeper.audit import Event
from jarkeeper.cli.audit import Access, newest
from jarkeeper.cli.output import Styled
from story.search import files_in, files_with
from story.stage import BIN, CANARY, Stage

README = "README.md"
PROFILE = """\
active = "demo"

[profiles.demo]
PREFECT_SERVER_ANALYTICS_ENABLED = "false"
"""
ACCESSES_MAX = 1000
HEADINGS = ("time (UTC)", "action", "slot", "generation", "result", "by")

STEPS = (
    *[("import", "ok")] * 4,
    *[("lend", "ok")] * 4,
    ("write-back", "ok"),
    ("mark", "ok"),
    ("write-back", "refused"),
)
"""What must be on record at the least, whatever YouTube refreshed besides."""


def audit(stage: Stage) -> None:
    """Show the trail and its integrity, the vault's health, and that no cookie lies about."""
    stage.end_server()
    _tell(stage)
    stage.run("jarkeeper", "audit", "verify")
    stage.run("jarkeeper", "check")
    stage.voice.line()
    _every_step_is_on_record(stage)
    searched = files_in(stage.folder)
    stage.voice.claim(
        stage.server.home / "prefect.db" in searched and not files_with((CANARY,), stage.folder),
        f"no cookie in any of the {len(searched)} files that are left: "
        "vault, videos, Prefect's database, logs",
    )


def _tell(stage: Stage) -> None:
    stage.voice.say("On record, oldest first. What cannot be recorded does not happen:")
    accesses, _ = newest(stage.vault.trail.read(), most=ACCESSES_MAX)
    stage.voice.table(HEADINGS, [_row(access) for access in accesses])


def _row(access: Access) -> tuple[Styled, ...]:
    """Return what `jarkeeper audit` says of it, with less of the time and of who did it."""
    event = access.last
    return (
        f"{access.events[0].at:%H:%M:%S}",
        event.action.value,
        event.slot or "-",
        event.generation[:8] or "-",
        (access.result, access.style),
        event.actor.rpartition(" ")[2],
    )


def _ended(stage: Stage) -> list[Event]:
    """Return the outcome of every access."""
    return [event for event in stage.vault.trail.read() if event.phase == "outcome"]


def _every_step_is_on_record(stage: Stage) -> None:
    ended = _ended(stage)
    told = Counter((str(event.action), str(event.outcome)) for event in ended)
    runs = {event.flow_run for event in ended} - {""}
    stage.voice.claim(
        Counter(STEPS) <= told and len(runs) == 2 and not stage.vault.verify_trail().discrepancies,
        "every import, every use with its flow run, the death and the refusal are on record, "
        "each chained to the one before: nothing was changed, nothing is missing",
    )


def epilogue(stage: Stage, project: Path, *, seconds: float) -> None:
    """Say where everything is, and how to do the same with a real account."""
    voice, folder = stage.voice, _short(stage.folder)
    what_is_left(stage, seconds=seconds)
    _write_profile(stage.server.home)
    voice.named("Prefect", f"PREFECT_HOME={folder}/prefect {_short(BIN / 'prefect')} server start")
    voice.named("", "then open http://127.0.0.1:4200")
    voice.line()
    voice.line(("Now with your own account", "strong"))
    voice.named("export", "log in in a private window, make youtube.com/robots.txt its only")
    voice.named("", "tab, export cookies.txt with an extension, close it for good")
    command = _short(BIN / "jarkeeper")
    for number, words in enumerate(("init", "import cookies.txt", "download URL"), start=1):
        voice.named(f"step {number}", f"{command} {words}")
    voice.named("more", f"{_short(project / README)}")
    voice.line()


def what_is_left(stage: Stage, *, seconds: float) -> None:
    """Say where the vault and the videos are, until such a story is told again."""
    voice, folder = stage.voice, _short(stage.folder)
    voice.line()
    if not (stage.folder / "vault").exists():
        voice.say(f"Told in {seconds:.0f} seconds. The vault was on an AWS that ended with it.")
        voice.say(f"Its logs are left, in {folder}/logs/. Told again, all of it is there anew.")
        return
    voice.line(
        (f"Told in {seconds:.0f} seconds. It is all still there, in ", ""),
        (f"{folder}/", "strong"),
        (", until this is told again", ""),
    )
    if stage.videos.exists():
        voice.named("videos", f"{folder}/videos/")
    voice.named("the vault", f". {_write_environment(stage)} && jarkeeper status")


def _write_profile(home: Path) -> None:
    """Have the reader's own server keep to this machine too."""
    (home / "profiles.toml").write_text(PROFILE)


def _write_environment(stage: Stage) -> str:
    file = stage.folder / "environment"
    places = stage.places | {"PREFECT_HOME": str(stage.server.home)}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in places.items()]
    lines.append(f'export PATH={shlex.quote(str(BIN))}:"$PATH"')
    file.write_text("\n".join(lines) + "\n")
    return shlex.quote(_short(file))


def _short(path: Path) -> str:
    """Return the path as it is typed from where the reader is."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
