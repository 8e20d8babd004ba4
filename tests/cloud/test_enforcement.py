"""Policies and requests over HTTP, and whether AWS would allow them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloud.enforced_world import (
    ACCOUNT,
    CONTEXT,
    DELEGATED,
    ROLE,
    ROOT,
    Case,
    World,
    deny,
    grant,
)
from cloud.server import Cloud

Request = Callable[[World], object]
PLAIN, SEALED = "arn:aws:s3:::plain", "arn:aws:s3:::sealed"
DENIED, KMS_DENIED = "AccessDenied", "AccessDeniedException"
VIA_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
ANYONE = {"Principal": "*"}
S3_WITH_KEY = (grant("s3:*"), grant(["kms:GenerateDataKey", "kms:Decrypt"], "<key>"))


def put(key: str = "cookies/new", *, bucket: str = "plain", **more: object) -> Request:
    return lambda w: w.s3.put_object(Bucket=bucket, Key=key, Body=b"b", **more)


def get(key: str = "cookies/a", *, bucket: str = "plain", **more: object) -> Request:
    return lambda w: w.s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


def head(key: str = "cookies/a", *, bucket: str = "plain") -> Request:
    return lambda w: w.s3.head_object(Bucket=bucket, Key=key)


def listing(prefix: str | None = None) -> Request:
    more = {} if prefix is None else {"Prefix": prefix}
    return lambda w: w.s3.list_objects_v2(Bucket="plain", **more)


def delete(key: str = "cookies/a") -> Request:
    return lambda w: w.s3.delete_object(Bucket="plain", Key=key)


def copy(*, source: str = "plain/cookies/a", bucket: str = "plain", **more: object) -> Request:
    return lambda w: w.s3.copy_object(Bucket=bucket, Key="copies/a", CopySource=source, **more)


def get_version(w: World) -> object:
    version = w.version("plain", "cookies/a")
    return w.s3.get_object(Bucket="plain", Key="cookies/a", VersionId=version)["Body"].read()


def delete_version(w: World) -> object:
    version = w.version("plain", "cookies/a")
    return w.s3.delete_object(Bucket="plain", Key="cookies/a", VersionId=version)


def multipart(bucket: str = "plain", **more: object) -> Request:
    def send(w: World) -> object:
        where = {"Bucket": bucket, "Key": "cookies/big"}
        upload = w.s3.create_multipart_upload(**where)["UploadId"]
        part = w.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"p")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        done = {"UploadId": upload, "MultipartUpload": parts, **more}
        return w.s3.complete_multipart_upload(**where, **done)

    return send


def decrypt(context: dict[str, str] = CONTEXT) -> Request:
    return lambda w: w.kms.decrypt(CiphertextBlob=w.blob, EncryptionContext=context)


def data_key(context: dict[str, str] = CONTEXT) -> Request:
    return lambda w: w.kms.generate_data_key(
        KeyId=w.key, KeySpec="AES_256", EncryptionContext=context
    )


def parameter(name: str = "/jarkeeper/x", *, secret: bool = False, **more: bool) -> Request:
    return lambda w: w.ssm.get_parameter(Name=w.parameter(name, secret=secret), **more)


def with_condition(operator: str, key: str, value: object) -> dict[str, object]:
    return {"Condition": {operator: {key: value}}}


IDENTITY = (
    Case("nothing is allowed without a policy", put(), DENIED),
    Case("an allowed action on an allowed key", put(), "ok", (grant("s3:PutObject"),)),
    Case("another action", get(), DENIED, (grant("s3:PutObject"),)),
    Case("another prefix", put("audit/x"), DENIED, (grant("s3:*", f"{PLAIN}/cookies/*"),)),
    Case("actions match in any case", put(), "ok", (grant("S3:putOBJECT"),)),
    Case("a question mark is one character", get(), "ok", (grant("s3:?etObject"),)),
    Case(
        "NotAction allows the rest",
        get(),
        "ok",
        ({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"},),
    ),
    Case(
        "NotResource allows the rest",
        put("audit/x"),
        "ok",
        (
            {
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "NotResource": f"{PLAIN}/cookies/*",
            },
        ),
    ),
    Case(
        "NotResource leaves out what it names",
        put(),
        DENIED,
        (
            {
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "NotResource": f"{PLAIN}/cookies/*",
            },
        ),
    ),
    Case(
        "an explicit deny wins",
        put(),
        DENIED,
        (grant("s3:*"), deny("s3:PutObject", f"{PLAIN}/cookies/*")),
    ),
    Case(
        "an explicit deny elsewhere does not matter",
        put(),
        "ok",
        (grant("s3:*"), deny("s3:PutObject", f"{PLAIN}/audit/*")),
    ),
    Case(
        "a policy variable",
        put("AssumedRole/x"),
        "ok",
        (grant("s3:PutObject", f"{PLAIN}/${{aws:PrincipalType}}/*"),),
    ),
    Case(
        "a policy variable without a value",
        put("x"),
        DENIED,
        (grant("s3:PutObject", f"{PLAIN}/${{aws:username}}*"),),
    ),
    Case(
        "a session policy narrows the role",
        put(),
        DENIED,
        (grant("s3:*"),),
        session=(grant("s3:GetObject"),),
    ),
    Case(
        "a session policy leaves what both allow",
        get(),
        "ok",
        (grant("s3:*"),),
        session=(grant("s3:GetObject"),),
    ),
)
OBJECTS = (
    Case("HEAD needs GetObject", head(), "ok", (grant("s3:GetObject"),)),
    Case("HEAD without it", head(), "403", (grant("s3:PutObject"),)),
    Case("a version needs GetObjectVersion", get_version, DENIED, (grant("s3:GetObject"),)),
    Case("a version with it", get_version, "ok", (grant("s3:GetObjectVersion"),)),
    Case("delete", delete(), DENIED, (grant(["s3:GetObject", "s3:PutObject"]),)),
    Case("delete a version", delete_version, DENIED, (grant("s3:DeleteObject"),)),
    Case("a missing key, not listable", get("none"), DENIED, (grant("s3:GetObject"),)),
    Case(
        "a missing key, listable",
        get("none"),
        "NoSuchKey",
        (grant("s3:GetObject"), grant("s3:ListBucket", PLAIN)),
    ),
    Case(
        "a missing key, listable below a prefix only",
        get("cookies/none"),
        DENIED,
        (
            grant("s3:GetObject"),
            grant("s3:ListBucket", PLAIN, **with_condition("StringLike", "s3:prefix", "cookies/*")),
        ),
    ),
    Case("HEAD of a missing key, not listable", head("none"), "403", (grant("s3:GetObject"),)),
    Case(
        "HEAD of a missing key, listable",
        head("none"),
        "404",
        (grant(["s3:GetObject", "s3:ListBucket"]),),
    ),
    Case("copy", copy(), "ok", (grant(["s3:GetObject", "s3:PutObject"]),)),
    Case("copy without the source", copy(), DENIED, (grant("s3:PutObject"),)),
    Case("copy without the target", copy(), DENIED, (grant("s3:GetObject"),)),
    Case("multipart needs PutObject", multipart(), "ok", (grant("s3:PutObject"),)),
    Case("multipart without it", multipart(), DENIED, (grant("s3:GetObject"),)),
    Case(
        "tags with a PUT need a second permission",
        put(Tagging="a=b"),
        DENIED,
        (grant("s3:PutObject"),),
    ),
    Case(
        "tags with a PUT, with both",
        put(Tagging="a=b"),
        "ok",
        (grant(["s3:PutObject", "s3:PutObjectTagging"]),),
    ),
)
WITHOUT_TLS = (
    deny(
        "s3:*",
        f"{PLAIN}/*",
        **ANYONE,
        **with_condition("Bool", "aws:SecureTransport", "false"),
    ),
)
BUCKETS = (
    Case("listing", listing(), "ok", (grant("s3:ListBucket", PLAIN),)),
    Case("listing, allowed on objects only", listing(), DENIED, (grant("s3:*", f"{PLAIN}/*"),)),
    Case(
        "listing an allowed prefix",
        listing("cookies/"),
        "ok",
        (grant("s3:ListBucket", PLAIN, **with_condition("StringLike", "s3:prefix", "cookies/*")),),
    ),
    Case(
        "listing another prefix",
        listing("audit/"),
        DENIED,
        (grant("s3:ListBucket", PLAIN, **with_condition("StringLike", "s3:prefix", "cookies/*")),),
    ),
    Case(
        "listing everything",
        listing(),
        DENIED,
        (grant("s3:ListBucket", PLAIN, **with_condition("StringLike", "s3:prefix", "cookies/*")),),
    ),
    Case(
        "the bucket's policy alone allows",
        put(),
        "ok",
        bucket=(grant("s3:PutObject", f"{PLAIN}/*", Principal=ROLE),),
    ),
    Case(
        "the bucket's policy allows another role",
        put(),
        DENIED,
        bucket=(
            grant(
                "s3:PutObject",
                f"{PLAIN}/*",
                Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"},
            ),
        ),
    ),
    Case(
        "the account as principal leaves it to IAM",
        put(),
        DENIED,
        bucket=(grant("s3:PutObject", f"{PLAIN}/*", Principal=ROOT),),
    ),
    Case(
        "a service as principal is nobody else",
        put(),
        DENIED,
        bucket=(
            grant(
                "s3:PutObject",
                f"{PLAIN}/*",
                Principal={"Service": "logging.s3.amazonaws.com"},
            ),
        ),
    ),
    Case(
        "the bucket's policy denies",
        put(),
        DENIED,
        (grant("s3:*"),),
        (deny("s3:PutObject", f"{PLAIN}/*", **ANYONE),),
    ),
    Case(
        "the bucket's policy denies the listing",
        listing(),
        DENIED,
        (grant("s3:*"),),
        (deny("s3:ListBucket", PLAIN, **ANYONE),),
    ),
    Case(
        "roles other than this one are denied",
        put(),
        "ok",
        (grant("s3:*"),),
        (
            deny(
                "s3:*Object*",
                f"{PLAIN}/*",
                **ANYONE,
                Condition={
                    "ArnNotLike": {"aws:PrincipalArn": [ROLE["AWS"], "arn:aws:iam::*:role/ops"]},
                    "Bool": {"aws:PrincipalIsAWSService": "false"},
                },
            ),
        ),
    ),
    Case(
        "this role is one of the others",
        get(),
        DENIED,
        (grant("s3:*"),),
        (
            deny(
                "s3:*Object*",
                f"{PLAIN}/*",
                **ANYONE,
                Condition={
                    "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"},
                    "Bool": {"aws:PrincipalIsAWSService": "false"},
                },
            ),
        ),
    ),
    Case(
        "NotPrincipal spares the one it names",
        put(),
        "ok",
        (grant("s3:*"),),
        ({**deny("s3:PutObject", f"{PLAIN}/*"), "NotPrincipal": ROLE},),
    ),
    Case(
        "plain HTTP is denied",
        put(),
        DENIED,
        (grant("s3:*"),),
        WITHOUT_TLS,
    ),
    Case(
        "TLS is not",
        put(),
        "ok",
        (grant("s3:*"),),
        WITHOUT_TLS,
        tls=True,
    ),
    Case(
        "policy management is a permission of its own",
        lambda w: w.s3.delete_bucket_policy(Bucket="plain"),
        DENIED,
        (grant(["s3:PutBucketPolicy", "s3:GetBucketPolicy"]),),
    ),
    Case(
        "versioning cannot be suspended without its permission",
        lambda w: w.s3.put_bucket_versioning(
            Bucket="plain", VersioningConfiguration={"Status": "Suspended"}
        ),
        DENIED,
        (grant("s3:Put*Object*"),),
    ),
    Case("a bucket is created only with permission",
         lambda w: w.s3.create_bucket(
             Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
         ), DENIED, (grant("s3:*", f"{PLAIN}*"),)),
)  # fmt: skip
CREATE_ONLY = (
    deny(
        "s3:PutObject",
        f"{PLAIN}/*",
        **ANYONE,
        Condition={
            "Null": {"s3:if-none-match": "true"},
            "Bool": {"s3:ObjectCreationOperation": "true"},
        },
    ),
)
ENCRYPTED_ONLY = (
    deny(
        "s3:PutObject",
        f"{PLAIN}/*",
        **ANYONE,
        **with_condition("StringNotEquals", "s3:x-amz-server-side-encryption", "aws:kms"),
    ),
)
THIS_KEY_ONLY = (
    deny(
        "s3:PutObject",
        f"{PLAIN}/*",
        **ANYONE,
        **with_condition(
            "StringNotEqualsIfExists", "s3:x-amz-server-side-encryption-aws-kms-key-id", "<key>"
        ),
    ),
)
HEADERS = (
    Case(
        "create-only, with the condition", put(IfNoneMatch="*"), "ok", (grant("s3:*"),), CREATE_ONLY
    ),
    Case("create-only, without it", put(), DENIED, (grant("s3:*"),), CREATE_ONLY),
    Case("create-only, a copy", copy(), DENIED, (grant("s3:*"),), CREATE_ONLY),
    Case(
        "create-only, the end of a multipart upload",
        multipart(),
        DENIED,
        (grant("s3:*"),),
        CREATE_ONLY,
    ),
    Case(
        "create-only, a conditional end",
        multipart(IfNoneMatch="*"),
        "ok",
        (grant("s3:*"),),
        CREATE_ONLY,
    ),
    Case("a required encryption is missing", put(), DENIED, S3_WITH_KEY, ENCRYPTED_ONLY),
    Case(
        "a required encryption is given",
        lambda w: put(ServerSideEncryption="aws:kms", SSEKMSKeyId=w.key)(w),
        "ok",
        S3_WITH_KEY,
        ENCRYPTED_ONLY,
    ),
    Case(
        "another key than the required one",
        lambda w: put(ServerSideEncryption="aws:kms", SSEKMSKeyId=w.cloud.make_key())(w),
        DENIED,
        (grant(["s3:*", "kms:*"]),),
        THIS_KEY_ONLY,
    ),
    Case(
        "the required key",
        lambda w: put(ServerSideEncryption="aws:kms", SSEKMSKeyId=w.key)(w),
        "ok",
        S3_WITH_KEY,
        THIS_KEY_ONLY,
    ),
)
SSE_KMS = (
    Case("a PUT needs the key", put(bucket="sealed"), DENIED, (grant("s3:*"),)),
    Case("a GET needs the key", get(bucket="sealed"), DENIED, (grant("s3:*"),)),
    Case("HEAD does not", head(bucket="sealed"), "ok", (grant("s3:*"),)),
    Case("a PUT with the key", put(bucket="sealed"), "ok", S3_WITH_KEY),
    Case("a GET with the key", get(bucket="sealed"), "ok", S3_WITH_KEY),
    Case(
        "a PUT needs no Decrypt",
        put(bucket="sealed"),
        "ok",
        (grant("s3:*"), grant("kms:GenerateDataKey", "<key>")),
    ),
    Case(
        "a multipart upload does",
        multipart("sealed"),
        DENIED,
        (grant("s3:*"), grant("kms:GenerateDataKey", "<key>")),
    ),
    Case(
        "AWS's own key needs no permission",
        put(ServerSideEncryption="aws:kms"),
        "ok",
        (grant("s3:PutObject"),),
    ),
    Case("a multipart upload with both", multipart("sealed"), "ok", S3_WITH_KEY),
    Case(
        "a copy opens its source",
        copy(source="sealed/cookies/a"),
        DENIED,
        (grant("s3:*"), grant("kms:GenerateDataKey", "<key>")),
    ),
    Case(
        "a copy seals its target",
        copy(bucket="sealed"),
        DENIED,
        (grant("s3:*"), grant("kms:Decrypt", "<key>")),
    ),
    Case(
        "the key by way of S3",
        get(bucket="sealed"),
        "ok",
        (grant("s3:*"), grant("kms:Decrypt", "<key>", Condition={"StringEquals": VIA_S3})),
    ),
    Case(
        "the key by way of S3 only",
        decrypt(),
        KMS_DENIED,
        (grant("kms:Decrypt", "<key>", Condition={"StringEquals": VIA_S3}),),
    ),
    Case(
        "the key directly only",
        get(bucket="sealed"),
        DENIED,
        (
            grant("s3:*"),
            grant("kms:Decrypt", "<key>", **with_condition("Null", "kms:ViaService", "true")),
        ),
    ),
    Case(
        "the object is the encryption context",
        get(bucket="sealed"),
        "ok",
        (
            grant("s3:*"),
            grant(
                "kms:Decrypt",
                "<key>",
                **with_condition(
                    "StringLike", "kms:EncryptionContext:aws:s3:arn", f"{SEALED}/cookies/*"
                ),
            ),
        ),
    ),
    Case(
        "another object's encryption context",
        get("audit/a", bucket="sealed"),
        DENIED,
        (
            grant("s3:*"),
            grant(
                "kms:Decrypt",
                "<key>",
                **with_condition(
                    "StringLike", "kms:EncryptionContext:aws:s3:arn", f"{SEALED}/cookies/*"
                ),
            ),
        ),
    ),
)
KMS = (
    Case("decrypt", decrypt(), "ok", (grant("kms:Decrypt", "<key>"),)),
    Case("decrypt without permission", decrypt(), KMS_DENIED, (grant("kms:Encrypt", "<key>"),)),
    Case(
        "decrypt with another key's permission",
        decrypt(),
        KMS_DENIED,
        (grant("kms:Decrypt", f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{'0' * 36}"),),
    ),
    Case("a data key", data_key(), "ok", (grant("kms:GenerateDataKey", "<key>"),)),
    Case(
        "the key's policy names nobody",
        decrypt(),
        KMS_DENIED,
        (grant("kms:*"),),
        key=(grant("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/ops"}),),
    ),
    Case(
        "the key's policy alone allows",
        decrypt(),
        "ok",
        key=(DELEGATED, grant("kms:Decrypt", Principal=ROLE)),
    ),
    Case(
        "the key's policy denies",
        decrypt(),
        KMS_DENIED,
        (grant("kms:*"),),
        key=(DELEGATED, deny("kms:Decrypt", Principal=ROLE)),
    ),
    Case(
        "the key's policy denies without a context",
        data_key({}),
        KMS_DENIED,
        (grant("kms:*"),),
        key=(
            DELEGATED,
            deny(
                "kms:GenerateDataKey",
                **ANYONE,
                **with_condition("Null", "kms:EncryptionContext:vault", "true"),
            ),
        ),
    ),
    Case(
        "the required context",
        decrypt(),
        "ok",
        (
            grant(
                "kms:Decrypt",
                "<key>",
                **with_condition("StringEquals", "kms:EncryptionContext:vault", "v"),
            ),
        ),
    ),
    Case(
        "another vault's context",
        data_key({"vault": "w"}),
        KMS_DENIED,
        (
            grant(
                "kms:GenerateDataKey",
                "<key>",
                **with_condition("StringEquals", "kms:EncryptionContext:vault", "v"),
            ),
        ),
    ),
    Case(
        "a context with one key too many",
        data_key({**CONTEXT, "extra": "x"}),
        KMS_DENIED,
        (
            grant(
                "kms:*",
                "<key>",
                **with_condition(
                    "ForAllValues:StringEquals", "kms:EncryptionContextKeys", ["vault", "jar"]
                ),
            ),
        ),
    ),
    Case(
        "the caller's account",
        decrypt(),
        "ok",
        (
            grant(
                "kms:Decrypt",
                "<key>",
                **with_condition("StringEquals", "kms:CallerAccount", ACCOUNT),
            ),
        ),
    ),
    Case(
        "a wrong context opens nothing",
        decrypt({"vault": "w"}),
        "InvalidCiphertextException",
        (grant("kms:*", "<key>"),),
    ),
    Case(
        "keys are not deleted by those who use them",
        lambda w: w.kms.schedule_key_deletion(KeyId=w.key),
        KMS_DENIED,
        (grant(["kms:Decrypt", "kms:GenerateDataKey"], "<key>"),),
    ),
)
OTHERS = (
    Case("a parameter", parameter(), "ok", (grant("ssm:GetParameter"),)),
    Case(
        "a parameter by name",
        parameter(),
        "ok",
        (grant("ssm:GetParameter", f"arn:aws:ssm:*:{ACCOUNT}:parameter/jarkeeper/*"),),
    ),
    Case(
        "another parameter",
        parameter("/other"),
        KMS_DENIED,
        (grant("ssm:GetParameter", f"arn:aws:ssm:*:{ACCOUNT}:parameter/jarkeeper/*"),),
    ),
    Case(
        "a secret parameter needs its key",
        parameter(secret=True, WithDecryption=True),
        KMS_DENIED,
        (grant("ssm:GetParameter"),),
    ),
    Case(
        "a secret parameter with its key",
        parameter(secret=True, WithDecryption=True),
        "ok",
        (
            grant("ssm:GetParameter"),
            grant(
                "kms:Decrypt",
                "<key>",
                **with_condition(
                    "StringEquals", "kms:ViaService", "ssm.eu-central-1.amazonaws.com"
                ),
            ),
        ),
    ),
    Case(
        "a secret parameter left sealed",
        parameter(secret=True),
        "ok",
        (grant("ssm:GetParameter"),),
    ),
    Case("anyone may ask who they are", lambda w: w.sts.get_caller_identity(), "ok"),
    Case("IAM needs permission", lambda w: w.iam.get_role(RoleName="task"), DENIED),
    Case(
        "a role that the account may assume",
        lambda w: w.sts.assume_role(RoleArn=ROLE["AWS"], RoleSessionName="again"),
        "ok",
        (grant("sts:AssumeRole", ROLE["AWS"]),),
    ),
    Case(
        "assuming needs permission",
        lambda w: w.sts.assume_role(RoleArn=ROLE["AWS"], RoleSessionName="again"),
        DENIED,
    ),
)
CONDITIONS = tuple(
    Case(f"condition {operator} {key} {value}", get(), "ok" if holds else DENIED,
         (grant("s3:GetObject", **with_condition(operator, key, value)),))
    for operator, key, value, holds in (
        ("IpAddress", "aws:SourceIp", "127.0.0.0/8", True),
        ("NotIpAddress", "aws:SourceIp", "127.0.0.0/8", False),
        ("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", True),
        ("DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", False),
        ("NumericGreaterThan", "aws:EpochTime", "1000", True),
        ("StringEquals", "s3:ResourceAccount", ACCOUNT, True),
        ("StringNotEquals", "s3:ResourceAccount", ACCOUNT, False),
        ("StringEqualsIfExists", "aws:username", "somebody", True),
        ("StringEquals", "aws:username", "somebody", False),
        ("Null", "aws:username", "true", True),
        ("Null", "aws:PrincipalArn", "true", False),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ta?k", True),
        ("Bool", "aws:PrincipalIsAWSService", "true", False),
        ("StringLike", "AWS:principalARN", "*task", True),
    )
)  # fmt: skip
CASES = (
    *IDENTITY,
    *OBJECTS,
    *BUCKETS,
    *HEADERS,
    *(replace(case, has_sealed=True) for case in SSE_KMS),
    *KMS,
    *OTHERS,
    *CONDITIONS,
)


@pytest.fixture(scope="module")
def with_tls(running):
    with Cloud(tls=True) as cloud:  # the same account, by another door
        yield cloud


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_cloud_decides_as_aws_does(cloud, with_tls, case):
    world = World(with_tls if case.tls else cloud, case)

    outcome = world.outcome(case.request)

    world.close()
    assert outcome == case.expected


def test_every_case_has_a_name_of_its_own():
    names = [case.name for case in CASES]

    assert len(names) == len(set(names)) >= 48
