"""What `jarkeeper audit` writes into files, and what it says where there is nothing to do."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from jarkeeper.cli.audit_archive import _why
from jarkeeper.cli.group import run
from vaultkit import START, Room, cookie_file


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, place in (("VAULT", "vault"), ("KEY_FILE", "key"), ("STATE_DIR", "state")):
        monkeypatch.setenv(f"JARKEEPER_{name}", str(tmp_path / place))
    assert run(["init"]) == 0
    (tmp_path / "cookies.txt").write_bytes(cookie_file("one"))
    assert run(["import", "cookies.txt"]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def event(home, capsys):
    """An event that a checkpoint has."""
    assert run(["audit", "checkpoint", "--out", "kept.note"]) == 0
    capsys.readouterr()
    assert run(["audit", "--ids"]) == 0
    return capsys.readouterr().out.splitlines()[1].split()[-1]


def test_a_proof_and_a_note_are_written_as_they_are_printed(home, event, capsys):
    assert run(["audit", "prove", event, "--out", "proofs/one"]) == 0
    assert capsys.readouterr().out == "ok: 'proofs/one' written\n"
    assert run(["audit", "prove", event]) == 0
    assert (home / "proofs/one").read_text("utf-8") == capsys.readouterr().out
    assert run(["audit", "verify", "--witness", "kept.note"]) == 0
    assert run(["audit", "checkpoint", "--out", "later.note", "--json"]) == 0
    assert (home / "later.note").exists()


def test_of_one_event_verify_says_nothing_in_the_plural(home, monkeypatch, capsys):
    monkeypatch.setenv("JARKEEPER_VAULT", str(home / "new"))
    assert run(["init"]) == 0
    capsys.readouterr()

    assert run(["audit", "verify"]) == 0
    assert "no checkpoint yet that vouches for this event: " in capsys.readouterr().out
    assert run(["audit", "compliance", "--month", f"{datetime.now(UTC):%Y-%m}"]) == 0
    assert "\nno checkpoint vouches for it yet\n" in capsys.readouterr().out


def test_a_command_that_fails_leaves_no_file(home, event, capsys):
    assert run(["audit", "prove", "00000000/1", "--out", "event.tlog-proof"]) == 2
    (event_file,) = list(home.glob("vault/audit/dt=*/*/000000000001.jsonl"))[:1]
    event_file.unlink()
    assert run(["audit", "checkpoint", "--out", "bad.note"]) == 3

    assert not (home / "event.tlog-proof").exists()
    assert not (home / "bad.note").exists()


@pytest.mark.parametrize("words", [["checkpoint"], ["prove", "EVENT"], ["compliance"]])
def test_what_exists_is_never_overwritten_and_nothing_is_done(home, event, words, capsys):
    (home / "mine").write_text("mine")
    before = sorted(home.glob("vault/audit/**/*"))

    words = [event if word == "EVENT" else word for word in words]
    assert run(["audit", *words, "--out", "mine"]) == 2

    assert "'mine': is there already\nhint: name another file" in capsys.readouterr().err
    assert (home / "mine").read_text() == "mine"
    assert sorted(home.glob("vault/audit/**/*")) == before


def test_pack_says_why_there_is_nothing_to_pack(home, capsys):
    today = datetime.now(UTC).date()
    assert run(["audit", "pack"]) == 0
    assert capsys.readouterr().out == (
        f"ok: nothing to pack: days from before {today - timedelta(days=7)} are packed "
        f"(COOKIE_ARCHIVE_DAYS is 7), the oldest that is unpacked is {today}\n"
    )

    assert run(["audit", "pack", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["events"], told["before"]) == (0, f"{today - timedelta(days=7)}")


def test_pack_says_that_the_archive_has_it_where_events_may_not_be_deleted():
    vault = Room().vault

    why = _why(vault.trail, START.date() + timedelta(days=1), 7)

    assert why == "the archive holds all from before 2026-06-02 that a checkpoint vouches for"


@pytest.fixture
def packed(home, capsys):
    """A volume with the events of a day long ago, and its record."""
    from jarkeeper.actions import Action
    from jarkeeper.audit import Access, Outcome, archive
    from jarkeeper.settings import Settings
    from jarkeeper.wiring import open_vault

    vault = open_vault(Settings.read(), listener=lambda event: None)
    now = vault.trail.now()
    vault.trail._clock = lambda: now - timedelta(days=9)
    for _ in range(2):
        vault.trail.outcome(vault.trail.intent(Access(Action.LEND, jar="youtube")), Outcome.OK)
    vault.trail._clock = lambda: now
    archive.pack(vault.trail, before=now.date())
    capsys.readouterr()
    (volume,) = home.glob("vault/audit/archive/*/000001.parquet")
    return volume, volume.with_name("_000001.json")


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("content", [None, b"damaged"])
def test_a_volume_that_nothing_vouches_for_is_left_out_and_told(packed, place, content, capsys):
    assert run(["audit"]) == 0
    assert capsys.readouterr().out.count(" lend ") == 2
    packed[place].unlink()
    if content is not None:
        packed[place].write_bytes(content)
        packed[place].chmod(0o600)

    code = run(["audit"])

    told = capsys.readouterr()
    assert " lend " not in told.out
    if (place, content) == (0, None):
        return  # only the log of checkpoints knows what is gone
    assert code == 3
    assert "critical: 1 volume and all events in it left out: not what was written" in told.err


@pytest.mark.parametrize("content", [b"", None])
def test_an_event_that_was_damaged_is_left_out_and_counted(home, content, capsys):
    path = next(home.glob("vault/audit/dt=*/*/000000000001.jsonl"))
    path.write_bytes(path.read_bytes() + b"x" if content is None else content)

    assert run(["audit"]) == 3

    assert "critical: 1 event left out: not what was written" in capsys.readouterr().err
