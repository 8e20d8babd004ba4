"""Outlines: what is in a generation without its values. It is opened, so that goes on record."""

from __future__ import annotations

from dataclasses import dataclass, field

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome
from jarkeeper.errors import LendRefused, NotFound
from jarkeeper.heads import Head
from jarkeeper.jar import Cookie, parse_jar
from jarkeeper.names import checked_generation
from jarkeeper.slots import GenerationRecord
from jarkeeper.vault.access import recorded
from jarkeeper.vault.generations import fingerprint, open_generation
from jarkeeper.vault.lend import require_anchors
from jarkeeper.vault.log import from_history, read_existing, read_history
from jarkeeper.vault.permits import take_permit
from jarkeeper.vault.ports import Ports


@dataclass(frozen=True, slots=True)
class CookieOutline:
    """A cookie by everything but its value."""

    domain: str
    path: str
    name: str
    expires: int
    """Unix second; 0 for a cookie that ends with the session."""
    secure: bool
    value_digest: str = field(repr=False)
    """Keyed; tells whether two cookies of the same place and name have the same value."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What a browser tells cookies apart by."""
        return (self.domain, self.path, self.name)


def outline(ports: Ports, jar: str, generation: str) -> tuple[CookieOutline, ...]:
    """Return what is in a generation of the history, in the jar's order; no value leaves here.

    It counts as an open: `LendRefused` where this hour's limit is reached, or it was revoked.
    """
    wanted = checked_generation(generation)
    stored, warnings = read_existing(ports, jar)
    record, last_seq = from_history(jar, read_history(ports, jar), wanted)
    access = Access(action=Action.OUTLINE, jar=jar, generation=record.id, head_seq=stored.head.seq)
    with recorded(ports.trail, access):
        require_anchors(jar, warnings)
        _require_there(stored.head, record, last_seq)
        take_permit(ports, access)
        parsed = parse_jar(open_generation(ports, jar, record), sites=ports.sites)
        outlines = tuple(_outline(ports, cookie) for cookie in parsed.jar.cookies)
        ports.trail.outcome(access, Outcome.OK)
    return outlines


def _require_there(head: Head, record: GenerationRecord, last_seq: int) -> None:
    name = f"jar '{head.jar}': generation {record.id[:8]}"
    if head.slots.is_revoked(record.id, record.facts.login):
        raise LendRefused(f"{name} was revoked", reason="revoked", hint="nothing opens it any more")
    if last_seq < head.horizon and head.slots.find(record.id) is None:
        raise NotFound(f"{name} was cleaned up")


def _outline(ports: Ports, cookie: Cookie) -> CookieOutline:
    # The identity is in it too: that two cookies have one value is nobody's business. No canonical
    # jar begins so: a digest of one is never a digest of a cookie.
    content = "\0".join(("cookie", *cookie.identity, cookie.value))
    return CookieOutline(
        domain=cookie.domain,
        path=cookie.path,
        name=cookie.name,
        expires=cookie.expires,
        secure=cookie.secure,
        value_digest=fingerprint(ports, content.encode()),
    )
