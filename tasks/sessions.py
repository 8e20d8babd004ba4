"""Sessions are asked after: in a worker, by a private page, and again while no answer comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prefect import get_run_logger, task

from jarkeeper.errors import NoAnswer
from jarkeeper.health import is_lost
from jarkeeper.lifecycle.rotation import Rotation, Step, candidates, fail_over
from jarkeeper.lifecycle.validation import Validation, due, existing_head
from jarkeeper.lifecycle.validation import validate as ask_all
from jarkeeper.vault import Vault
from jarkeeper.words import printable
from jarkeeper.youtube.errand import errand
from jarkeeper.youtube.messages import Answered
from jarkeeper.youtube.session import WorkerSession
from tasks.opening import ACTOR, Opening, flow_run_id
from tasks.options import IN_PROCESS
from tasks.retries import may_pass


@task(
    name="ask", task_run_name="ask YouTube about {jar}", retry_condition_fn=may_pass, **IN_PROCESS
)
def ask(opening: Opening, vault: Vault, jar: str, *, visit: bool = False) -> Validation:
    """Ask YouTube about every slot whose turn it is, and put their states right.

    Args:
        opening: The settings in force.
        vault: The vault.
        jar: The jar.
        visit: Use every session, backups too, so that YouTube renews it.
    """
    head = existing_head(vault, jar)
    if not due(head, now=vault.ports.clock(), visit=visit):
        return Validation(head, ())
    with asking(opening, vault, jar) as session:
        found = ask_all(vault, jar, session, visit=visit)
    log = get_run_logger()
    for answer in found.answers:
        what = answer.slot or f"generation {answer.generation[:8]}"
        log.info("%s: %s", what, _words(answer.alive, answer.detail))
    if found.unanswered:
        detail = "; ".join(sorted({one.detail for one in found.unanswered}))
        raise NoAnswer(f"jar '{jar}': YouTube gave no answer, {printable(detail)}")
    return found


@task(name="take over", task_run_name="have a backup of {jar} take over", **IN_PROCESS)
def take_over(opening: Opening, vault: Vault, jar: str) -> Rotation:
    """Promote the first backup that passes a test, where the active cookies are no use.

    Args:
        opening: The settings in force.
        vault: The vault.
        jar: The jar.
    """
    head, now = existing_head(vault, jar), vault.ports.clock()
    if not is_lost(head, now=now):
        return Rotation(jar, Step.NOTHING)
    if not candidates(head, now=now):
        return Rotation(jar, Step.NOTHING, note="no backup is left to be tested")
    with asking(opening, vault, jar) as session:
        return fail_over(vault, jar, session)


@contextmanager
def asking(opening: Opening, vault: Vault, jar: str) -> Iterator[WorkerSession]:
    """Give a worker that can ask about the jar; cookies are opened in it alone."""
    head = vault.status(jar)
    with errand(
        opening.settings,
        jar,
        base_head=0 if head is None else head.seq,
        actor=ACTOR,
        flow_run=flow_run_id(),
    ) as session:
        yield session


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Asks by a worker that is started for the question: most rotations have none."""

    opening: Opening
    vault: Vault
    jar: str

    def probe(self, generation: str, *, visit: bool = False) -> Answered:
        """Return what YouTube says of a generation."""
        with asking(self.opening, self.vault, self.jar) as session:
            return session.probe(generation, visit=visit)


def _words(alive: bool | None, detail: str) -> str:
    if alive is None:
        return f"no answer ({printable(detail)})"
    return "somebody is logged in" if alive else "nobody is logged in"
