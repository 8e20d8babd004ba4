"""Generations: sealing a new one so that it certainly opens, and opening a stored one."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import replace

from jarkeeper.envelope import Context, open_envelope, seal
from jarkeeper.errors import (
    IntegrityError,
    ObjectDenied,
    ObjectMissing,
    StoreError,
    StoreUnknown,
)
from jarkeeper.facts import JarFacts
from jarkeeper.jar import SAPISID_COOKIES, Cookie, Jar, emit_jar
from jarkeeper.keys import Purpose
from jarkeeper.names import GenerationId, generation_key
from jarkeeper.records import digest
from jarkeeper.slots import GenerationRecord, Source
from jarkeeper.stores import put_once
from jarkeeper.vault.ports import Ports

FINGERPRINT_DIGITS = 16


def fingerprint(ports: Ports, plaintext: bytes) -> str:
    """Return a keyed digest of the canonical jar: equal for equal jars, and safe to show."""
    key = ports.keys.derive(Purpose.FINGERPRINT)
    return hmac.digest(key, plaintext, "sha256").hex()[:FINGERPRINT_DIGITS]


def account_digest(ports: Ports, account: str) -> str:
    """Return a keyed digest of an account's number: tells accounts apart and names none."""
    # No canonical jar begins so: a digest of one is never a digest of the other.
    return fingerprint(ports, b"account " + account.encode(errors="replace"))


def login_digest(ports: Ports, jar: Jar) -> str:
    """Return a keyed digest of the login: equal through its renewals, empty where it is none.

    The cookies that sign requests have one value, which lasts from login to logout. Of several with
    one name the widest counts, as it is sent with every request.
    """
    widest = min(_signing(jar), key=_width, default=None)
    return "" if widest is None else _digest_of(ports, widest)


def login_digests(ports: Ports, jar: Jar) -> frozenset[str]:
    """Return the digests of every login that could be in the jar: further rows hide none."""
    return frozenset(_digest_of(ports, cookie) for cookie in _signing(jar))


def _signing(jar: Jar) -> Iterator[Cookie]:
    return (
        cookie
        for cookie in jar.cookies
        if cookie.name in SAPISID_COOKIES and cookie.value.strip('"')
    )


def _width(cookie: Cookie) -> tuple[int, bool, int]:
    order = SAPISID_COOKIES.index(cookie.name)
    return order, cookie.path != "/", len(cookie.domain.removeprefix("."))


def _digest_of(ports: Ports, cookie: Cookie) -> str:
    return fingerprint(ports, b"login " + cookie.value.strip('"').encode())


def store_generation(
    ports: Ports,
    jar_name: str,
    jar: Jar,
    *,
    id: GenerationId,  # noqa: A002  # the word for it
    source: Source,
    facts: JarFacts,
) -> GenerationRecord:
    """Seal the jar, store it, and open what lies there. Nothing is committed by this."""
    plaintext = emit_jar(jar)
    context = Context(ports.vault, jar_name, id)
    sealed = seal(plaintext, keys=ports.keys, context=context)
    record = GenerationRecord(
        id=id,
        digest=digest(sealed),
        fingerprint=fingerprint(ports, plaintext),
        created_at=ports.clock(),
        source=source,
        facts=replace(facts, login=login_digest(ports, jar)),
    )
    _put(ports, generation_key(jar_name, id), sealed)
    if open_generation(ports, jar_name, record) != plaintext:
        raise IntegrityError(
            f"{_name(jar_name, record)}: what was read back is not what was sealed"
        )
    return record


def open_generation(ports: Ports, jar_name: str, record: GenerationRecord) -> bytes:
    """Return the jar's canonical text, or raise `IntegrityError`: it is the right one, or none."""
    name = _name(jar_name, record)
    sealed = read_sealed(ports, jar_name, record)
    plaintext = open_envelope(
        sealed, keys=ports.keys, context=Context(ports.vault, jar_name, record.id)
    )
    if not hmac.compare_digest(fingerprint(ports, plaintext), record.fingerprint):
        raise IntegrityError(f"{name}: holds another jar than the one that was committed")
    return plaintext


def read_sealed(ports: Ports, jar_name: str, record: GenerationRecord) -> bytes:
    """Return the envelope as it was committed, or raise `IntegrityError`."""
    name = _name(jar_name, record)
    try:
        sealed = ports.store.get(generation_key(jar_name, record.id))
    except ObjectDenied as error:
        raise StoreError(f"{name}: is missing, or may not be read", hint=error.hint) from None
    except ObjectMissing:
        raise IntegrityError(f"{name}: is missing from the store") from None
    if not hmac.compare_digest(digest(sealed), record.digest):
        raise IntegrityError(f"{name}: is not what was committed")
    return sealed


def _put(ports: Ports, key: str, sealed: bytes) -> None:
    try:
        ours = put_once(ports.store, key, sealed)
    except StoreUnknown as error:
        raise StoreError(f"{error.message}; nothing was committed") from None
    if not ours:
        raise IntegrityError(f"object '{key}': something else lies in this generation's place")


def _name(jar_name: str, record: GenerationRecord) -> str:
    return f"jar '{jar_name}': generation {record.id[:8]}"
