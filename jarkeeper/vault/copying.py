"""Copying a whole vault, byte for byte, into another store: a backup, or a recovery from one.

Everything is created once and nothing is overwritten, in an order that leaves, wherever it stops,
no vault yet or a consistent older state of it: what is named before what names it, and for a new
place the vault's own object last. So running it again goes on, and copies only what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.audit.events import read_event
from jarkeeper.audit.places import is_of_trail, parse_event_key
from jarkeeper.errors import InputError, IntegrityError, JarkeeperError, ObjectMissing, VaultError
from jarkeeper.names import (
    JARS_PREFIX,
    PROBE_PREFIX,
    VAULT_KEY,
    VaultId,
    parse_generation_key,
    parse_head_key,
    parse_key_entry_key,
)
from jarkeeper.records import digest
from jarkeeper.stores import Store, put_once
from jarkeeper.vault.access import recorded
from jarkeeper.vault.contents import Contents, Item, read_contents
from jarkeeper.vault.log import read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.view import jar_names, publish

AT_ONCE = 8
"""Objects on their way at once, where their order does not matter."""
SHOWN_MAX = 3

Progress = Callable[[int, int], None]
"""Hears how many of how many objects are done."""


def _nobody(done: int, total: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Note:
    """A warning of a copy, and what to do, where there is something."""

    message: str
    step: str = ""

    def __str__(self) -> str:
        return f"{self.message}: {self.step}" if self.step else self.message


@dataclass(frozen=True, slots=True)
class CopyReceipt:
    """What a copy did."""

    vault: VaultId
    copied: int
    """Objects that were written, read back and compared."""
    present: int
    """Objects that were there already, the same byte for byte."""
    differing: tuple[str, ...]
    """Keys of objects that hold something else there. They were left as they are."""
    damaged: tuple[str, ...]
    """What is not as it was written in the source, one sentence each. None of it was copied."""
    bytes: int
    notes: tuple[Note, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the copy holds everything, as it was written."""
        return not self.differing and not self.damaged


def backup(ports: Ports, target: Store, *, progress: Progress = _nobody) -> CopyReceipt:
    """Copy the vault elsewhere; on record in the vault that is copied."""
    return _recorded(ports, target, Action.BACKUP, trail=ports.trail, progress=progress)


def recover(
    ports: Ports, target: Store, *, trail: Trail, progress: Progress = _nobody
) -> CopyReceipt:
    """Copy the backup of these ports into the place of a vault; on record there, in its trail."""
    return _recorded(ports, target, Action.RECOVER, trail=trail, progress=progress)


def _recorded(
    ports: Ports, target: Store, action: Action, *, trail: Trail, progress: Progress
) -> CopyReceipt:
    require_room(ports, target)
    access = Access(action)
    with recorded(trail, access):
        receipt = _copy(ports, target, progress)
    counts = {
        "copied": receipt.copied,
        "present": receipt.present,
        "differing": len(receipt.differing),
        "damaged": len(receipt.damaged),
    }
    notes = [*receipt.notes, *_publish(replace(ports, store=target, anchors=()))]
    try:
        outcome = Outcome.OK if receipt.is_whole else Outcome.FAILED
        trail.outcome(access, outcome, counts=counts, detail="" if receipt.is_whole else "damage")
    except JarkeeperError as error:
        what = f"copied, but the outcome is not on record: {error.message}"
        notes.append(Note(what, error.hint or ""))
    return replace(receipt, notes=tuple(notes))


def _copy(ports: Ports, target: Store, progress: Progress) -> CopyReceipt:
    contents = read_contents(ports)
    is_new = _content(target, VAULT_KEY) is None
    with ThreadPoolExecutor(AT_ONCE, "jarkeeper-copy") as pool:
        copy = _Copy(ports.store, target, contents, progress, pool)
        copy.any_order(contents.keys)
        copy.any_order(contents.generations)
        # Where there is a vault already, a part of its logs must be one that could have been.
        (copy.any_order if is_new else copy.in_order)(contents.logs)
        copy.in_order((contents.identity,))
    return copy.receipt(ports.vault, tuple(_ahead(contents, target)))


def _publish(ports: Ports) -> Iterator[Note]:
    """Publish the view of what is there now; tell what did not work."""
    for jar in jar_names(ports):
        try:
            head = read_newest(ports, jar).head
            if head is not None:
                publish(ports, head)
        except JarkeeperError as error:
            about = f"jar '{jar}': "
            reason = error.message.removeprefix(about)
            yield Note(f"{about}its view was not published, {reason}", error.hint or "")


def require_room(ports: Ports, target: Store) -> None:
    """Raise where the target holds anything but a copy of this vault, whole or not.

    `VaultError` where that is another vault, or this one's own object was changed; else
    `InputError`.
    """
    there = _content(target, VAULT_KEY)
    if there is not None:
        if there != ports.store.get(VAULT_KEY):
            raise VaultError(
                "destination: holds another vault, or its 'vault.json' was changed",
                hint="choose an empty place; nothing was copied",
            )
        return
    strange = [key for key in target.list("") if not _may_be_ours(ports, target, key)]
    if strange:
        shown = ", ".join(f"'{key}'" for key in strange[:SHOWN_MAX])
        raise InputError(
            f"destination: holds something that is no copy of this vault: {shown}",
            hint="choose an empty place; nothing was copied",
        )


def _may_be_ours(ports: Ports, target: Store, key: str) -> bool:
    """Whether an interrupted copy of this vault may have left the object."""
    if parse_generation_key(key) or key.startswith(PROBE_PREFIX):
        return True  # its name is random: it is met again in this vault, or nothing names it
    place = parse_event_key(key)
    try:
        if place is not None:
            line = target.get(key).partition(b"\n")[0] + b"\n"
            read_event(line, key=ports.trail.key, vault=ports.vault, name="event")
            return True
        ours = parse_head_key(key) or parse_key_entry_key(key) or is_of_trail(key)
        return bool(ours) and target.get(key) == ports.store.get(key)
    except (IntegrityError, ObjectMissing):
        return False


def _ahead(contents: Contents, target: Store) -> Iterator[Note]:
    """Tell of jars that have gone on at the target."""
    ours = {jar: len(items) for jar, items in contents.heads.items()}
    found = (place for key in target.list(JARS_PREFIX) if (place := parse_head_key(key)))
    for jar, places in groupby(found, key=lambda place: place[0]):
        last = max(seq for _, seq in places)
        if last > ours.get(jar, 0):
            yield Note(
                f"jar '{jar}': the destination has head {last}, the source's last is "
                f"{ours.get(jar, 0)}"
            )


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of one object; nothing at all where it was cleaned up meanwhile."""

    key: str
    bytes: int = 0
    """Of what was written."""
    is_present: bool = False
    differs: bool = False
    damage: str = ""


@dataclass(slots=True)
class _Copy:
    """One copy under way."""

    source: Store
    target: Store
    contents: Contents
    progress: Progress
    pool: ThreadPoolExecutor
    fates: list[_Fate] = field(default_factory=list)

    def any_order(self, items: Iterable[Item]) -> None:
        """Copy all of them, several at once."""
        for fate in self.pool.map(self._copied, items):
            self._count(fate)

    def in_order(self, items: Iterable[Item]) -> None:
        """Copy one after the other, each lane up to the first that cannot be."""
        ended = set()
        for item in items:
            if item.lane not in ended:
                fate = self._copied(item)
                self._count(fate)
                if fate.differs or fate.damage:
                    ended.add(item.lane)

    def receipt(self, vault: VaultId, notes: tuple[Note, ...]) -> CopyReceipt:
        """Return what was done."""
        return CopyReceipt(
            vault=vault,
            copied=sum(fate.bytes > 0 for fate in self.fates),
            present=sum(fate.is_present for fate in self.fates),
            differing=tuple(fate.key for fate in self.fates if fate.differs),
            damaged=(*self.contents.damaged, *(fate.damage for fate in self.fates if fate.damage)),
            bytes=sum(fate.bytes for fate in self.fates),
            notes=notes,
        )

    def _count(self, fate: _Fate) -> None:
        self.fates.append(fate)
        self.progress(len(self.fates), self.contents.total)

    def _copied(self, item: Item) -> _Fate:
        try:
            content = self.source.get(item.key)
        except ObjectMissing:
            if item.key in self.contents.past:
                return _Fate(item.key)  # the clean-up took it while the copy was under way
            return _Fate(item.key, damage=f"object '{item.key}': is missing, or may not be read")
        except IntegrityError as error:
            return _Fate(item.key, damage=error.message)
        if digest(content) != item.digest:
            return _Fate(item.key, damage=f"object '{item.key}': is not what was committed")
        return self._placed(item.key, content)

    def _placed(self, key: str, content: bytes) -> _Fate:
        there = _content(self.target, key)
        if there is not None:
            return _Fate(key, is_present=there == content, differs=there != content)
        if not put_once(self.target, key, content):
            return _Fate(key, differs=True)
        if self.target.get(key) != content:
            raise VaultError(
                f"object '{key}': what was read back is not what was copied",
                hint="do not rely on that place; run it again, or choose another",
            )
        return _Fate(key, bytes=len(content))


def _content(store: Store, key: str) -> bytes | None:
    """Return the bytes that lie there, none of them where it cannot be an object of a vault."""
    try:
        return store.get(key)
    except ObjectMissing:
        return None
    except IntegrityError:
        return b""
