"""What a person reads: what happened, what Jarkeeper did, what to do next. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jarkeeper.checks import Severity, span
from jarkeeper.incidents import Incident, NoticeKind
from jarkeeper.words import printable, utc_text

FIELD_CHARS_MAX = 1000
"""Of each part: some channels take 4,000 characters in all."""
_CALLS = re.compile(r"(?<=<)(?=[!@#]|[A-Za-z]+[:/])|(?<=[@\uff20])(?=\w)|(?<=\])(?=\()")
"""Within what makes a chat call somebody, or show a link as other words than where it leads."""
RUNBOOK = "docs/runbooks/alerts.md"


@dataclass(frozen=True, slots=True)
class Message:
    """One message, for a person and for a machine; no secret, nothing that steers a terminal."""

    title: str
    body: str
    document: dict[str, Any]
    severity: Severity
    is_over: bool = False


def message_of(incident: Incident, kind: NoticeKind, *, place: str, now: datetime) -> Message:
    """Return the message about an incident; `place` is where the vault is."""
    taken = span(incident.lasted(now).total_seconds())
    over = kind is NoticeKind.CLOSED
    happens = {
        NoticeKind.OPENED: incident.severity.value,
        NoticeKind.ESCALATED: f"{incident.severity.value}, for {taken} now",
        NoticeKind.CLOSED: f"over after {taken}",
    }
    about = f"jar '{incident.jar}'" if incident.jar else "the vault"
    lines = [
        ("What happened", incident.message),
        ("What Jarkeeper did", incident.done or "nothing"),
        ("What you must do", "nothing, it is over" if over else incident.next_step),
        ("Since", f"{_moment(incident.opened_at)} ({taken})"),
        ("Until", _moment(incident.closed_at) if over and incident.closed_at else ""),
        ("Concerns", f"{about} in {place}"),
        ("More", f"`jarkeeper incidents`, {RUNBOOK}#{incident.cause}"),
    ]
    return Message(
        title=_calm(_clean(f"Jarkeeper: {incident.cause}: {about}: {happens[kind]}")),
        body="\n".join(f"{label}: {_calm(_clean(text))}" for label, text in lines if text),
        document=_document(incident, kind, place=place, now=now),
        severity=incident.severity,
        is_over=over,
    )


def test_message(*, place: str, now: datetime) -> Message:
    """Return a message that shows whether a channel works."""
    lines = (
        "What happened: somebody ran `jarkeeper alerts test`",
        "What you must do: nothing, this channel works",
        f"Since: {_moment(now)}",
        f"Concerns: {place}",
    )
    document = {"kind": "test", "vault": _clean(place), "at": utc_text(now)}
    body = "\n".join(map(_clean, lines))
    return Message("Jarkeeper: a test", body, document, Severity.WARNING)


def _document(incident: Incident, kind: NoticeKind, *, place: str, now: datetime) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "incident": incident.id,
        "cause": incident.cause.value,
        "severity": incident.severity.value,
        "jar": incident.jar,
        "vault": _clean(place),
        "message": _clean(incident.message),
        "done": _clean(incident.done),
        "next_step": _clean(incident.next_step),
        "opened_at": utc_text(incident.opened_at),
        "closed_at": None if incident.closed_at is None else utc_text(incident.closed_at),
        "seconds": int(incident.lasted(now).total_seconds()),
    }


def _clean(text: str) -> str:
    return printable(text)[:FIELD_CHARS_MAX]


def _calm(text: str) -> str:
    """Return the text so that it calls nobody in a chat and hides no link; it reads the same."""
    return _CALLS.sub("\N{ZERO WIDTH SPACE}", text)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
