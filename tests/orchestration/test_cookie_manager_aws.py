"""The block's AWS form: which field wins, what is refused, whose credentials are used."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid

import pytest
from prefect_aws import AwsClientParameters, AwsCredentials
from pydantic import ValidationError

from blocks import CookieManager
from jarkeeper.aws import Clients
from jarkeeper.errors import InputError, StoreError
from jarkeeper.settings import AWS_VARIABLES, VARIABLES
from jarkeeper.wiring import init_vault, open_vault
from orchestration.aws import ACCESS_KEY, REGION, ROLE, SECRET, TOKEN, cloud
from orchestration.place import video_ids
from orchestration.runs import run

BUCKET = "some-bucket"
KEYS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
}


@pytest.fixture(scope="module")
def aws():
    with cloud("cookie-manager") as running:
        yield running


@pytest.fixture
def ambient(tmp_path, monkeypatch):
    """An environment that says nothing of a vault and of AWS; a function that says more."""
    for name in (*(item.name for item in VARIABLES.values()), *AWS_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COOKIE_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def also(**variables):
        for name, text in variables.items():
            monkeypatch.setenv(name, text)

    return also


def credentials(aws, **fields):
    given = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET}
    client = AwsClientParameters(endpoint_url=aws.url)
    return AwsCredentials(**(given | fields), aws_client_parameters=client)


def test_a_filled_in_form_becomes_the_settings(ambient):
    settings = CookieManager(
        bucket=BUCKET,
        prefix="/teams/media/",
        kms_key_id="alias/jarkeeper",
        s3_kms_key_id="alias/bucket",
        encryption_key_parameter="/jarkeeper/key",
        region="eu-central-1",
    ).settings()

    assert settings.place == f"s3://{BUCKET}/teams/media"
    assert (settings.kms_key_id, settings.s3_kms_key_id) == ("alias/jarkeeper", "alias/bucket")
    assert settings.encryption_key_parameter == "/jarkeeper/key"
    assert settings.aws["AWS_REGION"] == REGION


def test_what_is_cleared_or_sent_as_text_counts_as_the_form_means_it(ambient):
    cleared = dict.fromkeys(set(CookieManager.model_fields) - {"expiry_warning_days"}, " ")

    manager = CookieManager(**cleared | {"aws_credentials": {}}, expiry_warning_days="20")

    assert manager == CookieManager(expiry_warning_days=20)


def test_the_blocks_bucket_wins_over_another_vault_of_the_environment(ambient):
    ambient(JARKEEPER_VAULT="/srv/vault")
    assert CookieManager(bucket=BUCKET).settings().place == f"s3://{BUCKET}"


def test_the_blocks_bucket_takes_no_prefix_of_another_bucket(ambient):
    ambient(COOKIE_S3_BUCKET="another", COOKIE_S3_PREFIX="elsewhere")

    assert CookieManager(bucket=BUCKET).settings().place == f"s3://{BUCKET}"
    assert CookieManager(prefix="here").settings().place == "s3://another/here"


def test_the_blocks_folder_wins_over_a_bucket_of_the_environment(ambient):
    ambient(COOKIE_S3_BUCKET="another", COOKIE_S3_PREFIX="p", COOKIE_S3_KMS_KEY_ID="alias/b")

    settings = CookieManager(vault="/srv/vault").settings()

    assert (settings.place, settings.s3_bucket, settings.s3_kms_key_id) == (
        "/srv/vault",
        None,
        None,
    )


def test_the_blocks_key_file_wins_over_keys_of_the_environment(ambient):
    ambient(COOKIE_KMS_KEY_ID="alias/theirs", COOKIE_ENCRYPTION_KEY_PARAMETER="/theirs")

    settings = CookieManager(vault="/srv/vault", key_file="/srv/key").settings()

    assert (settings.kms_key_id, settings.encryption_key_parameter) == (None, None)


@pytest.mark.parametrize(
    ("filled_in", "told"),
    [
        ({"vault": "/v", "bucket": BUCKET}, "vault: expected it or bucket, got both"),
        ({"vault": "/v", "prefix": "p"}, "vault: expected it or prefix, got both"),
        ({"vault": "/v", "s3_kms_key_id": "alias/x"}, "vault: expected it or s3_kms_key_id"),
        ({"key_file": "/k", "kms_key_id": "alias/x"}, "key_file: expected it or kms_key_id"),
        (
            {"key_file": "/k", "encryption_key_parameter": "/x"},
            "key_file: expected it or encryption_key_parameter",
        ),
        (
            {"expiry_warning_days": 2, "expiry_critical_days": 7},
            "expiry_critical_days: expected at most expiry_warning_days",
        ),
    ],
)
def test_fields_that_contradict_each_other_are_refused_when_filled_in(filled_in, told):
    with pytest.raises(ValidationError, match=told) as refusal:
        CookieManager(**filled_in)

    assert len(refusal.value.errors()) == 1


@pytest.mark.parametrize(
    "filled_in",
    [
        {"bucket": "s3://hunter2"},
        {"bucket": "Hunter2"},
        {"prefix": "hunter2/../x"},
        {"kms_key_id": "hunter2 hunter2"},
        {"s3_kms_key_id": "hunter2"},
        {"encryption_key_parameter": "hunter2="},
        {"region": "hunter2"},
        {"vault": "s3://hunter2"},
        {"aws_credentials": "hunter2"},
    ],
    ids=str,
)
def test_a_field_that_is_not_of_its_form_is_refused_without_quoting_it(filled_in):
    with pytest.raises(ValidationError) as refusal:
        CookieManager(**filled_in)

    assert "hunter2" not in str(refusal.value).lower()
    assert len(refusal.value.errors()) == 1


def test_credentials_of_the_block_leave_none_of_the_environments(ambient, aws):
    ambient(
        AWS_PROFILE="theirs",
        AWS_SESSION_TOKEN="theirs",
        AWS_WEB_IDENTITY_TOKEN_FILE="/theirs",
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/theirs",
        AWS_ENDPOINT_URL_KMS="http://theirs",
        AWS_DEFAULT_REGION="us-east-1",
    )

    told = CookieManager(aws_credentials=credentials(aws, region_name=REGION)).settings().aws

    assert told == KEYS | {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_a_profile_of_the_environment_that_is_not_there_is_no_hindrance(ambient, aws):
    ambient(AWS_PROFILE="nobody")
    told = CookieManager(aws_credentials=credentials(aws), region=REGION).settings().aws

    client = Clients.of(told).get("kms")

    assert client.meta.endpoint_url == aws.url


def test_a_profile_of_the_block_leaves_no_keys_of_the_environment(ambient):
    ambient(**KEYS, AWS_CONFIG_FILE="/etc/aws/config")

    told = CookieManager(aws_credentials=AwsCredentials(profile_name="ours")).settings().aws

    assert told == {
        "AWS_PROFILE": "ours",
        "AWS_CONFIG_FILE": "/etc/aws/config",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_credentials_without_an_identity_leave_the_environments(ambient, tmp_path):
    ambient(**KEYS, AWS_REGION="us-east-1")
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    client = AwsClientParameters(verify_cert_path=bundle)
    nobody = AwsCredentials(region_name=REGION, aws_client_parameters=client)

    told = CookieManager(aws_credentials=nobody).settings().aws

    assert told.items() >= {**KEYS, "AWS_REGION": REGION, "AWS_CA_BUNDLE": str(bundle)}.items()


def test_the_blocks_own_region_wins(ambient):
    elsewhere = AwsCredentials(region_name="us-east-1")

    manager = CookieManager(aws_credentials=elsewhere, region=REGION)

    assert manager.settings().aws["AWS_REGION"] == REGION


def test_a_session_token_goes_with_its_keys(ambient, aws):
    manager = CookieManager(aws_credentials=credentials(aws, aws_session_token=TOKEN))

    assert manager.settings().aws["AWS_SESSION_TOKEN"] == TOKEN


def test_a_role_is_assumed_with_the_keys_and_used_in_their_place(ambient, aws):
    ambient(AWS_ENDPOINT_URL_STS=aws.url)
    assuming = credentials(aws, assume_role_arn=ROLE, region_name=REGION)

    told = CookieManager(aws_credentials=assuming).settings().aws

    assert told["AWS_SESSION_TOKEN"]
    assert told["AWS_ACCESS_KEY_ID"] != ACCESS_KEY
    assert SECRET not in told.values()


def test_a_role_that_cannot_be_assumed_is_one_clear_error(ambient, aws):
    ambient(AWS_ENDPOINT_URL_STS="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    assuming = credentials(aws, assume_role_arn=ROLE, region_name=REGION)

    with pytest.raises(StoreError, match=r"AWS role '.*': AWS cannot be reached"):
        CookieManager(aws_credentials=assuming).settings()


def test_no_secret_shows_in_what_is_printed(ambient, aws):
    manager = CookieManager(bucket=BUCKET, aws_credentials=credentials(aws))

    assert SECRET not in repr(manager) + str(manager) + repr(manager.settings())


@pytest.fixture
def manager(ambient, aws):
    """A block that alone leads to a vault on S3 and KMS; the environment leads astray."""
    ambient(JARKEEPER_VAULT="/nowhere")
    filled_in = CookieManager(
        bucket=aws.bucket,
        prefix=f"test-{uuid.uuid4().hex}",
        kms_key_id=aws.key,
        region=REGION,
        aws_credentials=credentials(aws),
    )
    init_vault(filled_in.settings())
    return filled_in


def test_every_method_works_on_a_vault_in_a_bucket(manager, standin, tmp_path):
    export = tmp_path / "cookies.txt"
    generations = []
    for name in ("first", "second"):
        export.write_text(standin.control.new_session(name))
        generations.append(manager.rotate_cookies(export, confirmed=True).generation)
    first, second = generations

    assert manager.get_active_cookies().generation == second
    assert manager.get_backup_cookies().generation == first
    assert manager.promote().generation == first
    assert manager.restore(second).generation == second
    assert [slot.name for slot in manager.status()] == ["active", "backup"]
    manager.revoke(first)
    assert manager.history()[-1].revoked == (first,)
    assert {finding.severity for finding in manager.check()} <= {"ok", "warning"}
    assert manager.get_cookie_metadata()["jars"]["youtube"]["revoked"] == 1
    with manager.get_active_cookies().open() as jar:
        assert len(jar) > 0


def test_the_secret_key_is_in_no_object_of_the_bucket(manager, aws, standin, tmp_path):
    export = tmp_path / "cookies.txt"
    export.write_text(standin.control.new_session("first", canary="KANARIcookie"))
    manager.rotate_cookies(export, confirmed=True)

    s3 = aws.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=aws.bucket)["Contents"]]
    content = b"".join(s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read() for key in keys)

    assert b"KANARI" not in content


PROGRAM = """
import json, sys
sys.modules["prefect_aws"] = None
from blocks import CookieManager
from pydantic import ValidationError
schema = CookieManager.model_json_schema()
settings = CookieManager(bucket="some-bucket", aws_credentials="").settings()
try:
    CookieManager(aws_credentials={"profile_name": "hunter2"})
except ValidationError as error:
    refusal = str(error)
print(json.dumps([schema, settings.place, refusal]))
"""


def test_without_prefect_aws_the_form_lacks_one_field_and_says_why_it_is_refused(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    schema, place, refusal = json.loads(ended.stdout)
    whole = CookieManager.model_json_schema()
    assert set(whole["properties"]) - set(schema["properties"]) == {"aws_credentials"}
    assert schema["secret_fields"] == []
    assert place == "s3://some-bucket"
    assert "pip install 'jarkeeper[aws]'" in refusal
    assert "hunter2" not in refusal


def test_every_field_is_one_plain_input_of_the_form():
    properties = CookieManager.model_json_schema()["properties"]

    kinds = {name: item.get("type") or item["$ref"] for name, item in properties.items()}
    assert set(kinds.values()) == {"string", "number", "#/definitions/AwsCredentials"}
    assert all(item["title"] and item["description"] for item in properties.values())
    assert list(properties)[:3] == ["jar", "vault", "bucket"]


@pytest.mark.harness
def test_credentials_that_were_not_stored_are_not_copied_into_the_block(prefect_api, aws):
    manager = CookieManager(bucket=BUCKET, aws_credentials=credentials(aws))

    with pytest.raises(InputError) as refusal:
        manager.save("leaky")

    assert "stored block" in refusal.value.message
    manager.aws_credentials.save("stored", overwrite=True)
    manager.save("sound", overwrite=True)
    CookieManager.load("sound").save("sound", overwrite=True)


@pytest.mark.harness
def test_a_download_finds_the_bucket_by_the_blocks_name(youtube, place, aws, monkeypatch):
    for name in ("JARKEEPER_VAULT", "JARKEEPER_KEY_FILE"):
        monkeypatch.setenv(name, str(place.folder / "nowhere"))
    stored = credentials(aws, region_name=REGION)
    stored.save("for-download", overwrite=True)
    manager = CookieManager(
        bucket=aws.bucket, prefix="download", kms_key_id=aws.key, aws_credentials=stored
    )
    manager.save("bucket", overwrite=True)
    init_vault(manager.settings())
    session = youtube.new_session("first").encode()
    open_vault(manager.settings(), actor="test").import_jar("youtube", session)

    state = run(place, video_ids(1), manager="bucket")

    assert state.is_completed(), state.message
    assert len(place.videos()) == 1
