"""What Prefect itself does when something happens, or does not: automations, as data.

Flows say what happened as events; automations answer. They see what no flow can: a run whose
process is gone, and a schedule that nobody serves. `jarkeeper alerts install` puts them in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from prefect.automations import (
    Automation,
    CallWebhook,
    ChangeFlowRunState,
    DoNothing,
    EventTrigger,
    Posture,
    SendNotification,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes
from prefect.exceptions import ObjectNotFound

from jarkeeper.errors import InputError, NotFound
from jarkeeper.words import printable
from tasks.deployments import TAG

PREFIX = "jarkeeper: "
HEARTBEATS = timedelta(seconds=95)
"""Three heartbeats of a flow run's process, which come every 30 seconds, and a little."""
RUNS: dict[str, str | list[str]] = {
    "prefect.resource.role": "tag",
    "prefect.resource.id": f"prefect.tag.{TAG}",
}
"""Runs of our deployments: others on the same server are none of our business."""
ENDED_BADLY = {"prefect.flow-run.Failed", "prefect.flow-run.Crashed"}
RUN = "prefect.flow-run."


@dataclass(frozen=True, slots=True)
class Rule:
    """One automation: when, and what to say. `acts` is what it does besides saying it."""

    name: str
    says: str
    when: EventTrigger
    acts: tuple[ActionTypes, ...] = ()


def absent(event: str, hours: int) -> EventTrigger:
    """Return the trigger for an event that a jar had, and then had no more for so long."""
    return EventTrigger(
        after={event},
        expect={event},
        match={"prefect.resource.id": "jarkeeper.jar.*"},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(hours=hours),
    )


RULES = (
    Rule(
        "critical incident",
        "{{ event.payload.message }}. Jarkeeper: {{ event.payload.done }}. "
        "Next: {{ event.payload.next_step }}",
        EventTrigger(
            expect={"jarkeeper.incident.opened", "jarkeeper.incident.escalated"},
            match={"prefect.resource.id": "jarkeeper.*", "jarkeeper.severity": "critical"},
            posture=Posture.Reactive,
            threshold=1,
        ),
    ),
    Rule(
        "run without a process",
        "a flow run's process is gone: the run counts as crashed",
        EventTrigger(
            after={f"{RUN}heartbeat"},
            # Whatever its state is called, PartlyDone and Suspended too.
            expect={f"{RUN}*"},
            match={"prefect.resource.id": f"{RUN}*"},
            match_related=RUNS,
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=HEARTBEATS,
        ),
        (
            ChangeFlowRunState(
                state=StateType.CRASHED,
                name="Crashed",
                message="its process gives no sign of life",
                force=False,
            ),
        ),
    ),
    Rule(
        "run that failed",
        "flow run {{ flow_run.name }} of {{ flow.name }} ended as {{ flow_run.state.name }}: "
        "{{ flow_run.state.message }}",
        EventTrigger(
            expect=ENDED_BADLY,
            match={"prefect.resource.id": f"{RUN}*"},
            match_related=RUNS,
            posture=Posture.Reactive,
            threshold=1,
        ),
    ),
    Rule(
        "no refresh",
        "a jar was not refreshed for 26 hours: is the worker running?",
        absent("jarkeeper.refreshed", 26),
    ),
    Rule(
        "no validation",
        "a jar was not validated for 3 hours: is the worker running?",
        absent("jarkeeper.validated", 3),
    ),
)


@dataclass(frozen=True, slots=True)
class Installed:
    """An automation on the server, and what became of it."""

    name: str
    done: str
    """created, updated, removed, or there."""


def install(*, notify: str | None = None, webhook: str | None = None) -> tuple[Installed, ...]:
    """Create or update every automation; twice is the same as once.

    Args:
        notify: A notification block that is told, as `slack-webhook/ops`.
        webhook: The name of a Webhook block that is called with a JSON object.
    """
    told = _told(notify, webhook)
    return tuple(_put(rule, told) for rule in RULES)


def remove() -> tuple[Installed, ...]:
    """Remove every automation of ours."""
    found = [(rule, _read(rule)) for rule in RULES]
    for _, automation in found:
        if automation is not None:
            automation.delete()
    return tuple(Installed(rule.name, "removed") for rule, automation in found if automation)


def installed() -> tuple[Installed, ...]:
    """Return those of ours that are on the server."""
    return tuple(Installed(rule.name, "there") for rule in RULES if _read(rule) is not None)


def _told(notify: str | None, webhook: str | None) -> tuple[ActionTypes, ...]:
    """Return the actions that tell somebody; `{says}` is still to be filled in."""
    actions: list[ActionTypes] = []
    if notify is not None:
        kind, found, name = notify.partition("/")
        if not found:
            raise InputError("--notify: expected the block's type and name, as 'slack-webhook/ops'")
        subject = "Jarkeeper: {{ automation.name }}"
        actions.append(
            SendNotification(block_document_id=_block(kind, name), subject=subject, body="")
        )
    if webhook is not None:
        actions.append(CallWebhook(block_document_id=_block("webhook", webhook), payload=""))
    return tuple(actions)


def _put(rule: Rule, told: tuple[ActionTypes, ...]) -> Installed:
    says = tuple(_saying(action, rule) for action in told)
    wanted = Automation(
        name=PREFIX + rule.name,
        description=f"Installed by `jarkeeper alerts install`. {rule.says}",
        trigger=rule.when,
        actions=[*rule.acts, *says] or [DoNothing()],
    )
    known = _read(rule)
    if known is None:
        wanted.create()
        return Installed(rule.name, "created")
    wanted.id = known.id
    wanted.update()
    return Installed(rule.name, "updated")


def _saying(action: ActionTypes, rule: Rule) -> ActionTypes:
    if isinstance(action, SendNotification):
        return action.model_copy(update={"body": rule.says})
    # The words are filled in by Jinja, and quoted as JSON by its own filter.
    payload = '{{ {"automation": automation.name, "event": event.event, "resource": event.resource'
    payload += '["prefect.resource.id"], "payload": event.payload} | tojson }}'
    return action.model_copy(update={"payload": payload})


def _read(rule: Rule) -> Automation | None:
    try:
        found = Automation.read(name=PREFIX + rule.name)
    except ValueError:
        return None
    assert isinstance(found, Automation), "outside a loop it reads synchronously"  # noqa: S101
    return found


def _block(kind: str, name: str) -> UUID:
    with get_client(sync_client=True) as client:
        try:
            return client.read_block_document_by_name(name, kind).id
        except ObjectNotFound:
            raise NotFound(
                f"block '{printable(kind)}/{printable(name)}': there is none",
                hint="create it in Prefect's UI, under Blocks",
            ) from None
