"""A small account that the enforcement cases ask their questions in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from cloud.server import Cloud, client

Json = dict[str, Any]
ACCOUNT = "123456789012"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
ROLE = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/task"}
DELEGATED = {"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}
CONTEXT = {"vault": "v", "jar": "youtube"}


def grant(actions: str | list[str], resources: str | list[str] = "*", **more: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: str | list[str], resources: str | list[str] = "*", **more: Any) -> Json:
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **more}


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@dataclass(frozen=True, slots=True)
class Case:
    """Policies, a request, and the code it ends with; `<key>` stands for the key's ARN.

    The bucket policy is that of the bucket `plain`; only cases that are about it have the bucket
    `sealed`, which encrypts with the key.
    """

    name: str
    request: Callable[[World], object]
    expected: str
    identity: tuple[Json, ...] = ()
    bucket: tuple[Json, ...] = ()
    key: tuple[Json, ...] = (DELEGATED,)
    tls: bool = False
    session: tuple[Json, ...] = ()
    has_sealed: bool = False


class World:
    """The account, with a role `task` that has the case's policy."""

    def __init__(self, cloud: Cloud, case: Case) -> None:
        hand = cloud.admin("s3")
        self.cloud = cloud
        self.key = cloud.make_key(policy(*case.key))
        cloud.make_bucket("plain")
        hand.put_object(Bucket="plain", Key="cookies/a", Body=b"a")
        if case.bucket:
            hand.put_bucket_policy(Bucket="plain", Policy=self._filled(*case.bucket))
        if case.has_sealed:
            cloud.make_bucket("sealed", kms_key=self.key)
            for key in ("cookies/a", "audit/a"):
                hand.put_object(Bucket="sealed", Key=key, Body=b"a")
        session = json.loads(self._filled(*case.session)) if case.session else None
        identity = json.loads(self._filled(*case.identity)) if case.identity else None
        self.variables = cloud.assume("task", identity, session_policy=session)

    def _filled(self, *statements: Json) -> str:
        return json.dumps(policy(*statements)).replace("<key>", self.key)

    @cached_property
    def s3(self) -> Any:
        return client("s3", self.variables)

    @cached_property
    def kms(self) -> Any:
        return client("kms", self.variables)

    @cached_property
    def ssm(self) -> Any:
        return client("ssm", self.variables)

    @cached_property
    def sts(self) -> Any:
        return client("sts", self.variables)

    @cached_property
    def iam(self) -> Any:
        return client("iam", self.variables)

    @cached_property
    def blob(self) -> bytes:
        kms = self.cloud.admin("kms")
        sealed = kms.encrypt(KeyId=self.key, Plaintext=b"x", EncryptionContext=CONTEXT)
        return sealed["CiphertextBlob"]

    def version(self, bucket: str, key: str) -> str:
        return self.cloud.admin("s3").head_object(Bucket=bucket, Key=key)["VersionId"]

    def parameter(self, name: str, *, secret: bool) -> str:
        more = {"Type": "SecureString", "KeyId": self.key} if secret else {"Type": "String"}
        self.cloud.admin("ssm").put_parameter(Name=name, Value="v", **more)
        return name

    def close(self) -> None:
        for name in ("s3", "kms", "ssm", "sts", "iam"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def outcome(self, request: Callable[[World], object]) -> str:
        """Return "ok", or the code of the error that the request ended with."""
        try:
            request(self)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "ok"
