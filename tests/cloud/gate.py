"""The gate before moto: nothing gets through that IAM would not let through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime

from cloud import deletions, encryption, estate
from cloud.calls import Call
from cloud.conditions import UnknownOperator
from cloud.estate import ACCOUNT
from cloud.evaluator import Ask, Policies, Verdict, decide
from cloud.identities import Identity, identify, is_own_hand
from cloud.needs import Context, Need, needs_of
from cloud.needs_s3 import copy_source, split
from cloud.refusals import Refused, respond
from cloud.s3_actions import object_action
from cloud.wire import Request, Response, forward

CRYPTOGRAPHIC = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncrypt")
# What KMS refuses while a key waits for its deletion, besides any use of it.
NOT_WHILE_PENDING = (
    "kms:EnableKey",
    "kms:DisableKey",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
)

# moto looks up the ARN of a key as if it were an id.
BY_ID_ONLY = ("EnableKey", "DisableKey", "ScheduleKeyDeletion", "CancelKeyDeletion")


class Gate:
    """Authenticates, authorises and records a request, then lets moto answer it."""

    def __init__(
        self,
        moto: Callable[..., Iterable[bytes]],
        *,
        region: str,
        now: Callable[[], datetime],
        calls: list[Call],
    ) -> None:
        self._moto, self._region, self._now, self._calls = moto, region, now, calls

    def answer(self, request: Request) -> Response:
        """Return moto's answer, or the refusal that AWS would send."""
        try:
            identity = identify(request, self._now())
            self._check_region(request)
            _check_condition(request)
            if deletions.is_many(request):
                return self._delete_many(request, identity)
            self._authorise(request, identity)
            self._complete(request)
            response = forward(request, self._moto)
            return self._concealed(request, identity, response)
        except Refused as refused:
            return respond(request, refused)
        except UnknownOperator as error:
            return respond(request, Refused("policy", str(error)))

    def _check_region(self, request: Request) -> None:
        """S3 knows where a bucket is, and says so to a client that signs for another region."""
        signed = request.scope[1]
        bucket = split(request.path)[0]
        if request.service != "s3" or not signed or not bucket:
            return
        expected = encryption.region_of(bucket)
        if expected and signed != expected:
            message = (
                f"The authorization header is malformed; the region '{signed}' is wrong; "
                f"expecting '{expected}'"
            )
            raise Refused("wrong region", message, Region=expected)

    def _authorise(self, request: Request, identity: Identity) -> None:
        for need in needs_of(request):
            self._require(request, identity, need)
            _check_state(need)

    def _delete_many(self, request: Request, identity: Identity) -> Response:
        """S3 decides on each object for itself, and reports the refused ones in its answer."""
        refused = []
        for deletion, need in zip(deletions.read(request.body), needs_of(request), strict=True):
            try:
                self._require(request, identity, need)
            except Refused:
                refused.append(deletion)
        request.body = deletions.without(request.body, refused)
        return deletions.report(forward(request, self._moto), refused)

    def _require(self, request: Request, identity: Identity, need: Need) -> None:
        verdict = self._verdict(request, identity, need)
        allowed = verdict is Verdict.ALLOWED
        if not is_own_hand(request):
            self._calls.append(Call(identity.caller.arn, need.action, need.resource, allowed))
        if not allowed:
            raise Refused("denied", _explain(identity, need, verdict))

    def _verdict(self, request: Request, identity: Identity, need: Need) -> Verdict:
        if identity.is_root:
            return Verdict.ALLOWED
        context = self._context(request) | identity.context | need.context
        ask = Ask(identity.caller, need.action, need.resource, context)
        policies = Policies(identity.policies, need.policy, identity.limits, need.resource_rules)
        return decide(ask, policies)

    def _context(self, request: Request) -> Context:
        now = self._now()
        return {
            "aws:CurrentTime": now.isoformat(),
            "aws:EpochTime": str(int(now.timestamp())),
            "aws:RequestedRegion": request.scope[1] or self._region,
            "aws:ResourceAccount": ACCOUNT,
            "aws:SecureTransport": str(request.is_secure).lower(),
            "aws:SourceIp": request.environ.get("REMOTE_ADDR", "127.0.0.1"),
            "aws:UserAgent": request.headers.get("user-agent", ""),
            "aws:ViaAWSService": "false",
        }

    def _complete(self, request: Request) -> None:
        """Write into a request what AWS understands without, and moto does not."""
        bucket, key = split(request.path)
        puts = object_action(request.method, request.query) == "s3:PutObject"
        if request.service == "s3" and key and puts and "uploadId" not in request.query:
            encryption.fill_in(request, bucket)
        if request.service == "kms" and request.operation in BY_ID_ONLY:
            named = json.loads(request.body)
            named["KeyId"] = named["KeyId"].rpartition("/")[2]
            request.body = json.dumps(named).encode()

    def _concealed(self, request: Request, identity: Identity, response: Response) -> Response:
        """Hide from those who may not list a bucket that a key does not exist in it."""
        if request.service != "s3" or response.status != 404 or identity.is_root:
            return response
        bucket, key = split(request.path)
        source = request.headers.get("x-amz-copy-source")
        if source:
            bucket, key, _ = copy_source(source)
        elif request.method not in ("GET", "HEAD"):
            return response
        if not key or estate.bucket(bucket) is None:
            return response
        # Without s3:prefix: S3 asks for the bucket, so a grant for a prefix only does not count.
        policy = estate.bucket_policy(bucket)
        context: Context = {"s3:ResourceAccount": ACCOUNT}
        need = Need("s3:ListBucket", f"arn:aws:s3:::{bucket}", context, policy)
        if self._verdict(request, identity, need) is Verdict.ALLOWED:
            return response
        raise Refused("denied", _explain(identity, need, Verdict.NO_ALLOW))


def _check_condition(request: Request) -> None:
    """S3 knows no other condition of that kind on a write than that nothing is there."""
    condition = request.headers.get("if-none-match", "*")
    if request.service == "s3" and request.method in ("PUT", "POST") and condition != "*":
        message = "A header you provided implies functionality that is not implemented."
        raise Refused("not implemented", message)


def _check_state(need: Need) -> None:
    """A key that is disabled or about to be deleted serves nobody, S3 included."""
    if need.key is None or need.key.state == "Enabled":
        return
    arn, state = need.key.arn, need.key.state
    if state == "PendingDeletion":
        if need.action.startswith((*CRYPTOGRAPHIC, *NOT_WHILE_PENDING)):
            raise Refused("key state", f"{arn} is pending deletion.")
    elif state == "Disabled" and need.action.startswith(CRYPTOGRAPHIC):
        raise Refused("key disabled", f"{arn} is disabled.")


def _explain(identity: Identity, need: Need, verdict: Verdict) -> str:
    who = identity.caller.session_arn or identity.caller.arn
    if verdict is Verdict.EXPLICIT_DENY:
        reason = "with an explicit deny in a policy"
    else:
        reason = f"because no policy allows the {need.action} action"
    return (
        f"User: {who} is not authorized to perform: {need.action} on resource: "
        f"{need.resource} {reason}"
    )
