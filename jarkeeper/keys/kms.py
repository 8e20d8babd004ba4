"""A wrapping key in KMS, as aws-encryption-sdk wants it. It never leaves KMS: data keys go there.

The messages are those of the stock `KMSMasterKey`, provider `aws-kms` with the key's ARN, so that
stock tools open them. Ours calls KMS by the name that was set: so an alias will do, which KMS
itself compares with the key that wrapped, and its refusals keep their meaning.
"""

from __future__ import annotations

from typing import Any

from aws_encryption_sdk.exceptions import IncorrectMasterKeyError
from aws_encryption_sdk.key_providers.base import MasterKey, MasterKeyConfig
from aws_encryption_sdk.structures import DataKey, MasterKeyInfo

from jarkeeper.aws import Clients, failure_of
from jarkeeper.errors import EnvelopeError, KeyUnavailable

PROVIDER_ID = "aws-kms"
NOT_THIS_KEY = ("InvalidCiphertextException", "IncorrectKeyException")
"""KMS's words for a wrong context, a changed data key, and the data key of another key."""


class KMSKey:
    """A key of KMS that wraps data keys: its id, its ARN or an alias."""

    root: bytes | None = None

    def __init__(self, clients: Clients, key_id: str) -> None:
        self._clients = clients
        self._key_id = key_id
        self._arn: str | None = None

    def __repr__(self) -> str:
        return f"KMSKey('{self._key_id}')"

    def __reduce__(self) -> Any:
        raise TypeError("a key is never pickled or copied")

    @property
    def name(self) -> str:
        """How messages call the key."""
        return f"KMS key '{self._key_id}'"

    @property
    def id(self) -> str:
        """The key's ARN, once KMS has told it: an alias may point elsewhere one day."""
        return self._arn or self._key_id

    def on_file(self) -> dict[str, str]:
        """Return which key it is."""
        return {"kms": self.id}

    def provider(self) -> Any:
        """Return the master key that has KMS wrap and unwrap data keys."""
        return _MasterKey(config=_Config(key_id=self._key_id, key=self))

    def generate(self, context: dict[str, str], size: int) -> dict[str, Any]:
        """Return a fresh data key of that many bytes, as KMS answers it."""
        request = {"KeyId": self._key_id, "NumberOfBytes": size, "EncryptionContext": context}
        return self._asked("generate_data_key", request, size=size)

    def decrypt(self, wrapped: bytes, context: dict[str, str], size: int) -> dict[str, Any]:
        """Return the data key, as KMS answers it; `EnvelopeError` if it is not this key's."""
        request = {"KeyId": self._key_id, "CiphertextBlob": wrapped, "EncryptionContext": context}
        return self._asked("decrypt", request, size=size)

    def _asked(self, call: str, request: dict[str, Any], *, size: int) -> dict[str, Any]:
        client = self._clients.get("kms", region=region_of(self._key_id))
        try:
            answer: dict[str, Any] = getattr(client, call)(**request)
        except Exception as error:
            # It is there and None where the connection broke before an answer.
            response: dict[str, Any] = getattr(error, "response", None) or {}
            if response.get("Error", {}).get("Code") in NOT_THIS_KEY:
                raise EnvelopeError(f"{self.name}: is not the key, or not the place") from None
            failure = failure_of(error, what=self.name)
            raise KeyUnavailable(failure.message, hint=failure.hint) from None
        if not answer.get("KeyId") or len(answer.get("Plaintext") or b"") != size:
            # A proxy says yes to anything; that says nothing of an envelope.
            raise KeyUnavailable(
                f"{self.name}: the answer holds no data key",
                hint="look what stands between this machine and KMS, such as a proxy",
            )
        self._arn = answer["KeyId"]
        return answer


def region_of(key_id: str) -> str | None:
    """Return the region that an ARN names: it need not be the one of everything else."""
    parts = key_id.split(":")
    return parts[3] if len(parts) > 3 else None


class _Config(MasterKeyConfig):  # type: ignore[misc]  # the SDK ships no types
    provider_id = PROVIDER_ID

    def __init__(self, *, key_id: str, key: KMSKey) -> None:
        super().__init__(key_id=key_id)
        self.key = key


class _MasterKey(MasterKey):  # type: ignore[misc]  # the SDK ships no types
    provider_id = PROVIDER_ID
    _config_class = _Config

    def owns_data_key(self, data_key: Any) -> bool:
        """Whether KMS made it; which of its keys, KMS says when it is asked."""
        return bool(data_key.key_provider.provider_id == PROVIDER_ID)

    def _generate_data_key(self, algorithm: Any, encryption_context: Any = None) -> Any:
        answer = self.config.key.generate(encryption_context, algorithm.kdf_input_len)
        return DataKey(
            key_provider=MasterKeyInfo(provider_id=PROVIDER_ID, key_info=answer["KeyId"]),
            data_key=answer["Plaintext"],
            encrypted_data_key=answer["CiphertextBlob"],
        )

    def _encrypt_data_key(self, *_: Any, **__: Any) -> Any:
        raise IncorrectMasterKeyError("one key wraps: it makes the data keys itself")

    def _decrypt_data_key(
        self,
        encrypted_data_key: Any,
        algorithm: Any,
        encryption_context: Any = None,
    ) -> Any:
        wrapped = encrypted_data_key.encrypted_data_key
        answer = self.config.key.decrypt(wrapped, encryption_context, algorithm.kdf_input_len)
        return DataKey(
            key_provider=encrypted_data_key.key_provider,
            data_key=answer["Plaintext"],
            encrypted_data_key=wrapped,
        )
