"""AWS for tests: moto over HTTP, with the two words of KMS that moto does not say by itself."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import boto3
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend
from moto.kms.utils import decrypt
from moto.moto_api._internal import moto_api_backend
from moto.server import ThreadedMotoServer

from jarkeeper.aws import Clients
from jarkeeper.keys import WrappingKey
from jarkeeper.keys.kms import KMSKey
from jarkeeper.keys.local import LocalKey

REGION = "eu-central-1"
OTHER_REGION = "us-west-2"


@dataclass
class AWS:
    """A server, and clients of it as an operator has them."""

    url: str
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def variables(self, region: str = REGION) -> dict[str, str]:
        """Return the environment that leads a process to this server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = REGION) -> Any:
        if (service, region) not in self.clients:
            self.clients[service, region] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=region,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            )
        return self.clients[service, region]

    def key(self, arn: str | None = None) -> KMSKey:
        """Return a wrapping key: a new one of KMS, or that one as another process opens it."""
        return KMSKey(Clients.of(self.variables()), arn or self.make_key())

    def reopen(self, fields: Mapping[str, str]) -> WrappingKey:
        """Return a former key, as the wiring does."""
        if "kms" in fields:
            return self.key(fields["kms"])
        return LocalKey(base64.b64decode(fields["local"]), name="former local key")

    def make_key(self, region: str = REGION) -> str:
        """Return the ARN of a new key."""
        return self.client("kms", region).create_key()["KeyMetadata"]["Arn"]

    def make_bucket(self, name: str, region: str = REGION) -> str:
        where = {"LocationConstraint": region}
        self.client("s3", region).create_bucket(Bucket=name, CreateBucketConfiguration=where)
        return name

    def disable(self, arn: str) -> None:
        self.client("kms", arn.split(":")[3]).disable_key(KeyId=arn.rpartition("/")[2])

    def enable(self, arn: str) -> None:
        self.client("kms", arn.split(":")[3]).enable_key(KeyId=arn.rpartition("/")[2])

    def reset(self) -> None:
        moto_api_backend.reset()

    def close(self) -> None:
        for client in self.clients.values():
            client.close()


@contextmanager
def running_aws() -> Iterator[AWS]:
    """Give a server on a free port, for the length of a `with` block."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with (
        patch.object(KmsBackend, "decrypt", _decrypt),
        patch.object(KmsBackend, "generate_data_key", _generate(KmsBackend.generate_data_key)),
    ):
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        room = AWS(f"http://{host}:{port}")
        try:
            yield room
        finally:
            room.close()
            server.stop()


def _decrypt(self, ciphertext_blob, encryption_context, key_id=None):
    plaintext, actual = decrypt(
        master_keys=self.keys,
        ciphertext_blob=ciphertext_blob,
        encryption_context=encryption_context,
    )
    _require_enabled(self, actual if key_id is None else self.any_id_to_key_id(key_id))
    if key_id is not None and self.any_id_to_key_id(key_id) != actual:
        raise JsonRESTError("IncorrectKeyException", "another key wrapped this")
    return plaintext, self.keys[actual].arn


def _generate(original):
    def generate(self, key_id, *rest, **options):
        _require_enabled(self, self.any_id_to_key_id(key_id))
        return original(self, key_id, *rest, **options)

    return generate


def _require_enabled(backend, key_id):
    if backend.keys[key_id].key_state != "Enabled":
        raise JsonRESTError("DisabledException", "the key is disabled")
