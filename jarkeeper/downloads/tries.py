"""The tries of one attempt: which cookies come next, and what the run learns from each failure."""

from __future__ import annotations

from typing import Self

from jarkeeper.downloads.circuit import Circuit
from jarkeeper.heads import SlotState
from jarkeeper.youtube.failures import FailureClass, row_of
from jarkeeper.youtube.messages import Expanded, Fetched
from jarkeeper.youtube.policy import CookiePolicy, Use, first_use, next_use, telling_failure


class Tries:
    """Goes from the policy's first choice to what the failure's class leaves, each at most once."""

    def __init__(self, policy: CookiePolicy, circuit: Circuit) -> None:
        self._policy = policy
        self._circuit = circuit
        self._made: list[tuple[Use, FailureClass]] = []
        self._holds_chance = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._let_others_go_on()

    @property
    def count(self) -> int:
        """How many tries failed."""
        return len(self._made)

    @property
    def failure(self) -> FailureClass | None:
        """The class that explains them all, or None before the first."""
        return telling_failure(self._made) if self._made else None

    def next(self) -> Use | None:
        """Return the cookies of the next try, or None where nothing is left or the run stopped."""
        self._circuit.wait()
        if self._circuit.is_stopped():
            return None
        if not self._made:
            return first_use(self._policy, self._circuit.usable)
        failure = self._made[-1][1]
        if not row_of(failure).stops_run:
            return self._after(failure)
        # One try of the whole run finds out whether other cookies help; the others wait for it.
        self._circuit.second_chance.acquire()
        use = None if self._circuit.is_stopped() else self._after(failure)
        self._holds_chance = use is not None
        if use is None:
            self._circuit.second_chance.release()
        return use

    def learn(self, use: Use, answer: Fetched | Expanded) -> None:
        """Take note of how a try ended, for this attempt and for the whole run."""
        if answer.slot_state in (SlotState.DEAD, SlotState.COOLING):
            self._circuit.withdraw(use)
        if answer.failure is None:
            self._circuit.recover()
        else:
            failure = FailureClass(answer.failure)
            self._made.append((use, failure))
            self._circuit.learn(failure)
            self._circuit.pause(failure)
        self._let_others_go_on()

    def _let_others_go_on(self) -> None:
        if self._holds_chance:
            self._holds_chance = False
            self._circuit.second_chance.release()

    def _after(self, failure: FailureClass) -> Use | None:
        use = next_use(
            failure,
            tried=tuple(use for use, _ in self._made),
            policy=self._policy,
            usable=self._circuit.usable,
        )
        if use is None:
            self._circuit.give_up_on(failure)
        return use
