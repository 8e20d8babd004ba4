"""CloudTrail's files, and which files of a folder a range needs."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from jarkeeper.errors import InputError
from jarkeeper.limits import LIMITS
from jarkeeper.settings import Settings
from jarkeeper.sources import cloudtrail
from jarkeeper.sources.cloudtrail import CloudTrail
from jarkeeper.sources.files import Days, batches
from jarkeeper.sources.findings import place_of
from jarkeeper.sources.intents import Intents
from jarkeeper.sources.joined import join
from jarkeeper.sources.requests import Place
from vaultkit import Room

NOW = datetime(2026, 2, 6, 12, tzinfo=UTC)
VAULT = "f" * 32
ROLE = "arn:aws:iam::123456789012:role/jarkeeper-task"
KMS_KEY = "arn:aws:kms:eu-central-1:123456789012:key/1111"
PLACE = Place(VAULT, "jars", "", (KMS_KEY, "alias/jarkeeper"))


def record(name, source="kms", **changed):
    """Return a record in AWS's documented form, of a session of a role."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::123456789012:assumed-role/jarkeeper-task/5f1d",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
        },
        "eventTime": "2026-02-06T11:00:00Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "sourceIPAddress": "192.0.2.3",
        "userAgent": "Boto3",
        "requestID": "ID",
        **changed,
    }


DECRYPT = record(
    "Decrypt",
    requestParameters={"encryptionContext": {"vault": VAULT, "jar": "youtube", "generation": "g"}},
    resources=[{"ARN": KMS_KEY, "type": "AWS::KMS::Key"}],
)
LONG_AGO = NOW - timedelta(days=9)
VIA_S3 = record(
    "Decrypt",
    requestParameters={"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::jars/vault.json"}},
)
READ = record("GetObject", "s3", requestParameters={"bucketName": "jars", "key": "cookies/x"})
COPY = record(
    "CopyObject",
    "s3",
    requestParameters={
        "bucketName": "thief",
        "key": "loot",
        "x-amz-copy-source": "/jars/cookies%2Fx?versionId=1",
    },
)


@pytest.fixture
def read(tmp_path):
    """Write records as one file and read them; return the reader and what it gave."""

    def read(*records, raw=None, name="trail.json.gz", place=PLACE):
        raw = json.dumps({"Records": records}).encode() if raw is None else raw
        path = tmp_path / name
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        trail = CloudTrail(place, NOW - timedelta(days=1), NOW)
        return trail, list(trail.read([path]))

    return read


def test_a_record_is_who_did_what_with_which_context(read):
    trail, (request,) = read(DECRYPT)

    assert (request.operation, request.principal, request.address) == ("Decrypt", ROLE, "192.0.2.3")
    assert (request.key, request.request_id) == (KMS_KEY, "ID")
    assert request.context == {"vault": VAULT, "jar": "youtube", "generation": "g"}
    assert request.at == trail.newest == NOW - timedelta(hours=1)
    assert [visit.principal for visit in trail.visits] == [ROLE]


def test_a_copy_reads_its_source(read):
    _, requests = read(READ, COPY, name="trail.json")

    assert [(one.operation, one.key) for one in requests] == [
        ("GetObject", "cookies/x"),
        ("CopyObjectSource", "cookies/x"),
    ]


def test_what_concerns_others_is_left_out(read):
    elsewhere = {"bucketName": "others", "key": "x"}
    other = {"encryptionContext": {"vault": "0" * 32}}

    trail, requests = read(
        record("GetObject", "s3", requestParameters=elsewhere),
        record("Decrypt", requestParameters=other),
        record("Decrypt", resources=[{"ARN": KMS_KEY[:-1] + "2"}]),
        record("RunTask", "ecs"),
        DECRYPT | {"eventTime": "2026-02-06T12:00:00Z"},
        DECRYPT | {"eventTime": "2026-02-01T12:00:00Z"},
    )

    assert requests == []
    assert [visit.first.day for visit in trail.visits] == [1]
    assert (trail.records, trail.damaged) == (6, 0)


GENERATION = f"cookies/youtube/generations/{'a' * 32}"
SEALED = {"vault": VAULT, "jar": "youtube", "generation": "a" * 32}
THEIRS = KMS_KEY[:-1] + "2"
ALIAS = KMS_KEY.replace("key/1111", "alias/")
POINT = "arn:aws:s3:eu-central-1:123456789012:accesspoint/way-in"
OBJECT = [{"ARN": f"arn:aws:s3:::jars/{GENERATION}"}, {"ARN": "arn:aws:s3:::jars"}, {"ARN": POINT}]


def on_key(name, *keys, **asked):
    """Return a call of KMS that names keys as its resources."""
    return record(name, requestParameters=asked, resources=[{"ARN": key} for key in keys])


def on_bucket(name, **asked):
    return record(name, "s3", requestParameters={"bucketName": "jars", **asked})


def copy(source, name="CopyObject"):
    """Return a copy to another's bucket."""
    asked = {"bucketName": "thief", "key": "loot", "x-amz-copy-source": source}
    return record(name, "s3", requestParameters=asked, resources=[{"ARN": "arn:aws:s3:::thief"}])


def through(name, point, resources=OBJECT):
    """Return an access through an access point."""
    asked = {"bucketName": point, "key": GENERATION}
    return record(name, "s3", requestParameters=asked, resources=resources)


AROUND = {
    "a data key is wrapped for another key": (
        on_key(
            "ReEncrypt", THEIRS, sourceEncryptionContext=SEALED, destinationEncryptionContext={}
        ),
        "outside",
    ),
    "another's data key is wrapped as ours": (
        on_key(
            "ReEncrypt",
            THEIRS,
            sourceEncryptionContext={"aws:s3:arn": "arn:aws:s3:::thief/loot"},
            destinationEncryptionContext=SEALED,
        ),
        "outside",
    ),
    "our key is the second that is named": (on_key("ReEncrypt", THEIRS, KMS_KEY), "outside"),
    "our key wraps a pair": (on_key("GenerateDataKeyPair", KMS_KEY), "outside"),
    "a part is copied from an envelope": (copy(f"jars/{GENERATION}", "UploadPartCopy"), "outside"),
    "a copy through an access point": (copy(f"{POINT}/object/{GENERATION}"), "outside"),
    "a copy through an alias": (copy(f"way-in-1a2b-s3alias/{GENERATION}"), "outside"),
    "a read through an access point": (through("GetObject", POINT), "outside"),
    "a read through an alias": (through("GetObject", "way-in-1a2b-s3alias"), "outside"),
    "a deletion through an access point": (through("DeleteObject", POINT), "deleted"),
    "an access point of the bucket": (
        record(
            "CreateAccessPoint",
            "s3",
            requestParameters={"name": "way-in", "CreateAccessPointRequest": {"Bucket": "jars"}},
        ),
        "rules",
    ),
    "who may use an access point": (
        record("PutAccessPointPolicy", "s3", requestParameters={"name": "way-in"}),
        "rules",
    ),
    "what all buckets block": (record("PutAccountPublicAccessBlock", "s3"), "rules"),
    "our alias is turned to another key": (
        on_key("UpdateAlias", ALIAS + "jarkeeper", THEIRS, targetKeyId=THEIRS),
        "rules",
    ),
    "an alias of our key is deleted": (on_key("DeleteAlias", ALIAS + "x", KMS_KEY), "rules"),
    "nobody tells whose alias is deleted": (on_key("DeleteAlias", aliasName="alias/x"), "rules"),
    "who may read an envelope": (on_bucket("PutObjectAcl", key=GENERATION), "rules"),
}
KEY_CALLS = {
    "key": "DeleteImportedKeyMaterial DisableKey ScheduleKeyDeletion",
    "rules": "CreateGrant DisableKeyRotation PutKeyPolicy ReplicateKey RetireGrant RevokeGrant "
    "DeleteAlias UpdateAlias UpdatePrimaryRegion",
}
BUCKET_CALLS = (
    "DeleteBucketEncryption DeleteBucketPublicAccessBlock DeleteBucketReplication PutBucketAcl "
    "PutBucketLifecycle PutBucketLogging PutBucketNotification PutBucketNotificationConfiguration "
    "PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy "
    "PutBucketVersioning PutObjectLockConfiguration"
)
AROUND |= {
    name: (on_key(name, KMS_KEY), code)
    for code, names in KEY_CALLS.items()
    for name in names.split()
} | {name: (on_bucket(name), "rules") for name in BUCKET_CALLS.split()}


@pytest.mark.parametrize("case", AROUND)
def test_every_way_around_is_found(case, read):
    told, code = AROUND[case]

    _, requests = read(told)

    found = join(requests, intents=Intents(()), place=PLACE, complete_since=LONG_AGO)
    assert [(one.code, one.count) for one in found] == [(code, 1)]


ELSEWHERE = {
    "another's object through an access point": through(
        "GetObject", POINT, [{"ARN": f"arn:aws:s3:::others/{GENERATION}"}]
    ),
    "another's access point": record(
        "CreateAccessPoint", "s3", requestParameters={"CreateAccessPointRequest": {"Bucket": "x"}}
    ),
    "a copy of anything through an access point": copy(f"{POINT}/object/x"),
    "another's alias": on_key("UpdateAlias", ALIAS + "x", THEIRS, targetKeyId=THEIRS),
    "another's alias is deleted": on_key("DeleteAlias", ALIAS + "x", THEIRS),
    "an alias that is named like our key": on_key("DeleteAlias", ALIAS + "1111", THEIRS),
    "another's key": on_key("ReplicateKey", THEIRS),
    "a list of all buckets": record("ListBuckets", "s3", errorCode="AccessDenied"),
}


def test_the_alias_by_which_settings_name_the_key_is_the_vaults(tmp_path):
    names = {"COOKIE_S3_BUCKET": "jars", "COOKIE_KMS_KEY_ID": "alias/team/jarkeeper"}
    settings = Settings.read({"HOME": str(tmp_path), "AWS_REGION": "eu-central-1", **names})

    place = place_of(settings, Room().vault)

    assert place.has_key(ALIAS + "team/jarkeeper")
    assert not place.has_key(ALIAS + "jarkeeper")


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_in_another_partition_the_same_is_found(partition, read):
    def there(value):
        text = json.dumps(value).replace("arn:aws:", f"arn:{partition}:")
        return json.loads(text.replace("amazonaws.com", "amazonaws.com.cn"))

    place = replace(PLACE, keys=tuple(there(PLACE.keys)))
    for case, (told, code) in AROUND.items():
        _, requests = read(there(told), place=place)
        found = join(requests, intents=Intents(()), place=place, complete_since=LONG_AGO)
        assert [(one.code, one.count) for one in found] == [(code, 1)], case
    for case, told in ELSEWHERE.items():
        assert read(there(told), place=place)[1] == [], case
    _, (read_, call) = read(there(READ), there(VIA_S3), place=place)
    assert read_.principal == call.principal == there(ROLE)
    assert join([call], intents=Intents(()), place=place, complete_since=LONG_AGO) == ()


@pytest.mark.parametrize("case", ELSEWHERE)
def test_what_others_do_elsewhere_is_not(case, read):
    assert read(ELSEWHERE[case])[1] == []


ODD = {
    "no record": 1,
    "no source": record("x") | {"eventSource": 5},
    "no time": DECRYPT | {"eventTime": "yesterday"},
    "a year of no calendar": DECRYPT | {"eventTime": "0001-01-01T00:00:00+14:00"},
}


@pytest.mark.parametrize("case", ODD)
def test_a_record_of_another_form_is_counted_and_the_others_are_read(case, read):
    trail, requests = read(ODD[case], DECRYPT)

    assert len(requests) == 1
    assert (trail.records, trail.damaged) == (2, 1)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"Records": 1}', b"[" * 200_000, b'{"Records": [', b"\xff"]
)
def test_a_file_of_another_form_is_named(raw, read):
    trail, requests = read(raw=raw)

    assert requests == []
    assert trail.unreadable == ["trail.json.gz"]


def test_a_file_that_grows_beyond_measure_is_not_unpacked(read, monkeypatch):
    small = type(LIMITS)(log_file_bytes_max=1000)
    monkeypatch.setattr(cloudtrail, "LIMITS", small)

    trail, _ = read(raw=b'{"Records": []' + b" " * 1000 + b"}")

    assert trail.unreadable == ["trail.json.gz"]


DAYS = Days(date(2026, 2, 6), date(2026, 2, 8))
NAMES = {
    "/2026-02-05-23-59-59-AA": False,
    "/2026-02-06-00-00-00-AA": True,
    "/jars/s3-2026-02-09-00-00-00-AA": False,
    "/AWSLogs/123456789012/CloudTrail/eu-central-1/2026/": True,
    "/AWSLogs/123456789012/CloudTrail/eu-central-1/2025/": False,
    "/AWSLogs/123456789012/CloudTrail/eu-central-1/2026/01/": False,
    "/AWSLogs/123456789012/CloudTrail/eu-central-1/2026/02/08/": True,
    "/AWSLogs/123456789012/CloudTrail/eu-central-1/2026/02/09/f.json.gz": False,
    "/123456789012/eu/jars/2026/02/05/2026-02-05-00-00-00-AA": False,
    "/anything.json": True,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_tell_whether_a_range_needs_a_file(name):
    assert DAYS.may_hold(name) is NAMES[name]


def test_a_folder_gives_the_files_of_the_days_and_follows_no_link(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("2026-02-06-00-00-00-AA", "2026-01-06-00-00-00-AA", "notes"):
        (logs / name).write_text("x")
    (logs / "link").symlink_to(logs / "notes")

    (batch,) = batches(str(logs), DAYS, scratch=tmp_path, aws={})

    assert [path.name for path in batch] == ["2026-02-06-00-00-00-AA", "notes"]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="expected a folder"):
        list(batches(str(tmp_path / "none"), DAYS, scratch=tmp_path, aws={}))
