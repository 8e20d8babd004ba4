"""Who sent a request: the signature checked, and the policies that go with the sender."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cloud import estate, signatures
from cloud.estate import ACCOUNT
from cloud.evaluator import ANONYMOUS, Caller, Policy
from cloud.refusals import Refused
from cloud.wire import Request

ROOT = Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
# The administrator whose variables a process gets, and the hand of the test itself: both may do
# all, but only the first meets faults and is recorded.
ADMIN_KEY, ADMIN_SECRET = "AKIAADMINISTRATOR000", "secret-of-the-administrator"
HAND_KEY, HAND_SECRET = "AKIATHETESTSOWNHAND0", "secret-of-the-tests-own-hand"
ROOT_KEYS = {ADMIN_KEY: ADMIN_SECRET, HAND_KEY: HAND_SECRET}


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller with its policies and the condition keys about it."""

    caller: Caller
    policies: tuple[Policy, ...] = ()
    limits: tuple[tuple[Policy, ...], ...] = ()
    context: dict[str, str] = field(default_factory=dict)

    @property
    def is_root(self) -> bool:
        return self.caller == ROOT


def is_own_hand(request: Request) -> bool:
    return request.scope[0] == HAND_KEY


def identify(request: Request, now: datetime) -> Identity:
    """Return who sent the request, or refuse a signature that proves nobody."""
    signature = signatures.parse(request)
    if signature is None:
        return _nobody(request)
    access_key = request.scope[0]
    secret, identity, expires = _look_up(access_key, signature.token)
    signatures.check(request, signature, secret=secret, now=now)
    if expires is not None and now >= expires:
        raise Refused("expired", "The provided token has expired.")
    return identity


def _nobody(request: Request) -> Identity:
    if request.service != "s3" or request.operation:
        raise Refused("no signature", "Request is missing Authentication Token")
    return Identity(ANONYMOUS, context={"aws:PrincipalType": "Anonymous"})


def _look_up(access_key: str, token: str) -> tuple[str, Identity, datetime | None]:
    if access_key in ROOT_KEYS:
        context = _about(ROOT.arn, "Account", ACCOUNT)
        return ROOT_KEYS[access_key], Identity(ROOT, context=context), None
    session = estate.session(access_key)
    if session is not None:
        if token != session.session_token:
            raise Refused("token", "The provided token is malformed or otherwise invalid.")
        return session.secret_access_key, _session(session), _aware(session.expiration)
    owner = estate.user_of(access_key)
    if owner is None:
        message = "The AWS Access Key Id you provided does not exist in our records."
        raise Refused("unknown key id", message)
    return owner[1], _user(owner[0]), None


def _session(session: Any) -> Identity:
    role = estate.role(session.role_arn)
    limits = [estate.boundary(role)] if role else []
    if session.policy:
        limits.append((json.loads(session.policy),))
    context = _about(session.role_arn, "AssumedRole", session.user_id)
    for name, value in _tags(role).items():
        context[f"aws:PrincipalTag/{name}"] = value
    return Identity(
        Caller(session.role_arn, ACCOUNT, session.arn),
        estate.identity_policies(role) if role else (),
        tuple(x for x in limits if x is not None),
        context,
    )


def _user(user: Any) -> Identity:
    context = _about(user.arn, "User", user.id) | {"aws:username": user.name}
    return Identity(Caller(user.arn, ACCOUNT), estate.identity_policies(user), (), context)


def _tags(role: Any) -> dict[str, str]:
    tags = getattr(role, "tags", None) or {}
    return {x["Key"]: x["Value"] for x in tags.values()} if isinstance(tags, dict) else {}


def _about(arn: str, kind: str, user_id: str) -> dict[str, str]:
    return {
        "aws:PrincipalArn": arn,
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalType": kind,
        "aws:PrincipalIsAWSService": "false",
        "aws:userid": user_id,
    }


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
