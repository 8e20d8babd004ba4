import json
from pathlib import Path

import pytest

from jarkeeper.cli.group import run

EXIT_CODES = Path(__file__).parents[2] / "docs" / "reference" / "exit-codes.md"
FAR = 4_000_000_000
LOGIN = "".join(
    f".youtube.com\tTRUE\t/\tTRUE\t{FAR}\t{name}\tvalue-of-{name}\n"
    for name in (
        *("SID", "HSID", "SSID", "APISID", "SAPISID", "LOGIN_INFO"),
        *("__Secure-1PSID", "__Secure-3PSID", "__Secure-1PAPISID", "__Secure-3PAPISID"),
        *("__Secure-1PSIDTS", "__Secure-3PSIDTS"),
    )
)


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch, capsys):
    """A vault in the current folder, beside a login and cookies that are none."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "JARKEEPER_VAULT", "JARKEEPER_STATE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("JARKEEPER_KEY_FILE", str(tmp_path / "key"))
    head = "# Netscape HTTP Cookie File\n"
    Path("login.txt").write_text(head + LOGIN)
    Path("none.txt").write_text(f"{head}.youtube.com\tTRUE\t/\tTRUE\t{FAR}\tPREF\tx\n")
    assert run(["init"]) == 0
    capsys.readouterr()


def test_a_login_is_taken_in(capsys):
    assert run(["import", "login.txt"]) == 0

    output = capsys.readouterr().out
    assert "ok: read as a Netscape cookie file: 12 cookies\n" in output
    assert "ok: 12 cookies sealed as the active jar 'youtube', and verified" in output


def test_cookies_that_are_no_login_become_active_with_an_exit_code_of_their_own(capsys):
    assert run(["import", "none.txt"]) == 1

    output = capsys.readouterr().out
    assert "ok: 1 cookie sealed" in output
    assert "critical: " in output


def test_cookies_that_are_no_login_take_the_place_of_one_after_a_yes_alone(capsys):
    run(["import", "login.txt"])
    capsys.readouterr()

    refused = run(["import", "none.txt"])
    told = capsys.readouterr().err
    confirmed = run(["import", "none.txt", "--yes"])

    assert (refused, confirmed) == (2, 1)
    assert "`--yes` takes them in all the same" in told
    assert "1 cookie sealed" in capsys.readouterr().out


def test_cookies_that_are_active_already_are_not_told_as_sealed(capsys):
    run(["import", "login.txt"])
    capsys.readouterr()

    assert run(["import", "login.txt"]) == 0
    output = capsys.readouterr().out
    assert "sealed" not in output
    assert "these cookies are active already, nothing was changed" in output
    assert run(["import", "login.txt", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False


def test_a_file_that_is_too_large_is_not_said_to_be_one_byte_too_large(capsys):
    Path("large.txt").write_bytes(b"x" * (2 << 20))

    assert run(["import", "large.txt"]) == 2
    assert capsys.readouterr().err == (
        "jarkeeper: error: large.txt: expected at most 1048576 bytes, got more\n"
        "hint: is this the right file?\n"
    )


def test_the_error_that_the_page_of_exit_codes_shows_is_what_is_printed(capsys):
    rows = LOGIN.splitlines()[:10]
    broken = "\t".join(rows[0].split("\t")[:5])
    Path("cookies.txt").write_text("\n".join(("# Netscape HTTP Cookie File", *rows, broken)))

    assert run(["import", "cookies.txt"]) == 2
    assert f"```\n{capsys.readouterr().err}```" in EXIT_CODES.read_text()
