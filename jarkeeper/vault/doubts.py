"""Doubts about an import: what a person should say yes to before a login is replaced. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jarkeeper.errors import ConfirmationNeeded
from jarkeeper.facts import JarFacts, is_authenticated
from jarkeeper.jar import LASTING_COOKIES, Jar, login_cookies
from jarkeeper.slots import SlotRecord, Slots, SlotState

ROUNDING_SECONDS = 1
"""Some exporters round an expiry, others cut it off: that far apart, two are the same."""


class Doubt(StrEnum):
    """Why an import may be a mistake."""

    NO_LOGIN = "no_login"
    OLDER = "older"
    ANOTHER_ACCOUNT = "another_account"
    NOT_COMPARED = "not_compared"


SENTENCES = {
    Doubt.NO_LOGIN: "they are no login, or one that expired, and would take the place of one",
    Doubt.OLDER: "they are valid for less long than the active ones, and would take their place",
    Doubt.ANOTHER_ACCOUNT: "they are another login than the active ones, and no probe of both "
    "proved the account the same",
}
SIGNED_OUT = "YouTube takes them for a visitor's, and they would take the place of a login"
NOT_COMPARED = "they could not be compared with the active ones"
NEVER_PROBED = (
    "they are another login than the active ones, which were not probed when they came in"
)
A_BACKUP = "they are a backup already, and would take the place of the active ones"
ASKS_WHOSE = (
    "`jarkeeper validate` asks whose the active ones are, and `jarkeeper rotate` then decides; "
)
TAKES_THEM = (
    "`jarkeeper rotate --yes` takes them all the same, any other import or rotation puts them away"
)
KNOWN_STRANGER = "they are another account's than the active ones, as YouTube told of both"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What comes in: the jar, what is known of it, and what a probe said, if one asked."""

    jar: Jar
    facts: JarFacts
    is_signed_out: bool = False
    """Whether YouTube took it for a visitor's."""
    is_backup: bool = False
    """Whether the same cookies are a backup already."""
    not_compared: str = ""
    """Why the active ones could not be read just now: another time they may."""


def require_certainty(
    new: Arrival,
    active: SlotRecord | None,
    before: Jar | None,
    *,
    now: datetime,
    later: frozenset[Doubt] = frozenset(),
) -> None:
    """Raise `ConfirmationNeeded` where there are doubts, besides those that are settled later.

    `before` is the active jar in clear; None where it need not or cannot be opened.
    """
    found = () if active is None else _doubts(new, active, before, now=now)
    doubts = {doubt: sentence for doubt, sentence in found if doubt not in later}
    if doubts:
        raise ConfirmationNeeded(
            tuple(f"cookies: {sentence}" for sentence in doubts.values()),
            reasons=tuple(doubts),
            hint=f"look at the export again; {_probe_hint(new, active, doubts)}"
            "`--yes` takes them in all the same",
        )


def require_same_account(slots: Slots, *, now: datetime) -> None:
    """Raise `ConfirmationNeeded` where the pending jar is not proved to be of the jar's account.

    Whose the jar is tells the active slot, or else the backups: by the account that YouTube named,
    or by the login itself. Where none tells, and no login is at stake, anybody's may come in.
    """
    if slots.pending is None:
        return
    mine = slots.pending.generation.facts
    others = [item.generation.facts for item in (slots.active, *slots.backups) if item is not None]
    known = next((facts for facts in others if facts.account), None)
    judges = [known] if known is not None else others[: slots.active is not None]
    if any(_is_same_owner(mine, judge) for judge in judges):
        return
    if known is None and not is_at_stake(slots.active, now=now):
        return
    is_stranger = known is not None and bool(mine.account)
    raise ConfirmationNeeded(
        (f"cookies: {KNOWN_STRANGER if is_stranger else SENTENCES[Doubt.ANOTHER_ACCOUNT]}",),
        reasons=(Doubt.ANOTHER_ACCOUNT,),
        hint=f"they are sealed, and wait: {'' if known else ASKS_WHOSE}{TAKES_THEM}",
    )


def _is_same_owner(one: JarFacts, other: JarFacts) -> bool:
    if one.account and other.account:
        return one.account == other.account
    return bool(one.login) and one.login == other.login


def _probe_hint(new: Arrival, active: SlotRecord | None, doubts: Container[Doubt]) -> str:
    """Return the word about a probe where it can settle whose the cookies are."""
    known = active is not None and active.generation.facts.account
    settles = Doubt.ANOTHER_ACCOUNT in doubts and known and not new.facts.account
    return "`--probe` asks YouTube whether they are the same account's; " if settles else ""


def is_at_stake(active: SlotRecord | None, *, now: datetime) -> bool:
    """Tell whether there is a login that would be missed: one that may be used, or will be."""
    if active is None or active.state is SlotState.DEAD:
        return False
    return is_authenticated(active.generation.facts, now)


def _doubts(
    new: Arrival, active: SlotRecord, before: Jar | None, *, now: datetime
) -> Iterator[tuple[Doubt, str]]:
    old = active.generation.facts
    at_stake = is_at_stake(active, now=now)
    if at_stake and not is_authenticated(new.facts, now):
        yield Doubt.NO_LOGIN, SENTENCES[Doubt.NO_LOGIN]
    elif at_stake and new.is_signed_out:
        yield Doubt.NO_LOGIN, SIGNED_OUT
    if new.facts.login_until is None:
        return  # it belongs to nobody, and is of no age
    if new.not_compared:
        yield Doubt.NOT_COMPARED, f"{NOT_COMPARED}, {new.not_compared}"
    same = before is not None and is_same_login(before, new.jar)
    if at_stake and new.is_backup:
        yield Doubt.OLDER, A_BACKUP
    elif at_stake and before is not None and _is_older(new, before, old, same=same):
        yield Doubt.OLDER, SENTENCES[Doubt.OLDER]
    if new.facts.account and old.account:
        if new.facts.account != old.account:
            yield Doubt.ANOTHER_ACCOUNT, KNOWN_STRANGER
    elif at_stake and before is not None and not same:
        sentence = NEVER_PROBED if new.facts.account else SENTENCES[Doubt.ANOTHER_ACCOUNT]
        yield Doubt.ANOTHER_ACCOUNT, sentence


def is_same_login(before: Jar, new: Jar) -> bool:
    """Tell whether both hold the same lasting cookies, as far as both hold them."""
    old = {cookie.identity: cookie.value for cookie in before.cookies if _lasts(cookie.name)}
    shared = [
        old[cookie.identity] == cookie.value for cookie in new.cookies if cookie.identity in old
    ]
    return bool(shared) and all(shared)


def _lasts(name: str) -> bool:
    return name in LASTING_COOKIES


def _is_older(new: Arrival, before: Jar, old: JarFacts, *, same: bool) -> bool:
    if not same:
        known = bool(new.facts.login_until and old.login_until)
        return known and _later(old.login_until or 0, than=new.facts.login_until or 0)
    return is_newer(before, new.jar)


def is_newer(jar: Jar, than: Jar) -> bool:
    """Tell of two copies of one login whether this is the newer: what each use renews lasts longer.

    Where some cookies last longer and others less long, neither is.
    """
    expiries = {cookie.identity: cookie.expires for cookie in login_cookies(than)}
    pairs = [
        (cookie.expires, expiries[cookie.identity])
        for cookie in login_cookies(jar)
        if cookie.expires and expiries.get(cookie.identity)
    ]
    return any(_later(mine, than=other) for mine, other in pairs) and not any(
        _later(other, than=mine) for mine, other in pairs
    )


def _later(one: int, *, than: int) -> bool:
    return one > than + ROUNDING_SECONDS
