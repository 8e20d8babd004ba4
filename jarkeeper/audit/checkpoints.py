"""Checkpoints: a Merkle log over all events, grown by each checkpoint and signed as a note.

A leaf is the line of an event, byte for byte. A checkpoint appends what every chain has come to
since the one before, writer by writer; its note (c2sp.org/tlog-checkpoint) names size and root, so
that whoever keeps one note can tell ever after whether the trail still begins with those events.
The hashes of leaves are kept as well: they prove an event, and show that others are missing, also
when the events themselves are past their retention.
"""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, pairwise
from typing import Any

from jarkeeper.audit.discrepancy import Discrepancy
from jarkeeper.audit.merkle import HASH_BYTES, Frontier
from jarkeeper.audit.note import Signer, Verifier, open_note
from jarkeeper.audit.places import (
    CHECKPOINTS_PREFIX,
    checkpoint_key,
    hashes_key,
    parse_checkpoint_key,
)
from jarkeeper.errors import (
    Conflict,
    IntegrityError,
    ObjectDenied,
    ObjectMissing,
    RecordMissing,
    StoreError,
    StoreUnknown,
)
from jarkeeper.limits import LIMITS
from jarkeeper.names import VaultId
from jarkeeper.records import GENESIS, digest, read_record, read_time, write_record, write_time
from jarkeeper.stores import Readable, Store, put_once

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """An event's place in its chain, and the hash of its line."""

    writer: str
    seq: int
    hash: bytes


class Misplaced(IntegrityError):
    """A genuine checkpoint that stands in another's place."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One record of how far every chain had come."""

    seq: int
    at: datetime
    start: int
    """Leaves before it."""
    size: int
    """Leaves with it."""
    tails: Mapping[str, tuple[int, int]]
    """The first and last event of each writer that it appended; its leaves in this order."""
    hashes: str
    """The digest of their hashes, in order."""
    note: str
    previous: str

    @property
    def root(self) -> bytes:
        """The root that its note names."""
        return read_body(self.note.partition("\n\n")[0] + "\n")[2]


@dataclass(slots=True)
class CheckpointLog:
    """The genuine checkpoints, up to the first that is not, and what was wrong."""

    checkpoints: list[Checkpoint] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    """Of all leaves."""
    tails: dict[str, int] = field(default_factory=dict)
    """The last event of each writer that they vouch for."""
    digests: list[str] = field(default_factory=list)
    """Of the checkpoints."""
    found: list[Discrepancy] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)
    """The tree of all leaves."""
    _ranges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Of each writer: the first event of a stretch, and the leaf that it is."""

    @property
    def newest(self) -> Checkpoint | None:
        """The newest checkpoint."""
        return self.checkpoints[-1] if self.checkpoints else None

    @property
    def tail(self) -> str:
        """What the next checkpoint refers to."""
        return self.digests[-1] if self.digests else GENESIS

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self.hashes)

    def leaf(self, writer: str, seq: int) -> int | None:
        """Return which leaf an event is; None where no checkpoint has it yet."""
        if not 0 < seq <= self.tails.get(writer, 0):
            return None
        ranges = self._ranges[writer]
        first, leaf = ranges[bisect_right(ranges, (seq, self.size)) - 1]
        return leaf + seq - first

    def places(self) -> Iterator[tuple[str, int]]:
        """Give the writer and seq of each leaf, in order."""
        for checkpoint in self.checkpoints:
            for writer, (first, last) in checkpoint.tails.items():
                for seq in range(first, last + 1):
                    yield writer, seq

    def append(
        self, checkpoint: Checkpoint, hashes: list[bytes], *, frontier: Frontier, tail: str
    ) -> None:
        """Go on with a checkpoint that was verified against this log."""
        leaf = checkpoint.start
        for writer, (first, last) in checkpoint.tails.items():
            self._ranges.setdefault(writer, []).append((first, leaf))
            self.tails[writer] = last
            leaf += last - first + 1
        self.checkpoints.append(checkpoint)
        self.hashes += hashes
        self.frontier = frontier
        self.digests.append(tail)


def read_log(store: Readable, *, key: bytes, vault: VaultId, verifier: Verifier) -> CheckpointLog:
    """Read all checkpoints, and follow them up to the first that is not genuine."""
    log = CheckpointLog()
    seqs = sorted(filter(None, map(parse_checkpoint_key, store.list(CHECKPOINTS_PREFIX))))
    for before, seq in pairwise([0, *seqs]):
        name = checkpoint_key(seq)
        if seq != before + 1:
            gap = f"checkpoint {before + 1} was removed"
            log.found.append(Discrepancy("removed", checkpoint_key(before + 1), gap))
            break
        try:
            raw = store.get(name)
            checkpoint = _read(raw, key=key, vault=vault, name=f"checkpoint {seq}")
            hashes = _read_hashes(store, checkpoint)
            frontier = log.frontier.grown(hashes)
            _require_next(log, checkpoint, frontier, seq=seq, verifier=verifier)
        except StoreUnknown:
            raise
        except (IntegrityError, StoreError) as error:
            log.found.append(Discrepancy(_code_of(error), name, error.message))
            break
        log.append(checkpoint, hashes, frontier=frontier, tail=digest(raw))
    return log


def write_checkpoint(
    store: Store,
    log: CheckpointLog,
    leaves: Iterable[Leaf],
    *,
    key: bytes,
    vault: VaultId,
    signer: Signer,
    at: datetime,
) -> Checkpoint | None:
    """Append the first of these leaves, as many as one checkpoint takes; None where there are none.

    The log goes on with it. `Conflict` where another checkpoint was written meanwhile.
    """
    added = list(islice(leaves, LIMITS.checkpoint_events_max))
    if not added:
        return None
    hashes = [leaf.hash for leaf in added]
    blob = b"".join(hashes)
    frontier = log.frontier.grown(hashes)
    checkpoint = Checkpoint(
        seq=len(log.checkpoints) + 1,
        at=at,
        start=log.size,
        size=frontier.size,
        tails=_stretches(added),
        hashes=digest(blob),
        note=signer.sign(write_body(signer.verifier.name, frontier.size, frontier.root)),
        previous=log.tail,
    )
    raw = _write(checkpoint, key=key, vault=vault)
    put_once(store, hashes_key(checkpoint.hashes), blob)
    if not put_once(store, checkpoint_key(checkpoint.seq), raw):
        raise Conflict(f"checkpoint {checkpoint.seq}: somebody else wrote it", hint="try again")
    log.append(checkpoint, hashes, frontier=frontier, tail=digest(raw))
    return checkpoint


def write_body(origin: str, size: int, root: bytes) -> str:
    """Return the text of a checkpoint's note."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n"


def read_body(text: str) -> tuple[str, int, bytes]:
    """Return origin, size and root of a checkpoint's note, or raise `IntegrityError`."""
    lines = text.split("\n")
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError):
        origin, size, root = "", -1, b""
    if len(root) != HASH_BYTES or text != write_body(origin, size, root) or size < 0:
        raise IntegrityError("note: expected a checkpoint's origin, size and root")
    return origin, size, root


def _code_of(error: Exception) -> str:
    if isinstance(error, RecordMissing):
        return "removed"
    return "reordered" if isinstance(error, Misplaced) else "edited"


def _require_next(
    log: CheckpointLog,
    checkpoint: Checkpoint,
    frontier: Frontier,
    *,
    seq: int,
    verifier: Verifier,
) -> None:
    """Raise `IntegrityError` unless the checkpoint follows the log and its note says the same."""
    name = f"checkpoint {seq}"
    if checkpoint.seq != seq:
        raise Misplaced(f"{name}: checkpoint {checkpoint.seq} stands in its place")
    if checkpoint.previous != log.tail or checkpoint.start != log.size:
        raise IntegrityError(f"{name}: does not follow the one before it")
    counted = sum(last - first + 1 for first, last in checkpoint.tails.values())
    goes_on = all(
        first == log.tails.get(writer, 0) + 1 for writer, (first, _) in checkpoint.tails.items()
    )
    if not goes_on or not checkpoint.size == frontier.size == log.size + counted:
        raise IntegrityError(f"{name}: does not go on where the one before it ended")
    told = read_body(open_note(checkpoint.note, verifier))
    if told != (verifier.name, frontier.size, frontier.root):
        raise IntegrityError(f"{name}: its note tells of another tree")


def _read_hashes(store: Readable, checkpoint: Checkpoint) -> list[bytes]:
    try:
        blob = store.get(hashes_key(checkpoint.hashes))
    except ObjectDenied:
        raise  # it may well be there
    except ObjectMissing:
        raise RecordMissing(f"checkpoint {checkpoint.seq}: its hashes were removed") from None
    if digest(blob) != checkpoint.hashes or len(blob) % HASH_BYTES:
        raise IntegrityError(f"checkpoint {checkpoint.seq}: its hashes are not what was written")
    return [blob[place : place + HASH_BYTES] for place in range(0, len(blob), HASH_BYTES)]


def _stretches(leaves: Iterable[Leaf]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for leaf in leaves:
        first, last = found.get(leaf.writer, (leaf.seq, leaf.seq - 1))
        if leaf.seq != last + 1 or (leaf.writer in found and next(reversed(found)) != leaf.writer):
            raise ValueError("checkpoint: expected the leaves of each writer in a row")
        found[leaf.writer] = (first, leaf.seq)
    return found


def _write(checkpoint: Checkpoint, *, key: bytes, vault: VaultId) -> bytes:
    fields = {
        "format": FORMAT,
        "seq": checkpoint.seq,
        "at": write_time(checkpoint.at),
        "start": checkpoint.start,
        "size": checkpoint.size,
        # A list, as the order of leaves is theirs, and that of an object is nobody's.
        "tails": [[name, *stretch] for name, stretch in checkpoint.tails.items()],
        "hashes": checkpoint.hashes,
        "note": checkpoint.note,
        "previous": checkpoint.previous,
    }
    return write_record(fields, key=key, kind=_kind(vault))


def _read(raw: bytes, *, key: bytes, vault: VaultId, name: str) -> Checkpoint:
    fields: dict[str, Any] = read_record(raw, key=key, kind=_kind(vault), name=name)
    if fields.pop("format", None) != FORMAT:
        raise IntegrityError(f"{name}: expected format {FORMAT}, got another")
    try:
        fields["at"] = read_time(fields["at"])
        fields["tails"] = {writer: (first, last) for writer, first, last in fields["tails"]}
        return Checkpoint(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"{name}: expected the fields of format {FORMAT}") from error


def _kind(vault: VaultId) -> str:
    return f"checkpoint {vault}"
