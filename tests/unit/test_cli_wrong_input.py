import sys

import pytest

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import run
from vaultkit import cookie_file

ALERTS = """[recipients]
ops = ["nosuchservice://x"]
"""


@pytest.fixture
def home(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    for name, place in (("VAULT", "vault"), ("KEY_FILE", "key"), ("STATE_DIR", "state")):
        monkeypatch.setenv(f"JARKEEPER_{name}", str(tmp_path / place))
    run(["init"])
    (tmp_path / "cookies.txt").write_bytes(cookie_file("one"))
    (tmp_path / "junk.txt").write_text("# Netscape HTTP Cookie File\na\tb\n")
    (tmp_path / "alerts.toml").write_text(ALERTS)
    (tmp_path / "alerts.toml").chmod(0o600)
    run(["import", "cookies.txt"])
    capsys.readouterr()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--vault https://x status", "vault 'https://x': expected a folder"),
        ("rotate junk.txt", "junk.txt line 2: expected 7"),
        ("replace --emergency junk.txt", "junk.txt line 2: expected 7"),
        ("import /dev/null", "/dev/null: expected cookies"),
        ("import --from-browser lynx", "got 'lynx'"),
        ("import --jar Bad! cookies.txt", "jar name 'Bad!': expected"),
        ("audit --since yesterday", "got 'yesterday'"),
        ("audit --jar nosuch", "jar 'nosuch': there is none in this vault"),
        ("incidents --jar nosuch", "jar 'nosuch': there is none in this vault"),
        ("incidents --all --jar nosuch", "jar 'nosuch': there is none in this vault"),
        ("audit --limit x", "--limit': expected a whole number from 1 on, got 'x'"),
        ("audit --limit 0", "expected a whole number from 1 on, got '0'"),
        ("download --concurrency 999 x", "expected a whole number from 1 to "),
        ("audit compliance --month=", "--month: expected a month such as 2026-10"),
        ("audit --jar youtube verify", "--jar: goes with the list of `jarkeeper audit` alone"),
        ("audit --ids prove x/1", "--ids: goes with the list of `jarkeeper audit` alone"),
        ("cleanup --to nowhere", "--to 'nowhere': there is no such folder"),
        ("status --watch abc", "a number of seconds from 0.2 to 86400, got 'abc'"),
    ],
)
def test_what_was_given_is_named(home, capsys, words, told):
    code = run(words.split())

    assert code == Exit.USAGE
    assert told in capsys.readouterr().err


def test_a_jar_without_incidents_is_an_all_clear(home, capsys):
    code = run(["incidents", "--jar", "youtube"])

    assert code == Exit.OK
    assert "nothing is wrong" in capsys.readouterr().err


def test_a_bucket_in_the_variable_for_a_folder_is_told_where_it_belongs(home, monkeypatch, capsys):
    monkeypatch.setenv("JARKEEPER_VAULT", "s3://bucket/prefix")

    code = run(["status"])

    told = capsys.readouterr().err
    assert code == Exit.USAGE
    assert "COOKIE_S3_BUCKET and COOKIE_S3_PREFIX" in told
    assert "got 's3://bucket/prefix'" in told


def test_without_the_library_for_buckets_the_extra_is_named(home, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    monkeypatch.setenv("AWS_REGION", "eu-north-7")  # of no client that another test has made

    code = run(["status", "--vault", "s3://bucket/prefix"])

    assert code == Exit.VAULT
    assert "hint: install it with `pip install 'jarkeeper[aws]'`" in capsys.readouterr().err


def test_a_setting_is_quoted_unless_it_is_secret(home, monkeypatch, capsys):
    monkeypatch.setenv("COOKIE_BACKUP_COUNT", "many")
    monkeypatch.setenv("JARKEEPER_VAULT", "https://x")
    for name in ("COOKIE_ENCRYPTION_KEY", "JARKEEPER_PROXY", "JARKEEPER_ALERTS"):
        monkeypatch.setenv(name, "hunter2")

    code = run(["status"])

    told = capsys.readouterr().err
    assert code == Exit.USAGE
    assert "COOKIE_BACKUP_COUNT: expected a whole number from 1 to" in told
    assert "got 'many'" in told
    assert "JARKEEPER_VAULT: expected a folder" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("to", "told"),
    [("nobody", "recipient 'ops' entry 1: Apprise does not understand"), (None, "entry 1")],
)
def test_an_address_that_nobody_understands_is_named_with_its_file(
    home, monkeypatch, capsys, to, told
):
    monkeypatch.setenv("JARKEEPER_ALERTS_FILE", str(home / "alerts.toml"))

    code = run(["alerts", "test", *(["--to", to] if to else [])])

    said = capsys.readouterr().err
    assert code == Exit.USAGE
    assert f"alerts file '{home / 'alerts.toml'}': " in said
    assert told in said


def test_a_recipient_that_is_none_is_named_with_those_there_are(home, monkeypatch, capsys):
    (home / "alerts.toml").write_text('[recipients]\nops = ["json://127.0.0.1:9"]\n')
    monkeypatch.setenv("JARKEEPER_ALERTS_FILE", str(home / "alerts.toml"))

    code = run(["alerts", "test", "--to", "nobody"])

    assert code == Exit.USAGE
    assert "--to 'nobody': there is no such recipient, there is ops" in capsys.readouterr().err


def test_a_file_that_the_vault_holds_already_is_not_said_to_be_sealed(home, capsys):
    code = run(["rotate", "cookies.txt"])

    told = capsys.readouterr()
    assert code == Exit.OK
    assert "cookies.txt holds nothing new: these cookies are active already" in told.err
    assert "sealed aside" not in told.err
