"""Chapters on what an operator does: rotate, replace, rehearse, read, be told."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from standin.inbox import Inbox
from story.stage import Stage
from story.trouble import LOCKED, OPEN_VIDEO, begin, causes, claim_states

PLAN = """\
[recipients]
ops = ["json://127.0.0.1:{port}/"]
"""


def drop(stage: Stage) -> None:
    """Leave an export in the drop: it is tested before it is used; a stranger's is refused."""
    begin(stage, "today")
    _leave(stage, "tomorrow")
    stage.run("jarkeeper", "rotate")
    claim_states(stage, "healthy healthy", "what was left is active, and the drop is empty")
    stage.voice.claim(not _dropped(stage).exists(), "nothing lies about in clear")
    stage.voice.say("Now the export of another account, by mistake:")
    _leave(stage, "stranger", user_id="2002")
    stage.run("jarkeeper", "rotate", code=1)
    stage.voice.claim("drop-refused" in causes(stage), "it was tested, and not switched to")
    stage.voice.say("Import the right one, and the drop's incident ends with the next rotation:")
    stage.export("right.txt", "right")
    stage.run("jarkeeper", "import", "--probe", "right.txt")
    stage.run("jarkeeper", "rotate")
    stage.voice.claim("drop-refused" not in causes(stage), "nothing is refused any more")


def emergency(stage: Stage) -> None:
    """Revoke what may be in other hands, and put other cookies in its place."""
    begin(stage, "spare", "stolen")
    stage.export("fresh.txt", "fresh")
    stolen = stage.head.active
    assert stolen is not None
    stage.run("jarkeeper", "replace", "--emergency", "fresh.txt")
    stage.run("jarkeeper", "restore", stolen.generation.id[:8], code=3)
    stage.voice.claim("emergency" in causes(stage), "an incident stays open until YouTube confirms")
    stage.run("jarkeeper", "validate")
    stage.run("jarkeeper", "history")
    claim_states(stage, "healthy healthy", "the fresh login is active, the spare one stands by")
    stage.voice.claim("emergency" not in causes(stage), "the emergency is over")


def drill(stage: Stage) -> None:
    """Copy the vault, rehearse the disaster, and recover a vault that was lost."""
    begin(stage, "today")
    stage.run("jarkeeper", "drill")
    stage.run("jarkeeper", "backup", "copy")
    stage.run("rm", "-r", "vault")
    stage.run("jarkeeper", "check", code=3)
    stage.run("jarkeeper", "recover", "copy")
    stage.run("jarkeeper", "check")
    claim_states(stage, "healthy", "the vault is back, as it was copied")


def reading(stage: Stage) -> None:
    """Have some history, and read it in every way."""
    begin(stage, "spare", "today", rotate_every=3)
    stage.run("jarkeeper", "download", OPEN_VIDEO, LOCKED, "--to", "videos")
    stage.control.revoke("today")
    stage.run("jarkeeper", "download", "--to", "again", LOCKED)
    stage.run("jarkeeper", "validate", code=1)
    for words in ("incidents", "usage --by jar", "history", "diff", "audit", "doctor --quick"):
        command, *rest = words.split()
        # What doctor thinks of this machine is not part of the story.
        stage.run("jarkeeper", command, *rest, code=None if command == "doctor" else 0)
    claim_states(stage, "dead healthy", "all of this was read without a cookie being shown")


def alerts(stage: Stage) -> None:
    """Write a plan, test it, and be told of a session that died."""
    begin(stage, "today")
    with Inbox() as inbox:
        threading.Thread(target=inbox.serve_forever, daemon=True).start()
        plan = _write_plan(stage, inbox.server_port)
        stage.environment["JARKEEPER_ALERTS_FILE"] = str(plan)
        stage.run("cat", "alerts.toml")
        stage.run("jarkeeper", "alerts", "list")
        stage.run("jarkeeper", "alerts", "test")
        stage.control.revoke("today")
        stage.run("jarkeeper", "download", LOCKED, "--to", "videos", code=5)
        stage.run("jarkeeper", "validate", code=1)
        stage.run("jarkeeper", "validate", code=1)
        inbox.shutdown()
    stage.voice.say("What the webhook got:")
    for message in inbox.messages:
        for line in message.splitlines():
            stage.voice.event(line)
        stage.voice.line()
    told = [message for message in inbox.messages if "session-dead" in message]
    stage.voice.claim(len(told) == 1, "of the death it was told once, however often it is seen")


def _dropped(stage: Stage) -> Path:
    return stage.folder / "drop" / "youtube.txt"


def _leave(stage: Stage, session: str, **kind: object) -> None:
    """Leave an export in the drop; it looks a minute old, as nobody wants to wait five seconds."""
    _dropped(stage).parent.mkdir(exist_ok=True)
    stage.export("drop/youtube.txt", session, **kind)
    a_minute_ago = time.time() - 60
    os.utime(_dropped(stage), (a_minute_ago, a_minute_ago))
    stage.voice.say("An export is left as drop/youtube.txt (COOKIE_DROP names the folder).")


def _write_plan(stage: Stage, port: int) -> Path:
    plan = stage.folder / "alerts.toml"
    plan.touch(mode=0o600)
    plan.write_text(PLAN.format(port=port))
    return plan
