"""The runbook's own commands, run as they stand there, against an emulator of AWS."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from awsroom import OTHER_REGION, running_aws
from jarkeeper.cli.group import run
from jarkeeper.jar import emit_jar, parse_jar
from vaultkit import SITES, cookie_file

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "runbooks" / "disaster-recovery.md"
SCRIPT = RUNBOOK.with_name("recover_all.py")
CACHE = ROOT / ".cache" / "disaster-recovery"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)
VARIABLES = ("JARKEEPER_", "COOKIE_", "AWS_")


def bash(commands, *, cwd, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(VARIABLES)}
    return subprocess.run(
        ["bash", "-euc", commands],
        cwd=cwd,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


def block(word):
    """Return the runbook's one block of commands with this word in it."""
    (found,) = [commands for commands in BLOCKS if word in commands]
    return found


@pytest.fixture(scope="session")
def tools():
    """The virtual environments that the runbook asks for, made once and kept."""
    for word, name in (("install", "encryption-cli"), ("install", "recovery")):
        (commands,) = [text for text in BLOCKS if word in text and f"venv {name}\n" in text]
        made = CACHE / f"{name}.made"
        if not made.exists() or made.read_text() != commands:
            shutil.rmtree(CACHE / name, ignore_errors=True)
            CACHE.mkdir(parents=True, exist_ok=True)
            ended = bash(commands, cwd=CACHE)
            assert ended.returncode == 0, ended.stderr
            made.write_text(commands)
    return CACHE


@pytest.fixture(scope="module")
def aws():
    with running_aws() as room:
        yield room


@pytest.fixture
def place(tmp_path, tools):
    """A directory as the runbook has it: the script, and the tools."""
    made = tmp_path / "place"
    made.mkdir(mode=0o700)
    shutil.copy(SCRIPT, made)
    for name in ("encryption-cli", "recovery"):
        (made / name).symlink_to(tools / name)
    return made


@pytest.fixture
def home(tmp_path, monkeypatch, aws):
    for name in [name for name in os.environ if name.startswith(VARIABLES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in aws.variables().items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def bucket(aws, home, monkeypatch, request):
    """A vault in KMS and S3, in force."""
    name = aws.make_bucket(re.sub(r"[^a-z0-9]+", "-", request.node.name)[-50:].strip("-"))
    key = aws.make_key()
    monkeypatch.setenv("COOKIE_S3_BUCKET", name)
    monkeypatch.setenv("COOKIE_S3_PREFIX", "vault")
    monkeypatch.setenv("COOKIE_KMS_KEY_ID", key)
    monkeypatch.setenv("COOKIE_S3_KMS_KEY_ID", aws.make_key())
    assert run(["init"]) == 0
    return name


def keep(home, *tags, jar="youtube"):
    for tag in tags:
        file = home / "cookies.txt"
        file.write_bytes(cookie_file(tag))
        assert run(["import", "--jar", jar, str(file)]) == 0


def text_of(tag):
    """Return what the vault makes of the imported file: the one form that it keeps."""
    return emit_jar(parse_jar(cookie_file(tag), sites=SITES).jar)


def sync(aws, bucket, place):
    """Do what `aws s3 sync` does."""
    client = aws.client("s3")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="vault/"):
        for item in page["Contents"]:
            target = place / item["Key"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())


def recovered(place):
    """Return what was recovered, sorted, having looked at the files' modes."""
    files = sorted((place / "recovered").iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    return sorted(file.read_bytes() for file in files)


def test_the_script_is_short_and_knows_nothing_of_jarkeeper():
    tree = ast.parse(SCRIPT.read_text())
    modules = {
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }

    assert len(SCRIPT.read_text().splitlines()) <= 60
    assert not [name for name in modules if name.startswith("jarkeeper")]


def test_the_active_cookies_are_opened_by_the_stock_tool(aws, bucket, home, place):
    keep(home, "one", "two")
    sync(aws, bucket, place)
    decrypt = block("aws-encryption-cli --decrypt")
    environment = aws.variables() | {"KEY_ARN": os.environ["COOKIE_KMS_KEY_ID"]}

    ended = bash(decrypt, cwd=place, **environment)

    assert ended.returncode == 0, ended.stderr
    assert (place / "cookies.txt").read_bytes() == text_of("two")
    assert (place / "cookies.txt").stat().st_mode & 0o777 == 0o600


def test_the_stock_tool_refuses_another_jar_and_another_key(aws, bucket, home, place):
    keep(home, "one")
    sync(aws, bucket, place)
    decrypt = block("aws-encryption-cli --decrypt")
    key = os.environ["COOKIE_KMS_KEY_ID"]

    for commands, arn in (
        (decrypt.replace("jar=youtube", "jar=other"), key),
        (decrypt, aws.make_key()),
    ):
        ended = bash(commands, cwd=place, **aws.variables(), KEY_ARN=arn)

        assert ended.returncode != 0
        assert not (place / "cookies.txt").exists()


def test_every_generation_is_recovered_by_the_script(aws, bucket, home, place):
    keep(home, "zero", "one", "two", "three", "four")
    keep(home, "other", jar="second")
    sync(aws, bucket, place)

    ended = bash(block("recover_all.py vault recovered"), cwd=place, **aws.variables())

    assert ended.returncode == 0, ended.stdout + ended.stderr
    tags = ("zero", "one", "two", "three", "four", "other")
    assert recovered(place) == sorted(map(text_of, tags))
    words = [line.split(" ", 2)[2] for line in ended.stdout.splitlines()[1:]]
    assert sorted(words) == ["active"] * 2 + ["backup"] * 3 + ["in no slot"]
    assert ended.stderr == ""


def test_the_script_goes_on_past_what_is_damaged_or_moved(aws, bucket, home, place):
    keep(home, "one", "two", "three", "four")
    sync(aws, bucket, place)
    one, two, three, _four = sorted((place / "vault/cookies/youtube/generations").iterdir())
    one.write_bytes(one.read_bytes()[:-1])
    two.write_bytes(three.read_bytes())

    ended = bash(block("recover_all.py vault recovered"), cwd=place, **aws.variables())

    assert ended.returncode == 1
    assert ended.stdout.count("NOT RECOVERED") == 2
    assert len(recovered(place)) == 2


@pytest.mark.parametrize("moves", [[], ["local"], ["local", "local"], ["kms"], ["kms", "local"]])
def test_a_local_vault_is_recovered_wherever_it_moved(aws, home, place, monkeypatch, moves):
    vault = place / "vault"
    monkeypatch.setenv("JARKEEPER_VAULT", str(vault))
    key_file = home / "home/.config/jarkeeper/key"
    assert run(["init"]) == 0
    tags = ["zero", "one", "two"]
    keep(home, *tags)
    for number, mode in enumerate(moves):
        if mode == "kms":
            arn = aws.make_key()
            assert run(["rewrap", "--to-kms-key", arn]) == 0
            monkeypatch.setenv("COOKIE_KMS_KEY_ID", arn)
            key_file = None
        else:
            key_file = home / f"key{number}"
            assert run(["rewrap", "--to-key-file", str(key_file)]) == 0
            monkeypatch.delenv("COOKIE_KMS_KEY_ID", raising=False)
            monkeypatch.setenv("JARKEEPER_KEY_FILE", str(key_file))
    commands = block("recover_all.py vault recovered").strip()
    commands += "" if key_file is None else f" {key_file}"

    ended = bash(commands, cwd=place, **aws.variables())

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert recovered(place) == sorted(list(map(text_of, tags)) * (1 + len(moves)))


def test_without_a_key_nothing_is_recovered(aws, bucket, home, place):
    keep(home, "one")
    sync(aws, bucket, place)
    aws.disable(os.environ["COOKIE_KMS_KEY_ID"])

    ended = bash(block("recover_all.py vault recovered"), cwd=place, **aws.variables())

    assert ended.returncode == 1
    assert list((place / "recovered").iterdir()) == []
    assert "NOT RECOVERED" in ended.stdout


@pytest.mark.parametrize("way", ["local to s3", "s3 to local", "region to region"])
def test_a_vault_goes_from_store_to_store_and_back(aws, home, monkeypatch, capsys, way):
    first, *_, last = way.split()
    places = {
        "local": str(home / "vault"),
        "s3": f"s3://{aws.make_bucket('first-' + way.replace(' ', '-'))}/vault",
        "region": f"s3://{aws.make_bucket('other-' + way.replace(' ', '-'), OTHER_REGION)}/vault",
    }
    here = places["s3" if first == "region" else first]
    there = places[last]
    elsewhere = ["--region", OTHER_REGION] if last == "region" else []
    monkeypatch.setenv("COOKIE_KMS_KEY_ID", aws.make_key())
    assert run(["init", "--vault", here]) == 0
    file = home / "cookies.txt"
    file.write_bytes(cookie_file("one"))
    assert run(["import", "--vault", here, str(file)]) == 0

    assert run(["backup", "--vault", here, there, *elsewhere]) == 0
    back = str(home / "back")
    assert run(["recover", "--vault", back, there, *elsewhere]) == 0

    assert run(["check", "--vault", back]) == 0
    assert run(["backup", "--vault", here, there, *elsewhere]) == 0
    assert run(["backup", "--vault", here, here]) == 2
    capsys.readouterr()


def test_after_a_move_to_a_key_of_the_other_region_the_first_is_not_needed(
    aws, home, monkeypatch, capsys
):
    old, new = aws.make_key(), aws.make_key(OTHER_REGION)
    here = f"s3://{aws.make_bucket('region-here')}/vault"
    there = f"s3://{aws.make_bucket('region-there', OTHER_REGION)}/vault"
    monkeypatch.setenv("COOKIE_KMS_KEY_ID", old)
    assert run(["init", "--vault", here]) == 0
    file = home / "cookies.txt"
    file.write_bytes(cookie_file("one"))
    assert run(["import", "--vault", here, str(file)]) == 0
    assert run(["backup", "--vault", here, there, "--region", OTHER_REGION]) == 0

    monkeypatch.setenv("AWS_REGION", OTHER_REGION)
    monkeypatch.setenv("COOKIE_S3_BUCKET", "region-there")
    monkeypatch.setenv("COOKIE_S3_PREFIX", "vault")
    monkeypatch.setenv("COOKIE_S3_KMS_KEY_ID", aws.make_key(OTHER_REGION))
    assert run(["rewrap", "--to-kms-key", new]) == 0
    aws.disable(old)
    monkeypatch.setenv("COOKIE_KMS_KEY_ID", new)

    capsys.readouterr()
    assert run(["check"]) == 0, capsys.readouterr().out
    file.write_bytes(cookie_file("two"))
    assert run(["import", str(file)]) == 0
