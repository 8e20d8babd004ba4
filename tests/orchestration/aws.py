"""A loopback AWS for the block: moto over HTTP, with a bucket and a key."""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

REGION = "eu-central-1"
ROLE = "arn:aws:iam::123456789012:role/jarkeeper"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "KANARIs3cr3t9b1d77e0"
TOKEN = "KANARIt0k3n5c2e88f1"


@dataclass(frozen=True)
class Cloud:
    """Where it listens, and what it made: a KMS key and a bucket."""

    url: str
    key: str = ""
    bucket: str = ""

    def client(self, service: str):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET,
        )


@contextlib.contextmanager
def cloud() -> Iterator[Cloud]:
    """Yield an AWS with an empty bucket and a key; one request at a time: moto locks nothing."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        here = Cloud(f"http://127.0.0.1:{server.server_port}")
        key = here.client("kms").create_key()["KeyMetadata"]["KeyId"]
        place = {"LocationConstraint": REGION}
        # All of moto's servers in one process are one AWS: a name of its own.
        bucket = f"jars-{uuid.uuid4().hex}"
        here.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        yield Cloud(here.url, key, bucket)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
