"""The findings of a vault's logs: reads what the settings name, and joins it with the trail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from jarkeeper.checks import NOTHING, Severity
from jarkeeper.settings import Settings
from jarkeeper.sources.access_logs import AccessLogs
from jarkeeper.sources.cloudtrail import ALIAS, CloudTrail
from jarkeeper.sources.files import Days, batches
from jarkeeper.sources.intents import Intents
from jarkeeper.sources.joined import HISTORY, HOUR, SourceFinding, join, strangers
from jarkeeper.sources.requests import Place, Request, Visit
from jarkeeper.temporary import private_home
from jarkeeper.vault import Vault
from jarkeeper.vault.identity import founded_at
from jarkeeper.words import count_of, printable, utc_text

ORDER = (Severity.CRITICAL, Severity.WARNING, Severity.OK)
SHOWN_MAX = 3


def findings_of_sources(
    settings: Settings, vault: Vault, *, since: datetime, until: datetime, now: datetime
) -> tuple[SourceFinding, ...]:
    """Return what AWS's logs show of the vault from `since` up to `until`, the worst first.

    Nothing where the settings name no logs. What the logs cannot tell is said as well, with
    severity `ok`. `InputError` or `StoreError` where logs cannot be had.
    """
    if settings.access_logs is None and settings.cloudtrail is None:
        return ()
    until = min(until, now)
    look = _Look(settings, place_of(settings, vault), since, until)
    intents = Intents(vault.trail.read(since - HOUR, until + HOUR))
    found = [
        *join(
            look.requests(),
            intents=intents,
            place=look.place,
            complete_since=_complete_since(settings, vault, now=now),
        ),
        *strangers(look.visits, roles=settings.roles, since=since),
        *look.coverage(),
    ]
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.severity), one.code, one.jar)))


def place_of(settings: Settings, vault: Vault) -> Place:
    """Return where the vault is, as AWS's logs name it."""
    sealing = {vault.ports.keys.id, settings.kms_key_id}
    of_bucket = {settings.s3_kms_key_id} - sealing
    return Place(
        vault=vault.id,
        bucket=settings.s3_bucket,
        prefix=f"{settings.s3_prefix}/" if settings.s3_prefix else "",
        keys=tuple(key for key in sealing | of_bucket if key),
        bucket_keys=tuple(key for key in of_bucket if key),
    )


@dataclass(slots=True)
class _Look:
    """One look at both logs; what is known of them grows while their requests are given."""

    settings: Settings
    place: Place
    since: datetime
    until: datetime
    told: int = 0
    """Requests on the vault so far."""
    access_logs: AccessLogs = field(init=False)
    cloudtrail: CloudTrail = field(init=False)

    def __post_init__(self) -> None:
        self.access_logs = AccessLogs(self.place, self.since, self.until)
        self.cloudtrail = CloudTrail(self.place, self.since, self.until)

    @property
    def visits(self) -> list[Visit]:
        """Who came, by both logs."""
        return self.access_logs.visits + self.cloudtrail.visits

    def requests(self) -> Iterator[Request]:
        """Give the requests of both logs."""
        days = Days.of(self.since - HISTORY, self.until)
        with private_home(self.settings.temp_dir) as scratch:
            for files in self._batches(self.settings.access_logs, days, scratch):
                yield from self._counted(self.access_logs.read(files, scratch=scratch))
            for files in self._batches(self.settings.cloudtrail, days, scratch):
                yield from self._counted(self.cloudtrail.read(files))

    def _counted(self, requests: Iterable[Request]) -> Iterator[Request]:
        for request in requests:
            self.told += 1
            yield request

    def _batches(self, place: str | None, days: Days, scratch: Path) -> Iterator[list[Path]]:
        if place is not None:
            yield from batches(place, days, scratch=scratch, aws=self.settings.aws)

    def coverage(self) -> Iterator[SourceFinding]:
        """Tell what was read, what could not be, and what logs of that kind cannot tell."""
        logs, trail = self.access_logs, self.cloudtrail
        if self.place.bucket is None:
            message = "this vault is in a folder: AWS's logs tell nothing of it"
            step = "COOKIE_S3_BUCKET or --vault names one that is in a bucket"
            yield SourceFinding("coverage", Severity.WARNING, "", message, step)
        elif not self.visits and not self.told and (logs.newest or trail.newest):
            message = f"none of what was read is about the bucket '{self.place.bucket}'"
            step = "look whether these are its logs"
            yield SourceFinding("coverage", Severity.WARNING, "", message, step)
        if self.settings.access_logs is not None:
            yield _read("access-logs", count_of(logs.lines, "line"), logs.newest)
            yield from _damage("access logs", logs.damaged, "line", logs.unreadable)
        if self.settings.cloudtrail is not None:
            yield _read("cloudtrail", count_of(trail.records, "record"), trail.newest)
            yield from _damage("CloudTrail", trail.damaged, "record", trail.unreadable)
        else:
            message = "CloudTrail is not read: uses of the KMS key are not judged"
            yield _well("coverage", message, "set COOKIE_CLOUDTRAIL")
        if ALIAS in (self.settings.s3_kms_key_id or ""):
            message = "COOKIE_S3_KMS_KEY_ID is an alias: what is done to its key may not be seen"
            yield _well("coverage", message, "name the key by its id or ARN")
        if self.settings.access_logs is not None:
            message = "access logs are best effort: what is missing in them may have happened"
            yield _well("coverage", message, NOTHING)


def _complete_since(settings: Settings, vault: Vault, *, now: datetime) -> datetime:
    """Return when the days begin that the trail should hold whole.

    Not by what it holds alone: who deletes the trail would be told of nothing any more. Nor by what
    the vault says of itself alone: who writes that anew might choose a later day.
    """
    founded = founded_at(vault.ports.store, vault.ports.keys)
    first = next(vault.trail.read(until=founded), None)
    founded = first.at if first is not None else founded
    if settings.audit_days:
        founded = max(founded, now - timedelta(days=settings.audit_days))
    return founded.replace(hour=0, minute=0, second=0, microsecond=0)


def _read(name: str, what: str, newest: datetime | None) -> SourceFinding:
    if newest is None:
        return SourceFinding(
            name,
            Severity.WARNING,
            "",
            f"{name}: {what} read, and none of them is of AWS",
            "look whether they are delivered there",
        )
    return _well(name, f"{name}: {what} read, the newest of {utc_text(newest)}", NOTHING)


def _damage(name: str, damaged: int, what: str, files: list[str]) -> Iterator[SourceFinding]:
    step = "look at what lies there: nothing is known of what it should hold"
    if damaged:
        message = f"{name}: {count_of(damaged, what)} of another form than AWS's, left out"
        yield SourceFinding("damaged", Severity.WARNING, "", message, step, damaged)
    if files:
        names = ", ".join(f"'{printable(name)}'" for name in files[:SHOWN_MAX])
        message = f"{name}: {count_of(len(files), 'file')} cannot be read: {names}"
        yield SourceFinding("damaged", Severity.WARNING, "", message, step, len(files))


def _well(code: str, message: str, step: str) -> SourceFinding:
    return SourceFinding(code, Severity.OK, "", message, step)
