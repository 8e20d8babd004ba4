"""Proof of one event, for somebody who has neither the vault nor its key.

The form is c2sp.org/tlog-proof: the event's line as extra data, its place in the log, the hashes
between it and the root, and the checkpoint whose note names the root.
"""

from __future__ import annotations

import base64

from jarkeeper.audit.checkpoints import CheckpointLog
from jarkeeper.audit.merkle import inclusion_proof, leaf_hash
from jarkeeper.audit.places import (
    ARCHIVE_PREFIX,
    PREFIX,
    parse_event_key,
    parse_volume_key,
    volume_key,
)
from jarkeeper.audit.told import Told
from jarkeeper.audit.trail import Trail
from jarkeeper.audit.volumes import read_volume, read_voucher
from jarkeeper.errors import InputError, IntegrityError, JarkeeperError, NotFound, ObjectMissing
from jarkeeper.names import is_id

HEADER = "c2sp.org/tlog-proof@v1"
IDS = "`jarkeeper audit --ids` shows them"
VERIFY = "run `jarkeeper audit verify`"
SHORT_MIN = 8
"""Digits of a writer that tell it from others well enough."""


def prove(trail: Trail, event: str) -> str:
    """Return the proof of an event, which is named by `writer/seq` as `audit --ids` shows it.

    `NotFound` where there is no such event, no checkpoint that has it yet, or it is past its
    retention. `IntegrityError` where it was changed or removed.
    """
    log = trail.checkpoints()
    writer, seq = _named(trail, log, event)
    leaf = log.leaf(writer, seq)
    if leaf is None or log.newest is None:
        if _key_of(trail, writer, seq) is None:
            raise NotFound(f"event {writer[:8]}/{seq}: there is none", hint=IDS)
        raise NotFound(
            f"event {writer[:8]}/{seq}: no checkpoint has it yet",
            hint="run `jarkeeper audit checkpoint` first",
        )
    line = _line(trail, writer, seq, leaf)
    if leaf_hash(line) != log.hashes[leaf]:
        raise IntegrityError(f"event {writer[:8]}/{seq}: is not what its checkpoint saw")
    hashes = inclusion_proof(log.hashes, leaf)
    parts = (
        HEADER,
        f"extra {_encoded(line)}",
        f"index {leaf}",
        *map(_encoded, hashes),
        "",
        log.newest.note,
    )
    return "\n".join(parts)


def _named(trail: Trail, log: CheckpointLog, event: str) -> tuple[str, int]:
    """Return the whole writer and the seq that a text means."""
    start, _, digits = event.partition("/")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 13 and _is_start(start)):
        raise InputError(
            "event: expected writer/seq, such as 3f9a1c22/12",
            hint=IDS,
        )
    if is_id(start):
        return start, int(digits)
    writers = {place[1] for key in trail.store.list(PREFIX) if (place := parse_event_key(key))}
    found = [writer for writer in writers | log.tails.keys() if writer.startswith(start)]
    if len(found) != 1:
        which = "several writers begin so" if found else "there is no such writer"
        hint = "name more digits of the writer" if found else IDS
        raise NotFound(f"event {start}/{digits}: {which}", hint=hint)
    return found[0], int(digits)


def _is_start(text: str) -> bool:
    return len(text) >= SHORT_MIN and is_id(text.ljust(32, "0"))


def _key_of(trail: Trail, writer: str, seq: int) -> str | None:
    """Return where the event lies by itself, None where it does not."""
    places = ((key, parse_event_key(key)) for key in trail.store.list(PREFIX))
    return next((key for key, place in places if place and place[1:] == (writer, seq)), None)


def _line(trail: Trail, writer: str, seq: int, leaf: int) -> bytes:
    if key := _key_of(trail, writer, seq):
        return trail.store.get(key)
    damage = ""
    places = filter(None, map(parse_volume_key, trail.store.list(ARCHIVE_PREFIX)))
    for day, number in sorted({(day, number) for day, number, _ in places}):
        try:
            voucher = read_voucher(trail.store, day, number, key=trail.key, vault=trail.vault)
            if voucher.first_leaf <= leaf <= voucher.last_leaf:
                for row in read_volume(trail.store.get(voucher.volume)):
                    if row.leaf == leaf:
                        return row.line
        except (IntegrityError, ObjectMissing) as error:
            what = error.message.removeprefix("volume: ")
            damage = f"volume '{volume_key(day, number)}': {what}"
    raise _gone(trail, f"event {writer[:8]}/{seq}", leaf, damage)


def _gone(trail: Trail, name: str, leaf: int, damage: str) -> JarkeeperError:
    """Return why the event is nowhere: given up, in a volume that cannot be read, or removed."""
    told = Told()
    for event in trail.read():
        told.hear(event)
    if leaf < told.retired:
        return NotFound(
            f"{name}: is past its retention, only its hash is left",
            hint="a proof that was made before it was given up still holds",
        )
    if damage:
        return IntegrityError(damage, hint=f"{name} may be in it: {VERIFY}")
    return IntegrityError(f"{name}: was removed, only its hash is left", hint=VERIFY)


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
