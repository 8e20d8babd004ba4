"""Which cookies the next try uses, and how long to wait before one. Pure; the table decides.

Within one attempt each use is tried at most once. The order is that of the policy at first; after a
failure what surely helps comes before what may help, and a backup before no cookies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from jarkeeper.youtube.failures import FailureClass, Help, row_of


class CookiePolicy(StrEnum):
    """When a run uses cookies."""

    ALWAYS = "always"
    WHEN_NEEDED = "when_needed"
    NEVER = "never"


class Use(StrEnum):
    """Whose cookies one try uses."""

    ACTIVE = "active"
    BACKUP = "backup"
    NONE = "none"


LOGINS = (Use.ACTIVE, Use.BACKUP)
SPARING = frozenset({FailureClass.RATE_LIMIT_ACCOUNT})
"""Classes after which a run uses no login any more: the next one would soon fare alike."""


def first_use(policy: CookiePolicy, usable: frozenset[Use]) -> Use:
    """Return what the first try at a video uses. No cookies can always be used."""
    if policy is CookiePolicy.ALWAYS:
        return next((use for use in LOGINS if use in usable), Use.NONE)
    return Use.NONE


def next_use(
    failure: FailureClass,
    *,
    tried: tuple[Use, ...],
    policy: CookiePolicy,
    usable: frozenset[Use],
) -> Use | None:
    """Return what to try next after the last of `tried` failed, or None to give this attempt up."""
    if not tried:
        return first_use(policy, usable)
    if policy is CookiePolicy.NEVER:
        return None
    row = row_of(failure)
    left = [use for use in LOGINS if use in usable and use not in tried]
    if tried[-1] is Use.NONE:
        return left[0] if left and row.helps_login is not Help.NO else None
    helps = [(use, row.helps_backup) for use in left]
    if Use.NONE not in tried:
        helps.append((Use.NONE, row.helps_none))
    for wanted in (Help.YES, Help.MAYBE):
        if found := next((use for use, help_ in helps if help_ is wanted), None):
            return found
    return None


def usable_after(failure: FailureClass, usable: frozenset[Use]) -> frozenset[Use]:
    """Return what the rest of a run may use: a rate-limited account is waited for, not replaced."""
    return usable - set(LOGINS) if failure in SPARING else usable


def telling_failure(tries: Sequence[tuple[Use, FailureClass]]) -> FailureClass:
    """Return the failure that explains an attempt of one or more tries.

    It is the last one, unless that only says that without cookies a login is missing: then it is
    what went wrong with the cookies before. Whether the run stops is up to the last one.
    """
    use, failure = tries[-1]
    if use is Use.NONE and row_of(failure).helps_login is not Help.NO:
        with_login = [earlier for tried, earlier in tries if tried is not Use.NONE]
        return with_login[-1] if with_login else failure
    return failure


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait before each further attempt. `waits` grow; jitter spreads parallel runs."""

    waits: tuple[float, ...]
    jitter: float = 0.5
    """The most that is added to a wait, as a share of it."""

    def tries_left(self, failure: FailureClass, *, made: int) -> int:
        """Return how many attempts may still follow, once `made` of them were made."""
        rule = row_of(failure).retry
        return max(0, min(rule.tries, len(self.waits)) + 1 - made) if rule else 0

    def wait(self, *, made: int, chance: float) -> float:
        """Return the seconds before the next attempt, once `made` of them were made.

        `chance` is a random number from 0 to 1.
        """
        return self.waits[made - 1] * (1 + self.jitter * chance)
