"""Act 1: what a browser exported becomes a sealed jar with a backup."""

from __future__ import annotations

from jarkeeper.heads import SlotState
from story.search import files_with
from story.stage import CANARY, Stage

FOREIGN_ROWS = 23
EARLIER, EXPORT = "cookies-last-week.txt", "cookies.txt"


def taken_in(stage: Stage) -> None:
    """Import two exports: the earlier one becomes the backup; neither can be read in the vault."""
    stage.voice.say("Two exports of a browser: last week's, and today's with other sites in it.")
    stage.voice.say("A probe asks YouTube whether they work, and whether it is the same account.")
    stage.export(EARLIER, "last week")
    stage.export(EXPORT, "today", foreign_rows=FOREIGN_ROWS, rotate_every=10)
    stage.run("jarkeeper", "init")
    stage.run("jarkeeper", "import", "--probe", EARLIER)
    stage.run("jarkeeper", "import", "--probe", EXPORT)
    _slots_are_filled(stage)
    _nothing_can_be_read(stage)


def _slots_are_filled(stage: Stage) -> None:
    head = stage.head
    assert head.active is not None
    facts = head.active.generation.facts
    states = [item.state for item in head.slots.records()]
    stage.voice.line()
    stage.voice.claim(
        facts.dropped == FOREIGN_ROWS and not facts.foreign and states == [SlotState.HEALTHY] * 2,
        "today's cookies are active, last week's the backup, other sites' left out",
    )


def _nothing_can_be_read(stage: Stage) -> None:
    stage.run("grep", "-rl", "LOGIN_INFO", EARLIER, EXPORT, "vault")
    head = stage.head
    assert head.active is not None
    sealed = f"vault/cookies/youtube/generations/{head.active.generation.id}"
    exports, vault = [stage.folder / name for name in (EARLIER, EXPORT)], stage.folder / "vault"
    assert all(CANARY in path.read_text() for path in exports), "the exports hold the cookies"
    stage.voice.claim(
        (stage.folder / sealed).is_file() and not files_with((CANARY, "LOGIN_INFO"), vault),
        "the login is in the exports, and in no object of the vault: those are sealed",
    )
    stage.run("rm", EARLIER, EXPORT)
