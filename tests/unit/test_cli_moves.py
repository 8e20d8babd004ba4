from __future__ import annotations

import json

import pytest

from jarkeeper.cli.group import run
from vaultkit import cookie_file


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, place in (("VAULT", "vault"), ("KEY_FILE", "key"), ("STATE_DIR", "state")):
        monkeypatch.setenv(f"JARKEEPER_{name}", str(tmp_path / place))
    return tmp_path


@pytest.fixture(autouse=True)
def ready(home, capsys):
    assert run(["init"]) == 0
    keep(home, "one")
    keep(home, "two")
    capsys.readouterr()


def keep(home, tag):
    (home / "cookies.txt").write_bytes(cookie_file(tag))
    assert run(["import", "cookies.txt"]) == 0


def answer(capsys, words, code=0):
    capsys.readouterr()
    assert run([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def refusal(capsys, words, code):
    capsys.readouterr()
    assert run(words) == code
    return capsys.readouterr().err


def test_a_backup_tells_how_much_it_was(capsys):
    assert run(["backup", "copy"]) == 0

    out = capsys.readouterr().out
    assert "ok: 11 objects copied" in out
    assert "0 there already" in out


def test_a_backup_tells_a_machine_the_same(home, capsys):
    document = answer(capsys, ["backup", "copy"])

    assert document["whole"] is True
    assert document["from"] == str(home / "vault")
    assert document["to"] == str(home / "copy")
    assert (document["copied"], document["present"]) == (11, 0)
    assert (document["differing"], document["damaged"], document["notes"]) == ([], [], [])


def test_damage_ends_with_3_and_is_named(home, capsys):
    active = next((home / "vault/cookies/youtube/generations").iterdir())
    active.chmod(0o600)
    active.write_bytes(b"damaged")

    assert run(["backup", "copy"]) == 3

    out = capsys.readouterr().out
    assert f"critical: object 'cookies/youtube/generations/{active.name}': is not what was" in out


@pytest.mark.parametrize("place", ["vault", "vault/inside", ".", "vault/../vault"])
def test_a_copy_into_itself_is_refused(capsys, place):
    for command in ("backup", "recover"):
        assert "none inside the other" in refusal(capsys, [command, place], 2)


def test_a_place_with_something_else_is_refused(home, capsys):
    (home / "photos").mkdir()
    (home / "photos/cat.jpg").write_bytes(b"cat")

    assert "no copy of this vault: 'cat.jpg'" in refusal(capsys, ["backup", "photos"], 2)
    assert "holds no vault" in refusal(capsys, ["recover", "photos"], 3)
    assert "there is nothing" in refusal(capsys, ["recover", "nowhere"], 3)


def test_a_place_with_another_vault_is_refused(capsys):
    run(["init", "--vault", "other"])

    assert "holds another vault" in refusal(capsys, ["backup", "other"], 3)


def test_a_recovery_with_another_key_is_refused(home, capsys, monkeypatch):
    run(["backup", "copy"])
    monkeypatch.setenv("JARKEEPER_VAULT", str(home / "back"))
    monkeypatch.setenv("JARKEEPER_KEY_FILE", str(home / "key2"))
    run(["init", "--vault", "other"])

    assert "is not the key of this vault" in refusal(capsys, ["recover", "copy"], 3)
    assert not (home / "back").exists()


def test_a_recovery_tells_of_the_anchor_that_has_seen_more(home, capsys):
    run(["audit", "checkpoint"])
    run(["backup", "copy"])
    keep(home, "three")
    run(["audit", "checkpoint"])
    (home / "vault").rename(home / "lost")
    capsys.readouterr()

    assert run(["recover", "copy"]) == 1

    out = capsys.readouterr().out
    for name in ("youtube", "_trail"):
        (anchor,) = (home / "state/anchors").glob(f"*-{name}.json")
        steps = [line for line in out.splitlines() if line.startswith("  next: ")]
        assert any(f"remove '{anchor}'" in line for line in steps)
        anchor.unlink()
    assert run(["check"]) in (0, 1)


def test_a_backup_to_where_the_vault_is_newer_warns_and_ends_with_1(home, capsys):
    run(["backup", "copy"])
    keep(home, "three")
    (home / "vault").rename(home / "newer")
    assert run(["recover", "copy"]) == 1
    (home / "state").rename(home / "forgotten")

    told = answer(capsys, ["backup", "--vault", "copy", "newer"], 1)

    assert told["whole"]
    assert "the destination has head" in told["notes"][0]


def test_init_in_an_empty_directory_makes_the_key_too(home, capsys):
    (home / "key").unlink()
    (home / "empty").mkdir(mode=0o700)

    assert run(["init", "--vault", "empty"]) == 0

    assert (home / "key").is_file()


def test_init_among_the_remains_of_a_recovery_is_refused(home, capsys):
    run(["backup", "copy"])
    (home / "copy/vault.json").unlink()

    assert "'vault.json' is missing" in refusal(capsys, ["init", "--vault", "copy"], 3)


def test_a_move_tells_what_to_set(home, capsys, monkeypatch):
    assert run(["rewrap", "--to-key-file", "key2"]) == 0

    out = capsys.readouterr().out
    assert "ok: 2 generations sealed anew under it" in out
    assert f"set      JARKEEPER_KEY_FILE={home / 'key2'}" in out
    assert "Keep it" in out
    assert (home / "key2").stat().st_mode & 0o777 == 0o600
    assert "is not the key of this vault" in refusal(capsys, ["status"], 3)
    monkeypatch.setenv("JARKEEPER_KEY_FILE", str(home / "key2"))
    assert run(["check"]) == 0


def test_a_move_from_a_key_in_a_variable_tells_to_unset_it(home, capsys, monkeypatch):
    monkeypatch.setenv("COOKIE_ENCRYPTION_KEY", (home / "key").read_text().strip())
    monkeypatch.delenv("JARKEEPER_KEY_FILE")

    document = answer(capsys, ["rewrap", "--to-key-file", "key2"])

    assert document["settings"] == {
        "JARKEEPER_KEY_FILE": str(home / "key2"),
        "COOKIE_ENCRYPTION_KEY": None,
    }
    assert (document["moved"], document["sealed"], document["problems"]) == (True, 2, [])


def test_a_move_can_be_run_again_with_the_old_settings(capsys):
    run(["rewrap", "--to-key-file", "key2"])

    document = answer(capsys, ["rewrap", "--to-key-file", "key2"])

    assert (document["moved"], document["sealed"]) == (False, 0)


def test_a_move_back_needs_no_old_file(home, capsys, monkeypatch):
    run(["rewrap", "--to-key-file", "key2"])
    monkeypatch.setenv("JARKEEPER_KEY_FILE", str(home / "key2"))

    assert answer(capsys, ["rewrap", "--to-key-file", "key"])["moved"] is True

    monkeypatch.setenv("JARKEEPER_KEY_FILE", str(home / "key"))
    (home / "key2").unlink()
    assert run(["check"]) == 0


@pytest.mark.parametrize("words", [[], ["--to-kms-key", "alias/x", "--to-key-file", "k"]])
def test_a_move_goes_to_exactly_one_key(capsys, words):
    assert "expected one of --to-kms-key" in refusal(capsys, ["rewrap", *words], 2)


def test_a_move_to_what_is_no_key_changes_nothing(home, capsys):
    (home / "notes").write_text("not a key")
    (home / "notes").chmod(0o600)

    assert "in base64" in refusal(capsys, ["rewrap", "--to-key-file", "notes"], 3)
    assert "expected the id or ARN" in refusal(capsys, ["rewrap", "--to-kms-key", "?"], 2)
    assert not (home / "vault/keys").exists()
    assert run(["check"]) == 0


def test_a_move_without_a_vault_makes_no_key(home, capsys):
    told = refusal(capsys, ["rewrap", "--vault", "none", "--to-key-file", "key2"], 3)

    assert "there is none" in told
    assert not (home / "key2").exists()


def test_another_whole_vault_in_the_same_place_is_refused_until_somebody_says_it_is_meant(
    home, capsys
):
    run(["init", "--vault", "other"])
    run(["import", "cookies.txt", "--vault", "other"])
    (home / "vault").rename(home / "ours")
    (home / "other").rename(home / "vault")

    for words in (["status"], ["check"], ["import", "cookies.txt"]):
        assert "was before" in refusal(capsys, words, 3)

    (home / "vault").rename(home / "theirs")
    (home / "ours").rename(home / "vault")
    assert run(["status"]) == 0


def test_a_vault_that_is_founded_where_another_one_was_is_no_stranger(home, capsys):
    (home / "vault").rename(home / "gone")

    assert run(["init"]) == 0

    assert run(["status"]) == 0


def test_a_vault_that_is_recovered_where_another_one_was_is_no_stranger(home, capsys):
    run(["backup", "copy"])
    (home / "vault").rename(home / "gone")
    run(["init"])
    (home / "vault").rename(home / "second")

    assert run(["recover", "copy"]) == 0

    assert run(["status"]) == 0


@pytest.mark.parametrize("part", ["audit", "cookies/youtube/heads", "opens", "incidents"])
def test_among_the_remains_of_a_recovery_every_command_says_so(home, capsys, part):
    run(["audit", "checkpoint"])
    for place in ("opens/youtube/20260601T12/0001", "incidents/_vault/store/000000000001.json"):
        (home / "vault" / place).parent.mkdir(parents=True)
        (home / "vault" / place).write_bytes(b"")
    run(["backup", "copy"])
    (home / "left" / part).parent.mkdir(parents=True)
    (home / "vault" / part).rename(home / "left" / part)

    for words in ("init", "status", "audit verify", "check", "report", "import cookies.txt"):
        said = refusal(capsys, [*words.split(), "--vault", "left"], 3)
        assert "'vault.json' is missing, but parts of a vault lie at this place" in said
        assert f"such as '{part}" in said
        assert "run `jarkeeper recover --vault left` again" in said
        assert "jarkeeper init" not in said


def test_a_recovery_that_was_killed_at_its_first_object_goes_on(home, capsys):
    run(["backup", "copy"])
    (home / "vault").rename(home / "lost")
    assert run(["recover", "copy"]) == 0
    left = sorted((home / "vault").glob("audit/dt=*/*/000000000001.jsonl"))
    began = next(path for path in left if b'"action":"recover"' in path.read_bytes())
    kept = began.read_bytes()
    for path in (path for path in (home / "vault").rglob("*") if path.is_file() and path != began):
        path.unlink()

    assert "'vault.json' is missing" in refusal(capsys, ["init"], 3)

    assert began.read_bytes() == kept
    assert run(["recover", "copy"]) == 0
    assert run(["check"]) in (0, 1)
