"""The tries of one attempt: which cookies come next, and what the run learns from each failure."""

from __future__ import annotations

from jarkeeper.downloads.circuit import Circuit
from jarkeeper.heads import SlotState
from jarkeeper.youtube.failures import FailureClass
from jarkeeper.youtube.messages import Expanded, Fetched
from jarkeeper.youtube.policy import CookiePolicy, Use, first_use, next_use, telling_failure


class Tries:
    """Goes from the policy's first choice to what the failure's class leaves, each at most once."""

    def __init__(self, policy: CookiePolicy, circuit: Circuit) -> None:
        self._policy = policy
        self._circuit = circuit
        self._made: list[tuple[Use, FailureClass]] = []

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
        if self._circuit.reason is not None:
            return None
        if not self._made:
            return first_use(self._policy, self._circuit.usable)
        failure = self._made[-1][1]
        use = next_use(
            failure,
            tried=tuple(use for use, _ in self._made),
            policy=self._policy,
            usable=self._circuit.usable,
        )
        if use is None:
            self._circuit.give_up_on(failure)
        return use

    def learn(self, use: Use, answer: Fetched | Expanded) -> None:
        """Take note of how a try ended, for this attempt and for the whole run."""
        if answer.slot_state in (SlotState.DEAD, SlotState.COOLING):
            self._circuit.withdraw(use)
        if answer.failure is not None:
            failure = FailureClass(answer.failure)
            self._made.append((use, failure))
            self._circuit.learn(failure)
