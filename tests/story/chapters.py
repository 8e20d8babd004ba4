"""Chapters: one kind of trouble each, with all that it needs; docs/training.md explains them."""

from __future__ import annotations

from collections.abc import Callable

from story import cookies, failure
from story.stage import Stage
from story.theft import theft
from story.trouble import bot_check, dead_session, expiry, healthy_day, rotated_away
from story.upkeep import alerts, drill, drop, emergency, reading


def life(stage: Stage) -> None:
    """Tell a session's whole life, without Prefect."""
    cookies.taken_in(stage)
    failure.backup_takes_over(stage)
    failure.watch_acts(stage)
    failure.operator_imports(stage)


def first_import(stage: Stage) -> None:
    """Take two exports in, and look at what is there."""
    cookies.taken_in(stage)
    stage.run("jarkeeper", "status")


CHAPTERS: dict[str, tuple[str, Callable[[Stage], None]]] = {
    "import": ("The first import", first_import),
    "day": ("A healthy day", healthy_day),
    "rotated": ("A session is rotated away", rotated_away),
    "bot": ("A bot check", bot_check),
    "expiry": ("Cookies expire", expiry),
    "dead": ("A dead session, downloads that are put off, and the import", dead_session),
    "drop": ("The drop, and a rotation", drop),
    "emergency": ("Somebody else may hold the cookies", emergency),
    "drill": ("Backup and drill", drill),
    "reading": ("Incidents, usage, history, diff, audit", reading),
    "alerts": ("Alerts to a webhook", alerts),
    "theft": ("Somebody goes round Jarkeeper: what AWS saw", theft),
    "life": ("A session's whole life", life),
}
"""What `make demo CHAPTER=…` takes, in the order of the training."""
