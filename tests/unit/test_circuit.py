import pytest

from jarkeeper.downloads.circuit import Circuit
from jarkeeper.youtube.failures import FailureClass, row_of
from jarkeeper.youtube.policy import Use


def test_a_circuit_starts_with_no_cookies_alone() -> None:
    circuit = Circuit()

    assert circuit.usable == {Use.NONE}
    assert circuit.reason is None


def test_a_withdrawn_slot_is_used_no_more() -> None:
    circuit = Circuit()
    circuit.allow([Use.ACTIVE, Use.BACKUP])

    circuit.withdraw(Use.ACTIVE)

    assert circuit.usable == {Use.BACKUP, Use.NONE}


def test_no_cookies_cannot_be_withdrawn() -> None:
    circuit = Circuit()

    circuit.withdraw(Use.NONE)

    assert circuit.usable == {Use.NONE}


def test_a_rate_limited_account_spares_its_backup() -> None:
    circuit = Circuit()
    circuit.allow([Use.ACTIVE, Use.BACKUP])

    circuit.learn(FailureClass.RATE_LIMIT_ACCOUNT)

    assert circuit.usable == {Use.NONE}


@pytest.mark.parametrize("failure", list(FailureClass))
def test_the_run_stops_exactly_where_the_table_says(failure: FailureClass) -> None:
    circuit = Circuit()

    circuit.give_up_on(failure)

    assert (circuit.reason is not None) is row_of(failure).stops_run


def test_the_first_reason_is_the_one_that_is_told() -> None:
    circuit = Circuit()

    circuit.give_up_on(FailureClass.BOT_CHECK)
    circuit.give_up_on(FailureClass.IP_BLOCK)

    assert circuit.reason == row_of(FailureClass.BOT_CHECK).explanation
