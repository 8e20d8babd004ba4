from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.youtube.failures import FailureClass, Help, row_of
from jarkeeper.youtube.policy import (
    CookiePolicy,
    RetryPolicy,
    Use,
    first_use,
    next_use,
    telling_failure,
    usable_after,
)

ALWAYS, WHEN_NEEDED, NEVER = CookiePolicy
ACTIVE, BACKUP, NONE = Use
ALL = frozenset(Use)
USABLE = [
    frozenset({NONE}),
    frozenset({NONE, ACTIVE}),
    frozenset({NONE, BACKUP}),
    ALL,
]
TRIED = [order for length in (1, 2, 3) for order in permutations(Use, length)]

# failure: (after no cookies a login may help, after a login, after both logins)
CHAINS: dict[str, tuple[bool, Use | None, Use | None]] = {
    "COOKIE_FORMAT": (False, BACKUP, NONE),
    "COOKIE_IO": (False, None, None),
    "COOKIE_ROTATED": (False, BACKUP, NONE),
    "COOKIE_MISSING": (True, BACKUP, None),
    "PRIVATE": (True, None, None),
    "MEMBERS_ONLY": (True, None, None),
    "AGE_GATE": (True, BACKUP, NONE),
    "BOT_CHECK": (True, BACKUP, None),
    "CAPTCHA": (False, BACKUP, None),
    "RATE_LIMIT_ACCOUNT": (False, NONE, NONE),
    "RATE_LIMIT_GUEST": (True, BACKUP, None),
    "ACCOUNT_FLAGGED": (False, NONE, NONE),
    "IP_BLOCK": (False, None, None),
    "WEBPAGE_BLOCKED": (False, BACKUP, NONE),
    "NOT_AUTHENTICATED": (True, BACKUP, None),
    "NOT_FOUND": (True, None, None),
    "RATE_LIMIT_IP": (False, None, None),
    "MEDIA_FORBIDDEN": (False, NONE, NONE),
    "NO_FORMATS": (False, NONE, NONE),
    "GEO": (False, None, None),
    "DRM": (False, None, None),
    "NOT_YET": (False, None, None),
    "PAID": (True, None, None),
    "REMOVED": (False, None, None),
    "UNAVAILABLE": (False, NONE, NONE),
    "EXTRACT_TRANSIENT": (False, None, None),
    "NETWORK": (False, None, None),
    "CONFIG": (False, None, None),
    "DISK_FULL": (False, None, None),
    "LOCAL": (False, None, None),
    "BAD_TARGET": (False, None, None),
    "OPEN_LIMIT": (False, None, None),
    "UNKNOWN": (False, None, None),
}


def test_the_chains_name_every_class():
    assert set(CHAINS) == set(FailureClass)


@pytest.mark.parametrize(
    ("policy", "usable", "expected"),
    [
        (ALWAYS, ALL, ACTIVE),
        (ALWAYS, frozenset({NONE, ACTIVE}), ACTIVE),
        (ALWAYS, frozenset({NONE, BACKUP}), BACKUP),
        (ALWAYS, frozenset({NONE}), NONE),
        (ALWAYS, frozenset(), NONE),
        (WHEN_NEEDED, ALL, NONE),
        (WHEN_NEEDED, frozenset(), NONE),
        (NEVER, ALL, NONE),
        (NEVER, frozenset(), NONE),
    ],
)
def test_the_first_try_follows_the_policy(policy, usable, expected):
    assert first_use(policy, usable) is expected


@pytest.mark.parametrize("failure", FailureClass)
def test_with_all_cookies_each_class_falls_back_as_its_row_says(failure):
    login_helps, after_active, after_both = CHAINS[failure]

    def following(*tried: Use, policy: CookiePolicy = ALWAYS) -> Use | None:
        return next_use(failure, tried=tried, policy=policy, usable=ALL)

    assert following(ACTIVE) is after_active
    assert following(ACTIVE, BACKUP) is after_both
    assert following(ACTIVE, BACKUP, NONE) is None
    assert following(NONE) is (ACTIVE if login_helps else None)
    assert following(NONE, policy=WHEN_NEEDED) is (ACTIVE if login_helps else None)
    assert following(NONE, policy=NEVER) is None
    assert following(ACTIVE, NONE) is (BACKUP if login_helps else None)


@pytest.mark.parametrize("failure", FailureClass)
def test_with_the_backup_alone_it_stands_in_for_the_active_one(failure):
    login_helps, after_active, after_both = CHAINS[failure]
    usable = frozenset({NONE, BACKUP})
    after_backup = after_both if after_active is BACKUP else after_active

    assert next_use(failure, tried=(BACKUP,), policy=ALWAYS, usable=usable) is after_backup
    assert next_use(failure, tried=(NONE,), policy=WHEN_NEEDED, usable=usable) is (
        BACKUP if login_helps else None
    )


@pytest.mark.parametrize("policy", CookiePolicy)
@pytest.mark.parametrize("failure", FailureClass)
def test_every_class_policy_history_and_supply_keeps_the_rules(failure, policy):
    row = row_of(failure)

    for tried, usable in product(TRIED, USABLE):
        use = next_use(failure, tried=tried, policy=policy, usable=usable)

        assert use not in tried, "one try per use"
        assert use is None or use in usable, "only what can be used"
        if policy is NEVER:
            assert use is None
        if tried[-1] is NONE:
            assert use is None or row.helps_login is not Help.NO
        elif use is NONE:
            assert row.helps_none is not Help.NO
        elif use is not None:
            assert row.helps_backup is not Help.NO


@pytest.mark.parametrize("policy", CookiePolicy)
@pytest.mark.parametrize("usable", USABLE, ids=len)
@given(failures=st.lists(st.sampled_from(FailureClass), min_size=4, max_size=4))
def test_every_attempt_ends_with_at_most_one_try_per_use(policy, usable, failures):
    tried: tuple[Use, ...] = ()
    use: Use | None = first_use(policy, usable)
    while use is not None:
        tried += (use,)
        use = next_use(failures[len(tried) - 1], tried=tried, policy=policy, usable=usable)

    assert len(tried) == len(set(tried)) <= 3
    assert policy is not NEVER or tried == (NONE,)


def story(policy: CookiePolicy, *failures: str, usable: frozenset[Use] = ALL) -> list[Use]:
    tried: list[Use] = []
    use: Use | None = first_use(policy, usable)
    for failure in failures:
        assert use is not None
        tried.append(use)
        use = next_use(FailureClass(failure), tried=tuple(tried), policy=policy, usable=usable)
    return tried if use is None else [*tried, use]


@pytest.mark.parametrize(
    ("expected", "policy", "failures"),
    [
        ([ACTIVE, BACKUP, NONE], ALWAYS, ["COOKIE_ROTATED", "COOKIE_ROTATED"]),
        ([ACTIVE, BACKUP], ALWAYS, ["BOT_CHECK", "BOT_CHECK"]),
        ([ACTIVE, BACKUP], ALWAYS, ["CAPTCHA", "CAPTCHA"]),
        ([ACTIVE, NONE], ALWAYS, ["RATE_LIMIT_ACCOUNT", "NETWORK"]),
        ([ACTIVE, NONE], ALWAYS, ["UNAVAILABLE", "UNAVAILABLE"]),
        ([ACTIVE, NONE], ALWAYS, ["ACCOUNT_FLAGGED", "ACCOUNT_FLAGGED"]),
        ([ACTIVE], ALWAYS, ["NETWORK"]),
        ([NONE, ACTIVE, BACKUP], WHEN_NEEDED, ["BOT_CHECK", "BOT_CHECK", "BOT_CHECK"]),
        ([NONE, ACTIVE, BACKUP], WHEN_NEEDED, ["AGE_GATE", "COOKIE_ROTATED", "COOKIE_ROTATED"]),
        ([NONE, ACTIVE], WHEN_NEEDED, ["PRIVATE", "PRIVATE"]),
        ([NONE], WHEN_NEEDED, ["MEDIA_FORBIDDEN"]),
        ([NONE], NEVER, ["AGE_GATE"]),
        ([NONE], NEVER, ["BOT_CHECK"]),
    ],
)
def test_an_attempt_goes_this_way(expected, policy, failures):
    assert story(policy, *failures) == expected


def test_cookies_are_fetched_when_needed_for_just_these_classes():
    needing = {failure for failure in FailureClass if row_of(failure).helps_login is not Help.NO}

    assert needing == {
        FailureClass.AGE_GATE,
        FailureClass.BOT_CHECK,
        FailureClass.COOKIE_MISSING,
        FailureClass.MEMBERS_ONLY,
        FailureClass.NOT_AUTHENTICATED,
        FailureClass.NOT_FOUND,
        FailureClass.PAID,
        FailureClass.PRIVATE,
        FailureClass.RATE_LIMIT_GUEST,
    }


@pytest.mark.parametrize("policy", CookiePolicy)
def test_nothing_tried_yet_means_the_first_try(policy):
    use = next_use(FailureClass.NETWORK, tried=(), policy=policy, usable=ALL)

    assert use is first_use(policy, ALL)


@pytest.mark.parametrize("failure", FailureClass)
def test_only_a_limited_account_spares_the_other_logins(failure):
    limited = failure is FailureClass.RATE_LIMIT_ACCOUNT

    assert usable_after(failure, ALL) == (frozenset({NONE}) if limited else ALL)


@pytest.mark.parametrize(
    ("tries", "expected"),
    [
        ([(ACTIVE, "NETWORK")], "NETWORK"),
        ([(NONE, "PRIVATE")], "PRIVATE"),
        ([(ACTIVE, "COOKIE_ROTATED"), (NONE, "PRIVATE")], "COOKIE_ROTATED"),
        ([(ACTIVE, "MEDIA_FORBIDDEN"), (NONE, "AGE_GATE")], "MEDIA_FORBIDDEN"),
        ([(ACTIVE, "COOKIE_ROTATED"), (NONE, "REMOVED")], "REMOVED"),
        ([(NONE, "AGE_GATE"), (ACTIVE, "NETWORK")], "NETWORK"),
        ([(NONE, "AGE_GATE"), (ACTIVE, "AGE_GATE"), (BACKUP, "GEO")], "GEO"),
        ([(ACTIVE, "COOKIE_ROTATED"), (BACKUP, "AGE_GATE"), (NONE, "AGE_GATE")], "AGE_GATE"),
        ([(ACTIVE, "RATE_LIMIT_ACCOUNT"), (NONE, "BOT_CHECK")], "RATE_LIMIT_ACCOUNT"),
    ],
)
def test_an_attempt_is_explained_by_what_went_wrong_with_the_cookies(tries, expected):
    failures = [(use, FailureClass(failure)) for use, failure in tries]

    assert telling_failure(failures) == expected


WAITS = RetryPolicy(waits=(10.0, 30.0, 90.0, 270.0))


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("NETWORK", [10.0, 30.0, 90.0, 270.0, None]),
        ("RATE_LIMIT_IP", [10.0, 30.0, 90.0, 270.0, None]),
        ("EXTRACT_TRANSIENT", [10.0, 30.0, 90.0, 270.0, None]),
        ("MEDIA_FORBIDDEN", [10.0, 30.0, None]),
        ("WEBPAGE_BLOCKED", [10.0, 30.0, None]),
        ("NO_FORMATS", [10.0, None]),
        ("LOCAL", [10.0, None]),
        ("UNKNOWN", [10.0, None]),
        ("PRIVATE", [None]),
        ("BOT_CHECK", [None]),
        ("DISK_FULL", [None]),
    ],
)
def test_a_curable_failure_is_retried_as_often_as_its_row_says(failure, expected):
    class_ = FailureClass(failure)

    waits = [
        WAITS.wait(made=made, chance=0) if WAITS.tries_left(class_, made=made) else None
        for made in range(1, len(expected) + 1)
    ]

    assert waits == expected


def test_jitter_only_lengthens_a_wait_and_has_a_bound():
    waits = [WAITS.wait(made=2, chance=chance) for chance in (0, 0.5, 1)]

    assert waits == [30.0, 37.5, 45.0]


@pytest.mark.parametrize("failure", FailureClass)
def test_without_waits_nothing_is_retried(failure):
    assert RetryPolicy(waits=()).tries_left(failure, made=1) == 0
    assert RetryPolicy(waits=()).tries_left(failure, made=1) == 0
