"""The story of a jar, told against the stand-in: offline, without an account, in a minute.

    make demo                     the whole story, with Prefect
    make demo CHAPTERS=list       what can be practised by itself: docs/training.md
    make demo CHAPTER=emergency   one of them

It leaves a folder to look at, `demo/` or `demo-emergency/`, which the next such run clears away,
and fails loudly if an act did not do what it tells.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from story import afterwards, cookies, failure, flow
from story.chapters import CHAPTERS
from story.folder import UnusableFolder, choose_folder, fresh_folder
from story.stage import Stage, on_stage
from story.voice import Voice

Act = tuple[str, Callable[[Stage], None]]
PROJECT = Path(__file__).resolve().parents[1]
ACTS: tuple[Act, ...] = (
    ("A cookies.txt is taken in", cookies.taken_in),
    ("A Prefect flow downloads with it", flow.downloads),
    ("The active cookies die, the backup takes over", failure.backup_takes_over),
    ("The watch acts: an incident, a fail-over", failure.watch_acts),
    ("The operator brings fresh cookies", failure.operator_imports),
    ("The audit trail tells it all", afterwards.audit),
)


def main() -> int:
    """Tell the story; return 0 only if every act kept its word."""
    voice = Voice()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    asked = _asked_for()
    if asked.list:
        for name, (title, _) in CHAPTERS.items():
            voice.named(name, title)
        return 0
    acts = ACTS if asked.chapter is None else (CHAPTERS[asked.chapter],)
    try:
        chosen = asked.folder or choose_folder(PROJECT, voice, asked.chapter)
        with fresh_folder(chosen) as folder:
            return perform(folder, voice, acts)
    except UnusableFolder as error:
        voice.trouble(str(error))
        return 1
    except KeyboardInterrupt:
        voice.trouble("interrupted; everything that the demo started has ended")
        return 130


def perform(folder: Path, voice: Voice, acts: tuple[Act, ...]) -> int:
    """Play the acts in the folder, and say what to look at; stop at the first that fails."""
    began = time.monotonic()
    voice.title()
    with on_stage(folder, voice, with_prefect=acts is ACTS) as stage:
        for number, (title, act) in enumerate(acts, start=1):
            voice.act(number, title)
            try:
                act(stage)
            except Exception as error:
                _fail(stage, f"act {number} ({title}) failed", error)
                return 1
    seconds = time.monotonic() - began
    if acts is ACTS:
        afterwards.epilogue(stage, PROJECT, seconds=seconds)
    else:
        afterwards.what_is_left(stage, seconds=seconds)
    return 0


def _fail(stage: Stage, what: str, error: Exception) -> None:
    if not isinstance(error, AssertionError):
        traceback.print_exception(error)
    stage.voice.trouble(f"{what}: {error}")
    stage.voice.trouble(f"look into {stage.folder}, where it stopped")


def _asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="See what Jarkeeper does.")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="not ./demo or ./demo-NAME")
    parser.add_argument("--list", action="store_true", help="list the chapters")
    parser.add_argument("--chapter", choices=CHAPTERS, metavar="NAME", help="this chapter alone")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
