"""IAM's decision, pure: what the policies around one request add up to within one account.

Written from AWS's documentation ("policy evaluation logic"). Anything denied explicitly is denied.
Then the identity policies or the resource's policy must allow it, and every limit (a permissions
boundary, a session policy) as well, unless the resource's policy names the very session. KMS keys
and roles differ: their own policy must allow, by naming the caller, or by naming the account, which
leaves the choice to the identity policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cloud.conditions import Missing, Values, arn_matches, as_list, expand, glob, hold

Policy = Mapping[str, Any]


class Verdict(StrEnum):
    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicit deny"
    NO_ALLOW = "no allow"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `arn` is a role's or user's; `session_arn` the session's where there is one."""

    arn: str
    account: str
    session_arn: str = ""
    service: str = ""


ANONYMOUS = Caller("anonymous", "")


@dataclass(frozen=True, slots=True)
class Ask:
    """One action on one resource, with the condition keys of the request (any case)."""

    caller: Caller
    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def values(self) -> Values:
        return {
            key.lower(): (value,) if isinstance(value, str) else tuple(value)
            for key, value in self.context.items()
        }


@dataclass(frozen=True, slots=True)
class Policies:
    """All that has a say. `resource_rules`: the resource's policy must allow (KMS keys, roles)."""

    identity: tuple[Policy, ...] = ()
    resource: Policy | None = None
    limits: tuple[tuple[Policy, ...], ...] = ()
    resource_rules: bool = False


def decide(ask: Ask, policies: Policies) -> Verdict:
    """Return the verdict, and with it whether an explicit deny was the reason."""
    values = ask.values()
    identity = _effects(policies.identity, ask, values)
    resource = _resource_effects(policies.resource, ask, values)
    limits = [_effects(limit, ask, values) for limit in policies.limits]
    if "Deny" in identity | resource | {x for limit in limits for x in limit}:
        return Verdict.EXPLICIT_DENY
    by_identity, by_resource = "Allow" in identity, "Allow" in resource
    if policies.resource_rules:
        allowed = by_resource or ("Delegate" in resource and by_identity)
    else:
        allowed = by_identity or by_resource
    within = all("Allow" in limit for limit in limits) or "Allow session" in resource
    return Verdict.ALLOWED if allowed and within else Verdict.NO_ALLOW


def _effects(policies: Iterable[Policy], ask: Ask, values: Values) -> set[str]:
    return {
        statement["Effect"]
        for policy in policies
        for statement in statements(policy)
        if _applies(statement, ask, values)
    }


def _resource_effects(policy: Policy | None, ask: Ask, values: Values) -> set[str]:
    effects = set()
    for statement in statements(policy or {}):
        match = _principal(statement, ask.caller)
        if match and _applies(statement, ask, values):
            delegates = match == "account" and statement["Effect"] == "Allow"
            effects.add("Delegate" if delegates else statement["Effect"])
            effects.add(f"{statement['Effect']} {match}")
    return effects


def statements(policy: Policy) -> list[Mapping[str, Any]]:
    """Return a policy's statements; one alone may stand without a list."""
    found = policy.get("Statement", [])
    return [found] if isinstance(found, Mapping) else list(found)


def _applies(statement: Mapping[str, Any], ask: Ask, values: Values) -> bool:
    return (
        _action(statement, ask.action)
        and _resource(statement, ask.resource, values)
        and hold(statement.get("Condition", {}), values)
    )


def _action(statement: Mapping[str, Any], action: str) -> bool:
    def named(element: str) -> bool:
        return any(glob(x.lower(), action.lower()) for x in as_list(statement[element]))

    return named("Action") if "Action" in statement else not named("NotAction")


def _resource(statement: Mapping[str, Any], resource: str, values: Values) -> bool:
    """A trust policy names no resource: it is about the role that it belongs to."""

    if "NotResource" in statement:
        return all(_names(x, resource, values) is False for x in as_list(statement["NotResource"]))
    wanted = as_list(statement.get("Resource", "*"))
    return any(_names(x, resource, values) for x in wanted)


def _names(pattern: str, resource: str, values: Values) -> bool | None:
    """Say whether the pattern means the resource; neither yes nor no if a variable has no value."""
    try:
        return arn_matches(expand(pattern, values), resource)
    except Missing:
        return None


def _principal(statement: Mapping[str, Any], caller: Caller) -> str:
    """Say how a resource's policy means the caller: "session", "name", "account", or not at all."""
    if "NotPrincipal" in statement:
        return "" if _match(statement["NotPrincipal"], caller) else "name"
    return _match(statement.get("Principal", {}), caller)


def _match(principal: str | Mapping[str, Any], caller: Caller) -> str:
    if principal == "*":
        return "name"
    if not isinstance(principal, Mapping):
        return ""
    if caller.service:
        return "name" if caller.service in as_list(principal.get("Service", [])) else ""
    wanted = set(as_list(principal.get("AWS", [])))
    if caller.session_arn in wanted:
        return "session"
    if "*" in wanted or caller.arn in wanted:
        return "name"
    account = {caller.account, f"arn:aws:iam::{caller.account}:root"}
    return "account" if caller.account and wanted & account else ""
