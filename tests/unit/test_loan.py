from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jarkeeper.errors import KeyUnavailable, StoreError
from jarkeeper.slots import SlotState
from jarkeeper.stores.memory import MemoryStore
from jarkeeper.vault import BoundVault, Capability
from jarkeeper.youtube.cleaning import Cleaner
from jarkeeper.youtube.failures import Classification, FailureClass
from jarkeeper.youtube.loan import Loan
from jarkeeper.youtube.messages import Marked, WroteBack
from vaultkit import SITES, FaultyStore, Once, Room

REST = Classification(
    failure=FailureClass.BOT_CHECK,
    slot_verdict=SlotState.COOLING,
    cool_minutes=60,
    reason="BOT_CHECK",
)


class Use:
    """A room whose active jar is on loan, and what the loan told."""

    def __init__(self) -> None:
        self.store = FaultyStore(MemoryStore())
        self.room = Room(self.store)
        self.room.fill("old", "new")
        self.told: list[object] = []
        until = self.room.clock.now + timedelta(hours=1)
        bound = BoundVault(self.room.vault, Capability("youtube", 2, until))
        self.loan = Loan(
            bound,
            bound.lend("youtube"),
            use="active",
            sites=SITES,
            send=self.told.append,
            cleaner=Cleaner(),
        )

    def renew(self) -> None:
        """Do as YouTube does in a session, and let the next write-back be due."""
        for cookie in self.loan.cookiejar:
            if cookie.name == "LOGIN_INFO":
                cookie.value += "-renewed"
        self.loan._kept_at = -1e9

    def mark(self, state: SlotState, **rest: datetime) -> None:
        self.room.vault.mark("youtube", self.loan.generation, state, reason="PROBE", **rest)


@pytest.fixture
def use():
    return Use()


@pytest.mark.parametrize(
    ("state", "hours", "is_over"),
    [
        (SlotState.DEAD, None, True),
        (SlotState.COOLING, 1, True),
        (SlotState.COOLING, -1, False),
        (SlotState.SUSPECT, None, False),
    ],
)
def test_a_login_that_others_found_of_no_use_is_used_no_more(use, state, hours, is_over):
    now = datetime.now(UTC)
    use.mark(state, **({} if hours is None else {"until": now + timedelta(hours=hours)}))

    is_revoked = use.loan.look()

    assert is_revoked is False
    assert use.loan.is_stale is is_over
    assert use.loan.note(Classification(), now=now) is not is_over


def test_a_verdict_of_the_run_itself_counts_once(use):
    now = datetime.now(UTC)

    assert use.loan.note(REST, now=now)
    use.loan.look()

    assert not use.loan.is_stale
    assert use.loan.note(REST, now=now)
    assert [event.state for event in use.told if isinstance(event, Marked)] == ["cooling"]


def test_a_death_that_others_find_during_a_rest_of_the_run_ends_the_use(use):
    use.loan.note(REST, now=datetime.now(UTC))
    use.mark(SlotState.DEAD)

    use.loan.look()

    assert use.loan.is_stale


def test_a_death_that_two_runs_find_at_once_is_a_death_for_both(use):
    use.mark(SlotState.DEAD)
    died = Classification(slot_verdict=SlotState.DEAD, reason="COOKIE_ROTATED")

    counts = use.loan.note(died, now=datetime.now(UTC))

    assert counts
    assert [event.state for event in use.told if isinstance(event, Marked)] == ["dead"]


@pytest.mark.parametrize("error", [StoreError("away"), KeyUnavailable("away")])
def test_a_store_or_key_that_does_not_answer_loses_no_renewed_login(use, error):
    before, now = use.loan.generation, datetime.now(UTC)
    use.renew()

    use.store.before = Once(error, part="generations")
    use.loan.note(Classification(), now=now)
    use.loan._kept_at = -1e9
    use.loan.note(Classification(), now=now)

    failed, kept = (event for event in use.told if isinstance(event, WroteBack))
    assert failed.refused in {"no_answer", "key_unavailable"}
    assert kept.refused is None
    assert use.room.vault.status("youtube").active.generation.id == use.loan.generation != before
