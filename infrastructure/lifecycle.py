"""Print the bucket's life-cycle rules for the audit trail, from the settings that are in force.

    python infrastructure/lifecycle.py > lifecycle.json

Rules delete what no role may: events that were packed, and what is past its retention. They wait
`MARGIN_DAYS` longer than the settings say, so that the flow `archive` comes first; where it does
not for two weeks, the flow `health` warns.
"""

from __future__ import annotations

import json
from typing import Any

from jarkeeper.audit.places import ARCHIVE_PREFIX, PREFIX
from jarkeeper.settings import Settings

MARGIN_DAYS = 30
NONCURRENT_DAYS = 30
"""A deleted version of an event stays so long, against a slip."""


def rules_of(settings: Settings) -> dict[str, Any]:
    """Return the document for `put-bucket-lifecycle-configuration`."""
    place = f"{settings.s3_prefix}/" if settings.s3_prefix else ""
    rules = [_rule("packed-events", f"{place}{PREFIX}dt=", settings.archive_days + MARGIN_DAYS)]
    if settings.audit_days:
        days = settings.audit_days + MARGIN_DAYS
        rules.append(_rule("retired-volumes", f"{place}{ARCHIVE_PREFIX}", days))
    return {"Rules": rules}


def _rule(name: str, prefix: str, days: int) -> dict[str, Any]:
    return {
        "ID": f"jarkeeper-{name}",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": days},
        "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
    }


if __name__ == "__main__":
    print(json.dumps(rules_of(Settings.read()), indent=2))
