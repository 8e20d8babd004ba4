"""Everything an operator can set, in one value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from jarkeeper.errors import InputError, SettingsError
from jarkeeper.settings import forms
from jarkeeper.settings.aws import aws_variables, with_files, wrong_variables
from jarkeeper.settings.variables import VARIABLES
from jarkeeper.words import printable

YOUTUBE_SITES = ("youtube.com",)
TEMP_DIR = Path("/dev/shm")  # noqa: S108 - checked for safe permissions on use
WARNING_DAYS = 14.0
CRITICAL_DAYS = 3.0
OPENS_PER_HOUR = 120
"""Two a minute: a run opens a slot once, and again after each COOKIE_REFRESH_INTERVAL."""
KMS = "aws:kms"
PLACES = ("vault", "key_file", "state_dir")
S3_SCHEME = "s3://"
UNUSED = Path("/nonexistent/jarkeeper")
"""Stands for a place that nothing looks at: a container's user may have no home."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set. `Settings.read()` takes it from the environment."""

    vault: Path
    """The vault's directory, where it is a local one."""
    key_file: Path
    """The file with the local wrapping key."""
    state_dir: Path
    """Where anchors are kept: outside the vault, so that a rolled-back vault shows."""
    s3_bucket: str | None = None
    """The bucket that holds the vault, instead of a directory."""
    s3_prefix: str = ""
    """Where in the bucket: several vaults can share one."""
    s3_encryption: str = KMS
    """What the bucket must encrypt objects with; `none` only for another store than AWS's."""
    s3_kms_key_id: str | None = None
    """The KMS key of the bucket's own encryption; else COOKIE_KMS_KEY_ID, else AWS's own for S3."""
    kms_key_id: str | None = None
    """The KMS key that wraps the vault's keys, instead of a local one."""
    encryption_key: bytes | None = field(default=None, repr=False)
    """A wrapping key used instead of the key file; beside a KMS key, it encrypts jars in memory."""
    encryption_key_parameter: str | None = None
    """The name of a SecureString in Parameter Store that holds COOKIE_ENCRYPTION_KEY."""
    temp_dir: Path = TEMP_DIR
    """Where a temporary file goes if one cannot be avoided; memory, not disk."""
    refresh_interval: int = 86_400
    """Seconds after which a run asks the vault again for the jar it uses."""
    validation_enabled: bool = True
    """Whether a run checks its cookies before it starts."""
    drop: str | None = None
    """Where fresh exports are left for the next rotation, as `youtube.txt` or `youtube.json`."""
    backup_count: int = 3
    """How many earlier generations stay as backups."""
    grace_days: float = 30.0
    """How many days after it left every slot a generation may be deleted by the clean-up."""
    archive_days: int = 7
    """How many days of the audit trail stay one object an event before they are packed."""
    audit_days: int = 0
    """How many days of the audit trail are kept; `0` means for ever. Hashes and proofs stay."""
    opens_per_hour: int = OPENS_PER_HOUR
    """How often a jar may be opened in an hour of the clock, by all processes together."""
    principals: tuple[str, ...] = ()
    """Who may use the vault, as `user@host`, `*` for anything; others are reported, not refused."""
    access_logs: str | None = None
    """Where S3 delivers the access logs of the bucket, for `jarkeeper audit sources`."""
    cloudtrail: str | None = None
    """Where CloudTrail delivers its files: the prefix above `AWSLogs`, or any folder below it."""
    roles: tuple[str, ...] = ()
    """Which roles of AWS may use the vault, as ARNs, `*` for anything; others are reported."""
    failure_rate: float = 5.0
    """Warn when more than so many percent of a day's tries of videos fail."""
    login_failure_rate: float = 1.0
    """Warn when more than so many percent fail because of the cookies or the account."""
    expiry_warning_days: float = WARNING_DAYS
    """Warn when the login expires within this many days."""
    expiry_critical_days: float = CRITICAL_DAYS
    """Call it critical when the login expires within this many days; no more than the warning's."""
    rotation_days: float = 90.0
    """Remind to replace a login that is in use for so many days; 0: never."""
    sites: tuple[str, ...] = YOUTUBE_SITES
    """The sites whose cookies a jar keeps."""
    concurrency: int = 4
    """Videos downloaded at once."""
    retry_seconds: tuple[float, ...] = (10.0, 30.0, 90.0, 270.0)
    """Seconds to wait before each further try of a curable failure, varied at random."""
    proxy: str | None = field(default=None, repr=False)
    """An HTTP or SOCKS proxy for YouTube; may hold a password."""
    ca_file: Path | None = None
    """Certificates, in PEM form, trusted in addition to the usual ones."""
    alerts_file: Path | None = None
    """A TOML file of yours alone (0600): who is told of incidents, and in which steps."""
    alerts: str | None = field(default=None, repr=False)
    """The text of such a file, for containers; recipients hold tokens."""
    log_level: str = "warning"
    """What is said on standard error besides: `info` every access, `debug` every try, as JSON."""
    metrics: tuple[str, ...] = ()
    """Where metrics go: CloudWatch's lines, OpenTelemetry's meter, or nowhere."""
    aws: Mapping[str, str] = field(default_factory=dict, repr=False)
    """AWS's own variables, by their names: credentials, region, endpoints."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings in force, or raise `SettingsError` naming every mistake at once."""
        environ = os.environ if environment is None else environment
        values: dict[str, Any] = default_places(environ) | {"aws": aws_variables(environ)}
        mistakes = []
        for name, variable in VARIABLES.items():
            text = environ.get(variable.name, "").strip()
            if not text:
                continue
            try:
                values[name] = variable.parse(text)
            except ValueError as error:
                mistakes.append(f"{variable.name}: {error}{variable.got(text, str(error))}")
        if values.get("s3_bucket"):
            values.setdefault("vault", UNUSED)
        if values.get("kms_key_id") or values.get("encryption_key"):
            values.setdefault("key_file", UNUSED)
        mistakes += [
            f"{VARIABLES[name].name}: expected a path, as there is no home directory"
            for name in PLACES
            if name not in values and not environ.get(VARIABLES[name].name, "").strip()
        ]
        # One mistake in the bucket's name is not three.
        bucket = environ.get(VARIABLES["s3_bucket"].name, "").strip()
        mistakes += disagreements({"s3_bucket": bucket} | values)
        mistakes += wrong_variables(values["aws"])
        if environ.get("JARKEEPER_VAULT", "").strip() and values.get("s3_bucket"):
            mistakes.append("JARKEEPER_VAULT: expected it or COOKIE_S3_BUCKET, got both")
        if mistakes:
            raise SettingsError(tuple(mistakes))
        return cls(**values)

    def checked(self) -> Settings:
        """Return these settings, or raise `SettingsError` where two of them disagree."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        if mistakes := disagreements(values):
            raise SettingsError(tuple(mistakes))
        return self

    @property
    def place(self) -> str:
        """Where the vault is, as messages call it: a path, or 's3://bucket/prefix'."""
        if self.s3_bucket is None:
            return str(self.vault)
        return f"s3://{self.s3_bucket}/{self.s3_prefix}".rstrip("/")

    def at(self, place: str) -> Settings:
        """Return these settings for a vault elsewhere: a directory, or 's3://bucket/prefix'."""
        if not place.startswith(S3_SCHEME):
            try:
                vault = forms.folder(place)
            except ValueError as error:
                raise InputError(f"vault '{printable(place)}': {error}") from None
            return replace(self, vault=vault, s3_bucket=None, s3_prefix="")
        bucket, _, prefix = place.removeprefix(S3_SCHEME).partition("/")
        try:
            bucket, prefix = forms.bucket(bucket), forms.prefix(prefix)
        except ValueError as error:
            raise InputError(f"vault '{printable(place)}': {error}") from None
        return replace(self, s3_bucket=bucket, s3_prefix=prefix)

    def environment(self) -> dict[str, str]:
        """Return the variables from which another process reads these very settings."""
        named = {item.name: getattr(self, item.name) for item in fields(self)}
        if self.s3_bucket is not None:
            del named["vault"]
        pairs = {
            VARIABLES[name].name: VARIABLES[name].write(value)
            for name, value in named.items()
            if name in VARIABLES and value is not None
        }
        written = {name: text for name, text in pairs.items() if text}
        return written | with_files(self.aws, _home(os.environ))


def disagreements(values: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each pair of settings that contradict each other."""
    found = []
    warning = values.get("expiry_warning_days", WARNING_DAYS)
    critical = values.get("expiry_critical_days", CRITICAL_DAYS)
    if critical > warning:
        found.append(
            "COOKIE_EXPIRY_CRITICAL_DAYS: expected at most COOKIE_EXPIRY_WARNING_DAYS "
            f"({warning:g}), got {critical:g}"
        )
    if values.get("encryption_key") and values.get("encryption_key_parameter"):
        found.append(
            "COOKIE_ENCRYPTION_KEY_PARAMETER: expected it or COOKIE_ENCRYPTION_KEY, got both"
        )
    if values.get("alerts") and values.get("alerts_file"):
        found.append("JARKEEPER_ALERTS: expected it or JARKEEPER_ALERTS_FILE, got both")
    if not values.get("s3_bucket"):
        found += [
            f"{VARIABLES[name].name}: expected COOKIE_S3_BUCKET with it"
            for name in ("s3_prefix", "s3_kms_key_id")
            if values.get(name)
        ]
    elif values.get("s3_encryption", KMS) != KMS and not _is_elsewhere(values.get("aws", {})):
        found.append(
            f"COOKIE_S3_ENCRYPTION: expected {KMS} on AWS; `none` is for another store, "
            "named by AWS_ENDPOINT_URL"
        )
    return found


def _is_elsewhere(aws: Mapping[str, str]) -> bool:
    return "AWS_ENDPOINT_URL" in aws or "AWS_ENDPOINT_URL_S3" in aws


def default_places(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return where vault, key and state live by the XDG rules, as far as that is known."""
    places = {
        "vault": ("XDG_DATA_HOME", ".local/share", "jarkeeper/vault"),
        "key_file": ("XDG_CONFIG_HOME", ".config", "jarkeeper/key"),
        "state_dir": ("XDG_STATE_HOME", ".local/state", "jarkeeper"),
    }
    home = _home(environ)
    found = {}
    for name, (variable, fallback, rest) in places.items():
        folder = Path(environ.get(variable, ""))
        if folder.is_absolute():  # the XDG rules: a relative one is to be ignored
            found[name] = folder / rest
        elif home:
            found[name] = home / fallback / rest
    return found


def _home(environ: Mapping[str, str]) -> Path | None:
    # A container's user may have no home at all.
    try:
        return Path(environ.get("HOME") or "~").expanduser().absolute()
    except RuntimeError:
        return None
