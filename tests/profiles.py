"""Browser profiles on disk, as Firefox and Chromium lay them out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from hashlib import pbkdf2_hmac
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

FIREFOX_SCHEMA = 17
FIREFOX_TABLE = """
CREATE TABLE moz_cookies (
    id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '', name TEXT, value TEXT,
    host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER,
    isSecure INTEGER, isHttpOnly INTEGER, inBrowserElement INTEGER DEFAULT 0,
    sameSite INTEGER DEFAULT 0, schemeMap INTEGER DEFAULT 0,
    isPartitionedAttributeSet INTEGER DEFAULT 0, updateTime INTEGER,
    CONSTRAINT moz_uniqueid UNIQUE (name, host, path, originAttributes))
"""
CHROMIUM_VERSION = "20"
CHROMIUM_TABLE = """
CREATE TABLE cookies (
    creation_utc INTEGER NOT NULL, host_key TEXT NOT NULL, top_frame_site_key TEXT NOT NULL,
    name TEXT NOT NULL, value TEXT NOT NULL, encrypted_value BLOB NOT NULL, path TEXT NOT NULL,
    expires_utc INTEGER NOT NULL, is_secure INTEGER NOT NULL, is_httponly INTEGER NOT NULL,
    last_access_utc INTEGER NOT NULL, has_expires INTEGER NOT NULL, is_persistent INTEGER NOT NULL,
    priority INTEGER NOT NULL, samesite INTEGER NOT NULL, source_scheme INTEGER NOT NULL,
    source_port INTEGER NOT NULL, last_update_utc INTEGER NOT NULL)
"""
EPOCHS_APART = 11_644_473_600


@dataclass(frozen=True)
class Row:
    """One cookie in a browser's database. `container` is Firefox's."""

    name: str
    value: str
    domain: str = ".youtube.com"
    path: str = "/"
    expires: int = 4_000_000_000
    secure: bool = True
    container: int | None = None


def firefox(home: Path, *rows: Row, profile: str = "ab12.default-release") -> Path:
    """Make a profile of Firefox below the home, and return its folder."""
    folder = home / ".mozilla" / "firefox" / profile
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "cookies.sqlite")) as database, database:
        database.execute(f"PRAGMA user_version = {FIREFOX_SCHEMA}")
        database.execute(FIREFOX_TABLE)
        for row in rows:
            attributes = f"^userContextId={row.container}" if row.container else ""
            database.execute(
                "INSERT INTO moz_cookies (originAttributes, name, value, host, path, expiry, "
                "isSecure, isHttpOnly) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
                (
                    attributes,
                    row.name,
                    row.value,
                    row.domain,
                    row.path,
                    row.expires * 1000,
                    row.secure,
                ),
            )
    return folder


def chromium(home: Path, *rows: Row, version: bytes = b"v10", profile: str = "Default") -> Path:
    """Make a profile of Chromium without a keyring below the home, and return its folder."""
    folder = home / ".config" / "chromium" / profile
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "Cookies")) as database, database:
        database.execute("CREATE TABLE meta (key TEXT UNIQUE NOT NULL PRIMARY KEY, value TEXT)")
        database.execute("INSERT INTO meta VALUES ('version', ?)", (CHROMIUM_VERSION,))
        database.execute(CHROMIUM_TABLE)
        for row in rows:
            expires = (row.expires + EPOCHS_APART) * 1_000_000 if row.expires else 0
            database.execute(
                "INSERT INTO cookies VALUES (1, ?, '', ?, '', ?, ?, ?, ?, 1, 1, 1, 1, 1, 0, 2, "
                "443, 1)",
                (
                    row.domain,
                    row.name,
                    version + _encrypted(row.value),
                    row.path,
                    expires,
                    row.secure,
                ),
            )
    return folder


def _encrypted(value: str) -> bytes:
    # What Chromium does on Linux where there is no keyring: obfuscation, with a known password.
    key = pbkdf2_hmac("sha1", b"peanuts", b"saltysalt", 1, 16)
    padder = PKCS7(128).padder()
    padded = padder.update(value.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(b" " * 16)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()
