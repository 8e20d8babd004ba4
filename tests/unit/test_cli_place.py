from pathlib import Path

import pytest

from jarkeeper.cli.group import run
from jarkeeper.cli.place import Place


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JARKEEPER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("JARKEEPER_KEY_FILE", str(tmp_path / "key"))


@pytest.mark.parametrize(
    ("place", "text", "fitted"),
    [
        (Place(), "run `jarkeeper init`", "run `jarkeeper init`"),
        (Place(jar="youtube"), "`jarkeeper import cookies.txt`", "`jarkeeper import cookies.txt`"),
        (Place(Path("a b")), "run `jarkeeper init`", "run `jarkeeper init --vault 'a b'`"),
        (
            Place(jar="foreign"),
            "then run `jarkeeper import cookies.txt`",
            "then run `jarkeeper import --jar foreign cookies.txt`",
        ),
        (
            Place(Path("X"), "foreign"),
            "jarkeeper import cookies.txt",
            "jarkeeper import --vault X --jar foreign cookies.txt",
        ),
        (
            Place(Path("X"), "foreign"),
            "run `jarkeeper import --jar foreign cookies.txt`",
            "run `jarkeeper import --vault X --jar foreign cookies.txt`",
        ),
        (Place(Path("X")), "see `jarkeeper status --help`", "see `jarkeeper status --help`"),
        (Place(Path(r"\1")), "`jarkeeper init`", r"`jarkeeper init --vault '\1'`"),
    ],
)
def test_a_command_in_a_text_is_about_the_same_vault_and_jar(place, text, fitted):
    assert place.fit(text) == fitted
    assert place.fit(fitted) == fitted


def test_the_hint_of_an_error_names_the_vault_that_was_asked_for(capsys):
    assert run(["status", "--vault", "X"]) == 3

    assert "hint: run `jarkeeper init --vault X`, or `jarkeeper recover --vault X`" in (
        capsys.readouterr().err
    )


def test_the_next_step_after_init_names_the_vault(capsys):
    assert run(["init", "--vault", "X"]) == 0

    assert capsys.readouterr().out.endswith("jarkeeper import --vault X cookies.txt\n")


def test_the_next_step_of_each_jar_names_it(capsys):
    run(["init"])
    Path("bad.txt").write_text(
        "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t0\tPREF\tx\n"
    )
    run(["import", "--jar", "foreign", "bad.txt"])
    imported = capsys.readouterr().out

    run(["status"])
    run(["validate"])

    shown = capsys.readouterr().out
    assert "`jarkeeper import --jar foreign cookies.txt`" in imported
    assert shown.count("`jarkeeper import --jar foreign cookies.txt`") >= 2
    assert "`jarkeeper import cookies.txt`" not in imported + shown


@pytest.mark.parametrize(
    "words", [["status", "--vault", ""], ["--vault", "", "status"], ["download", "--to", "", "x"]]
)
def test_a_folder_without_a_name_is_not_the_current_one(words, capsys):
    assert run(words) == 2

    assert "expected a folder, got an empty name" in capsys.readouterr().err
