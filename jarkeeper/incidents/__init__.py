"""Incidents: one span of trouble with one cause. Opened once, told once a step, closed by itself.

`rules` are pure; `journal` keeps what they decide in a store.
"""

from jarkeeper.incidents.journal import Changes, Journal, Look
from jarkeeper.incidents.model import (
    Cause,
    Condition,
    Due,
    Incident,
    Notice,
    NoticeKind,
    Scope,
    Step,
    scope_of,
)
from jarkeeper.incidents.rules import due_steps

__all__ = [
    "Cause",
    "Changes",
    "Condition",
    "Due",
    "Incident",
    "Journal",
    "Look",
    "Notice",
    "NoticeKind",
    "Scope",
    "Step",
    "due_steps",
    "scope_of",
]
