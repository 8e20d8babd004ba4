import io
import json
import sys
from pathlib import Path

import pytest

import jar_forms
import profiles
from jarkeeper.cli.group import run
from jarkeeper.jar import parse_jar
from profiles import Row

FAR = 4_000_000_000
SITES = ("youtube.com",)
NAMES = ("LOGIN_INFO", "SAPISID", "SID", "PREF")


def rows(tag="one", *, account="a", expires=FAR):
    return "".join(
        f".youtube.com\tTRUE\t/\tTRUE\t{expires}\t{name}"
        f"\tvalue-of-{name}-{account if 'SID' in name else tag}\n"
        for name in NAMES
    )


def jar(tag="one", **options):
    return parse_jar(rows(tag, **options).encode(), sites=SITES).jar


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, capsys):
    """A vault in the current folder, which is home as well."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("JARKEEPER_VAULT", "JARKEEPER_STATE_DIR", "JARKEEPER_KEY_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "vault" / name))
    (tmp_path / "temp").mkdir(mode=0o700)
    monkeypatch.setenv("COOKIE_TEMP_DIR", str(tmp_path / "temp"))
    assert run(["init"]) == 0
    capsys.readouterr()
    return tmp_path


def take_in(content, *options):
    Path("export").write_bytes(content if isinstance(content, bytes) else content.encode())
    return run(["import", "export", *options])


def shown(capsys, *options):
    code = take_in(*options, "--json")
    return code, json.loads(capsys.readouterr().out)


class Person(io.StringIO):
    """A terminal with somebody at it."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("form", "name", "words"),
    [
        (jar_forms.netscape, "netscape", "a Netscape cookie file: 4 cookies"),
        (jar_forms.cookie_editor, "json", "a JSON export: 4 cookies"),
        (jar_forms.playwright, "json", "a JSON export: 4 cookies"),
        (jar_forms.header, "header", "a Cookie header: 4 cookies"),
    ],
)
def test_it_says_in_which_form_the_cookies_came(form, name, words, capsys):
    assert take_in(form(jar())) == 0
    told = capsys.readouterr().out
    code, document = shown(capsys, form(jar("two")))

    assert told.startswith(f"ok: read as {words}\n")
    assert "sealed as the active jar 'youtube', and verified by reading them back\n" in told
    assert code == 0
    assert document["form"] == name
    assert (document["cookies"], document["dropped"], document["repeated"]) == (4, 0, 0)
    assert (document["changed"], document["verified"], document["probe"]) == (True, True, None)


def test_it_says_what_was_left_out(capsys):
    foreign = ".example.com\tTRUE\t/\tTRUE\t0\tNID\tx\n"
    code, document = shown(capsys, rows() + foreign * 2 + rows("two"))

    assert code == 0
    assert (document["cookies"], document["dropped"], document["repeated"]) == (4, 2, 4)
    assert document["warnings"][-1] == "4 repeated rows left out, the last of each kept"
    take_in(rows("three") + foreign * 2)
    assert "read as a Netscape cookie file: 4 cookies; 2 of other sites left out\n" in (
        capsys.readouterr().out
    )


def test_how_long_a_header_lives_is_said_to_be_unknown(capsys):
    assert take_in(jar_forms.header(jar())) == 0

    told = capsys.readouterr().out
    assert "warning: a Cookie header says nothing about expiry" in told
    assert "ok: a login, by cookies that do not say when they expire" in told


def test_standard_input_is_told_by_its_content_too(capsys, monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(jar_forms.cookie_editor(jar())))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert run(["import", "-"]) == 0
    told = capsys.readouterr().out
    assert "a JSON export" in told
    assert "delete" not in told


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        (rows("two", account="b"), ["another_account"]),
        (rows("two", expires=FAR - 86_400), ["older"]),
        (rows("two", account="b", expires=FAR - 86_400), ["older", "another_account"]),
        (rows("two").splitlines(keepends=True)[-1], ["no_login"]),
    ],
)
def test_what_may_be_a_mistake_ends_with_2_and_is_taken_in_with_yes(content, reasons, capsys):
    take_in(rows())
    capsys.readouterr()

    code, document = shown(capsys, content)
    refused = take_in(content)
    told = capsys.readouterr().err

    assert (code, refused) == (2, 2)
    assert document["reasons"] == reasons
    assert told.count("jarkeeper: error: cookies: they are ") == len(reasons)
    assert told.endswith("`--yes` takes them in all the same\n")
    assert take_in(content, "-y") == (1 if reasons == ["no_login"] else 0)


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("\n", 2), ("", 130)])
def test_at_a_terminal_somebody_is_asked(answer, code, capsys, monkeypatch):
    take_in(rows())
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", Person(answer))

    assert take_in(rows("two", account="b")) == code

    output, told = capsys.readouterr()
    assert "warning: cookies: they are another login than the active ones" in told
    assert "Take them in all the same? [y/N]: " in told
    assert ("sealed" in output) == (code == 0)
    assert ("nothing was changed" in told) == (code == 2)


def test_a_machine_is_never_asked(capsys, monkeypatch):
    take_in(rows())
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", Person("y\n"))

    assert take_in(rows("two", account="b"), "--json") == 2


@pytest.mark.parametrize("words", [[], ["export", "--from-browser", "firefox"]])
def test_neither_a_file_nor_a_browser_and_both_are_wrong_usage(words, capsys):
    Path("export").write_text(rows())

    assert run(["import", *words]) == 2

    told = capsys.readouterr().err
    assert "expected FILE or --from-browser, got" in told
    assert "hint: name a file" in told


def test_a_browsers_profile_is_taken_in(place, capsys):
    profiles.firefox(place, *(Row(name, f"value-of-{name}") for name in NAMES))

    assert run(["import", "--from-browser", "firefox"]) == 0

    told = capsys.readouterr().out
    assert told.startswith("ok: read as a browser's profile: 4 cookies\n")
    assert "warning: a browser that goes on with this login" in told
    assert "delete" not in told


def test_an_error_names_the_file_and_the_entry(capsys):
    assert take_in('[{"domain": ".youtube.com"}]') == 2

    assert capsys.readouterr().err == (
        "jarkeeper: error: export: entry 1: expected text in 'path'\n"
        "hint: export the cookies again, as JSON or in the Netscape (cookies.txt) format\n"
    )


def test_force_is_gone(capsys):
    Path("export").write_text(rows())

    assert run(["import", "--force", "export"]) == 2
