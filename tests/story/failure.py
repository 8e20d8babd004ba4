"""Acts 3 to 5: a session ends in mid-run, the watch acts, a person brings fresh cookies."""

from __future__ import annotations

from jarkeeper.audit import Event
from jarkeeper.heads import SlotState
from story.stage import Stage
from story.trouble import causes

LOCKED = {"firework_01": "Fireworks, uncut", "stuntriding": "Stunt riding, uncut"}
LATER, LATER_TITLE = "first_light", "First light"
EXPORTS = ("spare.txt", "fresh.txt")
REFUSALS = {
    "slot_dead": "a dead jar takes nothing back",
    "login_gone": "the login was gone",
}


def backup_takes_over(stage: Stage) -> None:
    """Let YouTube end the session: in doubt at first, then the run itself marks it and goes on."""
    for video_id, title in LOCKED.items():
        stage.control.add_video(video_id, title=title, size=1_500_000, answer="age_gate")
    stage.control.revoke("today")
    stage.voice.say("YouTube signs the session out. The next validation doubts, and waits for a")
    stage.voice.say("second answer; a download that needs the login is told more.")
    stage.run("jarkeeper", "validate")
    _claim_state(stage, SlotState.SUSPECT, "one bad answer makes the active cookies suspect")
    flow = () if stage.process is None else ("--flow",)
    stage.run_flow("jarkeeper", "download", *flow, "--to", "videos", *LOCKED)
    stage.run("jarkeeper", "status")
    stage.voice.line()
    head = stage.head
    assert head.active is not None
    stage.voice.claim(
        head.active.state is SlotState.DEAD and head.backups[0].state is SlotState.HEALTHY,
        "the run saw that the active cookies had died, and marked them",
    )
    runs = {event.flow_run for event in _told(stage, "lend")[-2:]}
    there = all((stage.videos / f"{title} [{key}].mp4").is_file() for key, title in LOCKED.items())
    stage.voice.claim(
        there and len(runs) == 1 and ("" in runs) is (not flow),
        "the backup took over inside the same run: both videos are there",
    )


def watch_acts(stage: Stage) -> None:
    """Open an incident by a validation, and let the tested backup become active."""
    stage.voice.say("A schedule does this by itself every hour. Here it is done by hand:")
    stage.run("jarkeeper", "validate", code=1)
    stage.run("jarkeeper", "incidents")
    stage.voice.line()
    stage.voice.claim(
        "session-dead" in causes(stage),
        "the death is an incident: said once, with what to do",
    )
    stage.run("jarkeeper", "rotate")
    _claim_state(stage, SlotState.HEALTHY, "the backup was tested, and is active now")


def operator_imports(stage: Stage) -> None:
    """Import two fresh logins: healthy again; what the dead one left behind was never stored."""
    stage.voice.say("Fresh exports from two private windows: one to use, one to fall back on.")
    for file in EXPORTS:
        stage.export(file, file.removesuffix(".txt"))
        stage.run("jarkeeper", "import", "--probe", file)
    stage.run("rm", *EXPORTS)
    stage.run("jarkeeper", "validate")
    stage.run("jarkeeper", "incidents", "--since", "1d")
    stage.voice.line()
    stage.voice.claim(not causes(stage), "no incident is open any more")
    stage.run("jarkeeper", "status")
    stage.control.add_video(LATER, title=LATER_TITLE, size=4_000_000, answer="age_gate")
    stage.run("jarkeeper", "download", "--to", "videos", LATER)
    stage.voice.line()
    _all_is_healthy(stage)
    _gutted_jar_was_refused(stage)


def _claim_state(stage: Stage, state: SlotState, text: str) -> None:
    stage.voice.line()
    active = stage.head.active
    stage.voice.claim(active is not None and active.state is state, text)


def _all_is_healthy(stage: Stage) -> None:
    head = stage.head
    pair = [item.state for item in head.slots.records()[:2]]
    stage.voice.claim(
        pair == [SlotState.HEALTHY] * 2
        and (stage.videos / f"{LATER_TITLE} [{LATER}].mp4").exists(),
        "active and backup are healthy again, and downloads go on, here without Prefect",
    )


def _gutted_jar_was_refused(stage: Stage) -> None:
    refused = [event for event in _told(stage, "write-back") if event.outcome == "refused"]
    assert len(refused) == 1, f"{len(refused)} write-backs were refused"
    (event,) = refused
    stage.voice.claim(
        event.detail in REFUSALS and stage.control.session("today").refused > 0,
        "what the dead session came back with, its login wiped, was never stored: refused at "
        f"{event.at:%H:%M:%S} UTC, {REFUSALS.get(event.detail, event.detail)}",
    )


def _told(stage: Stage, action: str) -> list[Event]:
    """Return the outcomes that are on record for an action, oldest first."""
    return [
        event
        for event in stage.vault.trail.read()
        if event.action == action and event.phase == "outcome"
    ]
