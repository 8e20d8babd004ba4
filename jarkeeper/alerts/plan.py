"""The plan: recipients and steps, from a TOML file that is its owner's alone.

Recipients hold tokens: no message quotes an entry, and a plan is neither shown nor pickled.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jarkeeper.checks import Severity
from jarkeeper.errors import SettingsError
from jarkeeper.incidents import Step
from jarkeeper.settings import Settings

FILE_BYTES_MAX = 64 << 10
"""Hundreds of recipients."""
ENTRIES_MAX = 20
"""Of one recipient, and steps of a plan: more is a mailing list's task."""
MINUTES_MAX = 525_600
"""A year."""

_RECIPIENT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_URL = re.compile(r"([a-z][a-z0-9+.-]{0,31})://\S{1,4000}", re.ASCII)
_OTHER = {
    "sns": re.compile(
        r"sns:arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}", re.ASCII
    ),
    "prefect-block": re.compile(r"prefect-block:[a-z0-9-]+/[a-z0-9-]+", re.ASCII),
    "env": re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII),
}
_WHERE = re.compile(r"at line [0-9]+, column [0-9]+|at end of document")
_ENTRY = "expected a URL of Apprise, 'sns:' and a topic's ARN, 'prefect-block:' and type/name, or \
'env:' and a variable's name"


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to tell, and when. Empty where nothing is set: then the log alone is told."""

    recipients: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Each one's entries, by its name; they hold tokens."""
    steps: tuple[Step, ...] = ()

    def __reduce__(self) -> Any:
        raise TypeError("a plan holds tokens: it is never pickled or copied")


def read_plan(settings: Settings) -> Plan:
    """Return the plan that the settings name, or raise `SettingsError` with every mistake."""
    source = source_of(settings)
    if settings.alerts is not None:
        return parse_plan(settings.alerts, source=source)
    if settings.alerts_file is None:
        return Plan()
    return parse_plan(_read(settings.alerts_file, source), source=source)


def source_of(settings: Settings) -> str:
    """Return what messages call the place of the plan."""
    if settings.alerts is not None:
        return "JARKEEPER_ALERTS"
    return f"alerts file '{settings.alerts_file}'"


def parse_plan(text: str, *, source: str) -> Plan:
    """Return the plan that a TOML text holds; `source` is how messages call it."""
    import tomllib

    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, too
        where = _WHERE.search(str(error))
        told = f"expected TOML, got a mistake {where[0]}" if where else "expected TOML"
        raise SettingsError((f"{source}: {told}",)) from None
    mistakes: list[str] = []
    if document.keys() - {"recipients", "steps"}:
        mistakes.append("expected nothing but [recipients] and [[steps]]")
    recipients = _recipients(document.get("recipients", {}), mistakes)
    steps = _steps(document.get("steps", []), recipients, mistakes)
    if not recipients and not mistakes:
        mistakes.append("expected recipients")
    if mistakes:
        raise SettingsError(tuple(f"{source}: {mistake}" for mistake in mistakes))
    return Plan(recipients, steps or default_steps(tuple(recipients)))


def default_steps(to: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the steps where a file names none: at once, and again while it stays critical."""
    return (
        Step(0, Severity.WARNING, to),
        Step(0, Severity.CRITICAL, to),
        Step(60, Severity.CRITICAL, to),
        Step(1440, Severity.CRITICAL, to),
    )


def kind_of(entry: str) -> str | None:
    """Return which kind of channel an entry names, such as 'slack'; None where it is none."""
    for kind, form in _OTHER.items():
        if form.fullmatch(entry):
            return kind
    match = _URL.fullmatch(entry)
    return match[1] if match else None


def _recipients(table: Any, mistakes: list[str]) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        mistakes.append("recipients: expected a table")
        return {}
    found = {}
    for number, (name, entries) in enumerate(table.items(), start=1):
        if not _RECIPIENT.fullmatch(name):
            mistakes.append(
                f"recipient {number}: expected a name of lower-case letters, digits and '-'"
            )
            continue
        found[name] = _entries(name, entries, mistakes)
    return found


def _entries(name: str, entries: Any, mistakes: list[str]) -> tuple[str, ...]:
    if not isinstance(entries, list) or not 1 <= len(entries) <= ENTRIES_MAX:
        mistakes.append(f"recipient '{name}': expected a list of 1 to {ENTRIES_MAX} entries")
        return ()
    mistakes += [
        f"recipient '{name}' entry {number}: {_ENTRY}"
        for number, entry in enumerate(entries, start=1)
        if not isinstance(entry, str) or kind_of(entry) is None
    ]
    return tuple(map(str, entries))


def _steps(tables: Any, recipients: Mapping[str, Any], mistakes: list[str]) -> tuple[Step, ...]:
    if not isinstance(tables, list) or len(tables) > ENTRIES_MAX:
        mistakes.append(f"steps: expected at most {ENTRIES_MAX} tables [[steps]]")
        return ()
    steps = [
        _step(f"step {number}", table, recipients, mistakes)
        for number, table in enumerate(tables, start=1)
    ]
    return tuple(step for step in steps if step is not None)


def _step(name: str, table: Any, recipients: Mapping[str, Any], mistakes: list[str]) -> Step | None:
    if not isinstance(table, dict) or table.keys() - {"after_minutes", "severity", "to"}:
        mistakes.append(f"{name}: expected after_minutes, severity and to")
        return None
    after, to = table.get("after_minutes", 0), table.get("to", list(recipients))
    severity = table.get("severity", "warning")
    before = len(mistakes)
    if type(after) is not int or not 0 <= after <= MINUTES_MAX:
        mistakes.append(f"{name}: after_minutes: expected a whole number from 0 to {MINUTES_MAX}")
    if not isinstance(severity, str) or severity not in ("warning", "critical"):
        mistakes.append(f"{name}: severity: expected warning or critical")
    if (
        not isinstance(to, list)
        or not to
        or not all(isinstance(item, str) and item in recipients for item in to)
    ):
        mistakes.append(f"{name}: to: expected names of recipients: {', '.join(recipients)}")
    return Step(after, Severity(severity), tuple(to)) if len(mistakes) == before else None


def _read(path: Path, source: str) -> str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        hint = "JARKEEPER_ALERTS_FILE names it: docs/alerts.md tells what belongs in it"
        raise SettingsError((f"{source}: cannot be read, {reason}",), hint=hint) from None
    try:
        _require_private(os.fstat(descriptor), path, source)
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(FILE_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(content) > FILE_BYTES_MAX:
        raise SettingsError((f"{source}: expected at most {FILE_BYTES_MAX} bytes, got more",))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise SettingsError((f"{source}: expected UTF-8",)) from None


def _require_private(status: os.stat_result, path: Path, source: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SettingsError((f"{source}: expected a plain file, got something else",))
    if status.st_uid not in (0, os.geteuid()):
        raise SettingsError((f"{source}: belongs to another user",))
    if status.st_mode & 0o077:
        raise SettingsError(
            (f"{source}: expected mode 0600, got {stat.S_IMODE(status.st_mode):04o}",),
            hint=f"run `chmod 600 {path}`; who could read it may have its tokens: renew them",
        )
