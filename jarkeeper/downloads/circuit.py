"""The circuit breaker of a run: which cookies may still be used, and whether YouTube said stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from jarkeeper.youtube.failures import FailureClass, row_of
from jarkeeper.youtube.policy import Use, usable_after

PAUSING = frozenset({FailureClass.RATE_LIMIT_IP})
"""Classes that concern the address, and so every video of the run."""

LOOK_SECONDS = 0.2
"""How soon a waiting thread notices that the run was stopped."""


class Circuit:
    """What the whole run learned, shared by its threads. Starts with nothing but no cookies."""

    def __init__(self, waits: tuple[float, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._waits = waits
        self._strikes = 0
        self._resume_at = 0.0
        self.second_chance = threading.Lock()
        """Held by the one try that may follow where a further refusal stops the run."""
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

    def is_stopped(self) -> bool:
        """Return whether no further request may be made."""
        return self._reason is not None

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

    def abandon(self) -> None:
        """Let nobody wait any longer."""
        with self._lock:
            self._resume_at = 0.0

    def give_up_on(self, failure: FailureClass) -> None:
        """Stop the run where the table says so: a further request would be hammering."""
        row = row_of(failure)
        if row.stops_run:
            with self._lock:
                self._reason = self._reason or row.explanation

    def pause(self, failure: FailureClass) -> None:
        """Hold the whole run after a rate limit of the address, longer each time, then stop it.

        Failures of tries that were under way when the pause began belong to the same strike.
        """
        with self._lock:
            if time.monotonic() < self._resume_at or failure not in PAUSING:
                return
            self._strikes += 1
            if self._strikes > len(self._waits):
                self._reason = self._reason or row_of(failure).explanation
            else:
                self._resume_at = time.monotonic() + self._waits[self._strikes - 1]

    def recover(self) -> None:
        """Forget the strikes: YouTube answers again."""
        with self._lock:
            self._strikes = 0

    def wait(self) -> None:
        """Return when the run may ask YouTube again, or was stopped."""
        while self._reason is None and (left := self._resume_at - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_SECONDS))
