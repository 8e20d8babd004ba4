"""`jarkeeper report`: a vault goes in, files and words come out."""

import json
import re

import pytest

from jarkeeper.cli.group import run
from vaultkit import assert_no_canary, cookie_file


@pytest.fixture
def vault(tmp_path, monkeypatch, capsys):
    """A vault with one jar, in the current folder."""
    for name in ("VAULT", "KEY_FILE", "STATE_DIR"):
        monkeypatch.setenv(f"JARKEEPER_{name}", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    export = tmp_path / "cookies.txt"
    export.write_bytes(cookie_file("first"))
    assert run(["init"]) == 0
    assert run(["import", "--yes", str(export)]) == 0
    export.unlink()
    capsys.readouterr()
    return tmp_path


def test_a_page_is_written_beside_one_and_never_over_another(vault, capsys):
    first = run(["report"])
    said = capsys.readouterr().out
    again = run(["report"])
    refused = capsys.readouterr().err
    forced = run(["report", "--force"])

    (page,) = vault.glob("*.html")
    assert (first, again, forced) == (0, 2, 0)
    assert re.fullmatch(r"jarkeeper-report-[\d-]{10}-to-[\d-]{10}\.html", page.name)
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.name in said
    assert "download success rate" in said
    assert "is there already" in refused


@pytest.mark.parametrize("name", [("report",), ("audit", "report")])
def test_the_help_shows_the_command_that_was_asked_for(capsys, name):
    code = run([*name, "--help"])

    shown = re.findall(r"jarkeeper ((?:audit )?report)", capsys.readouterr().out)
    assert code == 0
    assert shown == [" ".join(name)] * 6


def test_json_and_csv_come_without_a_page(vault, capsys):
    code = run(["report", "--json", "--csv", "numbers", "--since", "7d"])

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["integrity"]["is_intact"] is True
    assert document["integrity"]["events"] > 0
    assert [figure["id"] for figure in document["figures"]] == ["L1", "L2", "L3", "L4", "L5", "L6"]
    assert not list(vault.glob("*.html"))
    assert {file.stem for file in (vault / "numbers").iterdir()} >= {"figures", "findings", "opens"}


def test_a_trail_that_was_changed_is_told_by_page_and_code(vault, capsys):
    event = next((vault / "vault").glob("audit/**/*.jsonl"))
    event.chmod(0o600)
    event.write_bytes(event.read_bytes().replace(b"a", b"b", 1))

    code = run(["report", "--out", "r.html"])
    said = capsys.readouterr().out
    told = run(["report", "--json", "--csv", "numbers"])
    document = json.loads(capsys.readouterr().out)

    page, table = ((vault / name).read_text() for name in ("r.html", "numbers/figures.csv"))
    assert (code, told) == (3, 3)
    assert "the audit trail is not what was written" in said
    assert "NOT INTACT" in page
    state = "not known: the trail is not intact"
    assert {(one["state"], one["is_met"]) for one in document["figures"]} == {(state, None)}
    assert [text.count(state) for text in (said, table)] == [6, 6]
    assert page.count(f'<span class="pill">{state}</span>') == 6
    assert "✓" not in page.partition("<main")[2].partition("<script")[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--since", "soon"], "--since: expected a span or a date"),
        (["--until", "soon"], "--until: expected a span or a date"),
        (["--since", "1d", "--until", "2d"], "--until: expected a moment after --since"),
        (["--until", "2100-01-01"], "--until: expected a moment that has passed"),
        (["--since", "2100-01-01"], "--since: expected a moment that has passed"),
    ],
)
def test_a_span_that_holds_no_time_is_refused(vault, capsys, options, words):
    code = run(["report", *options])

    assert code == 2
    assert words in capsys.readouterr().err
    assert not list(vault.glob("*.html"))


def test_no_cookie_is_in_any_form_of_it(vault, capsys):
    run(["report", "--out", "r.html", "--csv", "numbers", "--json"])

    files = [file.read_bytes() for file in (vault / "r.html", *(vault / "numbers").iterdir())]
    assert_no_canary(capsys.readouterr().out, *files)
    assert len(files) > 9


def test_the_page_takes_no_place_of_the_numbers(vault, capsys):
    ended = run(["report", "--csv", "numbers", "--out", "numbers/figures.csv", "--force"])

    assert ended == 2
    assert "is a file of the numbers too" in capsys.readouterr().err
    assert not (vault / "numbers").exists()
