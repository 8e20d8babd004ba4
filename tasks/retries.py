"""Retries: Prefect's own, for what a later try may cure and nothing else."""

from __future__ import annotations

from typing import Any, ParamSpec, TypeVar

from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import Task

from jarkeeper.errors import JarkeeperError, NoAnswer, StoreUnknown
from jarkeeper.youtube.policy import RetryPolicy

P = ParamSpec("P")
R = TypeVar("R")


class CurableFailures(JarkeeperError):
    """Something failed in a way that a later try may cure; `failures` counts it by class."""

    def __init__(self, failures: dict[str, int]) -> None:
        super().__init__(f"to be tried again: {words_of(failures)}")
        self.failures = failures


def is_curable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Return whether a task failed only for what a later try may cure."""
    try:
        state.result()
    except CurableFailures:
        return True
    except Exception:  # noqa: BLE001 - any other failure stays one
        return False
    return False


def may_pass(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Return whether a task failed for want of an answer, YouTube's or the store's."""
    try:
        state.result()
    except (NoAnswer, StoreUnknown):
        return True
    except Exception:  # noqa: BLE001 - any other failure stays one
        return False
    return False


def with_retries(task: Task[P, R], policy: RetryPolicy) -> Task[P, R]:
    """Return the task that is tried again after each of the policy's waits, varied at random."""
    return task.with_options(
        retries=len(policy.waits),
        retry_delay_seconds=list(policy.waits),
        retry_jitter_factor=policy.jitter,
    )


def is_last_try() -> bool:
    """Return whether no further try of the running task may follow."""
    context = TaskRunContext.get()
    return context is None or context.task_run.run_count > context.task.retries


def words_of(failures: dict[str, int]) -> str:
    """Return the failures by class, the most frequent first, such as '2 PRIVATE, 1 GEO'."""
    most_first = sorted(failures.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} {failure}" for failure, count in most_first)
