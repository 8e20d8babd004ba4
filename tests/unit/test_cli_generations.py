import base64
import json

import pytest

from jarkeeper.cli.group import COMMANDS, run
from jarkeeper.slots import Slot, SlotState
from vaultkit import assert_no_canary, cookie_file, jar_of


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, place in (("VAULT", "vault"), ("KEY_FILE", "key"), ("STATE_DIR", "state")):
        monkeypatch.setenv(f"JARKEEPER_{name}", str(tmp_path / place))
    return tmp_path


@pytest.fixture(autouse=True)
def ids(home, capsys):
    """The generations of three imports, oldest first; the last one is active."""
    assert run(["init"]) == 0
    for tag in ("one", "two", "three"):
        keep(home, tag)
    capsys.readouterr()
    return [item["generation"] for item in document(capsys, "history")["generations"]][::-1]


def keep(home, tag, *options, **form):
    (home / "cookies.txt").write_bytes(cookie_file(tag, **form))
    assert run(["import", "--yes", *options, "cookies.txt"]) == 0


def document(capsys, *words, code=0):
    capsys.readouterr()
    assert run([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def said(capsys, *words, code=0):
    capsys.readouterr()
    assert run(list(words)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def opened():
    from jarkeeper.settings import Settings
    from jarkeeper.wiring import open_vault

    return open_vault(Settings.read(), listener=lambda event: None)


def test_the_history_is_a_table_of_short_ids_the_newest_first(ids, capsys):
    lines = said(capsys, "history").splitlines()

    assert [line.split()[0] for line in lines[1:]] == [name[:8] for name in reversed(ids)]
    assert lines[1].endswith("active")
    assert "replaced" in lines[2]


def test_the_log_tells_each_change(ids, capsys):
    opened().mark("youtube", ids[2], SlotState.DEAD, reason="COOKIE_ROTATED")

    lines = said(capsys, "history", "--heads").splitlines()

    assert [line.split()[0] for line in lines[1:]] == ["4", "3", "2", "1"]
    assert f"{ids[2][:8]} dead" in lines[1]
    assert "died: COOKIE_ROTATED" in said(capsys, "history")
    assert [head["seq"] for head in document(capsys, "history", "--heads")["heads"]] == [4, 3, 2, 1]


def test_six_digits_restore_a_generation(ids, capsys):
    told = document(capsys, "restore", ids[0][:6])

    assert told["changed"] is True
    assert [slot["generation"] for slot in told["slots"]] == [ids[0], ids[2], ids[1]]
    assert "was active already" in said(capsys, "restore", ids[0].upper())


def test_restoring_what_had_died_is_told(ids, capsys):
    opened().mark("youtube", ids[1], SlotState.DEAD, reason="COOKIE_ROTATED")

    assert "had ended this login (COOKIE_ROTATED)" in said(capsys, "restore", ids[1])
    assert "had ended" not in said(capsys, "restore", ids[1])


def test_a_backup_is_restored_by_its_slots_name(ids, capsys):
    assert document(capsys, "restore", "backup")["generation"] == ids[1]


@pytest.mark.parametrize("command", ["restore", "revoke"])
@pytest.mark.parametrize("name", ["12345", "xyzxyz", "", "0" * 33, "0" * 32])
def test_an_unknown_generation_is_told_with_what_is_there(ids, capsys, command, name):
    words = said(capsys, command, name, code=2)

    assert f"{ids[2][:8]} (active), {ids[1][:8]} (backup)" in words
    assert "`jarkeeper history` lists all" in words


def test_an_ambiguous_generation_is_told_with_all_that_it_may_be(ids):
    from dataclasses import replace

    from jarkeeper.cli.generations import JarHistory
    from jarkeeper.errors import InputError

    history = opened().history("youtube")
    twin = ids[0][:7] + ("0" if ids[0][7] != "0" else "1") + ids[0][8:]
    active = history[-1].active
    other = replace(active, generation=replace(active.generation, id=twin))
    newest = replace(history[-1], slots=replace(history[-1].slots, active=other))

    with pytest.raises(InputError, match="2 generations begin with") as caught:
        JarHistory("youtube", (*history, newest)).find(ids[0][:7])

    assert ids[0][:8] in caught.value.hint
    assert twin[:8] in caught.value.hint


def test_a_jar_that_is_not_there_is_told(capsys):
    for command in (["history"], ["restore", "abcdef"], ["revoke", "abcdef"], ["diff"]):
        assert "jar 'nope': there is none" in said(capsys, *command, "--jar", "nope", code=2)


def test_a_revoke_wants_a_yes_and_changes_nothing_without(ids, capsys):
    words = said(capsys, "revoke", ids[2][:8], code=2)

    assert "nobody is there to ask" in words
    assert "add --yes" in words
    assert document(capsys, "status")["jars"][0]["revoked"] == 0


def test_a_revoke_tells_what_is_active_and_what_to_do(ids, capsys):
    words = said(capsys, "revoke", "--yes", ids[2][:8])

    assert f"generation {ids[2][:8]} is revoked" in words
    assert "there are no active cookies" in words
    assert f"backup is generation {ids[1][:8]}" in words
    assert "next     `jarkeeper promote`" in words
    assert "was revoked already" in said(capsys, "revoke", ids[2][:8])
    assert "was revoked" in said(capsys, "restore", ids[2][:8], code=3)


def test_revoking_a_backup_leaves_the_active_one(ids, capsys):
    told = document(capsys, "revoke", "--yes", ids[1])

    assert [slot["generation"] for slot in told["slots"]] == [ids[2], ids[0]]
    assert told["next"] == "nothing to do"


def test_hints_name_the_jar_and_the_vault(home, capsys):
    keep(home, "other", "--jar", "music")

    words = said(
        capsys, "restore", "--vault", str(home / "vault"), "--jar", "music", "abcdef", code=2
    )

    assert f"`jarkeeper history --vault {home / 'vault'} --jar music` lists all" in words


def test_a_difference_is_told_by_name_and_expiry(home, ids, capsys):
    login = ("LOGIN_INFO", "SAPISID", "__Secure-1PAPISID", "__Secure-3PAPISID", "SID", "NEW")
    keep(home, "three", names=login, expires=1_900_000_000)

    told = document(capsys, "diff")

    assert (told["from"], told["same"]) == (ids[2], 0)
    by_name = {item["name"]: item for item in told["cookies"]}
    assert by_name["NEW"]["difference"] == "added"
    assert by_name["HSID"]["difference"] == "removed"
    assert by_name["SID"]["changed"] == ["expiry"]
    assert by_name["SID"]["expires_after"] == 1_900_000_000
    words = said(capsys, "diff", ids[0][:6], ids[2][:6])
    assert "LOGIN_INFO  value" in words
    assert "2 cookies differ, 5 the same" in words


def test_a_diff_is_on_record_and_counts_as_two_opens(capsys, monkeypatch):
    monkeypatch.setenv("COOKIE_OPENS_PER_HOUR", "2")

    said(capsys, "diff")

    assert said(capsys, "audit").count("outline") == 2
    assert document(capsys, "status")["jars"][0]["opens_this_hour"] == 2
    assert "is the limit" in said(capsys, "diff", code=3)


def test_usage_adds_up_by_day_jar_and_flow(capsys):
    vault = opened()
    lent = vault.lend("youtube", Slot.ACTIVE)
    vault.record_use(lent, counts={"OK": 1999, "COOKIE_ROTATED": 1, "PRIVATE": 1}, seconds=1)

    told = document(capsys, "usage", "--by", "jar")

    (row,) = told["rows"]
    assert row["jar"] == "youtube"
    assert (row["opens"], row["videos"], row["succeeded"]) == (1, 2001, 1999)
    assert row["cookie_failures"] == 1
    assert row["failures"] == {"COOKIE_ROTATED": 1, "PRIVATE": 1}
    assert told["total"]["success_rate"] == pytest.approx(1999 / 2001)
    (budget,) = told["budget"]
    assert (budget["opens"], budget["videos"], budget["videos_per_hour"]) == (1, 2001, 2000)
    words = said(capsys, "usage")
    assert "99.9 %" in words
    assert "1 of 120 opens in this hour, 2,001 of 2,000 videos in 60 min" in words
    assert document(capsys, "usage", "--by", "flow")["rows"][0]["flow"] == "cli"


def test_usage_counts_the_last_hour_whatever_the_span(capsys):
    vault = opened()
    lent = vault.lend("youtube", Slot.ACTIVE)
    vault.record_use(lent, counts={"OK": 3}, seconds=1)

    told = document(capsys, "usage", "--since", "2099-01-01")

    assert told["rows"] == []
    assert told["budget"][0]["videos"] == 3


def test_no_value_is_in_any_form_of_output(ids, capsys):
    vault = opened()
    vault.write_back(vault.lend("youtube", Slot.ACTIVE), jar_of("four"))
    values = {
        cookie.value for tag in ("one", "two", "three", "four") for cookie in jar_of(tag).cookies
    }
    outputs = [
        said(capsys, *words, *form)
        for words in (
            ["history"],
            ["history", "--heads"],
            ["diff"],
            ["diff", ids[0], "active"],
            ["usage"],
            ["status"],
            ["restore", ids[1]],
            ["revoke", "--yes", ids[0]],
            ["audit"],
        )
        for form in ([], ["--json"])
    ]

    assert_no_canary(*outputs)
    for value in values:
        for form in (value, base64.b64encode(value.encode()).decode()[:-4]):
            assert all(form not in output for output in outputs)
    assert all(output for output in outputs)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(capsys, shell):
    assert "_JARKEEPER_COMPLETE" in said(capsys, "completion", shell)


def completed(capsys, monkeypatch, *words):
    monkeypatch.setenv("_JARKEEPER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - (words[-1] != "")))
    capsys.readouterr()
    try:
        code = run([])
    except SystemExit as ended:
        code = ended.code
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, [line.split(",")[-1] for line in captured.out.split()]


def test_commands_jars_and_generations_are_completed(home, ids, capsys, monkeypatch):
    keep(home, "other", "--jar", "music")

    assert completed(capsys, monkeypatch, "jarkeeper", "restor")[1] == ["restore"]
    assert completed(capsys, monkeypatch, "jarkeeper", "status", "--jar", "mu")[1] == ["music"]
    assert completed(capsys, monkeypatch, "jarkeeper", "restore", ids[1][:5])[1] == [ids[1][:8]]


@pytest.mark.parametrize(
    "words",
    [
        ("jarkeeper", "nonsense", "x"),
        ("jarkeeper", "--vault", "/nowhere", "restore", "a"),
        ("jarkeeper", "status", "--vault", "s3://bucket/x", "--jar", "a"),
    ],
)
def test_a_tab_in_the_middle_of_a_line_breaks_nothing(capsys, monkeypatch, words):
    assert completed(capsys, monkeypatch, *words)[1] == []


def test_a_view_that_is_no_json_completes_nothing(home, capsys, monkeypatch):
    (home / "vault/cookies/metadata.json").write_text("[]")

    assert completed(capsys, monkeypatch, "jarkeeper", "status", "--jar", "y")[1] == []


def test_hints_know_every_command():
    from jarkeeper.cli.place import Place

    for name in COMMANDS:
        if name not in ("alerts", "blocks", "completion", "schedule"):
            assert "--vault" in Place(vault="X").fit(f"`jarkeeper {name}`")
