"""What was asked of the cloud, one record for each action that IAM decided on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """`principal_arn` is the role's (not the session's), `action` as in a policy."""

    principal_arn: str
    action: str
    resource: str
    allowed: bool
