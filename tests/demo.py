"""The story of a jar, told against the stand-in: offline, without an account, in a minute.

    make demo

It leaves a folder to look at, and fails loudly if an act did not do what it tells.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from pathlib import Path

from story import afterwards, cookies, failure, flow
from story.folder import UnusableFolder, choose_folder, fresh_folder
from story.stage import Stage, on_stage
from story.voice import Voice

PROJECT = Path(__file__).resolve().parents[1]
ACTS = (
    ("A cookies.txt is taken in", cookies.taken_in),
    ("A Prefect flow downloads with it", flow.downloads),
    ("The active cookies die, the backup takes over", failure.backup_takes_over),
    ("The operator brings fresh cookies", failure.operator_imports),
    ("The audit trail tells it all", afterwards.audit),
)


def main() -> int:
    """Tell the story; return 0 only if every act kept its word."""
    voice = Voice()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        with fresh_folder(_folder_asked_for() or choose_folder(PROJECT, voice)) as folder:
            return perform(folder, voice)
    except UnusableFolder as error:
        voice.trouble(str(error))
        return 1
    except KeyboardInterrupt:
        voice.trouble("interrupted; everything that the demo started has ended")
        return 130


def perform(folder: Path, voice: Voice) -> int:
    """Play all acts in the folder, and say what to look at; stop at the first that fails."""
    began = time.monotonic()
    voice.title()
    with on_stage(folder, voice) as stage:
        for number, (title, act) in enumerate(ACTS, start=1):
            voice.act(number, title)
            try:
                act(stage)
            except Exception as error:
                _fail(stage, f"act {number} ({title}) failed", error)
                return 1
    afterwards.epilogue(stage, PROJECT, seconds=time.monotonic() - began)
    return 0


def _fail(stage: Stage, what: str, error: Exception) -> None:
    if not isinstance(error, AssertionError):
        traceback.print_exception(error)
    stage.voice.trouble(f"{what}: {error}")
    stage.voice.trouble(f"look into {stage.folder}, where it stopped")


def _folder_asked_for() -> Path | None:
    parser = argparse.ArgumentParser(prog="demo", description="See what Jarkeeper does.")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="instead of ./demo")
    folder: Path | None = parser.parse_args().folder
    return folder


if __name__ == "__main__":
    sys.exit(main())
