"""What a vault holds at one moment: each object with the digest that it must have, and the damage.

Read in the order that makes a point in time of it while others commit: the audit trail before the
heads, so that it tells of no head that is not there; the heads before the generations, which are
stored before the heads that name them. No plaintext is needed: digests, chains and MACs do.

Permits and incidents are not copied: they tell of the present of this place. A copied incident
would keep a recovered vault from telling anybody; the trail has when each was opened and closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from jarkeeper.audit.events import PREFIX as AUDIT_PREFIX
from jarkeeper.audit.events import parse_event_key, read_event
from jarkeeper.audit.verify import TrailReport, verify_trail
from jarkeeper.errors import IntegrityError, JarkeeperError, RollbackError, StoreError
from jarkeeper.heads import Head, StoredHead
from jarkeeper.names import (
    KEYS_PREFIX,
    VAULT_KEY,
    VaultId,
    generation_key,
    generations_prefix,
    head_key,
    heads_prefix,
    key_entry_key,
    parse_head_key,
    parse_key_entry_key,
)
from jarkeeper.records import GENESIS, digest
from jarkeeper.stores import Store
from jarkeeper.vault.identity import read_raw_identity
from jarkeeper.vault.log import load_head, read_newest
from jarkeeper.vault.ports import Ports
from jarkeeper.vault.root import read_entry
from jarkeeper.vault.view import jar_names


@dataclass(frozen=True, slots=True)
class Item:
    """An object that never changes."""

    key: str
    digest: str
    """SHA-256 of its bytes, as what vouches for it says."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is to be copied, in order, and what is not as it was written."""

    keys: tuple[Item, ...]
    generations: tuple[Item, ...]
    heads: Mapping[str, tuple[Item, ...]]
    """Of each jar, ascending, up to the first that is damaged."""
    audit: tuple[Item, ...]
    """In order of time."""
    identity: Item
    damaged: tuple[str, ...]
    """One sentence each; what they name is no item."""
    past: frozenset[str] = frozenset()
    """Keys of generations in no slot: the clean-up may delete them at any time."""

    @property
    def total(self) -> int:
        """How many objects they are."""
        heads = sum(map(len, self.heads.values()))
        return len(self.keys) + len(self.generations) + heads + len(self.audit) + 1


@dataclass(frozen=True, slots=True)
class _Log:
    """A jar's authentic heads."""

    heads: tuple[StoredHead, ...]
    """Up to the first that is missing, damaged, or does not follow the one before."""
    beyond: tuple[StoredHead, ...] = ()
    damaged: tuple[str, ...] = ()


def read_contents(ports: Ports) -> Contents:
    """Return what the vault holds, everything but the generations read and verified."""
    damaged: list[str] = []
    identity = Item(VAULT_KEY, digest(read_raw_identity(ports.store)))
    audit = _audit(ports, damaged)
    logs = {jar: _log(ports, jar) for jar in jar_names(ports)}
    keys = _keys(ports.store, ports.vault, damaged)
    named: dict[str, str] = {}
    past: set[str] = set()
    for jar, log in logs.items():
        damaged += log.damaged
        found, old = _generations(ports, jar, log)
        named |= found
        past |= old
    return Contents(
        keys=keys,
        generations=tuple(Item(key, value) for key, value in sorted(named.items())),
        heads={
            jar: tuple(Item(head_key(jar, item.head.seq), item.digest) for item in log.heads)
            for jar, log in logs.items()
        },
        audit=audit,
        identity=identity,
        damaged=tuple(damaged),
        past=frozenset(past),
    )


def _keys(store: Store, vault: VaultId, damaged: list[str]) -> tuple[Item, ...]:
    items = []
    for key in store.list(KEYS_PREFIX):
        seq = parse_key_entry_key(key)
        if not seq:
            continue  # what a probe of the store may have left
        try:
            if read_entry(store, seq).vault != vault:
                damaged.append(f"record of keys {seq}: is another vault's")
                continue
            items.append(Item(key_entry_key(seq), digest(store.get(key))))
        except JarkeeperError as error:
            damaged.append(error.message)
    return tuple(items)


def _log(ports: Ports, jar: str) -> _Log:
    damaged = []
    try:
        read_newest(ports, jar)
    except RollbackError as error:
        damaged.append(error.message)
    except JarkeeperError:
        pass  # the heads are looked at one by one
    places = map(parse_head_key, ports.store.list(heads_prefix(jar)))
    seqs = sorted(place[1] for place in places if place and place[1] > 0)
    heads: list[StoredHead] = []
    beyond: list[StoredHead] = []
    for expected, seq in enumerate(seqs, start=1):
        if seq != expected and not beyond:
            damaged.append(f"jar '{jar}': head {expected} is missing")
        try:
            stored = load_head(ports, jar, seq)
        except (IntegrityError, StoreError) as error:
            damaged.append(error.message)
            continue
        if len(heads) < seq - 1:
            beyond.append(stored)
        elif stored.head.previous == (heads[-1].digest if heads else GENESIS):
            heads.append(stored)
        else:
            damaged.append(f"jar '{jar}': head {seq} does not follow head {seq - 1}")
    if beyond:
        first = beyond[0].head.seq
        damaged.append(f"jar '{jar}': its heads from {first} on follow one that is damaged")
    return _Log(tuple(heads), tuple(beyond), tuple(damaged))


def _generations(ports: Ports, jar: str, log: _Log) -> tuple[dict[str, str], set[str]]:
    """Return the digest of each generation that should be there, and which are in no slot."""
    history = [stored.head for stored in (*log.heads, *log.beyond)]
    if not history:
        return {}, set()
    newest = history[-1]
    stored = set(ports.store.list(generations_prefix(jar)))
    last_seqs = _last_seqs(history)
    found = {}
    for head in history:
        for item in head.slots.records():
            key = generation_key(jar, item.generation.id)
            # What the clean-up may have deleted is not missed.
            if key in stored or last_seqs[key] >= newest.horizon:
                found[key] = item.generation.digest
    current = {generation_key(jar, item.generation.id) for item in newest.slots.records()}
    return found, found.keys() - current


def _last_seqs(history: list[Head]) -> dict[str, int]:
    return {
        generation_key(head.jar, item.generation.id): head.seq
        for head in history
        for item in head.slots.records()
    }


def _audit(ports: Ports, damaged: list[str]) -> tuple[Item, ...]:
    snapshot = _Recorded(ports.store, keys=tuple(ports.store.list(AUDIT_PREFIX)))
    report = verify_trail(snapshot, key=ports.trail.key, vault=ports.vault)
    # A listing may miss what was written while it ran: so what it knows of is looked for again.
    known = _within(report, ports.store.list(AUDIT_PREFIX))
    if known != set(snapshot.keys):
        snapshot = _Recorded(ports.store, keys=tuple(sorted(known)), read=snapshot.read)
        report = verify_trail(snapshot, key=ports.trail.key, vault=ports.vault)
    damaged += [f"audit trail: {item.message}" for item in report.discrepancies]
    wrong = {item.key for item in report.discrepancies}
    whole = {key: segment for key, segment in snapshot.read.items() if key not in wrong}
    return tuple(Item(key, whole[key].digest) for key in _in_order(ports, whole))


def _in_order(ports: Ports, segments: Mapping[str, _Segment]) -> list[str]:
    """Return the keys in order of time, and each writer's in the order of its chain."""
    order = []
    latest: dict[str, datetime] = {}
    for writer, seq, key in sorted(
        (*place[1:], key) for key in segments if (place := parse_event_key(key))
    ):
        line = segments[key].first
        at = read_event(line, key=ports.trail.key, vault=ports.vault, name=f"event '{key}'").at
        latest[writer] = max(at, latest.get(writer, at))
        order.append((latest[writer], writer, seq, key))
    return [key for *_, key in sorted(order)]


def _within(report: TrailReport, listed: list[str]) -> set[str]:
    """Return the segments up to the last of each writer that the report knows of."""
    found = set()
    for key in listed:
        place = parse_event_key(key)
        writer, seq = (place[1], place[2]) if place else ("", 0)
        if seq <= max(report.tails.get(writer, 0), report.anchored.get(writer, 0)):
            found.add(key)
    return found


@dataclass(frozen=True, slots=True)
class _Segment:
    digest: str
    first: bytes


@dataclass(slots=True)
class _Recorded:
    """The trail's part of a store as one listing saw it; remembers what was read of it."""

    store: Store
    keys: tuple[str, ...]
    read: dict[str, _Segment] = field(default_factory=dict)

    def list(self, prefix: str) -> list[str]:
        return [key for key in self.keys if key.startswith(prefix)]

    def get(self, key: str) -> bytes:
        content = self.store.get(key)
        self.read[key] = _Segment(digest(content), content.partition(b"\n")[0] + b"\n")
        return content
