"""Random policies and requests, for asking two evaluators the same question.

Left out is what the other one (see `test_second_opinion.py`) does not do, or not as AWS documents
it; `test_evaluator.py` has cases of our own for each: `kms:EncryptionContext:…` (it ignores the
key), a literal `*` in a resource, the network 0.0.0.0/0, `ForAnyValue:…IfExists` without the key,
and limits together with a resource's policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from cloud.evaluator import Ask, Caller, Policies

Json = dict[str, Any]
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/task"
CALLER = Caller(ROLE, ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/task/session")
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/3483c1f4-0784-4ea2-ab47-ca1101d18e77"
RESOURCES = {
    "s3:GetObject": ("arn:aws:s3:::jars/cookies/a", "arn:aws:s3:::jars/audit/a_b"),
    "s3:PutObject": ("arn:aws:s3:::jars/cookies/a", "arn:aws:s3:::other/cookies/a"),
    "s3:DeleteObject": ("arn:aws:s3:::jars/cookies/a",),
    "s3:ListBucket": ("arn:aws:s3:::jars",),
    "kms:Decrypt": (KEY,),
    "kms:GenerateDataKey": (KEY,),
    "ssm:GetParameter": (f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/jarkeeper/key",),
}
ACTIONS = (*RESOURCES, "s3:*", "s3:Get*", "kms:*", "KMS:decrypt", "s3:?etObject", "*")
PATTERNS = {
    "s3": (
        "*",
        "arn:aws:s3:::jars",
        "arn:aws:s3:::jars*",
        "arn:aws:s3:::jars/*",
        "arn:aws:s3:::jars/cookies/?",
        "arn:aws:s3:::${aws:PrincipalTag/team}/*",
        "arn:aws:s3:::jars/audit/a?b",
        "arn:aws:s3:::other/*",
    ),
    "kms": ("*", KEY, f"arn:aws:kms:*:{ACCOUNT}:key/*", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*"),
    "ssm": ("*", f"arn:aws:ssm:*:{ACCOUNT}:parameter/jarkeeper/*", "arn:aws:ssm:*:*:parameter/x"),
}
# Condition keys: services that know them, values they may have, operators that fit them.
STRINGS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
STRINGS += ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
NUMBERS = tuple(f"Numeric{x}" for x in ("Equals", "NotEquals", "LessThan", "GreaterThanEquals"))
DATES = tuple(f"Date{x}" for x in ("LessThan", "GreaterThan", "LessThanEquals", "NotEquals"))
ARNS = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
SETS = tuple(f"{x}:{y}" for x in ("ForAnyValue", "ForAllValues") for y in STRINGS[:4])
KEYS: dict[str, tuple[tuple[str, ...], tuple[Any, ...], tuple[str, ...]]] = {
    "aws:SecureTransport": ((), ("true", "false"), ("Bool",)),
    "aws:PrincipalArn": ((), (ROLE,), ARNS),
    "aws:SourceIp": ((), ("10.1.2.3", "192.0.2.7"), ("IpAddress", "NotIpAddress")),
    "aws:CurrentTime": ((), ("2026-05-01T00:00:00Z", "2027-01-01T12:00:00Z"), DATES),
    "aws:PrincipalTag/team": ((), ("jars", "other", "Jars"), STRINGS),
    "aws:CalledVia": ((), (("s3.amazonaws.com",), ("s3.amazonaws.com", "ecs.amazonaws.com")), SETS),
    "s3:prefix": (("s3:ListBucket",), ("cookies/", "audit/", ""), STRINGS),
    "s3:max-keys": (("s3:ListBucket",), ("10", "1000"), NUMBERS),
    "s3:x-amz-server-side-encryption": (("s3:PutObject",), ("aws:kms", "AES256"), STRINGS),
    "s3:if-none-match": (("s3:PutObject",), ("*",), STRINGS),
    "kms:ViaService": (
        ("kms:Decrypt", "kms:GenerateDataKey"),
        ("s3.eu-central-1.amazonaws.com", "ssm.eu-central-1.amazonaws.com"),
        STRINGS,
    ),
    "kms:EncryptionContextKeys": (
        ("kms:Decrypt", "kms:GenerateDataKey"),
        (("vault",), ("vault", "jar"), ("jar", "other")),
        SETS,
    ),
}
WANTED = {
    "aws:PrincipalArn": (ROLE, f"arn:aws:iam::{ACCOUNT}:role/*", f"arn:aws:iam::*:role/{'?' * 4}"),
    "aws:SourceIp": ("10.0.0.0/8", "192.0.2.7/32", "0.0.0.0/1"),
    "aws:CurrentTime": ("2026-06-01T00:00:00Z", "2026-12-31T23:59:59Z"),
    "aws:PrincipalTag/team": ("jars", "j*", "JARS", "${aws:PrincipalTag/team}", "o?her"),
    "aws:CalledVia": ("s3.amazonaws.com", "*.amazonaws.com", "ecs*"),
    "s3:prefix": ("cookies/", "cook*", "*", "${aws:PrincipalTag/team}/"),
    "s3:max-keys": ("10", "100"),
    "kms:ViaService": ("s3.*.amazonaws.com", "s3.eu-central-1.amazonaws.com"),
    "kms:EncryptionContextKeys": ("vault", "jar", "j*"),
}
PRINCIPALS: tuple[Any, ...] = (
    "*",
    {"AWS": "*"},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    {"AWS": ACCOUNT},
    {"AWS": ROLE},
    {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/else", CALLER.session_arn]},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:role/else"},
    {"Service": "s3.amazonaws.com"},
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One question: the request, and all policies that have a say."""

    ask: Ask
    policies: Policies


def pairs(count: int, *, seed: int) -> list[Pair]:
    """Return as many questions, the same ones for the same seed."""
    dice = Random(seed)
    return [_pair(dice) for _ in range(count)]


def _pair(dice: Random) -> Pair:
    action = dice.choice(list(RESOURCES))
    service = action.split(":")[0]
    context = {"aws:PrincipalArn": ROLE}
    for key, (actions, values, _) in KEYS.items():
        if dice.random() < 0.6 and (not actions or action in actions):
            context[key] = dice.choice(values)
    identity = tuple(_policy(dice, action) for _ in range(dice.randint(0, 2)))
    has_resource_policy = service == "kms" or (service == "s3" and dice.random() < 0.5)
    policies = Policies(
        identity,
        _policy(dice, action, for_resource=True) if has_resource_policy else None,
        () if has_resource_policy else _limits(dice, action),
        resource_rules=service == "kms",
    )
    return Pair(Ask(CALLER, action, dice.choice(RESOURCES[action]), context), policies)


def _limits(dice: Random, action: str) -> tuple[tuple[Json, ...], ...]:
    return tuple((_policy(dice, action),) for _ in range(2) if dice.random() < 0.25)


def _policy(dice: Random, action: str, *, for_resource: bool = False) -> Json:
    count = dice.randint(1, 3)
    statements = [_statement(dice, action, for_resource=for_resource) for _ in range(count)]
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(dice: Random, action: str, *, for_resource: bool) -> Json:
    service = action.split(":")[0]
    actions = [action] if dice.random() < 0.6 else dice.sample(ACTIONS, dice.randint(1, 2))
    if for_resource:
        actions = [x for x in actions if x.lower().startswith(service) or x == "*"] or [action]
    resources = dice.sample(PATTERNS[service], dice.randint(1, 2))
    statement: Json = {
        "Effect": "Deny" if dice.random() < 0.25 else "Allow",
        "NotAction" if dice.random() < 0.1 else "Action": actions,
        "NotResource" if dice.random() < 0.1 else "Resource": resources,
    }
    if for_resource:
        statement["Principal"] = dice.choice(PRINCIPALS)
    condition: Json = {}
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        _add_operator(dice, action, condition)
    return statement | ({"Condition": condition} if condition else {})


def _add_operator(dice: Random, action: str, condition: Json) -> None:
    fitting = [key for key, (actions, _, _) in KEYS.items() if not actions or action in actions]
    key = dice.choice(fitting)
    _, values, operators = KEYS[key]
    if dice.random() < 0.15:
        condition.setdefault("Null", {})[key] = dice.choice(("true", "false"))
        return
    operator = dice.choice(operators)
    if dice.random() < 0.2 and not operator.startswith("ForAny"):
        operator += "IfExists"
    wanted = WANTED.get(key, values)
    many = dice.sample(wanted, min(len(wanted), dice.choice((1, 1, 2))))
    condition.setdefault(operator, {})[key] = many if len(many) > 1 else many[0]
