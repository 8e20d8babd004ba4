"""What somebody should know of a jar: the conditions that incidents are made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from jarkeeper.checks import IMPORT, SOON, Severity, Thresholds, check_jar, span
from jarkeeper.facts import is_authenticated
from jarkeeper.heads import Head
from jarkeeper.health import FAIL_OVER, is_lost
from jarkeeper.incidents import Cause, Condition, Scope, scope_of
from jarkeeper.lifecycle.lifetime import age_days, expected_days
from jarkeeper.lifecycle.rotation import Rotation, Step
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotRecord, SlotState
from jarkeeper.words import count_of
from jarkeeper.youtube.messages import Answered

JAR_CAUSES: tuple[Cause, ...] = (
    Cause.SESSION_DEAD,
    Cause.SESSION_SUSPECT,
    Cause.YOUTUBE_PAUSE,
    Cause.EXPIRY,
    Cause.LIFETIME,
    Cause.ROTATION_DUE,
    Cause.NO_BACKUP,
    Cause.BACKUP_UNTESTED,
)
"""What the newest heads of a jar tell, without asking anybody."""

LIFETIME_SHARE = 0.8
"""Of the life that earlier logins reached: time to export anew before it is over."""
LIVES_MIN = 3
"""Lives that must have ended before they foretell one: a single early death would warn for ever."""
BACKUP_TEST_DAYS = 7.0
"""Since a backup's last good test: refreshes ask every one twice a day."""
SUSPECT_HOURS = 3.0
"""Of doubt before somebody is told: the next validation or two settle it by themselves."""
SECOND_LOGIN = (
    "import the cookies of a second login, or of the same one from a fresh export: "
    "what is active becomes the backup"
)
NEEDS_PERSON = frozenset({"CAPTCHA"})
"""Reasons for a rest that no waiting cures."""


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: a jar's newest head, and when."""

    head: Head
    now: datetime
    settings: Settings

    @property
    def jar(self) -> str:
        """The jar's name."""
        return self.head.jar

    @property
    def living_backups(self) -> tuple[SlotRecord, ...]:
        """The backups that nobody knows to be dead or expired; one that rests comes back."""
        return tuple(
            item
            for item in self.head.backups
            if item.state is not SlotState.DEAD
            and is_authenticated(item.generation.facts, self.now)
        )

    @property
    def usable_backups(self) -> tuple[SlotRecord, ...]:
        """The backups that a download could use now."""
        return tuple(item for item in self.living_backups if item.is_usable(self.now))


def scope_of_jar(jar: str) -> Scope:
    """Return what `conditions_of` looks for."""
    return scope_of(JAR_CAUSES, jar)


def scope_of_answers(head: Head, answers: Iterable[Answered]) -> Scope:
    """Return what the answers of YouTube settle: an emergency ends with a login that is alive.

    It is the one that is active by now: what was asked about may have been replaced meanwhile.
    """
    active = head.active and head.active.generation.id
    confirmed = any(one.alive and one.generation == active for one in answers)
    return scope_of((Cause.EMERGENCY,), head.jar) if confirmed else frozenset()


def conditions_of(head: Head, *, now: datetime, settings: Settings) -> tuple[Condition, ...]:
    """Return what is wrong with a jar, by its newest head.

    A lost login is told alone: what else could be said of it is no news.
    """
    view = View(head, now, settings)
    found = _lost(view) if is_lost(head, now=now) else (*_active(view), *_in_use(view))
    return (*found, *_backups(view))


def conditions_of_fail_over(rotation: Rotation) -> tuple[Condition, ...]:
    """Return what to tell of a backup that took over; the next examination finds it in order."""
    if rotation.step is not Step.PROMOTED:
        return ()
    return (
        Condition(
            Cause.SESSION_DEAD,
            rotation.jar,
            Severity.WARNING,
            "the login that was active is over",
            "a backup that was tested took its place",
            "it is in use now; for another one, " + IMPORT,
        ),
    )


def conditions_of_rotation(rotation: Rotation) -> tuple[Condition, ...]:
    """Return what is wrong with what somebody left for a rotation."""
    if not rotation.is_stuck:
        return ()
    return (
        Condition(
            Cause.DROP_REFUSED,
            rotation.jar,
            Severity.WARNING,
            f"a fresh export cannot be used: {rotation.note}",
            "the active cookies stay as they are",
            rotation.next_step,
        ),
    )


def _lost(view: View) -> Iterator[Condition]:
    active, left = view.head.active, len(view.usable_backups)
    severity = Severity.WARNING if left else Severity.CRITICAL
    done = (
        f"downloads go on with {count_of(left, 'backup')}"
        if left
        else "downloads that need a login are put off, and go on after the import"
    )
    step = FAIL_OVER if left and active is not None else IMPORT
    yield Condition(Cause.SESSION_DEAD, view.jar, severity, _how_lost(active), done, step)


def _how_lost(active: SlotRecord | None) -> str:
    if active is None:
        return "there are no active cookies"
    if active.state is not SlotState.DEAD:
        return "the active cookies expired"
    why = f" ({active.reason})" if active.reason else ""
    # Not how long ago: an incident keeps its words, and is read later.
    return f"YouTube ended the active login on {active.since:%Y-%m-%d %H:%M} UTC{why}"


def _active(view: View) -> Iterator[Condition]:
    active = view.head.active
    if active is None:
        return
    if active.is_cooling(view.now) and active.until is not None:
        person = active.reason in NEEDS_PERSON
        yield Condition(
            Cause.YOUTUBE_PAUSE,
            view.jar,
            Severity.CRITICAL if person else Severity.WARNING,
            f"YouTube asked for a pause ({active.reason})",
            f"the cookies rest until {active.until:%Y-%m-%d %H:%M} UTC",
            "watch a video with that account in your browser, then import its cookies again"
            if person
            else "download less at once; it goes on by itself",
        )
    doubt = view.now - active.since
    if active.state is SlotState.SUSPECT and doubt >= timedelta(hours=SUSPECT_HOURS):
        yield Condition(
            Cause.SESSION_SUSPECT,
            view.jar,
            Severity.WARNING,
            f"whether the active login lives is in doubt for {span(doubt.total_seconds())}",
            "it is asked after again and again",
            "run `jarkeeper validate`; if the doubt stays, " + IMPORT,
        )


def _in_use(view: View) -> Iterator[Condition]:
    active = view.head.active
    if active is None:
        return
    thresholds = Thresholds(view.settings.expiry_warning_days, view.settings.expiry_critical_days)
    for finding in check_jar(active.generation.facts, now=view.now, thresholds=thresholds):
        if finding.code == "expires-soon":
            yield Condition(
                Cause.EXPIRY, view.jar, finding.severity, finding.message, "nothing yet", SOON
            )
    yield from _aged(view, active)


def _aged(view: View, active: SlotRecord) -> Iterator[Condition]:
    age = age_days(active, now=view.now)
    expected = expected_days(view.head.slots)
    enough = len(view.head.slots.lives) >= LIVES_MIN
    if enough and expected is not None and age >= LIFETIME_SHARE * expected:
        yield Condition(
            Cause.LIFETIME,
            view.jar,
            Severity.WARNING,
            f"the login is {age:.0f} days old; earlier ones lived for {expected:.0f} days",
            "nothing yet: it still works",
            SOON,
        )
    limit = view.settings.rotation_days
    if limit and age >= limit:
        yield Condition(
            Cause.ROTATION_DUE,
            view.jar,
            Severity.WARNING,
            f"the login is in use for {age:.0f} days, and should be replaced after {limit:g}",
            "nothing yet: it still works",
            "export fresh cookies and run `jarkeeper import cookies.txt`",
        )


def _backups(view: View) -> Iterator[Condition]:
    living = view.living_backups
    if not living:
        yield Condition(
            Cause.NO_BACKUP,
            view.jar,
            Severity.WARNING,
            "there is no backup that could be used if the active login died",
            "nothing",
            SECOND_LOGIN,
        )
        return
    tested = [item.tested_at for item in living if item.tested_at is not None]
    if not tested or view.now - max(tested) > timedelta(days=BACKUP_TEST_DAYS):
        since = f"for {span((view.now - max(tested)).total_seconds())}" if tested else "ever"
        yield Condition(
            Cause.BACKUP_UNTESTED,
            view.jar,
            Severity.WARNING,
            f"no backup was tested {since}",
            "nothing",
            "run `jarkeeper refresh`, which asks YouTube about every slot",
        )
