"""Write-back: keeping what YouTube changed in a jar during use, if that is no loss."""

from __future__ import annotations

from dataclasses import replace

from jarkeeper.actions import Action
from jarkeeper.audit import Access
from jarkeeper.errors import Conflict, JarFormatError, KeyUnavailable, WriteBackRefused
from jarkeeper.facts import is_authenticated, observe
from jarkeeper.heads import Head, StoredHead
from jarkeeper.jar import LASTING_COOKIES, Jar, emit_jar, login_cookies, parse_jar
from jarkeeper.names import GenerationId, new_id
from jarkeeper.slots import Slots, SlotState, Source, exchange
from jarkeeper.vault.access import recorded
from jarkeeper.vault.closing import close_commit
from jarkeeper.vault.commit import NO_SLOTS, Change, Committed, commit
from jarkeeper.vault.generations import fingerprint, store_generation
from jarkeeper.vault.lent import LentJar, SealedJar
from jarkeeper.vault.log import read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import WriteBackReceipt

_WORDS = {
    "revoked": "was revoked while it was in use",
    "not_current": "is in no slot any more, newer cookies took its place",
    "slot_dead": "is marked dead, what came back from it is not kept",
    "foreign_domains": "came back with cookies of foreign domains",
    "login_gone": "came back without its login",
    "another_login": "came back as another login",
    "malformed": "came back with a cookie that no jar may hold",
    "key_unavailable": "could not be sealed anew, the key gives no answer",
    "conflict": "was overtaken by another commit",
}


def write_back(ports: Ports, lent: LentJar, jar: Jar) -> WriteBackReceipt:
    """Put the changed jar in the place of the lent generation; its slot keeps its state.

    `WriteBackRefused` where the guard says no, where the key gives no answer, and where another
    commit came first: a session is never resurrected over a newer one.
    """
    base = read_newest(ports, lent.jar_name)
    access = Access(
        action=Action.WRITE_BACK,
        jar=lent.jar_name,
        slot=lent.slot,
        generation=lent.generation,
        head_seq=0 if base.head is None else base.head.seq,
    )
    with recorded(ports.trail, access):
        stored = _current(lent, base.stored)
        checked = _checked(ports, lent, jar)
        kept, done = _keep(ports, lent, checked, stored)
    warnings = close_commit(ports, access, done, generation=kept.generation)
    return WriteBackReceipt(
        vault=ports.vault,
        jar=lent.jar_name,
        action=Action.WRITE_BACK,
        generation=kept.generation,
        fingerprint=kept.fingerprint,
        head_seq=done.stored.head.seq,
        at=done.stored.head.at,
        warnings=base.warnings + warnings,
        lent=kept,
    )


def _current(lent: LentJar, stored: StoredHead | None) -> StoredHead:
    """Return the base, or refuse a generation that is not the one in its slot any more."""
    if stored is None:
        raise _refused(lent, "not_current")
    if stored.head.slots.is_revoked(lent.generation, lent.facts.login):
        raise _refused(lent, "revoked")
    item = stored.head.slots.find(lent.generation)
    if item is None:
        raise _refused(lent, "not_current")
    if item.state is SlotState.DEAD:
        raise _refused(lent, "slot_dead")
    return stored


def _checked(ports: Ports, lent: LentJar, jar: Jar) -> Jar:
    """Return the jar as a strict parser sees it, or refuse one that lost its login or its shape."""
    facts = observe(jar, sites=ports.sites)
    if facts.foreign:
        raise _refused(lent, "foreign_domains")
    if not is_authenticated(facts, ports.clock()):
        raise _refused(lent, "login_gone")
    with lent.open() as before:
        if lost_login(before, jar):
            raise _refused(lent, "login_gone")
        if is_another_login(before, jar):
            raise _refused(lent, "another_login")
    try:
        return parse_jar(emit_jar(jar), sites=ports.sites).jar
    except JarFormatError:
        raise _refused(lent, "malformed") from None


def lost_login(before: Jar, after: Jar) -> bool:
    """Whether an authentication cookie is gone: emptied, or not there at all."""
    kept = {cookie.identity for cookie in login_cookies(after) if cookie.value.strip('"')}
    return any(cookie.identity not in kept for cookie in login_cookies(before) if cookie.value)


def is_another_login(before: Jar, after: Jar) -> bool:
    """Whether a cookie changed that stays the same as long as a login lives."""
    now = {cookie.identity: cookie.value for cookie in after.cookies}
    return any(
        now.get(cookie.identity) != cookie.value
        for cookie in before.cookies
        if cookie.name in LASTING_COOKIES
    )


def _keep(ports: Ports, lent: LentJar, jar: Jar, stored: StoredHead) -> tuple[LentJar, Committed]:
    if fingerprint(ports, emit_jar(jar)) == lent.fingerprint:
        return lent, Committed(stored, changed=False)
    # The same login is the same account.
    facts = replace(observe(jar, sites=ports.sites), account=lent.facts.account)
    try:
        record = store_generation(
            ports,
            lent.jar_name,
            jar,
            id=GenerationId(new_id()),
            source=Source.WRITE_BACK,
            facts=facts,
        )
    except KeyUnavailable:  # another time it may answer: no reason to end a run
        raise _refused(lent, "key_unavailable") from None

    def rule(head: Head | None) -> Slots:
        return exchange(NO_SLOTS if head is None else head.slots, lent.generation, record)

    try:
        change = Change(Action.WRITE_BACK, rule, retries=False)
        done = commit(ports, lent.jar_name, change, base=stored)
    except (Conflict, KeyUnavailable):  # so it is where the vault moved to another key meanwhile
        raise _refused(lent, "conflict") from None
    kept = replace(
        lent,
        generation=record.id,
        fingerprint=record.fingerprint,
        head_seq=done.stored.head.seq,
        # The stored ones: they tell the login, by which it can be barred.
        facts=record.facts,
        sealed=SealedJar(jar, key=ports.memory_key),
    )
    return kept, done


def _refused(lent: LentJar, reason: str) -> WriteBackRefused:
    return WriteBackRefused(
        f"jar '{lent.jar_name}': generation {lent.generation[:8]} {_WORDS[reason]}",
        reason=reason,
        hint="the stored jar stays as it is",
    )
