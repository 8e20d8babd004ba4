"""The command on S3 and KMS: what works, and that everything that goes wrong is one clear line."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from jarkeeper.cli.group import run
from jarkeeper.settings import AWS_VARIABLES, VARIABLES
from vaultkit import cookie_file


@pytest.fixture
def go(monkeypatch, tmp_path, capsys):
    """Run a command in an environment of these variables alone; return code, output and errors."""
    for name in (*AWS_VARIABLES, *(item.name for item in VARIABLES.values())):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    def go(variables, *words):
        with pytest.MonkeyPatch.context() as patch:
            for name, text in variables.items():
                patch.setenv(name, text)
            code = run(words)
        out, err = capsys.readouterr()
        return code, out, err

    return go


@pytest.fixture
def operator(tenancy, tmp_path):
    """The variables of an operator, under the operator's own policy and the bucket's."""
    tenancy.enforce()
    return tenancy.variables(tmp_path / "state", tenancy.role("operator"))


@pytest.fixture
def filled(go, operator, tmp_path):
    """A vault on AWS with a jar in it."""
    jar = tmp_path / "cookies.txt"
    jar.write_bytes(cookie_file("one"))
    assert go(operator, "init")[0] == 0
    assert go(operator, "import", str(jar))[0] == 0
    return operator


def test_a_vault_on_aws_is_made_filled_shown_and_checked(go, operator, tenancy, tmp_path):
    jar = tmp_path / "cookies.txt"
    jar.write_bytes(cookie_file("one"))

    made = go(operator, "init")
    again = go(operator, "init")
    imported = go(operator, "import", str(jar))
    status = go(operator, "status")
    check = go(operator, "check")

    assert [code for code, _, _ in (made, again, imported, status, check)] == [0] * 5
    assert f"s3://{tenancy.bucket}  made now" in made[1]
    assert f"KMS key '{tenancy.kms_key}'" in made[1]
    assert "already there" in again[1]
    assert "healthy" in status[1]
    assert "warning" not in check[1]
    assert "critical" not in check[1]


def test_the_view_keeps_its_three_names(filled, tenancy):
    keys = {key for key in tenancy.store().list("cookies/") if key.count("/") == 1}

    assert keys == {
        "cookies/metadata.json",
        "cookies/youtube-cookies-active.txt",
        "cookies/youtube-cookies-backup.txt",
    }


def test_init_makes_no_vault_where_the_store_ignores_conditions(go, operator, tenancy, monkeypatch):
    def ignoring(self, key, content):
        self.put(key, content)
        return True

    monkeypatch.setattr("jarkeeper.stores.s3.S3Store.put_if_absent", ignoring)

    code, _, err = go({**operator, **tenancy.cloud.environment}, "init")

    assert code == 3
    assert "does not honour conditional writes" in err
    assert "hint: " in err
    assert "vault.json" not in tenancy.store().list("")


WRONG = {
    "no credentials": (
        lambda tenancy, told: {
            **{k: v for k, v in told.items() if "KEY_ID" not in k or "COOKIE" in k},
            "AWS_SECRET_ACCESS_KEY": "",
            "AWS_SESSION_TOKEN": "",
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        "there are no AWS credentials",
        "AWS_PROFILE",
    ),
    "unknown credentials": (
        lambda tenancy, told: {**told, "AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHIS0"},
        "AWS does not know these credentials",
        "AWS_PROFILE",
    ),
    "another secret": (
        lambda tenancy, told: {**told, "AWS_SECRET_ACCESS_KEY": "another-secret"},
        "the secret access key does not belong to the access key id",
        "AWS_ACCESS_KEY_ID",
    ),
    "no region": (
        lambda tenancy, told: {
            **told,
            "AWS_REGION": "",
            "AWS_DEFAULT_REGION": "",
        },
        "no AWS region is set",
        "set AWS_REGION",
    ),
    "another region": (
        lambda tenancy, told: {
            **told,
            "AWS_REGION": "us-west-2",
            "COOKIE_KMS_KEY_ID": f"alias/{tenancy.bucket}",
        },
        "the key does not exist in this region",
        "AWS_REGION",
    ),
    "no such profile": (
        lambda tenancy, told: {**told, "AWS_PROFILE": "nobody"},
        "there is no such AWS profile",
        "AWS_PROFILE",
    ),
    "no such bucket": (
        lambda tenancy, told: {**told, "COOKIE_S3_BUCKET": "nobody-made-this-one"},
        "the bucket does not exist",
        "COOKIE_S3_BUCKET",
    ),
    "no such key": (
        lambda tenancy, told: {**told, "COOKIE_KMS_KEY_ID": tenancy.kms_key[:-4] + "0000"},
        "the key does not exist in this region",
        "COOKIE_KMS_KEY_ID",
    ),
    "another key": (
        lambda tenancy, told: {**told, "COOKIE_KMS_KEY_ID": tenancy.cloud.make_key()},
        "is not the key of this vault",
        "COOKIE_KMS_KEY_ID",
    ),
    "nobody there": (
        lambda tenancy, told: {**told, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        "AWS cannot be reached",
        "AWS_ENDPOINT_URL",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line_with_a_hint(case, go, filled, tenancy):
    change, sentence, hint = WRONG[case]
    variables = change(tenancy, {**filled, **tenancy.cloud.environment})

    code, out, err = go(variables, "status")

    assert code == 3
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("jarkeeper: error: ")
    assert sentence in first
    assert second.startswith("hint: ")
    assert hint in second


def assert_one_line(answer, sentence):
    code, _, err = answer
    assert code == 3
    assert sentence in err.splitlines()[0]
    assert err.splitlines()[1].startswith("hint: ")
    assert len(err.splitlines()) == 2


def test_expired_credentials_say_so(go, filled, tenancy):
    tenancy.cloud.clock_offset = timedelta()
    aws = tenancy.cloud.assume(f"{tenancy.bucket}-operator", None, seconds=900)
    tenancy.cloud.expire(aws)

    assert_one_line(go({**filled, **aws}, "status"), "the AWS credentials have expired")


def test_a_wrong_clock_says_so(go, filled, tenancy):
    tenancy.cloud.clock_offset = timedelta(hours=1)
    try:
        answer = go(filled, "status")
    finally:
        tenancy.cloud.clock_offset = timedelta()

    assert_one_line(answer, "this machine's clock is wrong")


def test_a_disabled_key_says_so_and_heals(go, filled, tenancy):
    kms, key = tenancy.cloud.admin("kms"), tenancy.kms_key.rpartition("/")[2]

    kms.disable_key(KeyId=key)
    refused = go(filled, "status")
    kms.enable_key(KeyId=key)
    healed = go(filled, "status")

    assert_one_line(refused, f"KMS key '{tenancy.kms_key}': the key is disabled")
    assert "enable-key" in refused[2]
    assert healed[0] == 0


def test_a_key_about_to_be_deleted_says_so_and_heals(go, filled, tenancy):
    kms, key = tenancy.cloud.admin("kms"), tenancy.kms_key.rpartition("/")[2]

    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    refused = go(filled, "status")
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)

    assert_one_line(refused, "the key is about to be deleted")
    assert go(filled, "status")[0] == 0


def test_a_disabled_key_of_the_bucket_says_so(go, filled, tenancy):
    kms, key = tenancy.cloud.admin("kms"), tenancy.bucket_key.rpartition("/")[2]

    kms.disable_key(KeyId=key)
    refused = go(filled, "status")
    kms.enable_key(KeyId=key)

    assert_one_line(refused, "the bucket's KMS key is disabled")


def test_a_role_that_may_not_use_the_key_says_so(go, filled, tenancy):
    aws = tenancy.role("task", kms_key_arn=tenancy.cloud.make_key())

    assert_one_line(
        go({**filled, **aws}, "status"), f"KMS key '{tenancy.kms_key}': access was denied"
    )


def test_a_role_that_may_not_list_says_so(go, filled, tenancy):
    aws = tenancy.role("task", prefix="elsewhere")

    assert_one_line(
        go({**filled, **aws}, "status"), f"store 's3://{tenancy.bucket}': access was denied"
    )


def test_a_jar_that_nobody_encrypted_is_refused(go, filled, tenancy):
    raw = tenancy.store().get("vault.json")
    admin = tenancy.cloud.admin("s3")
    admin.delete_bucket_policy(Bucket=tenancy.bucket)
    admin.put_object(
        Bucket=tenancy.bucket, Key="vault.json", Body=raw, ServerSideEncryption="AES256"
    )

    code, _, err = go(filled, "status")

    assert code == 3
    assert "came back without server-side KMS encryption" in err


def test_the_key_may_lie_in_parameter_store(go, operator, tenancy, tmp_path):
    tenancy.cloud.admin("ssm").put_parameter(
        Name="/jars/key", Type="SecureString", Value="A" * 43 + "="
    )
    told = {**operator, **tenancy.cloud.environment, "COOKIE_S3_PREFIX": "parameter"}
    told |= {"COOKIE_ENCRYPTION_KEY_PARAMETER": "/jars/key", "COOKIE_KMS_KEY_ID": ""}
    jar = tmp_path / "cookies.txt"
    jar.write_bytes(cookie_file("one"))

    codes = [go(told, *words)[0] for words in (["init"], ["import", str(jar)], ["check"])]

    assert codes == [0, 0, 0]


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("SecureString", "short", "expected 32 bytes in base64"),
        ("String", "A" * 43 + "=", "expected a SecureString, got a String"),
    ],
)
def test_a_parameter_that_holds_no_key_says_so(kind, text, sentence, go, operator, tenancy):
    name = f"/{tenancy.bucket}/{kind}"
    tenancy.cloud.admin("ssm").put_parameter(Name=name, Type=kind, Value=text)
    told = {**operator, **tenancy.cloud.environment, "COOKIE_KMS_KEY_ID": ""}

    code, _, err = go({**told, "COOKIE_ENCRYPTION_KEY_PARAMETER": name}, "init")

    assert code == 3
    assert sentence in err
    assert text not in err


def test_settings_show_where_each_came_from_and_no_secret(go, filled):
    code, out, _ = go(filled, "settings", "--json")

    found = {item["variable"]: item for item in json.loads(out)["settings"]}
    assert code == 0
    assert found["COOKIE_S3_BUCKET"]["source"] == "environment"
    assert found["COOKIE_BACKUP_COUNT"] == {
        "variable": "COOKIE_BACKUP_COUNT",
        "value": "3",
        "source": "default",
    }
    assert filled["AWS_SECRET_ACCESS_KEY"] not in out
    assert filled["AWS_SESSION_TOKEN"] not in out


@pytest.mark.parametrize("role", ["operator", "task", "auditor"])
def test_where_a_recovery_was_interrupted_each_role_is_told_what_it_may_know(
    go, tenancy, tmp_path, role
):
    tenancy.enforce()
    variables = tenancy.variables(tmp_path / "state", tenancy.role(role))
    empty = go(variables, "status")
    tenancy.store().put(f"audit/dt=2026-06-01/{'a' * 32}/000000000001.jsonl", b"{}\n")
    tenancy.store().put(f"cookies/youtube/generations/{'a' * 32}", b"sealed")

    code, _, err = go(variables, "status")

    assert (empty[0], code) == (3, 3)
    assert "there is none at this place, or this role may not read it" in empty[2]
    assert "'vault.json' is missing, or this role may not read it, but parts of a vault lie" in err
    assert "run `jarkeeper recover` again; or the role needs" in err
    assert "jarkeeper init" not in err
    assert go(variables, "init")[0] == 3
