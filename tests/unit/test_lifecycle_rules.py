from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from runpy import run_path

import boto3
import pytest
from moto import mock_aws

from jarkeeper.settings import Settings

SCRIPT = Path(__file__).parents[2] / "infrastructure" / "lifecycle.py"


@pytest.fixture
def settings(tmp_path):
    return Settings.read(
        {"HOME": str(tmp_path), "COOKIE_S3_BUCKET": "jars", "COOKIE_S3_PREFIX": "teams/media"}
    )


def rules(settings):
    found = run_path(str(SCRIPT))["rules_of"](settings)["Rules"]
    return {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in found}


def test_what_is_kept_for_ever_has_a_rule_for_packed_events_alone(settings):
    assert rules(settings) == {"teams/media/audit/dt=": 37}


def test_a_retention_ends_volumes_a_month_after_it_is_on_record(settings):
    assert rules(replace(settings, audit_days=400)) == {
        "teams/media/audit/dt=": 37,
        "teams/media/audit/archive/": 430,
    }


def test_no_rule_reaches_checkpoints_hashes_heads_or_jars(settings):
    for prefix in rules(replace(settings, audit_days=400)):
        for kept in ("audit/checkpoints/", "audit/hashes/", "cookies/", "keys/", "incidents/"):
            assert not f"teams/media/{kept}x".startswith(prefix)


def test_without_a_prefix_the_rules_are_for_the_bucket_itself(settings):
    assert rules(replace(settings, s3_prefix="")) == {"audit/dt=": 37}


def test_a_bucket_takes_the_rules(settings, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    document = run_path(str(SCRIPT))["rules_of"](replace(settings, audit_days=400))
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="vault")

        client.put_bucket_lifecycle_configuration(Bucket="vault", LifecycleConfiguration=document)

        kept = client.get_bucket_lifecycle_configuration(Bucket="vault")["Rules"]
    assert [rule["Filter"]["Prefix"] for rule in kept] == list(
        rules(replace(settings, audit_days=400))
    )


def test_the_script_prints_the_document(tmp_path):
    environment = {"HOME": str(tmp_path), "COOKIE_AUDIT_DAYS": "90", "PYTHONPATH": sys.path[0]}

    ended = subprocess.run(
        [sys.executable, str(SCRIPT)], env=environment, capture_output=True, text=True, check=True
    )

    assert len(json.loads(ended.stdout)["Rules"]) == 2
