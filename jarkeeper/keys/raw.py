"""A raw AES-256 wrapping key, as aws-encryption-sdk wants it. Imported only when one is used."""

from __future__ import annotations

from typing import Any

from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider

PROVIDER_ID = "jarkeeper"
KEY_ID = b"local"


class _Provider(RawMasterKeyProvider):  # type: ignore[misc]  # the SDK ships no types
    """Knows one key."""

    provider_id = PROVIDER_ID

    wrapping_key: Any = None

    def _get_raw_key(self, key_id: bytes) -> Any:  # noqa: ARG002  # there is only one
        return self.wrapping_key


def raw_provider(key: bytes) -> Any:
    """Return a provider that wraps data keys with AES-256-GCM under this key."""
    provider = _Provider()
    provider.wrapping_key = WrappingKey(
        wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
        wrapping_key=key,
        wrapping_key_type=EncryptionKeyType.SYMMETRIC,
    )
    provider.add_master_key(KEY_ID)
    return provider
