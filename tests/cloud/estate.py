"""What moto holds, read for the decision: buckets, objects, keys, parameters, policies.

Everything that knows moto's insides is in this file, so that a new moto has one place to break.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.kms.utils import generate_private_key
from moto.s3.models import FakeDeleteMarker, s3_backends
from moto.ssm.models import ssm_backends
from moto.sts.models import sts_backends

from cloud.evaluator import Policy

ACCOUNT = "123456789012"
BLOB_KEY_ID_BYTES = 36


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key; `policy` is its key policy, `state` as KMS names it."""

    id: str
    arn: str
    state: str
    policy: Policy
    is_managed_by_aws: bool


_users = contextlib.ExitStack()
_count = 0


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """Take moto's own checks of bucket and key policies away while at least one cloud runs.

    They ignore conditions, so they would deny what IAM allows. The last cloud to end forgets all
    state.
    """
    global _count
    _count += 1
    if _count == 1:
        permitted = mock.patch(
            "moto.s3.models.FakeBucket.get_permission", return_value=PermissionResult.PERMITTED
        )
        _users.enter_context(permitted)
        _users.enter_context(mock.patch("moto.kms.responses.validate_policy"))
        _users.enter_context(mock.patch("moto.kms.models.generate_private_key", _private_key))
        _users.callback(forget)
    try:
        yield
    finally:
        _count -= 1
        if _count == 0:
            _users.close()


def _private_key(key_spec: str) -> object:
    """Spare a symmetric key the RSA key that moto makes for it in vain, in 50 ms."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else generate_private_key(key_spec)


def forget() -> None:
    """Empty every service."""
    BackendDict.reset()
    reset_model_data()


def bucket(name: str) -> Any | None:
    return s3_backends[ACCOUNT]["aws"].buckets.get(name)


def bucket_policy(name: str) -> Policy | None:
    found = bucket(name)
    return json.loads(found.policy) if found and found.policy else None


def stored(bucket_name: str, key: str, version: str | None = None) -> Any | None:
    """Return an object, or nothing for a missing one and a delete marker."""
    found = bucket(bucket_name)
    if found is None:
        return None
    if version is None:
        current = found.keys.get(key)
    else:
        versions = found.keys.getlist(key, default=[])
        current = next((x for x in versions if str(x.version_id) == version), None)
    return None if isinstance(current, FakeDeleteMarker) else current


def upload(bucket_name: str, upload_id: str) -> Any | None:
    found = bucket(bucket_name)
    return found.multiparts.get(upload_id) if found else None


def key(named: str, region: str) -> Key | None:
    """Return the KMS key of an id, ARN, alias or alias ARN."""
    backend = kms_backends[ACCOUNT][region]
    with contextlib.suppress(Exception):  # an unknown alias of moto's ends in many ways
        found = backend.keys.get(backend.any_id_to_key_id(named))
        if found is not None:
            managed = any(alias.startswith("alias/aws/") for alias in found.aliases)
            policy = json.loads(found.policy)
            return Key(found.id, found.arn, found.key_state, policy, managed)
    return None


def key_of_blob(blob: str, region: str) -> Key | None:
    """Return the key that a ciphertext names."""
    with contextlib.suppress(ValueError):
        head = base64.b64decode(blob)[:BLOB_KEY_ID_BYTES]
        return key(head.decode("ascii", "replace"), region)
    return None


def aliases(found: Key, region: str) -> tuple[str, ...]:
    return tuple(kms_backends[ACCOUNT][region].keys[found.id].aliases)


def parameter(name: str, region: str) -> Any | None:
    versions = dict.get(ssm_backends[ACCOUNT][region]._parameters, name.split(":")[0])
    return versions[-1] if versions else None


def parameters_below(path: str, region: str) -> list[Any]:
    known = ssm_backends[ACCOUNT][region]._parameters
    return [versions[-1] for name, versions in known.items() if name.startswith(path)]


def session(access_key_id: str) -> Any | None:
    """Return the assumed role of temporary credentials."""
    roles = sts_backends[ACCOUNT]["aws"].assumed_roles
    return next((x for x in roles if x.access_key_id == access_key_id), None)


def user_of(access_key_id: str) -> tuple[Any, str] | None:
    """Return the IAM user of an access key, and the key's secret."""
    for user in iam_backends[ACCOUNT]["aws"].users.values():
        for access_key in user.access_keys:
            if access_key.access_key_id == access_key_id and access_key.status == "Active":
                return user, access_key.secret_access_key
    return None


def role(arn: str) -> Any | None:
    roles = iam_backends[ACCOUNT]["aws"].roles.values()
    return next((x for x in roles if x.arn == arn), None)


def identity_policies(holder: Any) -> tuple[Policy, ...]:
    """Return the inline and attached policies of a role or user."""
    inline = holder.policies
    documents = list(inline.values() if hasattr(inline, "values") else inline)
    managed = [managed_document(x) for x in holder.managed_policies.values()]
    return tuple(json.loads(x) if isinstance(x, str) else x for x in documents + managed)


def boundary(holder: Any) -> tuple[Policy, ...] | None:
    """Return the permissions boundary of a role, if it has one."""
    arn = getattr(holder, "permissions_boundary_arn", None)
    found = iam_backends[ACCOUNT]["aws"].managed_policies.get(arn) if arn else None
    return (json.loads(managed_document(found)),) if found else None


def managed_document(policy: Any) -> str:
    return next(x.document for x in policy.versions if x.is_default)
