"""What a request needs to be allowed: its actions, on which resources, under which conditions."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloud import estate
from cloud.estate import ACCOUNT, Key
from cloud.evaluator import Policy
from cloud.wire import Request

Context = dict[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Need:
    """One action that must be allowed; `key` is the KMS key whose state matters too."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    policy: Policy | None = None
    resource_rules: bool = False
    key: Key | None = None


def kms_need(
    operation: str,
    key: Key,
    *,
    context: dict[str, str],
    region: str,
    via: str = "",
    alias: str = "",
) -> Need:
    """Return the need of one KMS operation; `via` is the service that asks for the caller."""
    conditions: Context = {f"kms:EncryptionContext:{k}": v for k, v in context.items()}
    if context:
        conditions["kms:EncryptionContextKeys"] = tuple(context)
    conditions["kms:CallerAccount"] = ACCOUNT
    conditions["kms:ResourceAliases"] = estate.aliases(key, region)
    if via:
        conditions["kms:ViaService"] = f"{via}.{region}.amazonaws.com"
        conditions["aws:ViaAWSService"] = "true"
    if alias:
        conditions["kms:RequestAlias"] = alias
    return Need(f"kms:{operation}", key.arn, conditions, key.policy, resource_rules=True, key=key)


def needs_of(request: Request) -> list[Need]:
    """Return all needs of a request, the main one first."""
    from cloud import needs_json, needs_query, needs_s3

    match request.service:
        case "s3":
            return needs_s3.needs(request)
        case "kms":
            return needs_json.kms_needs(request)
        case "ssm":
            return needs_json.ssm_needs(request)
        case _:
            return needs_query.needs(request)
