"""AWS in two regions, seen by an administrator: for vaults that move between places and keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cloud.identities import HAND_KEY, HAND_SECRET
from cloud.server import REGION, Cloud, client
from jarkeeper.aws import Clients
from jarkeeper.keys import WrappingKey
from jarkeeper.keys.kms import KMSKey
from jarkeeper.keys.local import LocalKey

OTHER_REGION = "us-west-2"


@dataclass
class AWS:
    """A cloud, and clients of it as an administrator has them."""

    cloud: Cloud
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def variables(self, region: str = REGION) -> dict[str, str]:
        """Return the environment that leads a process to this cloud."""
        return {
            **self.cloud.environment,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = REGION) -> Any:
        if (service, region) not in self.clients:
            hand = {"AWS_ACCESS_KEY_ID": HAND_KEY, "AWS_SECRET_ACCESS_KEY": HAND_SECRET}
            self.clients[service, region] = client(service, self.variables(region) | hand)
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
        self.cloud.reset()

    def close(self) -> None:
        for each in self.clients.values():
            each.close()


@contextmanager
def running_aws() -> Iterator[AWS]:
    """Give a cloud of one's own, for the length of a `with` block."""
    with Cloud() as cloud:
        room = AWS(cloud)
        try:
            yield room
        finally:
            room.close()
