import json
import urllib.error
import urllib.request
from datetime import timedelta

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cloud import estate
from cloud.server import allow, client

S3_AND_MORE = allow(["s3:*", "kms:*", "ssm:*", "iam:*", "sts:*"], "*")
ASKING = {
    "s3": lambda x: x.list_objects_v2(Bucket="jars"),
    "kms": lambda x: x.list_keys(),
    "ssm": lambda x: x.get_parameter(Name="/none"),
    "iam": lambda x: x.list_roles(),
}


def code_of(service, variables):
    asking = client(service, variables)
    try:
        ASKING[service](asking)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    finally:
        asking.close()
    return "ok", 200


@pytest.fixture
def variables(cloud):
    cloud.make_bucket("jars")
    return cloud.assume("task", S3_AND_MORE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWNUNKNOWN00"},
            {
                "s3": ("InvalidAccessKeyId", 403),
                "kms": ("UnrecognizedClientException", 400),
                "ssm": ("UnrecognizedClientException", 400),
                "iam": ("InvalidClientTokenId", 403),
            },
        ),
        (
            {"AWS_SECRET_ACCESS_KEY": "wrong"},
            {
                "s3": ("SignatureDoesNotMatch", 403),
                "kms": ("InvalidSignatureException", 400),
                "ssm": ("InvalidSignatureException", 400),
                "iam": ("SignatureDoesNotMatch", 403),
            },
        ),
        (
            {"AWS_SESSION_TOKEN": "wrong"},
            {
                "s3": ("InvalidToken", 400),
                "kms": ("UnrecognizedClientException", 400),
                "ssm": ("UnrecognizedClientException", 400),
                "iam": ("InvalidClientTokenId", 403),
            },
        ),
    ],
    ids=["unknown access key", "wrong secret", "wrong token"],
)
@pytest.mark.parametrize("service", list(ASKING))
def test_credentials_that_prove_nobody_are_refused(variables, service, change, expected):
    assert code_of(service, variables | change) == expected[service]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("s3", ("ExpiredToken", 400)),
        ("kms", ("ExpiredTokenException", 400)),
        ("iam", ("ExpiredToken", 403)),
    ],
)
def test_a_session_ends_when_its_time_is_over(cloud, variables, service, expected):
    # Sessions last a quarter of an hour at least, and a clock further off than that is refused.
    short = cloud.assume("task", S3_AND_MORE, seconds=900)
    cloud.clock_offset = timedelta(minutes=14)
    assert code_of(service, short)[0] == "ok"

    estate.session(short["AWS_ACCESS_KEY_ID"]).expiration -= timedelta(minutes=2)

    assert code_of(service, short) == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("s3", ("RequestTimeTooSkewed", 403)),
        ("kms", ("InvalidSignatureException", 400)),
        ("iam", ("SignatureDoesNotMatch", 403)),
    ],
)
@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_a_quarter_of_an_hour_off_is_refused(
    cloud, variables, service, expected, minutes
):
    cloud.clock_offset = timedelta(minutes=minutes)

    assert code_of(service, variables) == expected


def test_s3_names_the_region_that_a_bucket_is_in(cloud, variables):
    answers = []

    def see(response, **_):
        answers.append(response[1].get("Error", {}))

    asking = client("s3", variables | {"AWS_REGION": "us-west-2"})
    asking.meta.events.register_first("needs-retry.s3", see)
    asking.list_objects_v2(Bucket="jars")  # boto3 follows to the region that it is told

    asking.close()
    assert [x.get("Code") for x in answers] == ["AuthorizationHeaderMalformed", None]
    assert answers[0]["Region"] == "eu-central-1"


def test_a_user_has_its_own_and_its_attached_policies(cloud):
    iam = cloud.admin("iam")
    iam.create_user(UserName="operator")
    made = iam.create_policy(
        PolicyName="lists",
        PolicyDocument='{"Version": "2012-10-17", "Statement": '
        '{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}}',
    )
    iam.attach_user_policy(UserName="operator", PolicyArn=made["Policy"]["Arn"])
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    cloud.make_bucket("jars")
    variables = cloud.environment | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }

    assert code_of("s3", variables)[0] == "ok"
    assert code_of("kms", variables)[0] == "AccessDeniedException"
    assert cloud.calls[0].principal_arn == "arn:aws:iam::123456789012:user/operator"


def test_a_boundary_limits_the_role(cloud, variables):
    boundary = cloud.admin("iam").create_policy(
        PolicyName="boundary",
        PolicyDocument='{"Version": "2012-10-17", "Statement": '
        '[{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}',
    )
    arn = boundary["Policy"]["Arn"]

    cloud.admin("iam").put_role_permissions_boundary(RoleName="task", PermissionsBoundary=arn)

    assert code_of("s3", variables)[0] == "AccessDenied"
    assert code_of("kms", variables)[0] == "ok"


def test_a_role_is_assumed_by_those_that_it_trusts_only(cloud, variables):
    trust = allow("sts:AssumeRole", Principal={"AWS": "arn:aws:iam::123456789012:role/ops"})
    iam = cloud.admin("iam")
    iam.create_role(RoleName="vault", AssumeRolePolicyDocument=json.dumps(trust))
    cloud.assume("ops", None)
    request = {"RoleArn": "arn:aws:iam::123456789012:role/vault", "RoleSessionName": "session"}

    def assume_as(name):
        asking = client("sts", cloud.assume(name, None))
        try:
            asking.assume_role(**request)
        except ClientError as error:
            return error.response["Error"]["Code"]
        finally:
            asking.close()
        return "ok"

    assert assume_as("task") == "AccessDenied"  # although its own policy allows sts:*
    assert assume_as("ops") == "ok"


def test_a_presigned_url_works_until_it_expires(cloud, variables):
    cloud.admin("s3").put_object(Bucket="jars", Key="a b", Body=b"x")
    asking = client("s3", variables, config=Config(signature_version="s3v4"))
    url = asking.generate_presigned_url(
        "get_object", Params={"Bucket": "jars", "Key": "a b"}, ExpiresIn=60
    )
    asking.close()

    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"x"
    cloud.clock_offset = timedelta(seconds=61)
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(url)
    refused.value.close()


def test_a_body_that_was_changed_on_the_way_is_refused(cloud, variables):
    asking = client("s3", variables)

    def change(request, **_):
        request.body = b"arrives"

    asking.meta.events.register("before-send.s3.PutObject", change)
    with pytest.raises(ClientError, match="XAmzContentSHA256Mismatch"):
        asking.put_object(Bucket="jars", Key="a", Body=b"was put")

    asking.close()


def test_an_unsigned_request_is_nobody(cloud):
    cloud.make_bucket("jars")
    cloud.admin("s3").put_object(Bucket="jars", Key="a", Body=b"x")

    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(f"{cloud.url}/jars/a")
    refused.value.close()
    assert cloud.calls[-1].principal_arn == "anonymous"


def test_an_unsigned_request_may_what_the_bucket_gives_to_everyone(cloud):
    public = allow("s3:GetObject", "arn:aws:s3:::jars/*", Principal="*")
    cloud.make_bucket("jars", policy=public)
    cloud.admin("s3").put_object(Bucket="jars", Key="a", Body=b"x")

    with urllib.request.urlopen(f"{cloud.url}/jars/a") as answer:
        assert answer.read() == b"x"
