import pytest

from cloud.conditions import UnknownOperator
from cloud.evaluator import Ask, Caller, Policies, Verdict, decide

ACCOUNT = "123456789012"
CALLER = Caller(
    f"arn:aws:iam::{ACCOUNT}:role/task", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/task/s"
)
OBJECT = "arn:aws:s3:::jars/cookies/a"


def policy(**statement):
    defaults = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [defaults | statement]}


def verdict(
    identity=(), *, resource=OBJECT, caller=CALLER, context=None, resource_policy=None, **more
):
    ask = Ask(caller, "s3:GetObject", resource, context or {})
    return decide(ask, Policies(tuple(identity), resource_policy, **more))


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("arn:aws:s3:::jars/a${*}b", "arn:aws:s3:::jars/a*b", True),
        ("arn:aws:s3:::jars/a${*}b", "arn:aws:s3:::jars/axb", False),
        ("arn:aws:s3:::jars/${?}", "arn:aws:s3:::jars/?", True),
        ("arn:aws:s3:::jars/*", "arn:aws:s3:::jars/a/b:c", True),
        ("arn:aws:s3:*:jars/*", "arn:aws:s3:::jars/a", False),
        ("arn:aws:s3:::jars/[a]", "arn:aws:s3:::jars/a", False),
        ("arn:aws:s3:::jars/a", "arn:aws:s3:::jars/A", False),
    ],
)
def test_a_resource_matches_as_the_pattern_says(pattern, resource, matches):
    found = verdict([policy(Resource=pattern)], resource=resource)

    assert (found is Verdict.ALLOWED) == matches


def test_a_value_in_a_variable_brings_no_wildcards():
    granted = policy(Resource="arn:aws:s3:::jars/${aws:PrincipalTag/team}/*")

    found = verdict([granted], context={"aws:PrincipalTag/team": "*"})

    assert found is Verdict.NO_ALLOW


def test_a_variable_falls_back_to_its_default():
    granted = policy(Resource="arn:aws:s3:::jars/${aws:PrincipalTag/team, 'cookies'}/*")

    assert verdict([granted]) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "context", "holds"),
    [
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0", {"aws:SourceIp": "10.1.2.3"}, True),
        ("IpAddress", "aws:SourceIp", "2001:db8::/32", {"aws:SourceIp": "2001:db8::1"}, True),
        ("ForAnyValue:StringLikeIfExists", "kms:EncryptionContextKeys", "v*", {}, True),
        ("ForAnyValue:StringLike", "kms:EncryptionContextKeys", "v*", {}, False),
        ("ForAllValues:StringLike", "kms:EncryptionContextKeys", "v*", {}, True),
        (
            "StringEquals",
            "kms:EncryptionContext:vault",
            ["a", "b"],
            {"kms:EncryptionContext:vault": "b"},
            True,
        ),
        (
            "StringEquals",
            "KMS:encryptioncontext:VAULT",
            "b",
            {"kms:EncryptionContext:vault": "b"},
            True,
        ),
        ("StringNotEquals", "s3:prefix", ["a", "b"], {"s3:prefix": "b"}, False),
        ("StringNotEquals", "s3:prefix", ["a", "b"], {}, True),
        ("StringEquals", "s3:prefix", "A", {"s3:prefix": "a"}, False),
        ("NumericLessThanEquals", "s3:max-keys", "10", {"s3:max-keys": "10"}, True),
        ("NumericLessThanEquals", "s3:max-keys", "10", {"s3:max-keys": "ten"}, False),
        ("DateLessThan", "aws:CurrentTime", "2026-01-01", {"aws:CurrentTime": "2025-12-31"}, True),
        ("Bool", "aws:SecureTransport", False, {"aws:SecureTransport": "false"}, True),
        ("BinaryEquals", "x:y", "QUI=", {"x:y": "QUI="}, True),
        ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::*:role/task", {}, False),
        ("Null", "s3:prefix", "true", {}, True),
        ("Null", "s3:prefix", False, {"s3:prefix": ""}, True),
    ],
)
def test_a_condition_holds_as_aws_documents_it(operator, key, wanted, context, holds):
    granted = policy(Condition={operator: {key: wanted}})

    found = verdict([granted], context=context)

    assert (found is Verdict.ALLOWED) == holds


def test_an_operator_that_aws_does_not_have_is_an_error():
    with pytest.raises(UnknownOperator, match="StringMatches"):
        verdict([policy(Condition={"StringMatches": {"s3:prefix": "a"}})])


def test_a_service_is_meant_by_its_name_only():
    named = {"Principal": {"Service": "logging.s3.amazonaws.com"}}
    service = Caller("logging", "", service="logging.s3.amazonaws.com")

    assert verdict(caller=service, resource_policy=policy(**named)) is Verdict.ALLOWED
    assert verdict(resource_policy=policy(**named)) is Verdict.NO_ALLOW


def test_a_policy_that_names_the_session_is_not_limited():
    named = policy(Principal={"AWS": CALLER.session_arn})
    limit = (policy(Action="s3:PutObject"),)

    assert verdict(resource_policy=named, limits=(limit,)) is Verdict.ALLOWED


def test_a_limit_allows_nothing_by_itself():
    assert verdict(limits=((policy(),),)) is Verdict.NO_ALLOW


def test_a_deny_in_a_limit_is_explicit():
    found = verdict([policy()], limits=((policy(Effect="Deny"),),))

    assert found is Verdict.EXPLICIT_DENY


def test_a_denied_account_denies_everyone_in_it():
    denied = policy(Effect="Deny", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})

    assert verdict([policy()], resource_policy=denied) is Verdict.EXPLICIT_DENY


def test_a_key_is_not_opened_by_identity_policies_alone():
    assert verdict([policy()], resource_rules=True) is Verdict.NO_ALLOW
