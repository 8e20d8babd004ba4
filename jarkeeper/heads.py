"""Heads: the log of a jar. The newest head is the truth; each names the bytes of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jarkeeper.actions import Action
from jarkeeper.errors import IntegrityError
from jarkeeper.facts import JarFacts, facts_from_json, facts_to_json
from jarkeeper.names import GenerationId, VaultId
from jarkeeper.records import GENESIS, digest, read_record, read_time, write_record, write_time
from jarkeeper.slots import GenerationRecord, Slot, SlotRecord, Slots, SlotState, Source

__all__ = [
    "GenerationRecord",
    "Head",
    "JarFacts",
    "Slot",
    "SlotRecord",
    "SlotState",
    "Slots",
    "Source",
    "StoredHead",
    "read_head",
    "succeed",
    "write_head",
]

FORMAT = 1
KIND = "head"


@dataclass(frozen=True, slots=True)
class Head:
    """One entry of a jar's log."""

    vault: VaultId
    jar: str
    seq: int
    previous: str
    """SHA-256 of the previous head's bytes."""
    action: Action
    at: datetime
    slots: Slots
    id: str
    """Random: two writers who commit the same at the same moment still differ."""
    horizon: int = 0
    """Generations that left their slots before this seq may be gone from the store."""

    @property
    def active(self) -> SlotRecord | None:
        """The active slot, or None where nothing is active."""
        return self.slots.active

    @property
    def backups(self) -> tuple[SlotRecord, ...]:
        """The backups, newest first."""
        return self.slots.backups

    @property
    def revoked(self) -> tuple[GenerationId, ...]:
        """Generations that nothing may use again."""
        return self.slots.revoked

    def slot(self, slot: Slot) -> SlotRecord | None:
        """Return what plays the role by right of place: the active one, or the newest backup."""
        candidates = self.slots.candidates(slot)
        return candidates[0] if candidates else None


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A head that was read and found authentic, with the digest of its bytes."""

    head: Head
    digest: str


def succeed(
    base: StoredHead | None,
    slots: Slots,
    *,
    vault: VaultId,
    jar: str,
    action: Action,
    at: datetime,
    id: str,  # noqa: A002  # the word for it
    horizon: int | None = None,
) -> Head:
    """Return the head that follows `base`."""
    known = base.head.horizon if base else 0
    return Head(
        vault=vault,
        jar=jar,
        seq=base.head.seq + 1 if base else 1,
        previous=base.digest if base else GENESIS,
        action=action,
        at=at,
        slots=slots,
        id=id,
        horizon=known if horizon is None else max(known, horizon),
    )


def write_head(head: Head, *, key: bytes) -> bytes:
    """Return the bytes of the head; the same head has the same bytes always."""
    fields = {
        "format": FORMAT,
        "vault": head.vault,
        "jar": head.jar,
        "seq": head.seq,
        "previous": head.previous,
        "action": head.action,
        "at": write_time(head.at),
        "id": head.id,
        "horizon": head.horizon,
        "active": None if head.active is None else slot_to_json(head.active),
        "backups": [slot_to_json(item) for item in head.backups],
        "revoked": list(head.revoked),
    }
    if head.slots.barred:
        fields["barred"] = list(head.slots.barred)
    if head.slots.lives:
        fields["lives"] = list(head.slots.lives)
    if head.slots.pending is not None:
        fields["pending"] = slot_to_json(head.slots.pending)
    return write_record(fields, key=key, kind=KIND)


def read_head(raw: bytes, *, key: bytes, vault: VaultId, jar: str, seq: int) -> StoredHead:
    """Return the head, or raise `IntegrityError` where it is not the one that belongs there."""
    name = f"jar '{jar}': head {seq}"
    fields = read_record(raw, key=key, kind=KIND, name=name)
    if fields.get("format") != FORMAT:
        raise IntegrityError(
            f"{name}: expected format {FORMAT}, got another",
            hint="a newer jarkeeper wrote it: update this one",
        )
    try:
        head = _head_from(fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(f"{name}: expected the fields of format {FORMAT}") from error
    if (head.vault, head.jar, head.seq) != (vault, jar, seq):
        raise IntegrityError(f"{name}: belongs to another place in the log")
    return StoredHead(head, digest(raw))


def slot_to_json(item: SlotRecord) -> dict[str, Any]:
    """Return the slot as JSON has it; there is no secret in it."""
    moments = {"tested_at": item.tested_at, "began": item.began}
    told = {name: write_time(at) for name, at in moments.items() if at is not None}
    return told | {
        "generation": generation_to_json(item.generation),
        "state": item.state,
        "since": write_time(item.since),
        "until": None if item.until is None else write_time(item.until),
        "reason": item.reason,
    }


def generation_to_json(record: GenerationRecord) -> dict[str, Any]:
    """Return what is known of a generation as JSON has it; there is no secret in it."""
    return {
        "id": record.id,
        "digest": record.digest,
        "fingerprint": record.fingerprint,
        "created_at": write_time(record.created_at),
        "source": record.source,
        "facts": facts_to_json(record.facts),
    }


def _head_from(fields: Mapping[str, Any]) -> Head:
    active, pending = fields["active"], fields.get("pending")
    return Head(
        vault=VaultId(fields["vault"]),
        jar=fields["jar"],
        seq=fields["seq"],
        previous=fields["previous"],
        action=Action(fields["action"]),
        at=read_time(fields["at"]),
        slots=Slots(
            active=None if active is None else _slot_from(active),
            backups=tuple(_slot_from(item) for item in fields["backups"]),
            revoked=tuple(GenerationId(item) for item in fields["revoked"]),
            pending=None if pending is None else _slot_from(pending),
            barred=tuple(fields.get("barred", ())),
            lives=tuple(float(days) for days in fields.get("lives", ())),
        ),
        id=fields["id"],
        horizon=fields["horizon"],
    )


def _slot_from(fields: Mapping[str, Any]) -> SlotRecord:
    return SlotRecord(
        generation=_generation_from(fields["generation"]),
        state=SlotState(fields["state"]),
        since=read_time(fields["since"]),
        until=None if fields["until"] is None else read_time(fields["until"]),
        reason=fields["reason"],
        tested_at=read_time(fields["tested_at"]) if "tested_at" in fields else None,
        began=read_time(fields["began"]) if "began" in fields else None,
    )


def _generation_from(fields: Mapping[str, Any]) -> GenerationRecord:
    return GenerationRecord(
        id=GenerationId(fields["id"]),
        digest=fields["digest"],
        fingerprint=fields["fingerprint"],
        created_at=read_time(fields["created_at"]),
        source=Source(fields["source"]),
        facts=facts_from_json(fields["facts"]),
    )
