"""The cookies of one jar as a Prefect block: where they are, when to warn; never what they are."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, ValidationInfo, field_validator, model_validator

from blocks.credentials import Credentials, checked, with_credentials, with_region
from blocks.fields import DAYS_MAX, FORMS, emptied, optional, same_place_everywhere
from jarkeeper.checks import Finding
from jarkeeper.errors import InputError
from jarkeeper.heads import Head
from jarkeeper.health import SlotHealth, examine, heads_of
from jarkeeper.limits import LIMITS
from jarkeeper.names import checked_jar_name
from jarkeeper.settings import AWS_VARIABLES, VARIABLES, Settings
from jarkeeper.slots import Slot
from jarkeeper.temporary import Sweep, sweep
from jarkeeper.vault import ImportReceipt, LentJar, Receipt, Vault
from jarkeeper.wiring import open_vault

DEFAULT_JAR = "youtube"
SETTINGS = {
    "vault": "vault",
    "bucket": "s3_bucket",
    "prefix": "s3_prefix",
    "kms_key_id": "kms_key_id",
    "s3_kms_key_id": "s3_kms_key_id",
    "key_file": "key_file",
    "encryption_key_parameter": "encryption_key_parameter",
    "state_dir": "state_dir",
    "expiry_warning_days": "expiry_warning_days",
    "expiry_critical_days": "expiry_critical_days",
}
"""Field → setting. What a field says takes the place of the setting's variable."""
REPLACED = {
    "vault": ("s3_bucket", "s3_prefix", "s3_encryption", "s3_kms_key_id"),
    "bucket": ("vault", "s3_prefix"),
    "key_file": ("kms_key_id", "encryption_key", "encryption_key_parameter"),
    "encryption_key_parameter": ("encryption_key",),
}
"""Field → settings of the environment that would contradict it, or belong to another place."""
EITHER = (
    ("vault", "bucket"),
    ("vault", "prefix"),
    ("vault", "s3_kms_key_id"),
    ("key_file", "kms_key_id"),
    ("key_file", "encryption_key_parameter"),
)
"""Of each two fields, one at most can be meant."""


class CookieManager(Block):
    """Keeps the cookies of one login: sealed, versioned, audited, with backups.

    The block holds references only. Cookies and keys stay where the vault is, a folder or a bucket;
    whoever can read blocks reads no cookie here. A field that is left empty is taken from the
    environment of the machine where the flow runs.

    Example:
        Look at the cookies of a stored block, and use them:
        ```python
        from blocks.cookie_manager import CookieManager

        manager = CookieManager.load("BLOCK_NAME")
        for finding in manager.validate_cookie_freshness():
            print(finding.severity, finding.message)
        with manager.get_active_cookies().open() as jar:
            print(len(jar))
        ```
    """

    _block_type_name: ClassVar[str | None] = "Cookie Manager"
    _block_type_slug: ClassVar[str | None] = "cookie-manager"
    # How to export the cookies that go in: what somebody who fills in the form looks for.
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl(
        "https://github.com/yt-dlp/yt-dlp/wiki/Extractors#exporting-youtube-cookies"
    )

    # A misspelt field would mean the default vault without a word, and what was pasted into the
    # wrong one may be a cookie.
    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", validate_assignment=True, hide_input_in_errors=True
    )

    jar: str = Field(
        default=DEFAULT_JAR,
        title="Jar",
        description="The jar's name: lower-case letters, digits and dashes. Empty: youtube.",
    )
    vault: Path | None = optional(
        title="Vault: folder",
        description="Where the vault is, as a folder on the machine where flows run. "
        "Empty, with no bucket either: JARKEEPER_VAULT or COOKIE_S3_BUCKET.",
    )
    bucket: str | None = optional(
        title="Vault: bucket",
        description="Where the vault is, as an S3 bucket; instead of a folder.",
    )
    prefix: str | None = optional(
        title="Vault: prefix in the bucket",
        description="Where in the bucket, such as teams/media. Empty: at the top of the bucket, "
        "or COOKIE_S3_PREFIX where the bucket comes from the environment.",
    )
    kms_key_id: str | None = optional(
        title="KMS key",
        description="The KMS key that wraps the vault's keys: its id, ARN or alias. "
        "Empty: COOKIE_KMS_KEY_ID.",
    )
    s3_kms_key_id: str | None = optional(
        title="KMS key of the bucket",
        description="The KMS key of the bucket's own encryption, where it is another one. "
        "Empty: COOKIE_S3_KMS_KEY_ID, else the KMS key above.",
    )
    key_file: Path | None = optional(
        title="Key file",
        description="Instead of a KMS key: where the wrapping key's file is, never the key. "
        "Empty: JARKEEPER_KEY_FILE.",
    )
    encryption_key_parameter: str | None = optional(
        title="Parameter with the encryption key",
        description="The name of a SecureString in Parameter Store, never what it holds. "
        "Empty: COOKIE_ENCRYPTION_KEY_PARAMETER.",
    )
    region: str | None = optional(
        title="AWS region",
        description="The region of the bucket and the keys. Empty: that of the AWS credentials, "
        "else AWS_REGION.",
    )
    aws_credentials: Credentials = optional(
        title="AWS credentials",
        description="A stored AWS Credentials block. Empty, and better: the role of the task or "
        "machine, which renews itself; a role that the block assumes is not renewed.",
    )
    state_dir: Path | None = optional(
        title="State folder",
        description="Where anchors are kept, outside the vault. Empty: JARKEEPER_STATE_DIR.",
    )
    expiry_warning_days: float | None = optional(
        title="Warn before expiry (days)",
        description="Warn when fewer days are left. Empty: COOKIE_EXPIRY_WARNING_DAYS.",
        ge=0,
        le=DAYS_MAX,
    )
    expiry_critical_days: float | None = optional(
        title="Critical before expiry (days)",
        description="Critical when fewer days are left. Empty: COOKIE_EXPIRY_CRITICAL_DAYS.",
        ge=0,
        le=DAYS_MAX,
    )

    @field_validator("jar", mode="before")
    @classmethod
    def _names_a_jar(cls, value: object) -> object:
        value = DEFAULT_JAR if emptied(value) is None else emptied(value)
        if isinstance(value, str):
            try:
                return checked_jar_name(value)
            except InputError as error:
                raise ValueError(error.message) from None
        return value

    @field_validator(*SETTINGS, "region", mode="before")
    @classmethod
    def _may_be_empty(cls, value: object) -> object:
        return emptied(value)

    @field_validator("aws_credentials", mode="before")
    @classmethod
    def _can_be_read(cls, value: object) -> object:
        return checked(emptied(value))

    @field_validator("vault", "key_file", "state_dir")
    @classmethod
    def _is_the_same_place_everywhere(cls, value: Path | None) -> Path | None:
        return same_place_everywhere(value)

    @field_validator(*FORMS)
    @classmethod
    def _has_its_form(cls, value: str | None, info: ValidationInfo) -> str | None:
        return FORMS[str(info.field_name)](value) or None if value else None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        mistakes = [
            f"{one}: expected it or {other}, got both"
            for one, other in EITHER
            if getattr(self, one) is not None and getattr(self, other) is not None
        ]
        warning, critical = self.expiry_warning_days, self.expiry_critical_days
        if warning is not None and critical is not None and critical > warning:
            mistakes.append("expiry_critical_days: expected at most expiry_warning_days")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def settings(self) -> Settings:
        """Return the settings in force: the environment's, and over them what this block says.

        They hold the credentials, if the block names any: for this process and its worker alone.
        """
        return Settings.read(self._environment())

    def get_active_cookies(self) -> LentJar:
        """Return the active cookies, encrypted in memory; `with lent.open() as jar:` opens them.

        The access is in the audit trail before this returns. Opened or not, they refuse to be
        printed, pickled, copied or turned into JSON.
        """
        return self._open().lend(self.jar)

    def get_backup_cookies(self) -> LentJar:
        """Return the newest backup that can be used, as `get_active_cookies` does the active."""
        return self._open().lend(self.jar, Slot.BACKUP)

    def validate_cookie_freshness(self) -> list[Finding]:
        """Return what can be said of the active cookies and the backups, without opening them.

        The message names the slot. Each finding has a severity and a next step.
        """
        return [
            replace(finding, message=f"{slot.name}: {finding.message}")
            for slot in self.status()
            for finding in slot.findings
        ]

    def status(self) -> tuple[SlotHealth, ...]:
        """Return the health of every slot, the active one first, without opening any.

        Each has its generation's record, a severity and findings; `as_dict()` is fit for JSON.
        """
        settings = self.settings()
        (head,) = heads_of(open_vault(settings, actor="block"), self.jar)
        return examine(head, now=datetime.now(UTC), settings=settings)

    def history(self) -> tuple[Head, ...]:
        """Return every head of the jar, oldest first: which generation was in which slot when."""
        return self._open().history(self.jar)

    def rotate_cookies(self, path: str | Path, *, confirmed: bool = False) -> ImportReceipt:
        """Make the cookies of a file the active ones and the old active ones a backup.

        Args:
            path: A cookie file: Netscape, an extension's JSON, or a `Cookie:` header.
            confirmed: Take them in even where they may be a mistake: no login, older than the
                active ones, or another account's.
        """
        return self._open().import_jar(self.jar, _read(Path(path)), confirmed=confirmed)

    def promote(self) -> Receipt:
        """Make the newest usable backup active; the old active one becomes a backup."""
        return self._open().promote(self.jar)

    def restore(self, generation: str) -> Receipt:
        """Make a generation from the history active again.

        Args:
            generation: Its id, 32 hexadecimal digits.
        """
        return self._open().restore(self.jar, generation)

    def revoke(self, generation: str) -> Receipt:
        """Make sure that nothing uses the generation again; no backup is promoted by it.

        Args:
            generation: Its id, 32 hexadecimal digits.
        """
        return self._open().revoke(self.jar, generation)

    def check(self) -> list[Finding]:
        """Read and verify everything in the vault, and return its health in words."""
        return list(self._open().check())

    def cleanup_temporary_files(self) -> Sweep:
        """Remove what a crash left in the temporary folder; what is in use stays."""
        return sweep(self.settings().temp_dir)

    def get_cookie_metadata(self) -> dict[str, Any]:
        """Return states, ages, expiry and counts of all jars in the vault; no secret is in it."""
        return self._open().metadata()

    def _open(self) -> Vault:
        return open_vault(self.settings(), actor="block")

    def _environment(self) -> dict[str, str]:
        """Return the environment as if its variables said what this block says."""
        said = {field: value for field in SETTINGS if (value := getattr(self, field)) is not None}
        dropped = {VARIABLES[name].name for field in said for name in REPLACED.get(field, ())}
        kept = {name: text for name, text in os.environ.items() if name not in dropped}
        aws = {name: kept.pop(name) for name in AWS_VARIABLES if name in kept}
        if self.aws_credentials is not None:
            aws = with_credentials(aws, self.aws_credentials)
        if self.region is not None:
            aws = with_region(aws, self.region)
        variables = {VARIABLES[SETTINGS[field]]: value for field, value in said.items()}
        return kept | aws | {item.name: item.write(value) for item, value in variables.items()}

    def _to_block_document(self, *args: Any, **kwargs: Any) -> Any:
        # Prefect stores a block that was never saved within this one, keys and all.
        nested = self.aws_credentials
        if nested is not None and nested._block_document_id is None:  # noqa: SLF001
            raise InputError(
                "aws_credentials: expected a stored block, so that no key is copied into this one",
                hint="save it first: aws_credentials.save('name')",
            )
        return super()._to_block_document(*args, **kwargs)


def _read(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            return file.read(LIMITS.jar_bytes_max + 1)
    except OSError as error:
        raise InputError(f"cookie file '{path}': cannot be read: {error.strerror}") from None
