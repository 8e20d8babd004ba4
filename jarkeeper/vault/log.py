"""Reading a jar's log: the newest head, checked against its predecessor and the anchors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jarkeeper.anchors import Anchor, Anchors
from jarkeeper.errors import (
    IntegrityError,
    JarkeeperError,
    NotFound,
    ObjectDenied,
    ObjectMissing,
    RecordMissing,
    RollbackError,
)
from jarkeeper.heads import Head, StoredHead, read_head
from jarkeeper.names import GenerationId, head_key, heads_prefix, parse_head_key
from jarkeeper.records import GENESIS
from jarkeeper.slots import GenerationRecord
from jarkeeper.vault.ports import Ports

READERS = 8
"""Of boto3's ten connections to a bucket; a head takes it some 20 ms."""
SIDE_BY_SIDE_FROM = 32
"""Heads from which threads are worth starting."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest head of a jar, None before its first import, and what could not be consulted."""

    stored: StoredHead | None
    warnings: tuple[str, ...] = ()

    @property
    def head(self) -> Head | None:
        """The head alone."""
        return None if self.stored is None else self.stored.head


def read_newest(ports: Ports, jar: str) -> Newest:
    """Return the truth about a jar, or raise `IntegrityError` or `RollbackError`."""
    # Anchors first: one that another process advances after we looked at the log proves nothing.
    anchors, warnings = read_anchors(ports, jar)
    newest = _newest(ports, jar)
    for place, anchor in anchors:
        _compare(ports, jar, newest, place, anchor)
    if newest is not None:
        known = [anchor for _, anchor in anchors]
        warnings += advance(ports, jar, newest, known=known)
    return Newest(newest, tuple(warnings))


def read_existing(ports: Ports, jar: str) -> tuple[StoredHead, tuple[str, ...]]:
    """Return the newest head, or raise `NotFound` where the jar was never imported."""
    newest = read_newest(ports, jar)
    if newest.stored is None:
        raise NotFound(f"jar '{jar}': does not exist", hint="run `jarkeeper import cookies.txt`")
    return newest.stored, newest.warnings


def read_history(ports: Ports, jar: str) -> tuple[Head, ...]:
    """Return all heads, oldest first, each found authentic and chained to the one before."""
    heads: list[Head] = []
    previous = GENESIS
    for stored in _load_heads(ports, jar, range(1, _last_seq(ports, jar) + 1)):
        seq = stored.head.seq
        if stored.head.previous != previous:
            raise IntegrityError(f"jar '{jar}': head {seq} does not follow head {seq - 1}")
        previous = stored.digest
        heads.append(stored.head)
    return tuple(heads)


def _load_heads(ports: Ports, jar: str, seqs: range) -> Iterable[StoredHead]:
    """Give the heads in order; many of them are asked for side by side, for a bucket's sake."""
    if len(seqs) <= SIDE_BY_SIDE_FROM:
        yield from (load_head(ports, jar, seq) for seq in seqs)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(READERS) as readers:
        yield from readers.map(lambda seq: load_head(ports, jar, seq), seqs)


def from_history(
    jar: str, history: Iterable[Head], wanted: GenerationId
) -> tuple[GenerationRecord, int]:
    """Return what is known of a generation, and the last head that had it in a slot."""
    for head in sorted(history, key=lambda head: -head.seq):
        item = head.slots.find(wanted)
        if item is not None:
            return item.generation, head.seq
    raise NotFound(
        f"jar '{jar}': no generation {wanted[:8]} in its history",
        hint="`jarkeeper history` lists them",
    )


def load_head(ports: Ports, jar: str, seq: int) -> StoredHead:
    """Return one head, or raise `IntegrityError`; one that the log needs is never just absent."""
    try:
        raw = ports.store.get(head_key(jar, seq))
    except ObjectDenied:
        raise  # it may well be there: that says nothing about the log
    except ObjectMissing:
        raise RecordMissing(f"jar '{jar}': head {seq} is missing") from None
    return read_head(raw, key=ports.head_key, vault=ports.vault, jar=jar, seq=seq)


def read_anchors(ports: Ports, jar: str) -> tuple[list[tuple[Anchors, Anchor]], list[str]]:
    """Return what each place remembers, and what could not be asked."""
    found, warnings = [], []
    for place in ports.anchors:
        try:
            anchor = place.read(ports.vault, jar)
        except JarkeeperError as error:
            warnings.append(error.message)
            continue
        if anchor is not None:
            found.append((place, anchor))
    return found, warnings


def advance(
    ports: Ports, jar: str, stored: StoredHead, *, known: Sequence[Anchor] = ()
) -> list[str]:
    """Remember the head in every place; return what could not be written."""
    if len(known) == len(ports.anchors) and all(item.seq >= stored.head.seq for item in known):
        return []
    anchor = Anchor(stored.head.seq, stored.digest)
    return [text for place in ports.anchors if (text := _advance(place, ports, jar, anchor))]


def _advance(place: Anchors, ports: Ports, jar: str, anchor: Anchor) -> str | None:
    try:
        place.advance(ports.vault, jar, anchor)
    except JarkeeperError as error:
        return error.message
    return None


def _newest(ports: Ports, jar: str) -> StoredHead | None:
    last = _last_seq(ports, jar)
    if last == 0:
        return None
    newest = load_head(ports, jar, last)
    previous = load_head(ports, jar, last - 1).digest if last > 1 else GENESIS
    if newest.head.previous != previous:
        raise IntegrityError(f"jar '{jar}': head {last} does not follow head {last - 1}")
    return newest


def _last_seq(ports: Ports, jar: str) -> int:
    """Return the highest seq, or raise `IntegrityError` where one below it is missing."""
    places = map(parse_head_key, ports.store.list(heads_prefix(jar)))
    seqs = {place[1] for place in places if place is not None and place[1] > 0}
    last = max(seqs, default=0)
    # A listing may miss an object that was made while it ran: so a hole is looked at once more.
    hole = next((seq for seq in range(1, last) if seq not in seqs), None)
    while hole is not None:
        load_head(ports, jar, hole)
        seqs.add(hole)
        hole = next((seq for seq in range(hole, last) if seq not in seqs), None)
    return last


def _compare(
    ports: Ports, jar: str, newest: StoredHead | None, place: Anchors, anchor: Anchor
) -> None:
    was_me = f"if it was you who went back, {place.how_to_forget(ports.vault, jar)}"
    seq = 0 if newest is None else newest.head.seq
    if seq < anchor.seq:
        raise RollbackError(
            f"jar '{jar}': the newest head is {seq}, but {place.name} has seen head {anchor.seq}",
            hint=f"heads were removed, or an old copy of the vault was put in its place; {was_me}",
        )
    there = newest if newest is not None and seq == anchor.seq else None
    if (there or load_head(ports, jar, anchor.seq)).digest != anchor.digest:
        raise RollbackError(
            f"jar '{jar}': head {anchor.seq} is not the one that {place.name} has seen",
            hint=f"the log was cut off and continued differently; {was_me}",
        )
