"""The needs of KMS and SSM requests."""

from __future__ import annotations

import json
from typing import Any

from cloud import estate
from cloud.estate import ACCOUNT
from cloud.needs import Need, kms_need
from cloud.refusals import Refused
from cloud.wire import Request

Json = dict[str, Any]
PARAMETER_OPERATIONS = frozenset(
    {"PutParameter", "GetParameter", "DeleteParameter", "GetParameterHistory"}
)


def _body(request: Request) -> Json:
    return json.loads(request.body or b"{}")


def kms_needs(request: Request) -> list[Need]:
    """Return the needs of a KMS request; the key is named, or written in the ciphertext."""
    body, region, operation = _body(request), request.scope[1], request.operation
    if operation == "ReEncrypt":
        return _reencrypt(body, region)
    named = body.get("KeyId") or body.get("TargetKeyId") or body.get("AliasName")
    key = estate.key(named, region) if named else None
    if operation == "Decrypt":
        wrapped = estate.key_of_blob(body.get("CiphertextBlob", ""), region) or key
        if key is not None and key != wrapped:
            # moto says AccessDenied here, which AWS keeps for who may not use the key.
            raise Refused("incorrect key", "The key did not encrypt this ciphertext.")
        key = wrapped
    if key is None:
        return [Need(f"kms:{operation}", "*" if not named else _unknown(named, region))]
    context = body.get("EncryptionContext") or {}
    alias = named if named and named.startswith("alias/") else ""
    return [kms_need(operation, key, context=context, region=region, alias=alias)]


def _unknown(named: str, region: str) -> str:
    return named if named.startswith("arn:") else f"arn:aws:kms:{region}:{ACCOUNT}:key/{named}"


def _reencrypt(body: Json, region: str) -> list[Need]:
    source = estate.key_of_blob(body["CiphertextBlob"], region)
    target = estate.key(body["DestinationKeyId"], region)
    sides = (
        ("ReEncryptFrom", source, body.get("SourceEncryptionContext")),
        ("ReEncryptTo", target, body.get("DestinationEncryptionContext")),
    )
    return [
        kms_need(name, key, context=context or {}, region=region)
        for name, key, context in sides
        if key is not None
    ]


def ssm_needs(request: Request) -> list[Need]:
    """Return the needs of a Parameter Store request, and KMS's where a value is a secret."""
    body, region, operation = _body(request), request.scope[1], request.operation
    action = f"ssm:{operation}"
    if operation == "GetParametersByPath":
        below = estate.parameters_below(body["Path"], region)
        return [Need(action, _arn(body["Path"], region)), *_decrypts(below, body, region)]
    names = [body["Name"]] if operation in PARAMETER_OPERATIONS else body.get("Names", [])
    if not names:
        return [Need(action, f"arn:aws:ssm:{region}:{ACCOUNT}:*")]
    found = [estate.parameter(name, region) for name in names]
    needs = [Need(action, _arn(name, region)) for name in names]
    if operation == "PutParameter":
        return needs + _encrypts(body, region)
    return needs + _decrypts([x for x in found if x is not None], body, region)


def _arn(name: str, region: str) -> str:
    if name.startswith("arn:"):
        return name
    return f"arn:aws:ssm:{region}:{ACCOUNT}:parameter/{name.split(':')[0].lstrip('/')}"


def _decrypts(parameters: list[Any], body: Json, region: str) -> list[Need]:
    if not body.get("WithDecryption"):
        return []
    secrets = [x for x in parameters if x.parameter_type == "SecureString"]
    return [need for x in secrets for need in _use("Decrypt", x.name, x.keyid, region)]


def _encrypts(body: Json, region: str) -> list[Need]:
    if body.get("Type") != "SecureString":
        return []
    return _use("Encrypt", body["Name"], body.get("KeyId"), region)


def _use(operation: str, name: str, key_id: str | None, region: str) -> list[Need]:
    """AWS's own key for parameters serves everyone in the account, so it needs nothing."""
    key = estate.key(key_id, region) if key_id else None
    if key is None or key.is_managed_by_aws:
        return []
    context = {"PARAMETER_ARN": _arn(name, region)}
    return [kms_need(operation, key, context=context, region=region, via="ssm")]
