"""The audit trail: who did what with which jar, written before and after it happens."""

from jarkeeper.audit.events import Actor, Event, Outcome, Phase
from jarkeeper.audit.trail import Access, Trail
from jarkeeper.audit.verify import Discrepancy, TrailReport, verify_trail

__all__ = [
    "Access",
    "Actor",
    "Discrepancy",
    "Event",
    "Outcome",
    "Phase",
    "Trail",
    "TrailReport",
    "verify_trail",
]
