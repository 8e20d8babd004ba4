"""What a flow run shows about its cookies in every list of runs: its name and its tags."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client

from jarkeeper.checks import Severity
from jarkeeper.downloads.receipts import Preparation, Summary
from jarkeeper.words import count_of
from tasks.waiting import WAITS

BACKUP = "backup: "
"""How findings of a backup begin: a bad backup alarms nobody while the active cookies are good."""


def run_name() -> str:
    """Return the flow run's name, such as 'download 12 urls with youtube'; no URL is in it."""
    parameters = runtime.flow_run.parameters
    cookies = parameters.get("jar") or parameters.get("manager") or "youtube"
    return f"download {count_of(len(parameters.get('urls') or ()), 'url')} with {cookies}"


def tags_before(preparation: Preparation) -> tuple[str, ...]:
    """Return the tags of a run that begins, such as 'jar:youtube' and 'cookies:ok'."""
    return (f"jar:{preparation.jar}", f"cookies:{_condition(preparation)}")


def tags_after(summary: Summary, slot_states: dict[str, str]) -> tuple[str, ...]:
    """Return the tags of a run that ended, such as 'used:backup' and 'active:dead'."""
    used = (f"used:{use}" for use in sorted(summary.uses))
    return (*used, *(f"{slot}:{state}" for slot, state in sorted(slot_states.items())))


def tag(tags: Iterable[str]) -> None:
    """Give this flow run these tags besides those that it was started with."""
    # What a run waited for before it went on is no longer true of it.
    before = (tag for tag in runtime.flow_run.tags if not tag.startswith(WAITS))
    wanted = dict.fromkeys((*before, *tags))
    client = get_client(sync_client=True)
    client.update_flow_run(UUID(runtime.flow_run.id), tags=list(wanted))


def _condition(preparation: Preparation) -> str:
    if not {"active", "backup"} & set(preparation.usable):
        return "none"
    found = {
        finding.severity
        for finding in preparation.findings
        if not finding.message.startswith(BACKUP)
    }
    worst_first = (Severity.CRITICAL, Severity.WARNING)
    return next((severity.value for severity in worst_first if severity in found), "ok")
