"""The deployments on the Prefect server: their schedules, their last runs and their next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import DeploymentSchedule, FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import SCHEDULE_TYPES, CronSchedule, IntervalSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL

from jarkeeper.checks import Finding
from jarkeeper.errors import InputError, NotFound
from jarkeeper.vault.findings import ok, warning
from jarkeeper.words import count_of, printable, short_span

TAG = "jarkeeper"
DOWNLOAD = "download"
ENDED = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]
BAD = (StateType.FAILED, StateType.CRASHED)
POOLS = ("jarkeeper", "jarkeeper-upkeep")
SILENT_AFTER = timedelta(minutes=2)
"""Of a worker, which tells of itself twice a minute."""
LATE_AFTER = timedelta(minutes=15)
"""Of a run that should have begun: a worker looks every few seconds, but may be busy."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """One schedule of a deployment."""

    slug: str
    when: str
    """A cron expression, or 'every 3600 s'."""
    active: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a deployment: the state's name, and when it ended or should begin."""

    name: str
    state: str
    at: datetime
    is_bad: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment, by the name that `schedule set` takes."""

    name: str
    flow: str
    timetables: tuple[Timetable, ...]
    last: Run | None
    next: Run | None


def deployed() -> tuple[Deployed, ...]:
    """Return the deployments of ours on the server, by name."""
    with get_client(sync_client=True) as client:
        return tuple(_described(client, item) for item in _ours(client))


def set_schedule(
    name: str,
    *,
    cron: str | None = None,
    every: float | None = None,
    active: bool | None = None,
    timezone: str = "UTC",
) -> Deployed:
    """Change when a deployment runs, and whether it does; `InputError` for what is no schedule."""
    with get_client(sync_client=True) as client:
        found = next((item for item in _ours(client) if item.name == name), None)
        if found is None:
            raise NotFound(
                f"deployment '{printable(name)}': there is none of that name",
                hint="`jarkeeper schedule` shows those there are; `prefect --no-prompt deploy "
                "--all` makes those in prefect.yaml",
            )
        schedule = _schedule(cron, every, timezone)
        for item in _schedules_of(found, schedule):
            client.update_deployment_schedule(
                found.id, item.id, active=active, schedule=schedule, slug=item.slug
            )
        return _described(client, client.read_deployment(found.id))


def examine_server(*, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the pools and their workers, then with the deployments.

    A temporary server has none of them, and there is nothing wrong with that.
    """
    if PREFECT_API_URL.value() is None:
        return
    with get_client(sync_client=True) as client:
        for pool in POOLS:
            yield _pool(client, pool, now)
    yield from examine_deployments(now=now)


def _pool(client: SyncPrefectClient, pool: str, now: datetime) -> Finding:
    try:
        client.read_work_pool(pool)
    except ObjectNotFound:
        step = f"run `prefect work-pool create {pool} --type process`"
        return warning("prefect", f"work pool '{pool}': there is none", step)
    seen = [item.last_heartbeat_time for item in client.read_workers_for_work_pool(pool)]
    heard = [at for at in seen if at is not None and now - at < SILENT_AFTER]
    if not heard:
        step = f"run `prefect worker start --pool {pool}` where the vault is"
        return warning("prefect", f"work pool '{pool}': no worker was heard of lately", step)
    return ok("prefect", f"work pool '{pool}': {count_of(len(heard), 'worker')}")


def examine_deployments(*, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the deployments: a last run that failed, a run that never began."""
    known = deployed()
    for item in known:
        # A download that failed says so itself, and how many do is judged by the trail.
        if item.last is not None and item.last.is_bad and item.flow != DOWNLOAD:
            message = f"deployment '{item.name}': its last run {item.last.state.lower()}"
            detail = f", {printable(item.last.message)}" if item.last.message else ""
            yield warning("deployment", message + detail, f"look at run '{item.last.name}'")
        if item.next is not None and now - item.next.at > LATE_AFTER:
            late = short_span((now - item.next.at).total_seconds())
            message = f"deployment '{item.name}': a run is {late} late"
            yield warning(
                "worker", message, "start a worker: `prefect worker start --pool jarkeeper`"
            )
    if not known:
        step = "run `prefect --no-prompt deploy --all` in the project's folder"
        yield warning("deployments", "nothing of ours is deployed: nothing runs by itself", step)
    else:
        yield ok("deployments", f"{len(known)} deployments looked at")


def _ours(client: SyncPrefectClient) -> list[DeploymentResponse]:
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    return sorted(client.read_deployments(deployment_filter=tagged), key=lambda item: item.name)


def _described(client: SyncPrefectClient, item: DeploymentResponse) -> Deployed:
    return Deployed(
        name=item.name,
        flow=client.read_flow(item.flow_id).name,
        timetables=tuple(map(_timetable, item.schedules)),
        last=_run(client, item, ENDED, FlowRunSort.END_TIME_DESC),
        next=_run(client, item, [StateType.SCHEDULED], FlowRunSort.EXPECTED_START_TIME_ASC),
    )


def _run(
    client: SyncPrefectClient, item: DeploymentResponse, states: list[StateType], sort: FlowRunSort
) -> Run | None:
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=states))
    found = client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[item.id])),
        flow_run_filter=FlowRunFilter(state=state),
        sort=sort,
        limit=1,
    )
    return _told(found[0]) if found else None


def _told(run: FlowRun) -> Run:
    at = run.end_time or run.expected_start_time or datetime.now(UTC)
    kind = run.state.type if run.state else None
    message = (run.state.message or "") if run.state else ""
    return Run(run.name, str(run.state_name), at, is_bad=kind in BAD, message=message)


def _timetable(item: DeploymentSchedule) -> Timetable:
    match item.schedule:
        case CronSchedule(cron=cron, timezone=zone):
            when = cron if zone in (None, "UTC") else f"{cron} {zone}"
        case IntervalSchedule(interval=interval):
            when = f"every {interval.total_seconds():g} s"
        case _:
            when = "by a rule"
    return Timetable(item.slug or "", when, item.active)


def _schedule(cron: str | None, every: float | None, timezone: str) -> SCHEDULE_TYPES | None:
    try:
        if cron is not None:
            return CronSchedule(cron=cron, timezone=timezone)
    except ValueError:
        got = printable(str(cron)[:40])
        raise InputError(
            f"--cron: expected a cron expression such as '17 * * * *', got '{got}'"
        ) from None
    try:
        return None if every is None else IntervalSchedule(interval=timedelta(seconds=every))
    except ValueError:
        raise InputError(f"--every: expected a time above nought, got {every:g} s") from None


def _schedules_of(
    found: DeploymentResponse, schedule: SCHEDULE_TYPES | None
) -> list[DeploymentSchedule]:
    if not found.schedules:
        raise InputError(
            f"deployment '{found.name}': has no schedule to change",
            hint="give it one in prefect.yaml, and deploy again",
        )
    if schedule is not None and len(found.schedules) > 1:
        raise InputError(
            f"deployment '{found.name}': has {len(found.schedules)} schedules, expected one",
            hint="change them in prefect.yaml, and deploy again",
        )
    return list(found.schedules)
