"""Chapters on what happens to a session: a good day, and the ways in which days are not good."""

from __future__ import annotations

from jarkeeper.heads import SlotState
from jarkeeper.incidents import Incident
from jarkeeper.wiring import open_journal
from story.stage import Stage

OPEN_VIDEO, LOCKED = "aaaaaaaaaaa", "bbbbbbbbbbb"
"""One that anybody may see, and one for which a login is needed."""


def healthy_day(stage: Stage) -> None:
    """Validate, download, refresh, look."""
    begin(stage, "spare", "today", rotate_every=3)
    stage.run("jarkeeper", "validate")
    stage.run("jarkeeper", "download", OPEN_VIDEO, LOCKED, "--to", "videos")
    stage.run("jarkeeper", "refresh")
    stage.run("jarkeeper", "status")
    claim_states(stage, "healthy healthy", "two logins that work, both tested")


def rotated_away(stage: Stage) -> None:
    """Let a browser go on with a session that was exported: the copy is worth nothing."""
    begin(stage, "spare", "today", grace_seconds=0)
    stage.voice.say("The browser goes on with the session that was exported from it:")
    stage.control.rotate("today")
    stage.run("jarkeeper", "validate")
    claim_states(stage, "suspect healthy", "one answer makes it suspect: nobody is alerted yet")
    stage.run("jarkeeper", "download", LOCKED, "--to", "videos")
    claim_states(stage, "dead healthy", "a download that needed it was told for certain")
    stage.run("jarkeeper", "rotate")
    claim_states(stage, "healthy dead", "the backup passed a test, and is active")
    stage.run("jarkeeper", "history")


def bot_check(stage: Stage) -> None:
    """Have YouTube ask for a pause: the run ends, the cookies rest, nothing is hammered."""
    begin(stage, "spare", "today")
    stage.control.set_answer("bot_check")
    stage.run("jarkeeper", "download", OPEN_VIDEO, LOCKED, "--to", "videos", code=4)
    stage.run("jarkeeper", "status")
    stage.control.clear()
    stage.run("jarkeeper", "validate")
    stage.run("jarkeeper", "incidents")
    claim_states(stage, "cooling cooling", "both rest for an hour")
    stage.voice.claim(not stage.control.requests(), "YouTube was not asked again")
    stage.voice.claim(causes(stage) >= {"youtube-pause"}, "an incident tells of the pause")


def expiry(stage: Stage) -> None:
    """Import a login that ends in two days, be warned, and replace it in time."""
    stage.run("jarkeeper", "init")
    stage.export("cookies.txt", "short", expires_in=2 * 86400)
    stage.run("jarkeeper", "import", "cookies.txt", code=1)
    stage.run("jarkeeper", "validate", code=1)
    claim_states(stage, "healthy", "it works, and will not for long")
    stage.voice.claim("expiry" in causes(stage), "an incident tells when it ends")
    stage.export("cookies.txt", "long")
    stage.run("jarkeeper", "import", "--probe", "cookies.txt")
    stage.voice.claim("expiry" not in causes(stage), "the import ended it")


def dead_session(stage: Stage) -> None:
    """Let the only session end: downloads that need it wait, and go on after an import."""
    begin(stage, "today")
    stage.control.revoke("today")
    stage.run("jarkeeper", "download", OPEN_VIDEO, LOCKED, "--to", "videos", code=5)
    claim_states(stage, "dead", "what needs no login arrived, the other video is put off")
    stage.run("jarkeeper", "validate", code=1)
    stage.run("jarkeeper", "incidents")
    stage.export("fresh.txt", "fresh")
    stage.run("jarkeeper", "import", "--probe", "fresh.txt")
    stage.run("jarkeeper", "download", OPEN_VIDEO, LOCKED, "--to", "videos")
    claim_states(stage, "healthy dead", "the video that waited has arrived")
    stage.run("jarkeeper", "incidents", "--all")
    stage.voice.claim("session-dead" not in causes(stage), "the incident is closed")


def begin(stage: Stage, *sessions: str, **kind: object) -> None:
    """Make a vault, and import a login for each session; the last one is active, and of a kind."""
    stage.control.add_video(LOCKED, answer="age_gate")
    stage.run("jarkeeper", "init")
    for session in sessions:
        stage.export("cookies.txt", session, **(kind if session == sessions[-1] else {}))
        stage.run("jarkeeper", "import", "--probe", "cookies.txt")


def open_incidents(stage: Stage) -> tuple[Incident, ...]:
    """Return what goes on."""
    return open_journal(stage.settings, stage.vault).open()


def causes(stage: Stage) -> set[str]:
    """Return the causes of what goes on."""
    return {str(item.cause) for item in open_incidents(stage)}


def claim_states(stage: Stage, states: str, text: str) -> None:
    """Claim what the slots' states are, the active one first."""
    stage.voice.line()
    found = [item.state for item in stage.head.slots.records()]
    stage.voice.claim(found == [SlotState(state) for state in states.split()], text)
