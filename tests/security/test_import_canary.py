"""Whatever form the cookies come in, and however broken: no value is said, written or recorded."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

import jar_forms
import profiles
from jarkeeper.cli.group import run
from jarkeeper.jar import parse_jar
from profiles import Row
from vaultkit import CANARY, assert_no_canary, cookie_file

SITES = ("youtube.com",)
POISON = ("", ",", "\\", '"', " ", "\n", "\r", "\t", "\x00", "\x1b[2J", ";", "é", "'")
FORMS = (*jar_forms.WHOLE, *jar_forms.PAIRS)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JARKEEPER_LOG_LEVEL", "debug")
    for name in ("JARKEEPER_VAULT", "JARKEEPER_STATE_DIR", "JARKEEPER_KEY_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "kept" / name))
    (tmp_path / "temp").mkdir(mode=0o700)
    monkeypatch.setenv("COOKIE_TEMP_DIR", str(tmp_path / "temp"))
    assert run(["init"]) == 0
    capfd.readouterr()
    return tmp_path


def everything(place, capfd):
    """Return what was said, and every file but the export and the browser's own."""
    kept = [*(place / "kept").rglob("*"), *(place / "temp").rglob("*")]
    contents = [path.read_bytes() for path in kept if path.is_file()]
    return [*map(str.encode, capfd.readouterr()), *contents, *(str(path) for path in kept)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", [[], ["--json"], ["--yes"]])
def test_no_form_leaks_when_it_is_taken_in(form, options, place, capfd):
    for tag, account in (("one", "a"), ("two", "a"), ("three", "b")):
        jar = parse_jar(cookie_file(tag, account=account), sites=SITES).jar
        Path("export").write_bytes(form(jar))
        run(["import", "export", *options])

    assert_no_canary(*everything(place, capfd))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("poison", POISON, ids=ascii)
@pytest.mark.parametrize("part", ["value", "name", "tail"])
def test_no_form_leaks_when_it_is_broken(form, poison, part, place, capfd):
    content = form(parse_jar(cookie_file("one"), sites=SITES).jar)
    hurt = {
        "value": content.replace(CANARY.encode(), poison.encode() + CANARY.encode()),
        "name": content.replace(b"SAPISID", CANARY.encode() + poison.encode()),
        "tail": content[:-3] + poison.encode() + CANARY.encode(),
    }[part]
    Path("export").write_bytes(hurt)

    for options in ([], ["--json"]):
        run(["import", "export", *options])

    assert_no_canary(*everything(place, capfd))


FIELDS = ("domain", "path", "secure", "name", "value", "expirationDate", "hostOnly", "session")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [CANARY, [CANARY], {CANARY: CANARY}], ids=str)
def test_no_field_of_an_entry_leaks(field, value, place, capfd):
    entry = {"domain": ".youtube.com", "path": "/", "secure": True, "name": "SID", "value": "v"}
    Path("export").write_text(json.dumps([entry, entry | {field: value}]))

    run(["import", "export"])

    assert_no_canary(*everything(place, capfd))


@pytest.mark.parametrize("damage", ["", "text", "json"])
@pytest.mark.parametrize("browser", ["firefox", "chromium"])
def test_no_browser_leaks(browser, damage, place, capfd):
    names = ("LOGIN_INFO", "SAPISID", "SID")
    rows = [Row(name, f"{CANARY}-{name}") for name in names]
    folder = getattr(profiles, browser)(place / "home", *rows, Row("X", f"{CANARY},"))
    if damage:
        content = f"{CANARY}\udcff".encode(errors="surrogateescape") if damage == "text" else b"{"
        file, table = (
            ("cookies.sqlite", "moz_cookies") if browser == "firefox" else ("Cookies", "cookies")
        )
        with sqlite3.connect(folder / file) as database:
            database.execute(f"UPDATE {table} SET value = CAST(? AS TEXT)", (content,))
        database.close()

    for options in ([], ["--json"]):
        run(["import", "--from-browser", browser, *options])

    assert_no_canary(*everything(place, capfd))
