"""The circuit breaker of a run: which cookies may still be used, and whether YouTube said stop."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from jarkeeper.youtube.failures import FailureClass, row_of
from jarkeeper.youtube.policy import Use, usable_after


class Circuit:
    """What the whole run learned, shared by its threads. Starts with nothing but no cookies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._usable = frozenset({Use.NONE})
        self._reason: str | None = None

    @property
    def usable(self) -> frozenset[Use]:
        """The cookies that a try may use; `Use.NONE` is always among them."""
        return self._usable

    @property
    def reason(self) -> str | None:
        """Why the run is stopped, in the user's words, or None."""
        return self._reason

    def allow(self, uses: Iterable[Use]) -> None:
        """Let tries use these cookies."""
        with self._lock:
            self._usable |= frozenset(uses)

    def withdraw(self, use: Use) -> None:
        """Let no further try use these cookies: their slot is dead, cooling or withheld."""
        with self._lock:
            self._usable -= {use} - {Use.NONE}

    def learn(self, failure: FailureClass) -> None:
        """Let the rest of the run use no more than what this failure leaves usable."""
        with self._lock:
            self._usable = usable_after(failure, self._usable)

    def give_up_on(self, failure: FailureClass) -> None:
        """Stop the run where the table says so: a further request would be hammering."""
        row = row_of(failure)
        if row.stops_run:
            with self._lock:
                self._reason = self._reason or row.explanation
