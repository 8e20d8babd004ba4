"""Envelopes: one jar sealed in the message format of aws-encryption-sdk, with key commitment.

The caller's duties that the SDK leaves open are done here: the context is compared, trailing
bytes are refused, and every way to fail becomes the same error.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from functools import cache
from typing import Any

from jarkeeper.errors import EnvelopeError, JarkeeperError, KeyUnavailable
from jarkeeper.keys import KeyWrapper
from jarkeeper.limits import LIMITS
from jarkeeper.names import GenerationId, VaultId

_REFUSED = "envelope: cannot be opened with this key for this jar and generation"
_ALGORITHM = "AES_256_GCM_HKDF_SHA512_COMMIT_KEY"


@dataclass(frozen=True, slots=True)
class Context:
    """What is authenticated with an envelope and stands in it in clear: never a secret."""

    vault: VaultId
    jar: str
    generation: GenerationId

    def pairs(self) -> dict[str, str]:
        """Return the encryption context as the message format has it."""
        return {"vault": self.vault, "jar": self.jar, "generation": self.generation}


def seal(plaintext: bytes, *, keys: KeyWrapper, context: Context) -> bytes:
    """Return the envelope: the plaintext under a fresh data key, bound to the context."""
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
    except Exception as error:  # noqa: BLE001  # KMS clients raise anything
        raise KeyUnavailable(
            f"{keys.name}: no data key could be wrapped ({type(error).__name__})"
        ) from None
    return bytes(sealed)


def open_envelope(sealed: bytes, *, keys: KeyWrapper, context: Context) -> bytes:
    """Return the plaintext, or raise `EnvelopeError` without saying which check failed.

    `context` is authenticated but not secret: naming another jar or generation fails.
    """
    if len(sealed) > LIMITS.envelope_bytes_max:
        raise EnvelopeError(_REFUSED)
    provider = keys.provider()
    try:
        plaintext = _opened(sealed, provider=provider, context=context)
    except JarkeeperError:
        raise
    except Exception:  # noqa: BLE001  # see below
        # The SDK, its parser and `cryptography` raise a dozen kinds of error on hostile bytes, some
        # of which quote them: none leaves this function.
        plaintext = None
    if plaintext is None:
        raise EnvelopeError(_REFUSED)
    return plaintext


def _opened(sealed: bytes, *, provider: Any, context: Context) -> bytes | None:
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
