import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from moto.s3.models import S3Backend

from cloud.calls import Call
from cloud.faults import Fault, Kind
from cloud.server import Cloud, allow, client

PATIENT = Config(retries={"total_max_attempts": 4, "mode": "standard"})


@pytest.fixture
def s3(cloud):
    cloud.make_bucket("jars")
    cloud.admin("s3").put_object(Bucket="jars", Key="heads/0", Body=b"x" * 1000)
    asking = client("s3", cloud.environment)
    yield asking
    asking.close()


def create(s3, key="heads/1", body=b"1"):
    return s3.put_object(Bucket="jars", Key=key, Body=body, IfNoneMatch="*")


def exists(cloud, key="heads/1"):
    found = cloud.admin("s3").list_objects_v2(Bucket="jars", Prefix=key)
    return found["KeyCount"] == 1


def code_of(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


@pytest.mark.parametrize(
    ("kind", "code", "applied"),
    [
        (Kind.SLOW_DOWN, "SlowDown", False),
        (Kind.ERROR_AFTER, "InternalError", True),
        (Kind.CONFLICT, "ConditionalRequestConflict", False),
    ],
)
def test_a_write_fails_with_an_error_and_is_applied_or_not(cloud, s3, kind, code, applied):
    cloud.faults.add(Fault(kind, method="PUT", key_part="heads/"))

    assert code_of(create, s3) == code
    assert exists(cloud) == applied
    assert cloud.faults.injected == Counter({kind: 1})


@pytest.mark.parametrize(("kind", "applied"), [(Kind.DROP_BEFORE, False), (Kind.DROP_AFTER, True)])
def test_a_write_is_dropped_and_is_applied_or_not(cloud, s3, kind, applied):
    cloud.faults.add(Fault(kind))

    with pytest.raises(ConnectionClosedError):
        create(s3)
    assert exists(cloud) == applied


@pytest.mark.parametrize("kind", [Kind.DELAY_BEFORE, Kind.DELAY_AFTER])
def test_a_delay_outlasts_the_client_and_holds_up_nobody_else(cloud, s3, kind):
    cloud.faults.add(Fault(kind, key_part="heads/1", seconds=1.0))
    hasty = client("s3", cloud.environment, config=Config(read_timeout=0.2))
    started = time.monotonic()

    with pytest.raises(ReadTimeoutError):
        create(hasty)
    s3.get_object(Bucket="jars", Key="heads/0")["Body"].read()

    assert time.monotonic() - started < 0.9
    assert exists(cloud) == (kind is Kind.DELAY_AFTER)
    hasty.close()


def test_a_body_is_cut_short(cloud, s3):
    cloud.faults.add(Fault(Kind.TRUNCATE))

    with pytest.raises(ResponseStreamingError):
        s3.get_object(Bucket="jars", Key="heads/0")["Body"].read()


def test_a_get_is_denied(cloud, s3):
    cloud.faults.add(Fault(Kind.DENY))

    assert code_of(s3.get_object, Bucket="jars", Key="heads/0") == "AccessDenied"
    assert code_of(s3.get_object, Bucket="jars", Key="heads/0") == "ok"


def test_a_fault_waits_for_its_turn(cloud, s3):
    cloud.faults.add(Fault(Kind.SLOW_DOWN, method="PUT", key_part="heads/", at=2, times=2))

    codes = [code_of(create, s3, f"{folder}/{n}") for n in range(1, 5) for folder in ("heads", "x")]

    assert codes == ["ok", "ok", "SlowDown", "ok", "SlowDown", "ok", "ok", "ok"]


def test_kms_fails_in_its_own_words(cloud):
    kms = client("kms", cloud.environment)
    key = cloud.make_key()
    cloud.faults.add(Fault(Kind.SLOW_DOWN, service="kms", key_part="Encrypt"))

    assert code_of(kms.encrypt, KeyId=key, Plaintext=b"x") == "ThrottlingException"
    assert code_of(kms.encrypt, KeyId=key, Plaintext=b"x") == "ok"
    kms.close()


def test_a_lost_answer_ends_as_a_conflict_with_oneself(cloud, s3):
    patient = client("s3", cloud.environment, config=PATIENT)
    cloud.faults.add(Fault(Kind.DROP_AFTER, method="PUT"))

    assert code_of(create, patient) == "PreconditionFailed"
    patient.close()


def test_chance_fails_the_same_share_for_the_same_seed(cloud, s3):
    def failures():
        cloud.faults.clear()
        cloud.faults.chance(0.3, seed=7, seconds=0.01)
        failed = []
        for n in range(40):
            try:
                s3.get_object(Bucket="jars", Key="heads/0")["Body"].read()
            except (ClientError, BotoCoreError):
                failed.append(n)
        return failed, dict(cloud.faults.injected)

    first, second = failures(), failures()

    assert first == second
    assert 5 < sum(first[1].values()) < 20
    assert Kind.CONFLICT not in first[1]


def test_the_tests_own_hand_meets_no_faults_and_leaves_no_trace(cloud, s3):
    cloud.faults.chance(1.0, seed=1)

    cloud.admin("s3").get_object(Bucket="jars", Key="heads/0")["Body"].read()

    assert cloud.calls == []
    assert not cloud.faults.injected


def test_one_of_many_racing_creators_wins(cloud, s3, monkeypatch):
    # moto checks the condition, then stores: a pause between the two lets every race happen.
    store = S3Backend.put_object

    def store_late(*arguments, **named):
        time.sleep(0.02)
        return store(*arguments, **named)

    monkeypatch.setattr(S3Backend, "put_object", store_late)
    codes, start = [], threading.Barrier(6)

    def race():
        start.wait()
        codes.append(code_of(create, s3, "heads/race", os.urandom(8)))

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(codes) == Counter({"PreconditionFailed": 5, "ok": 1})


def test_what_was_asked_is_recorded_with_the_verdict(cloud):
    key = cloud.make_key()
    cloud.make_bucket("jars", kms_key=key)
    role = allow(["s3:PutObject", "kms:GenerateDataKey"], "*")
    s3 = client("s3", cloud.assume("task", role))

    s3.put_object(Bucket="jars", Key="a", Body=b"x")
    code_of(s3.delete_object, Bucket="jars", Key="a")

    arn, target = "arn:aws:iam::123456789012:role/task", "arn:aws:s3:::jars/a"
    s3.close()
    assert cloud.calls == [
        Call(arn, "s3:PutObject", target, True),
        Call(arn, "kms:GenerateDataKey", key, True),
        Call(arn, "s3:DeleteObject", target, False),
    ]


def test_each_object_of_a_deletion_is_decided_alone(cloud, s3):
    create(s3, "cookies/a")
    role = allow("s3:DeleteObject", "arn:aws:s3:::jars/cookies/*")
    asking = client("s3", cloud.assume("task", role))
    names = [{"Key": "cookies/a"}, {"Key": "heads/0"}]

    answer = asking.delete_objects(Bucket="jars", Delete={"Objects": names})
    alone = asking.delete_objects(Bucket="jars", Delete={"Objects": names[1:]})

    asking.close()
    assert [x["Key"] for x in answer["Deleted"]] == ["cookies/a"]
    assert [(x["Key"], x["Code"]) for x in answer["Errors"]] == [("heads/0", "AccessDenied")]
    assert [x["Key"] for x in alone["Errors"]] == ["heads/0"]
    assert exists(cloud, "heads/0")
    assert not exists(cloud, "cookies/a")


@pytest.mark.parametrize(
    ("break_key", "mend_key", "code"),
    [
        (
            lambda kms, key: kms.disable_key(KeyId=key),
            lambda kms, key: kms.enable_key(KeyId=key),
            "DisabledException",
        ),
        (
            lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7),
            lambda kms, key: (kms.cancel_key_deletion(KeyId=key), kms.enable_key(KeyId=key)),
            "KMSInvalidStateException",
        ),
    ],
    ids=["disabled", "pending deletion"],
)
def test_a_broken_key_serves_nobody_until_it_is_mended(cloud, break_key, mend_key, code):
    key, admin = cloud.make_key(), cloud.admin("kms")
    cloud.make_bucket("jars", kms_key=key)
    kms, s3 = client("kms", cloud.environment), client("s3", cloud.environment)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    s3.put_object(Bucket="jars", Key="a", Body=b"x")

    def codes():
        return [
            code_of(kms.encrypt, KeyId=key, Plaintext=b"x"),
            code_of(kms.decrypt, CiphertextBlob=blob),
            code_of(kms.generate_data_key, KeyId=key, KeySpec="AES_256"),
            code_of(s3.put_object, Bucket="jars", Key="b", Body=b"x"),
            code_of(s3.get_object, Bucket="jars", Key="a"),
        ]

    break_key(admin, key)
    broken = codes()
    mend_key(admin, key)

    assert broken == [code] * 3 + [f"KMS.{code}"] * 2
    assert codes() == ["ok"] * 5
    kms.close()
    s3.close()


def test_a_key_that_waits_for_its_deletion_cannot_just_be_enabled(cloud):
    key, admin = cloud.make_key(), cloud.admin("kms")
    admin.schedule_key_deletion(KeyId=key)

    assert code_of(admin.enable_key, KeyId=key) == "KMSInvalidStateException"


def test_s3_says_how_an_object_is_encrypted(cloud):
    key, s3 = cloud.make_key(), cloud.admin("s3")
    cloud.make_bucket("sealed", kms_key=key)
    cloud.make_bucket("plain")

    def answers(bucket, **more):
        put = s3.put_object(Bucket=bucket, Key="a", Body=b"x", **more)
        got, found = (f(Bucket=bucket, Key="a") for f in (s3.get_object, s3.head_object))
        got["Body"].close()
        return {(x["ServerSideEncryption"], x.get("SSEKMSKeyId")) for x in (put, got, found)}

    assert answers("sealed") == {("aws:kms", key)}
    assert answers("plain") == {("AES256", None)}
    named = answers("plain", ServerSideEncryption="aws:kms", SSEKMSKeyId=key.split("/")[1])
    assert named == {("aws:kms", key)}


def test_a_key_that_does_not_exist_is_named(cloud, s3):
    put = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "0" * 36}

    code = code_of(s3.put_object, Bucket="jars", Key="a", Body=b"x", **put)

    assert code == "KMS.NotFoundException"


def test_the_variables_are_all_that_a_program_needs(cloud):
    cloud.make_bucket("jars")
    with Cloud(tls=True) as with_tls:
        script = "import boto3; print(boto3.client('s3').list_buckets()['Buckets'][0]['Name'])"

        done = subprocess.run(
            [sys.executable, "-c", script],
            env={"PATH": os.environ["PATH"], **with_tls.environment},
            capture_output=True,
            text=True,
            timeout=30,
        )

    assert done.stdout.strip() == "jars", done.stderr


def test_a_cloud_by_itself_prints_what_to_export():
    command = [sys.executable, "-m", "cloud", "--vault", "jars"]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    try:
        lines = [running.stdout.readline().strip() for _ in range(8)]
        variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        found = client("s3", variables)
        buckets = found.list_buckets()["Buckets"]
        found.close()
    finally:
        running.terminate()
        running.wait(10)
        running.stdout.close()

    assert [x["Name"] for x in buckets] == ["jars"]
    assert variables["COOKIE_S3_BUCKET"] == "jars"
    assert variables["COOKIE_KMS_KEY_ID"] != variables["COOKIE_S3_KMS_KEY_ID"]
    assert running.returncode == 0


def test_everything_is_forgotten_on_reset(cloud, s3):
    cloud.make_key()
    cloud.assume("task", allow("s3:*", "*"))
    create(s3)

    cloud.reset()

    assert cloud.admin("s3").list_buckets()["Buckets"] == []
    assert cloud.admin("iam").list_roles()["Roles"] == []
    assert cloud.admin("kms").list_keys()["Keys"] == []
    assert cloud.calls == []


def test_a_policy_that_aws_would_not_accept_is_an_error(cloud, s3):
    condition = {"StringMatches": {"s3:prefix": "a"}}
    odd = allow("s3:GetObject", "arn:aws:s3:::jars/*", Principal="*", Condition=condition)
    cloud.admin("s3").put_bucket_policy(Bucket="jars", Policy=json.dumps(odd))
    asking = client("s3", cloud.assume("task", allow("s3:*", "*")))

    code = code_of(asking.get_object, Bucket="jars", Key="heads/0")

    asking.close()
    assert code == "MalformedPolicy"
