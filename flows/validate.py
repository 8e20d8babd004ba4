"""Do the sessions still work? Asked every hour, so that nobody learns it from a failed download.

from flows.validate import validate

validate(jar="youtube")
"""

from __future__ import annotations

from prefect import flow

from flows.ending import concluded, over_jars, run_name
from jarkeeper.errors import NoAnswer
from jarkeeper.health import is_lost
from jarkeeper.incidents import Scope
from jarkeeper.lifecycle.conditions import (
    conditions_of,
    conditions_of_fail_over,
    scope_of_answers,
    scope_of_jar,
)
from jarkeeper.lifecycle.rotation import Rotation, Step
from jarkeeper.lifecycle.soundness import Seen
from jarkeeper.lifecycle.validation import Validation, existing_head
from jarkeeper.lifecycle.waiting import has_login
from jarkeeper.vault import Vault
from jarkeeper.words import count_of
from jarkeeper.youtube.policy import RetryPolicy
from tasks.incidents import emit, settle
from tasks.opening import Opening
from tasks.receipts import Receipt
from tasks.retries import with_retries
from tasks.sessions import ask, take_over
from tasks.waiting import resume_waiting


@flow(name="validate", flow_run_name=run_name, persist_result=False)
def validate(jar: str | None = None, manager: str | None = None) -> Receipt:
    """Ask YouTube whether the cookies still make a login, and act where they do not.

    The active cookies are asked about, and backups that were never tested. When the active ones are
    lost, a backup that passes a test takes over. Incidents open and close, those who must know are
    told once, and downloads that waited for a login go on.

    Args:
        jar: The jar to look at. Empty: the cookie manager's, or else every jar in the vault.
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """
    return concluded(look_after_all, manager=manager, jar=jar)  # type: ignore[return-value]  # Prefect unwraps it


def look_after_all(where: Opening, vault: Vault, *, visit: bool = False) -> Receipt:
    """Look after every jar; with `visit` each of its sessions is used, so that it is renewed."""
    return over_jars(where, vault, lambda jar: look_after(where, vault, jar, visit=visit))


def look_after(where: Opening, vault: Vault, jar: str, *, visit: bool = False) -> Receipt:
    """Ask, fail over where that is needed, and put on record what is true then."""
    validation, silence = _asked(where, vault, jar, visit=visit)
    rotation = Rotation(jar, Step.NOTHING)
    if is_lost(existing_head(vault, jar), now=vault.ports.clock()):
        rotation = take_over(where, vault, jar)
    scope = scope_of_answers(existing_head(vault, jar), validation.answers)
    receipt = aftermath(where, vault, jar, rotation, scope)
    if silence is not None:
        raise silence
    alive = [one for one in validation.answers if one.alive]
    emit("jarkeeper.validated", jar, asked=len(validation.answers), alive=len(alive))
    if visit and alive:
        emit("jarkeeper.refreshed", jar, sessions=len(alive))
    said = f"{jar}: {len(alive)} of {count_of(len(validation.answers), 'session')} logged in"
    return Receipt(said) + receipt


def aftermath(
    where: Opening, vault: Vault, jar: str, rotation: Rotation, scope: Scope = frozenset()
) -> Receipt:
    """Put on record what is true of the jar now, and send on what waited for a login."""
    head, now = existing_head(vault, jar), vault.ports.clock()
    found = conditions_of(head, now=now, settings=where.settings)
    found += conditions_of_fail_over(rotation)
    settled = settle(where, vault, Seen(found, scope_of_jar(jar) | scope))
    resumed = resume_waiting(jar) if has_login(vault, jar) else 0
    said = f"{count_of(resumed, 'download')} that waited sent on" if resumed else ""
    lines = (f"{jar}: {rotation.note}",) if rotation.note else ()
    return Receipt(said, lines, incidents=settled)


def _asked(
    where: Opening, vault: Vault, jar: str, *, visit: bool
) -> tuple[Validation, NoAnswer | None]:
    """Return the answers; a silence is told only after what is known was acted upon."""
    patient = with_retries(ask, RetryPolicy(where.settings.retry_seconds))
    try:
        return patient(where, vault, jar, visit=visit), None
    except NoAnswer as error:
        return Validation(existing_head(vault, jar), ()), error
