"""An errand to YouTube: a worker that asks who is logged in by which generation, then ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from jarkeeper.settings import Settings
from jarkeeper.temporary import private_home, sweep
from jarkeeper.youtube.messages import Start
from jarkeeper.youtube.session import WorkerSession

MINUTES_MAX = 30
"""For the capability of an errand: a few pages, and retries with growing waits."""


@contextmanager
def errand(
    settings: Settings, jar: str, *, base_head: int, actor: str, flow_run: str | None = None
) -> Iterator[WorkerSession]:
    """Give a session that can `probe` the jar's generations, for the length of a `with` block.

    The cookies are opened in the worker alone. `base_head` is the newest head that was seen.
    """
    sweep(settings.temp_dir)  # what a run before us left when it was killed
    with (
        private_home(settings.temp_dir) as staging,
        WorkerSession(settings, listener=lambda _: None) as session,
    ):
        session.begin(
            Start(
                jar=jar,
                base_head=base_head,
                until=(datetime.now(UTC) + timedelta(minutes=MINUTES_MAX)).isoformat(),
                beyond_limit=False,
                staging=str(staging),
                quality="best",
                threads=1,
                actor=actor,
                flow_run=flow_run,
            )
        )
        yield session
