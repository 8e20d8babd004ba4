"""What a vault holds at one moment: each object with the digest that it must have, and the damage.

Read in the order that makes a point in time of it while others commit: the audit trail before the
heads, so that it tells of no head that is not there; the heads before the generations, which are
stored before the heads that name them. No plaintext is needed: digests, chains and MACs do.

Permits and incidents are not copied: they tell of the present of this place. A copied incident
would keep a recovered vault from telling anybody; the trail has when each was opened and closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

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
from jarkeeper.vault.trail_contents import Record, read_trail
from jarkeeper.vault.view import jar_names


@dataclass(frozen=True, slots=True)
class Item:
    """An object that never changes."""

    key: str
    digest: str
    """SHA-256 of its bytes, as what vouches for it says."""
    lane: str = ""
    """The jar whose head it is; what comes later in a lane depends on it. The trail's is empty."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is to be copied, in order, and what is not as it was written."""

    keys: tuple[Item, ...]
    generations: tuple[Item, ...]
    heads: Mapping[str, tuple[Item, ...]]
    """Of each jar, ascending, up to the first that is damaged."""
    logs: tuple[Item, ...]
    """Heads and the trail, in an order of which every beginning could have been: a head after the
    intent that announces it and before the events that tell of it."""
    identity: Item
    damaged: tuple[str, ...]
    """One sentence each; what they name is no item."""
    past: frozenset[str] = frozenset()
    """Keys of generations in no slot: the clean-up may delete them at any time."""

    @property
    def total(self) -> int:
        """How many objects they are."""
        return len(self.keys) + len(self.generations) + len(self.logs) + 1


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
    before = {jar: max(_head_seqs(ports, jar), default=0) for jar in jar_names(ports)}
    trail = read_trail(ports)
    damaged += trail.damaged
    logs = {jar: _log(ports, jar) for jar in jar_names(ports)}
    keys = _keys(ports.store, ports.vault, damaged)
    named: dict[str, str] = {}
    past: set[str] = set()
    for jar, log in logs.items():
        damaged += log.damaged
        found, old = _generations(ports, jar, log)
        named |= found
        past |= old
    # What was committed since is left out: its intent may be in what was not read of the trail.
    last = {jar: max(before.get(jar, 0), trail.head_seqs.get(jar, 0)) for jar in logs}
    heads = {
        jar: tuple(
            Item(head_key(jar, item.head.seq), item.digest, jar)
            for item in log.heads
            if item.head.seq <= last[jar]
        )
        for jar, log in logs.items()
    }
    return Contents(
        keys=keys,
        generations=tuple(Item(key, value) for key, value in sorted(named.items())),
        heads=heads,
        logs=tuple(_merged(trail.records, heads)),
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
    heads: list[StoredHead] = []
    beyond: list[StoredHead] = []
    for expected, seq in enumerate(_head_seqs(ports, jar), start=1):
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


def _head_seqs(ports: Ports, jar: str) -> list[int]:
    places = map(parse_head_key, ports.store.list(heads_prefix(jar)))
    return sorted(place[1] for place in places if place and place[1] > 0)


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


def _merged(trail: Iterable[Record], heads: Mapping[str, tuple[Item, ...]]) -> Iterator[Item]:
    """Give heads and records, each head just before the first record that tells of it."""
    given = dict.fromkeys(heads, 0)
    for record in trail:
        due = heads.get(record.jar, ())[given.get(record.jar, 0) : record.head_seq]
        given[record.jar] = given.get(record.jar, 0) + len(due)
        yield from due
        yield Item(record.key, record.digest)
    for jar, items in heads.items():
        yield from items[given[jar] :]
