"""Filling a policy in by hand: what is missing or unknown is named, and nothing is printed."""

import json
import subprocess
import sys

import pytest

from tenancy import INFRASTRUCTURE, render


def rendered(*words):
    script = str(INFRASTRUCTURE / "render.py")
    ended = subprocess.run([sys.executable, script, *words], capture_output=True, text=True)
    return ended.returncode, ended.stdout, ended.stderr


PARAMETER = ("region=eu-central-1", "account_id=1", "parameter=/a", "parameter_key_arn=arn:x")


def test_a_policy_that_is_filled_in_is_printed():
    code, out, err = rendered("parameter", *PARAMETER)

    assert (code, err) == (0, "")
    assert json.loads(out)["Statement"][0]["Resource"] == "arn:aws:ssm:eu-central-1:1:parameter/a"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("parameter", *PARAMETER[1:]), "expected also region"),
        (("parameter", *PARAMETER, "colour=red"), "has no colour"),
        (
            ("nobody",),
            "expected one of auditor, bucket, envelope-key, logs, operator, parameter, task",
        ),
        (("parameter", "region"), "expected name=value"),
    ],
)
def test_what_is_wrong_is_named(words, sentence):
    code, out, err = rendered(*words)

    assert (code, out) == (2, "")
    assert sentence in err


def test_a_prefix_gets_the_slash_that_it_needs():
    keys = {"bucket_key_arn": "k", "kms_key_arn": "k"}
    names = {"bucket": "b", "region": "r", "prefix": "/teams/", **keys}

    document = json.loads(render("task", names))

    assert "arn:aws:s3:::b/teams/vault.json" in document["Statement"][0]["Resource"]
