import gzip
import json

import pytest

from jarkeeper.cli.group import run
from jarkeeper.settings import AWS_VARIABLES, VARIABLES


@pytest.fixture
def go(monkeypatch, tmp_path, capsys):
    """Run a command beside a vault in a folder; return code, output and errors."""
    for name in (*AWS_VARIABLES, *(item.name for item in VARIABLES.values())):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COOKIE_TEMP_DIR", str(tmp_path))

    def go(*words):
        code = run(words)
        return code, *capsys.readouterr()

    assert go("init")[0] == 0
    return go


@pytest.fixture
def logs(tmp_path):
    """A folder with a damaged line, a file that does not unpack, and CloudTrail's odd record."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.log").write_text("rubbish\x1b[31m\n")
    (folder / "b.gz").write_bytes(gzip.compress(b"x")[:-4])
    (folder / "c.json").write_text(json.dumps({"Records": [1]}))
    return folder


@pytest.fixture
def aws(go, tenancy, tmp_path, monkeypatch):
    """A vault in a bucket."""
    for name, text in tenancy.variables(tmp_path / "state-on-aws").items():
        monkeypatch.setenv(name, text)
    assert go("init")[0] == 0


def test_a_vault_in_a_folder_is_refused_before_anything_is_read(go, monkeypatch, tmp_path):
    code, out, err = go("audit", "sources", "--access-logs", "/nonexistent")

    assert (code, out) == (2, "")
    vault = tmp_path / ".local/share/jarkeeper/vault"
    assert f"vault '{vault}': expected one in a bucket of S3, got a folder" in err
    assert "hint: `--vault s3://bucket/prefix` or COOKIE_S3_BUCKET names it" in err


def test_a_report_of_a_vault_in_a_folder_tells_it_as_a_finding(go, logs, monkeypatch):
    monkeypatch.setenv("COOKIE_ACCESS_LOGS", str(logs))

    code, out, _ = go("report", "--json")

    assert code == 0
    assert "this vault is in a folder: AWS's logs tell nothing of it" in out


def test_what_cannot_be_read_is_told_and_is_no_failure(go, aws, logs, tmp_path):
    code, out, _ = go("audit", "sources", "--access-logs", str(logs), "--cloudtrail", str(logs))

    assert code == 0
    assert "warning: access-logs: 2 lines read, and none of them is of AWS" in out
    assert "warning: cloudtrail: 1 record read, and none" in out
    assert "warning: damaged: access logs: 2 lines of another form" in out
    assert "1 file cannot be read: 'b.gz'" in out
    assert "warning: damaged: CloudTrail: 1 record of another form" in out
    assert "\x1b" not in out
    assert list(tmp_path.glob("jarkeeper-*")) == []


def test_the_document_has_every_finding(go, aws, logs):
    code, out, _ = go(
        "audit", "sources", "--access-logs", str(logs), "--json", "--since", "2026-01-01"
    )

    document = json.loads(out)
    assert code == 0
    assert document["since"] == "2026-01-01T00:00:00Z"
    assert {item["code"] for item in document["findings"]} == {"access-logs", "coverage", "damaged"}


def test_a_folder_of_logs_that_is_not_there_is_named(go, aws):
    code, out, err = go("audit", "sources", "--cloudtrail", "/nonexistent")

    assert (code, out) == (2, "")
    assert "logs '/nonexistent': expected a folder" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "expected --access-logs, --cloudtrail or both"),
        (("--access-logs", ""), "got an empty name"),
        (("--cloudtrail", "s3://No"), "expected the name of a bucket"),
    ],
)
def test_what_is_wrong_is_named(words, sentence, go):
    code, out, err = go("audit", "sources", *words)

    assert (code, out) == (2, "")
    assert sentence in err
