"""A place for vaults on the cloud of the tests: a bucket, two keys, and roles with our policies."""

from __future__ import annotations

import json
import os
import runpy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from string import Template
from typing import Any

from cloud.server import Cloud
from jarkeeper.aws import Clients
from jarkeeper.keys.kms import KMSKey
from jarkeeper.settings import Settings
from jarkeeper.stores.s3 import S3Store

INFRASTRUCTURE = Path(__file__).parent.parent / "infrastructure"
render = runpy.run_path(str(INFRASTRUCTURE / "render.py"))["render"]
ROLES = ("task", "operator", "auditor")
NUMBERS = count(1)


def policy(name: str, **names: str) -> dict[str, Any]:
    """Return one of the project's policies with its names filled in."""
    template = Template((INFRASTRUCTURE / "policies" / f"{name}.json").read_text())
    wanted = template.get_identifiers()
    return json.loads(render(name, {key: names[key] for key in wanted}))


@dataclass
class Tenancy:
    """One bucket and its keys; `role` gives the variables of a process in that role."""

    cloud: Cloud
    prefix: str = ""
    bucket: str = field(default_factory=lambda: f"jars-{os.getpid()}-{next(NUMBERS)}")

    def __post_init__(self) -> None:
        self.kms_key = self.cloud.make_key()
        self.bucket_key = self.cloud.make_key()
        self.cloud.make_bucket(self.bucket, kms_key=self.bucket_key)

    def names(self, **changed: str) -> dict[str, str]:
        """Return what the policies' placeholders stand for."""
        account = self.cloud.account
        roles = {f"{role}_role_arn": self.role_arn(role) for role in (*ROLES, "break_glass")}
        return {
            "bucket": self.bucket,
            "prefix": self.prefix,
            "kms_key_arn": self.kms_key,
            "bucket_key_arn": self.bucket_key,
            "vault_id": "*",
            "region": self.cloud.region,
            "account_id": account,
            **roles,
            **changed,
        }

    def role_arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.cloud.account}:role/{self.bucket}-{role}"

    def role(self, role: str, **changed: str) -> dict[str, str]:
        """Return the variables of AWS for a process in this role, under its policy."""
        return self.cloud.assume(f"{self.bucket}-{role}", policy(role, **self.names(**changed)))

    def enforce(self) -> None:
        """Put the bucket's and the envelope key's own policies in force."""
        document = json.dumps(policy("bucket", **self.names()))
        self.cloud.admin("s3").put_bucket_policy(Bucket=self.bucket, Policy=document)
        self.put_key_policy(self.names())

    def put_key_policy(self, names: dict[str, str]) -> None:
        """Put the envelope key's own policy in force, with these names filled in."""
        document = json.dumps(policy("envelope-key", **names))
        self.cloud.admin("kms").put_key_policy(
            KeyId=self.kms_key.rpartition("/")[2], PolicyName="default", Policy=document
        )

    def variables(self, state_dir: Path, aws: dict[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a process that uses the vault here."""
        return {
            **(self.cloud.environment if aws is None else aws),
            "COOKIE_S3_BUCKET": self.bucket,
            "COOKIE_S3_PREFIX": self.prefix,
            "COOKIE_S3_KMS_KEY_ID": self.bucket_key,
            "COOKIE_KMS_KEY_ID": self.kms_key,
            "JARKEEPER_STATE_DIR": str(state_dir),
        }

    def settings(self, state_dir: Path, aws: dict[str, str] | None = None) -> Settings:
        """Return the settings of such a process."""
        return Settings.read(self.variables(state_dir, aws))

    def store(self, aws: dict[str, str] | None = None) -> S3Store:
        """Return the bucket as a store."""
        return S3Store(
            self.clients(aws), bucket=self.bucket, prefix=self.prefix, kms_key=self.bucket_key
        )

    def key(self, aws: dict[str, str] | None = None) -> KMSKey:
        """Return the key that wraps."""
        return KMSKey(self.clients(aws), self.kms_key)

    def clients(self, aws: dict[str, str] | None = None) -> Clients:
        """Return clients of AWS, the administrator's unless a role's variables are given."""
        return Clients.of(self.cloud.environment if aws is None else aws)
