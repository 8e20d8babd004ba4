"""The cookies of one jar as a Prefect block: where they are, when to warn; never what they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, field_validator

from jarkeeper.checks import Finding
from jarkeeper.errors import InputError
from jarkeeper.health import examine, heads_of
from jarkeeper.limits import LIMITS
from jarkeeper.names import checked_jar_name
from jarkeeper.settings import Settings
from jarkeeper.temporary import Sweep, sweep
from jarkeeper.vault import ImportReceipt, LentJar, Vault
from jarkeeper.wiring import open_vault

PATHS = ("vault", "key_file", "state_dir")
NUMBERS = ("expiry_warning_days", "expiry_critical_days")
DEFAULT_JAR = "youtube"


class CookieManager(Block):
    """Keeps the cookies of one login: sealed, versioned, audited, with backups.

    The block holds references only. Cookies and keys stay where the vault is; whoever can read
    blocks reads no secret here. A field that is left empty is taken from the environment of the
    machine where the flow runs.

    Attributes:
        jar: The name of the jar that this block manages.
        vault: The folder of the vault.
        key_file: The file with the wrapping key.
        state_dir: The folder with the anchors that show a rolled-back vault.
        expiry_warning_days: Warn when the login expires within this many days.
        expiry_critical_days: Call it critical when the login expires within this many days.

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
    vault: Path | None = Field(
        default=None,
        title="Vault",
        description="The vault's folder on the machine where flows run. Empty: JARKEEPER_VAULT.",
    )
    key_file: Path | None = Field(
        default=None,
        title="Key file",
        description="Where the wrapping key's file is, never the key. Empty: JARKEEPER_KEY_FILE.",
    )
    state_dir: Path | None = Field(
        default=None,
        title="State folder",
        description="Where anchors are kept, outside the vault. Empty: JARKEEPER_STATE_DIR.",
    )
    expiry_warning_days: float | None = Field(
        default=None,
        ge=0,
        le=3650,
        title="Warn before expiry (days)",
        description="Warn when fewer days are left. Empty: COOKIE_EXPIRY_WARNING_DAYS.",
    )
    expiry_critical_days: float | None = Field(
        default=None,
        ge=0,
        le=3650,
        title="Critical before expiry (days)",
        description="Critical when fewer days are left. Empty: COOKIE_EXPIRY_CRITICAL_DAYS.",
    )

    @field_validator(*PATHS, mode="before")
    @classmethod
    def _leave_empty(cls, value: object) -> object:
        # A form may send what was cleared as an empty text, which would mean the current folder.
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator(*PATHS)
    @classmethod
    def _is_the_same_place_everywhere(cls, value: Path | None) -> Path | None:
        # A worker's current folder is one that Prefect made for the run and removes after it.
        if value and not value.is_absolute() and value.parts[:1] != ("~",):
            raise ValueError("expected a path that starts with '/' or '~/'")
        return value

    @field_validator("jar", mode="before")
    @classmethod
    def _names_a_jar(cls, value: object) -> object:
        if value is None or value == "":
            return DEFAULT_JAR
        if isinstance(value, str):
            try:
                return checked_jar_name(value)
            except InputError as error:
                raise ValueError(error.message) from None
        return value

    def settings(self) -> Settings:
        """Return the settings in force: the environment's, and over them what this block says."""
        paths = {name: getattr(self, name) for name in PATHS}
        values = {name: path.expanduser().absolute() for name, path in paths.items() if path}
        numbers = {name: getattr(self, name) for name in NUMBERS}
        values |= {name: number for name, number in numbers.items() if number is not None}
        return replace(Settings.read(), **values).checked()

    def get_active_cookies(self) -> LentJar:
        """Return the active cookies, encrypted in memory; `with lent.open() as jar:` opens them.

        The access is in the audit trail before this returns. Opened or not, they refuse to be
        printed, pickled, copied or turned into JSON.
        """
        return self._open().lend(self.jar)

    def validate_cookie_freshness(self) -> list[Finding]:
        """Return what can be said of the active cookies and the backups, without opening them.

        The message names the slot. Each finding has a severity and a next step.
        """
        settings = self.settings()
        (head,) = heads_of(open_vault(settings, actor="block"), self.jar)
        return [
            replace(finding, message=f"{slot.name}: {finding.message}")
            for slot in examine(head, now=datetime.now(UTC), settings=settings)
            for finding in slot.findings
        ]

    def rotate_cookies(self, path: str | Path, *, confirmed: bool = False) -> ImportReceipt:
        """Make the cookies of a file the active ones and the old active ones a backup.

        Args:
            path: A cookie file: Netscape, an extension's JSON, or a `Cookie:` header.
            confirmed: Take them in even where they may be a mistake: no login, older than the
                active ones, or another account's.
        """
        return self._open().import_jar(self.jar, _read(Path(path)), confirmed=confirmed)

    def cleanup_temporary_files(self) -> Sweep:
        """Remove what a crash left in the temporary folder; what is in use stays."""
        return sweep(self.settings().temp_dir)

    def get_cookie_metadata(self) -> dict[str, Any]:
        """Return states, ages, expiry and counts of all jars in the vault; no secret is in it."""
        return self._open().metadata()

    def _open(self) -> Vault:
        return open_vault(self.settings(), actor="block")


def _read(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            return file.read(LIMITS.jar_bytes_max + 1)
    except OSError as error:
        raise InputError(f"cookie file '{path}': cannot be read: {error.strerror}") from None
