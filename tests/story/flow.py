"""Act 2: a Prefect flow downloads with the jar, and a refreshed session is kept."""

from __future__ import annotations

import hashlib
import subprocess

from jarkeeper.heads import Source
from jarkeeper.media.tools import find_ffmpeg
from story.stage import Stage

SCRIPT = """\
from flows.download import download

download(
    ["https://youtu.be/sea_otters1", "https://youtu.be/rain_on_tin",
     "https://youtu.be/lock_opened", "https://youtu.be/night_train"],
    destination="videos",
)
"""
WHOLE = {
    "sea_otters1": "Sea otters holding hands",
    "rain_on_tin": "Rain on a tin roof",
    "night_train": "Night train, for grown-ups",
}
MERGED, MERGED_TITLE = "lock_opened", "A lock, opened slowly"
MEGABYTE = 1_000_000


def downloads(stage: Stage) -> None:
    """Run the flow from Python: whole videos, one merged, one behind the login; jar refreshed."""
    _publish(stage)
    before = stage.head.active
    assert before is not None
    (stage.folder / "download.py").write_text(SCRIPT)
    stage.voice.say("download.py, for Python users; operators fill in a form in Prefect's UI:")
    for line in SCRIPT.splitlines():
        stage.voice.line(f"    {line}".rstrip())
    stage.wait_for_server()
    stage.run_flow("python", "download.py")
    stage.voice.line()
    _videos_are_whole(stage)
    _streams_are_merged(stage)
    _refresh_is_kept(stage, before=before.generation.id)


def _publish(stage: Stage) -> None:
    add = stage.control.add_video
    for size, (video_id, title) in enumerate(WHOLE.items(), start=2):
        locked = "age_gate" if video_id == "night_train" else "ok"
        add(video_id, title=title, size=size * MEGABYTE, answer=locked)
    add(MERGED, title=MERGED_TITLE, size=8 * MEGABYTE, separate=True, heights=(360, 1080))


def _videos_are_whole(stage: Stage) -> None:
    digests = {
        hashlib.sha256((stage.videos / f"{title} [{video_id}].mp4").read_bytes()).hexdigest()
        for video_id, title in WHOLE.items()
    }
    sent = {stage.control.media(video_id).sha256 for video_id in WHOLE}
    stage.voice.claim(
        digests == sent, f"{len(sent)} videos are there, byte for byte as they were sent"
    )


def _streams_are_merged(stage: Stage) -> None:
    file = stage.videos / f"{MERGED_TITLE} [{MERGED}].mp4"
    ffmpeg = find_ffmpeg()
    assert ffmpeg is not None, "ffmpeg is missing: install the extra 'media'"
    told = subprocess.run([ffmpeg, "-hide_banner", "-i", file], capture_output=True, text=True)
    stage.voice.claim(
        "Video:" in told.stderr and "Audio:" in told.stderr,
        f"'{MERGED_TITLE}' came as sound and picture apart; ffmpeg made one file of them",
    )


def _refresh_is_kept(stage: Stage, *, before: str) -> None:
    active = stage.head.active
    assert active is not None
    kept = active.generation
    stage.voice.claim(
        stage.control.session("today").rotations > 0
        and kept.source is Source.WRITE_BACK
        and kept.id != before,
        "YouTube replaced the login's cookies meanwhile; the vault kept the new ones: "
        f"generation {kept.id[:8]} instead of {before[:8]}",
    )
