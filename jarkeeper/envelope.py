"""Envelopes: one jar sealed in the message format of aws-encryption-sdk, with key commitment.

The caller's duties that the SDK leaves open are done here: the context is compared, trailing
bytes are refused, and every way to fail becomes the same error.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from jarkeeper.errors import EnvelopeError, JarkeeperError, KeyUnavailable
from jarkeeper.keys import KeyWrapper, WrappingKey
from jarkeeper.limits import LIMITS
from jarkeeper.names import GenerationId, VaultId

_REFUSED = "envelope: cannot be opened with this key for this jar and generation"
_ALGORITHM = "AES_256_GCM_HKDF_SHA512_COMMIT_KEY"


class Bound(Protocol):
    """What an envelope is bound to: authenticated with it, in clear in it, never a secret."""

    def pairs(self) -> dict[str, str]:
        """Return the encryption context as the message format has it."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the envelope of a generation is bound to."""

    vault: VaultId
    jar: str
    generation: GenerationId

    def pairs(self) -> dict[str, str]:
        """Return the encryption context as the message format has it."""
        return {"vault": self.vault, "jar": self.jar, "generation": self.generation}


def seal(plaintext: bytes, *, keys: WrappingKey, context: Bound) -> bytes:
    """Return the envelope: the plaintext under a fresh data key, bound to the context.

    `KeyUnavailable` where the wrapping key cannot be used.
    """
    try:
        sealed, _ = _client().encrypt(
            source=plaintext,
            key_provider=keys.provider(),
            algorithm=_algorithm(),
            encryption_context=context.pairs(),
            # One frame holds any jar: fewer forms for the same content.
            frame_length=LIMITS.envelope_bytes_max,
        )
    except JarkeeperError:
        raise
    except Exception as error:  # noqa: BLE001  # the SDK raises a dozen kinds of error
        raise KeyUnavailable(
            f"{keys.name}: no data key could be wrapped ({type(error).__name__})"
        ) from None
    return bytes(sealed)


def open_envelope(sealed: bytes, *, keys: KeyWrapper, context: Bound) -> bytes:
    """Return the plaintext, or raise `EnvelopeError` without saying which check failed.

    `context` is authenticated but not secret: naming another jar or generation fails. Where no key
    opens it and one cannot be asked, that is `KeyUnavailable`: it says nothing about the envelope.
    """
    if len(sealed) > LIMITS.envelope_bytes_max:
        raise EnvelopeError(_REFUSED)
    unavailable: KeyUnavailable | None = None
    for key in (keys, *keys.former):
        try:
            plaintext = open_with(key, sealed, context=context)
        except KeyUnavailable as error:
            unavailable = error  # a former key that is disabled keeps no other from opening
            continue
        if plaintext is not None:
            return plaintext
    raise unavailable or EnvelopeError(_REFUSED)


def open_with(key: WrappingKey, sealed: bytes, *, context: Bound) -> bytes | None:
    """Return the plaintext, None where this one key does not open the envelope."""
    provider = key.provider()
    try:
        return _opened(sealed, provider=provider, context=context)
    except EnvelopeError:
        return None
    except JarkeeperError:
        raise
    except Exception:  # noqa: BLE001  # see below
        # The SDK, its parser and `cryptography` raise a dozen kinds of error on hostile bytes, some
        # of which quote them: none leaves this function.
        return None


def _opened(sealed: bytes, *, provider: Any, context: Bound) -> bytes | None:
    source = io.BytesIO(sealed)
    with _client().stream(mode="d", source=source, key_provider=provider) as stream:
        plaintext = bytes(stream.read())
        header = stream.header
        complete = source.read(1) == b""
    expected = header.algorithm is _algorithm() and header.encryption_context == context.pairs()
    return plaintext if complete and expected else None


@cache
def _client() -> Any:
    from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient

    # It logs exceptions of messages that do not open; every one of them reaches our caller instead.
    logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL + 1)
    return EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
        max_encrypted_data_keys=1,
    )


@cache
def _algorithm() -> Any:
    from aws_encryption_sdk.identifiers import AlgorithmSuite

    return AlgorithmSuite[_ALGORITHM]
