import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from jarkeeper.cli.group import run
from jarkeeper.doctor import examine, machine, place
from jarkeeper.errors import SettingsError
from jarkeeper.settings import Settings
from jarkeeper.stores.local import LocalStore
from jarkeeper.vault.findings import critical, ok
from jarkeeper.wiring import init_vault, open_vault
from vaultkit import START, assert_no_canary, cookie_file


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A vault with a jar in it, in a home where nothing else lies."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    settings = Settings.read()
    init_vault(settings)
    open_vault(settings).import_jar("youtube", cookie_file("a"))
    return settings


def told(findings):
    return {
        item.code: item.severity.value for item in reversed([*findings]) if item.severity != "ok"
    }


def vault_and_leftovers(findings):
    return {code: word for code, word in told(findings).items() if code in CHECKED}


CHECKED = {"settings", "keys", "vault", "clock", "temporary", "leftovers"}


def test_a_vault_that_is_well_gives_no_complaint(settings):
    assert vault_and_leftovers(examine(settings, deep=True)) == {}


def test_a_key_file_that_others_can_read_is_told_with_the_command_that_mends_it(settings):
    settings.key_file.chmod(0o644)

    worst = examine(settings, deep=True)[0]

    assert (worst.code, worst.severity) == ("keys", "critical")
    assert f"chmod 600 {settings.key_file}" in worst.next_step


def test_a_damaged_generation_is_told(settings):
    generation = next((settings.vault / "cookies/youtube/generations").iterdir())
    generation.chmod(0o600)
    generation.write_bytes(b"x")

    assert told(examine(settings, deep=True))["vault"] == "critical"


def test_mistakes_in_the_settings_are_told_beside_the_machine(settings):
    findings = examine(SettingsError(("A: wrong", "B: wrong")), deep=True)

    assert [item.message for item in findings if item.code == "settings"] == [
        "A: wrong",
        "B: wrong",
    ]
    assert "ffmpeg" in {item.code for item in findings}


def test_cookies_that_lie_about_are_named_but_never_shown(settings, tmp_path):
    (tmp_path / "cookies.txt").write_bytes(cookie_file("a"))
    config = tmp_path / ".config/yt-dlp/config"
    config.parent.mkdir(parents=True)
    config.write_text("-f best\n--cookies ~/cookies.txt\n")

    findings = [item for item in examine(settings, deep=True) if item.code == "leftovers"]

    assert [str(tmp_path / "cookies.txt") in item.message for item in findings] == [False, True]
    assert str(config) in findings[0].message
    assert_no_canary(findings)


def test_an_export_that_the_vault_knows_is_only_to_be_removed(settings, tmp_path):
    vault = open_vault(settings, listener=lambda event: None)
    vault.import_jar("youtube", cookie_file("revoked", account="revoked"), confirmed=True)
    vault.revoke("youtube", vault.status("youtube").active.generation.id)
    vault.import_jar("youtube", cookie_file("active", account="active"))
    other = b"# Netscape HTTP Cookie File\n.example.com\tTRUE\t/\tTRUE\t0\tSID\tx\n"
    exports = {tag: cookie_file(tag, account=tag) for tag in ("revoked", "active", "new")}
    exports["other"] = other
    for name, content in exports.items():
        (tmp_path / f"{name}.txt").write_bytes(content)

    steps = {
        Path(item.message.split("'")[1]).stem: item.next_step
        for item in examine(settings, deep=False)
        if item.code == "leftovers"
    }

    for name in ("revoked", "active"):
        assert steps[name].startswith("the vault knows this login already: run `rm ")
    assert steps["new"].startswith("look whose it is: `jarkeeper import ")
    assert "no login of YouTube" in steps["other"]


def test_a_text_that_is_no_cookie_file_is_left_alone(settings, tmp_path):
    (tmp_path / "about-cookies.txt").write_text("flour, sugar, butter\n")

    assert "leftovers" not in told(examine(settings, deep=True))


def test_a_disk_without_room_is_told(tmp_path):
    assert told(place.disk({"vault": tmp_path / "a/b"}, free_bytes_min=1 << 80))
    assert not told(place.disk({"vault": tmp_path / "a/b"}, free_bytes_min=0))


@pytest.mark.parametrize(("days", "is_old"), [(0, False), (60, False), (61, True)])
def test_yt_dlp_is_old_after_two_months(days, is_old):
    today = date(2026, 8, 19) + timedelta(days=days)

    assert bool(told(machine.yt_dlp("2026.08.19.232740.dev0", today=today))) == is_old


def test_programs_that_are_missing_are_told(monkeypatch):
    monkeypatch.setattr(machine, "find_ffmpeg", lambda: None)
    monkeypatch.setattr(machine, "find_deno", lambda: None)

    assert told([*machine.ffmpeg(), *machine.javascript()]) == {
        "ffmpeg": "warning",
        "javascript": "warning",
    }


def test_a_clock_that_is_off_is_told(tmp_path):
    store = LocalStore(tmp_path / "store")
    store.put_if_absent("a", b"x")
    written = store.created_at("a")

    assert not told([place.clock(store, "a", at=written)])
    assert told([place.clock(store, "a", at=START)]) == {"clock": "warning"}


def test_many_complaints_are_condensed_and_the_rest_is_counted():
    findings = list(place.condensed((*[critical("log", "bad", "do")] * 7, ok("key", "fine"))))

    assert [item.message for item in findings][-1] == "2 more findings"
    assert [item.message for item in place.condensed((ok("key", "fine"),))] == [
        "all is as written: 1 checks"
    ]


def test_the_command_says_by_its_code_that_there_is_no_vault(settings, capsys, monkeypatch):
    monkeypatch.setenv("JARKEEPER_VAULT", "/nonexistent/vault")

    code = run(["doctor", "--json"])

    assert code == 3
    assert json.loads(capsys.readouterr().out)["findings"][0]["code"] == "vault"
