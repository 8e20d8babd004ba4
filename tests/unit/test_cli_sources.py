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


def test_what_cannot_be_read_is_told_and_is_no_failure(go, logs, tmp_path):
    code, out, _ = go("audit", "sources", "--access-logs", str(logs), "--cloudtrail", str(logs))

    assert code == 0
    assert "warning: access-logs: 2 lines read, and none of them is of AWS" in out
    assert "warning: cloudtrail: 1 record read, and none" in out
    assert "warning: damaged: access logs: 2 lines of another form" in out
    assert "1 file cannot be read: 'b.gz'" in out
    assert "warning: damaged: CloudTrail: 1 record of another form" in out
    assert "\x1b" not in out
    assert list(tmp_path.glob("jarkeeper-*")) == []


def test_the_document_has_every_finding(go, logs):
    code, out, _ = go(
        "audit", "sources", "--access-logs", str(logs), "--json", "--since", "2026-01-01"
    )

    document = json.loads(out)
    assert code == 0
    assert document["since"] == "2026-01-01T00:00:00Z"
    assert {item["code"] for item in document["findings"]} == {"access-logs", "coverage", "damaged"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "expected --access-logs, --cloudtrail or both"),
        (("--access-logs", ""), "got an empty name"),
        (("--cloudtrail", "s3://No"), "expected the name of a bucket"),
        (("--cloudtrail", "/nonexistent"), "expected a folder"),
    ],
)
def test_what_is_wrong_is_named(words, sentence, go):
    code, out, err = go("audit", "sources", *words)

    assert (code, out) == (2, "")
    assert sentence in err
