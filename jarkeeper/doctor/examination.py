"""All checks, one after the other; a check that fails itself is a finding too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from jarkeeper.checks import Finding, Severity
from jarkeeper.doctor import machine, place
from jarkeeper.doctor.packages import packages
from jarkeeper.errors import JarkeeperError, SettingsError
from jarkeeper.settings import TEMP_DIR, Settings

Check = Callable[[], Iterable[Finding]]

ORDER = [Severity.CRITICAL, Severity.WARNING, Severity.OK]


def examine(settings: Settings | JarkeeperError, *, deep: bool) -> tuple[Finding, ...]:
    """Return what is well and what is not, the worst first; the code names the group.

    Where the settings cannot be read, their error goes in, and the machine is examined all the
    same. `deep` reads and verifies the whole vault, which puts the check on record there.
    """
    checks: list[tuple[str, Check]] = [("settings", partial(_settings, settings))]
    if isinstance(settings, Settings):
        checks.append(("vault", partial(place.vault, settings, deep=deep)))
    return worst_first((*_examined(checks), *examine_machine(settings)))


def examine_machine(settings: Settings | JarkeeperError) -> tuple[Finding, ...]:
    """Return what is well and what is not around the vault, the worst first."""
    temp_dir = settings.temp_dir if isinstance(settings, Settings) else TEMP_DIR
    checks: list[tuple[str, Check]] = []
    knows: machine.Knows = _knows_nothing
    if isinstance(settings, Settings):
        checks.append(("disk", partial(place.disk, place.rooms_of(settings))))
        knows = place.knower(settings)
    around = machine.usual_places(Path.cwd())
    checks += [
        ("temporary", partial(machine.temporary, temp_dir)),
        ("yt-dlp", machine.yt_dlp),
        ("javascript", machine.javascript),
        ("ffmpeg", machine.ffmpeg),
        ("leftovers", partial(machine.leftovers, around, knows=knows)),
        ("packages", packages),
    ]
    return worst_first(_examined(checks))


def _examined(checks: Iterable[tuple[str, Check]]) -> Iterable[Finding]:
    return (finding for group, check in checks for finding in _guarded(group, check))


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, the worst first."""
    return tuple(sorted(findings, key=lambda finding: ORDER.index(finding.severity)))


def _settings(settings: Settings | JarkeeperError) -> Iterable[Finding]:
    if isinstance(settings, Settings):
        yield Finding("settings", Severity.OK, "no mistake in them", "nothing to do")
        return
    mistakes = settings.mistakes if isinstance(settings, SettingsError) else (settings.message,)
    for mistake in mistakes:
        step = "set it right: docs/reference/settings.md tells what it accepts"
        yield Finding("settings", Severity.CRITICAL, mistake, settings.hint or step)


def _knows_nothing(content: bytes) -> bool:  # noqa: ARG001 - there is no vault to ask
    return False


def _guarded(group: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001 - a broken machine must not end the examination of it
        message = f"could not be checked: {type(error).__name__}"
        return [Finding(group, Severity.WARNING, message, "look at the other findings first")]
