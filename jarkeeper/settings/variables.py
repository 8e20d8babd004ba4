"""The variables: which one holds which setting, and how its text is read and written again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jarkeeper.limits import LIMITS
from jarkeeper.settings import forms
from jarkeeper.words import printable

GOT_CHARS_MAX = 60
"""Of a wrong value: enough to find it again."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable: its name, how its text is read and how it is written again."""

    name: str
    parse: Callable[[str], Any]
    write: Callable[[Any], str] = str
    is_secret: bool = False
    """Whether the value is never shown."""

    def got(self, text: str, told: str) -> str:
        """Return what an error adds to what was told: the text, unless that is a secret."""
        if self.is_secret or ", got " in told:
            return ""
        return f", got '{printable(text[:GOT_CHARS_MAX])}'"


VARIABLES: dict[str, Variable] = {
    "vault": Variable("JARKEEPER_VAULT", forms.folder),
    "s3_bucket": Variable("COOKIE_S3_BUCKET", forms.bucket),
    "s3_prefix": Variable("COOKIE_S3_PREFIX", forms.prefix),
    "s3_encryption": Variable("COOKIE_S3_ENCRYPTION", forms.encryption),
    "s3_kms_key_id": Variable("COOKIE_S3_KMS_KEY_ID", forms.kms_key),
    "kms_key_id": Variable("COOKIE_KMS_KEY_ID", forms.kms_key),
    "key_file": Variable("JARKEEPER_KEY_FILE", forms.path),
    "encryption_key": Variable("COOKIE_ENCRYPTION_KEY", forms.key, forms.write_key, is_secret=True),
    "encryption_key_parameter": Variable("COOKIE_ENCRYPTION_KEY_PARAMETER", forms.parameter),
    "state_dir": Variable("JARKEEPER_STATE_DIR", forms.path),
    "temp_dir": Variable("COOKIE_TEMP_DIR", forms.path),
    "refresh_interval": Variable("COOKIE_REFRESH_INTERVAL", forms.whole(1, 31_536_000)),
    "validation_enabled": Variable("COOKIE_VALIDATION_ENABLED", forms.flag, forms.write_flag),
    "drop": Variable("COOKIE_DROP", forms.drop),
    "backup_count": Variable("COOKIE_BACKUP_COUNT", forms.whole(1, LIMITS.backups_max)),
    "grace_days": Variable("COOKIE_GRACE_DAYS", forms.days),
    "archive_days": Variable("COOKIE_ARCHIVE_DAYS", forms.whole(1, 3650)),
    "audit_days": Variable("COOKIE_AUDIT_DAYS", forms.audit_days),
    "opens_per_hour": Variable("COOKIE_OPENS_PER_HOUR", forms.whole(1, LIMITS.opens_per_hour_max)),
    "principals": Variable("COOKIE_PRINCIPALS", forms.principals, ",".join),
    "access_logs": Variable("COOKIE_ACCESS_LOGS", forms.logs),
    "cloudtrail": Variable("COOKIE_CLOUDTRAIL", forms.logs),
    "roles": Variable("COOKIE_ROLES", forms.roles, ",".join),
    "failure_rate": Variable("COOKIE_FAILURE_RATE", forms.percent),
    "login_failure_rate": Variable("COOKIE_LOGIN_FAILURE_RATE", forms.percent),
    "expiry_warning_days": Variable("COOKIE_EXPIRY_WARNING_DAYS", forms.days),
    "expiry_critical_days": Variable("COOKIE_EXPIRY_CRITICAL_DAYS", forms.days),
    "rotation_days": Variable("COOKIE_ROTATION_DAYS", forms.days),
    "sites": Variable("JARKEEPER_SITES", forms.sites, ",".join),
    "concurrency": Variable("JARKEEPER_CONCURRENCY", forms.whole(1, LIMITS.concurrency_max)),
    "retry_seconds": Variable("JARKEEPER_RETRY_SECONDS", forms.waits, forms.write_waits),
    "proxy": Variable("JARKEEPER_PROXY", forms.proxy, is_secret=True),
    "ca_file": Variable("JARKEEPER_CA_FILE", forms.existing_file),
    "alerts_file": Variable("JARKEEPER_ALERTS_FILE", forms.path),
    "alerts": Variable("JARKEEPER_ALERTS", forms.toml, is_secret=True),
    "log_level": Variable("JARKEEPER_LOG_LEVEL", forms.level),
    "metrics": Variable("JARKEEPER_METRICS", forms.sinks, forms.write_sinks),
}
