"""The view: the names that operators were promised. Published after commits, never read back."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from jarkeeper.errors import IntegrityError, JarkeeperError, ObjectMissing
from jarkeeper.heads import Head, slot_to_json
from jarkeeper.names import (
    JARS_PREFIX,
    METADATA_KEY,
    parse_generation_key,
    parse_head_key,
    view_key,
)
from jarkeeper.records import write_time
from jarkeeper.slots import Slot
from jarkeeper.vault.generations import read_sealed
from jarkeeper.vault.log import read_newest
from jarkeeper.vault.ports import Ports

FORMAT = 1


def jar_names(ports: Ports) -> list[str]:
    """Return the jars that the store holds anything of."""
    keys = ports.store.list(JARS_PREFIX)
    places = (parse_head_key(key) or parse_generation_key(key) for key in keys)
    return sorted({place[0] for place in places if place is not None})


def metadata(ports: Ports) -> dict[str, Any]:
    """Return states, ages, expiries and counts of all jars, from their heads; no secret."""
    jars: dict[str, Any] = {}
    for jar in jar_names(ports):
        try:
            head = read_newest(ports, jar).head
        except IntegrityError as error:
            jars[jar] = {"error": error.message}
            continue
        if head is not None:
            jars[jar] = _jar_metadata(head)
    return {"format": FORMAT, "vault": ports.vault, "jars": jars}


def publish(ports: Ports, head: Head) -> list[str]:
    """Make the view of one jar equal to the truth; return the keys that had to be written.

    The metadata come last: they say which head the view shows, so that a crash in between shows.
    """
    written = [
        key
        for slot in Slot
        if _write(ports, key := view_key(head.jar, slot), _sealed(ports, head, slot))
    ]
    if _write(ports, METADATA_KEY, _metadata_bytes(ports)):
        written.append(METADATA_KEY)
    return written


def stale(ports: Ports, head: Head) -> bool:
    """Whether the view says that it shows another head. A hint: the view proves nothing."""
    shown: Any = None
    with suppress(JarkeeperError, ValueError, RecursionError, KeyError, TypeError):
        shown = json.loads(ports.store.get(METADATA_KEY))["jars"][head.jar]["head_seq"]
    return bool(shown != head.seq)


def _sealed(ports: Ports, head: Head, slot: Slot) -> bytes:
    item = head.slot(slot)
    # An empty object says that there is none: nothing but the clean-up may delete.
    return b"" if item is None else read_sealed(ports, head.jar, item.generation)


def _write(ports: Ports, key: str, content: bytes) -> bool:
    try:
        if ports.store.get(key) == content:
            return False
    except (ObjectMissing, IntegrityError):
        pass
    ports.store.put(key, content)
    return True


def _metadata_bytes(ports: Ports) -> bytes:
    return json.dumps(metadata(ports), indent=2, sort_keys=True).encode("ascii") + b"\n"


def _jar_metadata(head: Head) -> dict[str, Any]:
    return {
        "head_seq": head.seq,
        "action": head.action,
        "at": write_time(head.at),
        "active": None if head.active is None else slot_to_json(head.active),
        "backups": [slot_to_json(item) for item in head.backups],
        "revoked": len(head.revoked),
    }
