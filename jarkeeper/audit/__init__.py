"""The audit trail: who did what with which jar, written before and after it happens."""

from jarkeeper.audit.discrepancy import Discrepancy
from jarkeeper.audit.events import Actor, Event, Outcome, Phase
from jarkeeper.audit.trail import Access, Trail
from jarkeeper.audit.verify import TrailReport

__all__ = [
    "Access",
    "Actor",
    "Discrepancy",
    "Event",
    "Outcome",
    "Phase",
    "Trail",
    "TrailReport",
]
