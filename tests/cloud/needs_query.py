"""The needs of IAM and STS requests, and roughly those of any other service."""

from __future__ import annotations

import json
from collections.abc import Callable

from cloud import estate
from cloud.estate import ACCOUNT
from cloud.needs import Context, Need
from cloud.wire import Request

# The parameter that names what a request is about, and the ARN that it means.
NAMED: dict[str, Callable[[str], str]] = {
    "RoleName": lambda name: f"arn:aws:iam::{ACCOUNT}:role/{name}",
    "UserName": lambda name: f"arn:aws:iam::{ACCOUNT}:user/{name}",
    "GroupName": lambda name: f"arn:aws:iam::{ACCOUNT}:group/{name}",
    "PolicyArn": str,
    "TopicArn": str,
}


def needs(request: Request) -> list[Need]:
    """Return the one need of the request; anyone may ask who they are."""
    form, operation = request.form, request.operation
    if operation == "GetCallerIdentity":
        return []
    if operation == "AssumeRole":
        return [_assume(form)]
    named = next((arn(form[name]) for name, arn in NAMED.items() if name in form), "*")
    return [Need(f"{request.service}:{operation}", named)]


def _assume(form: dict[str, str]) -> Need:
    role = estate.role(form["RoleArn"])
    trust = json.loads(role.assume_role_policy_document) if role else {}
    context: Context = {"sts:RoleSessionName": form.get("RoleSessionName", "")}
    if "ExternalId" in form:
        context["sts:ExternalId"] = form["ExternalId"]
    return Need("sts:AssumeRole", form["RoleArn"], context, trust, resource_rules=True)
