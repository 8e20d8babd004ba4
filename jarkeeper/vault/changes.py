"""Changes of slots that need no new jar: promote, restore, revoke, mark."""

from __future__ import annotations

from collections.abc import Callable

from jarkeeper import slots as rules
from jarkeeper import states
from jarkeeper.actions import Action
from jarkeeper.audit import Access
from jarkeeper.errors import LendRefused, NotFound
from jarkeeper.heads import Head, StoredHead
from jarkeeper.names import checked_generation
from jarkeeper.slots import GenerationRecord, SlotRecord, Slots
from jarkeeper.states import Mark
from jarkeeper.vault.access import recorded
from jarkeeper.vault.closing import close_commit
from jarkeeper.vault.commit import NO_SLOTS, Change, commit
from jarkeeper.vault.doubts import require_same_account
from jarkeeper.vault.generations import open_generation
from jarkeeper.vault.log import from_history, read_existing, read_history
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.receipts import Receipt

Rule = Callable[[Head], Slots]


def promote(
    ports: Ports, jar: str, generation: str | None = None, *, over: SlotRecord | None = None
) -> Receipt:
    """Make a backup active: the newest usable one, or the one that is named.

    Where `over` is given, only in the place of that very slot: what came in meanwhile stays.
    """
    base, warnings = read_existing(ports, jar)

    def rule(head: Head) -> Slots:
        if over is not None and head.active != over:
            raise NotFound(f"jar '{jar}': another login is active by now, or its state changed")
        return rules.promote(head.slots, now=ports.clock(), generation=generation)

    return _change(ports, Action.PROMOTE, base, rule, warnings=warnings)


def rotate(ports: Ports, jar: str, *, confirmed: bool = False) -> Receipt:
    """Make the pending generation active, once it was tested and is of the same account."""
    base, warnings = read_existing(ports, jar)

    def rule(head: Head) -> Slots:
        now = ports.clock()
        rotated = rules.rotate(head.slots, now=now, backup_count=ports.backup_count)
        if not confirmed:
            require_same_account(head.slots, now=now)
        return rotated

    return _change(ports, Action.ROTATE, base, rule, warnings=warnings)


def restore(ports: Ports, jar: str, generation: str) -> Receipt:
    """Make a generation from the history active again, once it is certain that it opens."""
    wanted = checked_generation(generation)
    base, warnings = read_existing(ports, jar)
    history = read_history(ports, jar)
    record, last_seq = from_history(jar, history, wanted)
    # The same cookies may lie in two generations: a key's exchange seals them anew.
    twins = {
        item.generation.id
        for head in history
        for item in head.slots.records()
        if item.generation.fingerprint == record.fingerprint
    }

    def rule(head: Head) -> Slots:
        if not twins.isdisjoint(head.revoked) or head.slots.is_revoked(
            record.id, record.facts.login
        ):
            raise LendRefused(
                f"jar '{jar}': generation {wanted[:8]} was revoked",
                reason="revoked",
                hint="a revoked generation is never used again: import fresh cookies",
            )
        if last_seq < head.horizon and head.slots.find(wanted) is None:
            raise NotFound(f"jar '{jar}': generation {wanted[:8]} was cleaned up")
        return rules.restore(head.slots, record, at=ports.clock(), backup_count=ports.backup_count)

    def prepare() -> None:
        rule(base.head)
        open_generation(ports, jar, record)

    return _change(
        ports, Action.RESTORE, base, rule, about=record, prepare=prepare, warnings=warnings
    )


def revoke(ports: Ports, jar: str, generation: str) -> Receipt:
    """Make sure that nothing ever uses the generation again."""
    wanted = checked_generation(generation)
    base, warnings = read_existing(ports, jar)
    record, _ = from_history(jar, read_history(ports, jar), wanted)

    def rule(head: Head) -> Slots:
        return rules.revoke(head.slots, record)

    return _change(ports, Action.REVOKE, base, rule, about=record, warnings=warnings)


def bar(ports: Ports, jar: str, record: GenerationRecord) -> Receipt:
    """Make sure that nothing ever uses the login of this generation again, in whatever slot."""
    base, warnings = read_existing(ports, jar)

    def rule(head: Head) -> Slots:
        return rules.bar(head.slots, record)

    return _change(ports, Action.REVOKE, base, rule, about=record, warnings=warnings)


def mark(ports: Ports, jar: str, generation: str, mark: Mark) -> Receipt:
    """Change the state of the generation's slot.

    A generation that left its slots meanwhile has no state: the receipt says so, nothing changes.
    """

    def change(slots: Slots) -> Slots:
        return states.mark(slots, generation, mark)

    return _change_state(ports, Action.MARK, jar, generation, change)


def record_answer(
    ports: Ports, jar: str, generation: str, *, alive: bool, account: str = ""
) -> Receipt:
    """Change the state of the generation's slot by what YouTube answered to a probe."""

    def change(slots: Slots) -> Slots:
        return states.answered(slots, generation, alive=alive, at=ports.clock(), account=account)

    detail = "alive" if alive else "signed_out"
    return _change_state(ports, Action.PROBE, jar, generation, change, detail=detail)


def _change_state(
    ports: Ports,
    action: Action,
    jar: str,
    generation: str,
    change: Callable[[Slots], Slots],
    *,
    detail: str = "",
) -> Receipt:
    wanted = checked_generation(generation)
    base, warnings = read_existing(ports, jar)
    item = base.head.slots.find(wanted)
    if item is None:
        record, _ = from_history(jar, read_history(ports, jar), wanted)
        warnings += (f"generation {wanted[:8]} is in no slot any more, its state stays as it was",)
    else:
        record = item.generation

    def rule(head: Head) -> Slots:
        gone = head.slots.find(wanted) is None
        return head.slots if gone else change(head.slots)

    return _change(ports, action, base, rule, about=record, detail=detail, warnings=warnings)


def _change(
    ports: Ports,
    action: Action,
    base: StoredHead,
    rule: Rule,
    *,
    about: GenerationRecord | None = None,
    detail: str = "",
    prepare: Callable[[], None] | None = None,
    warnings: tuple[str, ...],
) -> Receipt:
    jar = base.head.jar
    access = Access(
        action=action,
        jar=jar,
        generation="" if about is None else about.id,
        head_seq=base.head.seq,
    )
    with recorded(ports.trail, access, detail=detail):
        if prepare is not None:
            prepare()
        done = commit(ports, jar, Change(action, _over_any_head(rule)), base=base)
    head = done.stored.head
    about = about or (head.active.generation if head.active else None)
    shown = "" if about is None else about.id
    return Receipt(
        vault=ports.vault,
        jar=jar,
        action=action,
        generation=None if about is None else about.id,
        fingerprint="" if about is None else about.fingerprint,
        head_seq=head.seq,
        at=head.at,
        warnings=warnings + close_commit(ports, access, done, generation=shown),
    )


def _over_any_head(rule: Rule) -> Callable[[Head | None], Slots]:
    return lambda head: NO_SLOTS if head is None else rule(head)
