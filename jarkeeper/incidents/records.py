"""How an incident is written: a record that holds the whole present state and names its place."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jarkeeper.checks import Severity
from jarkeeper.errors import IntegrityError
from jarkeeper.incidents.model import Cause, Incident, Notice, NoticeKind
from jarkeeper.names import incident_key
from jarkeeper.records import GENESIS, digest, read_record, read_time, write_record, write_time

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Place:
    """One record's place: a log, which is a cause of a jar, and its number there."""

    cause: Cause
    jar: str
    seq: int

    @property
    def key(self) -> str:
        """Where it lies in the store."""
        return incident_key(self.jar, self.cause, self.seq)


@dataclass(frozen=True, slots=True)
class Entry:
    """What counts of a log: the newest incident, and what the next record has to refer to."""

    seq: int = 0
    incident: Incident | None = None
    """None before the first record, and of a record that is not what was written."""
    digest: str = GENESIS
    damage: str = ""
    """What is wrong with the record, or with one after the incident's, in a sentence."""
    genuine: int = 0
    """The number of the incident's own record; `seq` is beyond it where others follow."""
    hides: bool = False
    """Whether what is damaged may have been the newest record."""


def write_incident(incident: Incident, *, seq: int, previous: str, key: bytes, vault: str) -> bytes:
    """Return the record's bytes, never the same twice: who finds its own in the store wrote it."""
    fields = {
        "format": FORMAT,
        "vault": vault,
        "seq": seq,
        "previous": previous,
        "nonce": secrets.token_hex(16),
        **_to_json(incident),
    }
    return write_record(fields, key=key, kind=f"incident {vault}")


def read_incident(raw: bytes, *, place: Place, key: bytes, vault: str) -> Entry:
    """Return what an authentic record of this place says, or raise `IntegrityError`."""
    name = f"incident '{place.key}'"
    fields = read_authentic(raw, name=name, key=key, vault=vault)
    if fields.get("format") != FORMAT:
        raise IntegrityError(
            f"{name}: expected format {FORMAT}, got another",
            hint="a newer jarkeeper wrote it: update this one",
        )
    try:
        incident = _from_json(fields)
        found = (fields["vault"], incident.cause, incident.jar, fields["seq"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(f"{name}: expected the fields of format {FORMAT}") from error
    if found != (vault, place.cause, place.jar, place.seq):
        raise IntegrityError(f"{name}: belongs to another place")
    return Entry(place.seq, incident, digest(raw))


def read_authentic(raw: bytes, *, name: str, key: bytes, vault: str) -> dict[str, Any]:
    """Return the fields of what this vault's journal wrote, or raise `IntegrityError`."""
    return read_record(raw, key=key, kind=f"incident {vault}", name=name)


def _to_json(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "cause": incident.cause,
        "jar": incident.jar,
        "severity": incident.severity,
        "opened_at": write_time(incident.opened_at),
        "seen_at": write_time(incident.seen_at),
        "closed_at": _moment(incident.closed_at),
        "critical_at": _moment(incident.critical_at),
        "count": incident.count,
        "message": incident.message,
        "done": incident.done,
        "next_step": incident.next_step,
        "owed": list(incident.owed),
        "notices": [
            {
                "step": notice.step,
                "kind": notice.kind,
                "claimed_at": write_time(notice.claimed_at),
                "sent_at": _moment(notice.sent_at),
                "tries": notice.tries,
                "missed": list(notice.missed),
            }
            for notice in incident.notices
        ],
    }


def _from_json(fields: Mapping[str, Any]) -> Incident:
    return Incident(
        id=fields["id"],
        cause=Cause(fields["cause"]),
        jar=fields["jar"],
        severity=Severity(fields["severity"]),
        opened_at=read_time(fields["opened_at"]),
        seen_at=read_time(fields["seen_at"]),
        closed_at=_read_moment(fields["closed_at"]),
        critical_at=_read_moment(fields["critical_at"]),
        count=fields["count"],
        message=fields["message"],
        done=fields["done"],
        next_step=fields["next_step"],
        owed=tuple(fields.get("owed", ())),  # older records have none
        notices=tuple(
            Notice(
                step=item["step"],
                kind=NoticeKind(item["kind"]),
                claimed_at=read_time(item["claimed_at"]),
                sent_at=_read_moment(item["sent_at"]),
                tries=item["tries"],
                missed=tuple(item["missed"]),
            )
            for item in fields["notices"]
        ),
    )


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else write_time(moment)


def _read_moment(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)
