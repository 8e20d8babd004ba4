"""The trail's second voice: each event as one JSON line for whoever collects logs."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import datetime

from jarkeeper.audit.events import Event

LOG = logging.getLogger("jarkeeper.audit")


def log_event(event: Event) -> None:
    """Log the event at level `info`, without its empty fields; there is no secret in any."""
    if LOG.isEnabledFor(logging.INFO):
        told = {name: value for name, value in asdict(event).items() if value not in ("", None, {})}
        LOG.info("%s", json.dumps(told, default=_text))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
