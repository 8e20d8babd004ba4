"""A loopback AWS for the block: a bucket, a key, and a role that an administrator may take."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cloud.identities import ADMIN_KEY as ACCESS_KEY
from cloud.identities import ADMIN_SECRET as SECRET
from cloud.server import REGION, allow
from cloud.server import Cloud as Server

__all__ = ["ACCESS_KEY", "REGION", "ROLE", "SECRET", "TOKEN", "Cloud", "cloud"]

NAME = "block-user"
ROLE = f"arn:aws:iam::123456789012:role/{NAME}"
TOKEN = "KANARIt0k3n5c2e88f1"


@dataclass(frozen=True)
class Cloud:
    """Where it listens, and what was made there: a KMS key and a bucket."""

    server: Server
    key: str
    bucket: str

    @property
    def url(self) -> str:
        return self.server.url

    def client(self, service: str) -> Any:
        return self.server.admin(service)


@contextlib.contextmanager
def cloud(name: str) -> Iterator[Cloud]:
    """Yield an AWS with an empty bucket of that name; all of a process's clouds are one AWS."""
    with Server() as server:
        server.assume(NAME, allow("*", "*"))
        yield Cloud(server, server.make_key(), server.make_bucket(name))
