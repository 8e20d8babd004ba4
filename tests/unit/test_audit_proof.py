from __future__ import annotations

import base64
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.audit.archive import pack
from jarkeeper.audit.note import signer_of
from jarkeeper.audit.places import parse_event_key
from jarkeeper.audit.proof import prove
from jarkeeper.audit.retention import retire
from jarkeeper.audit.witness import contradictions
from jarkeeper.errors import Conflict, InputError, IntegrityError, NotFound
from jarkeeper.stores.memory import MemoryStore
from vaultkit import ACTOR, KEYS, OTHER_KEYS, Clock

VAULT = "a" * 32
SCRIPT = Path(__file__).parents[2] / "docs" / "check_proof.py"


class Log:
    def __init__(self, accesses=7):
        self.store, self.clock = MemoryStore(), Clock()
        self.trail = self.open()
        self.use(accesses)

    def open(self):
        return Trail(self.store, keys=KEYS, vault=VAULT, clock=self.clock, actor=ACTOR)

    def use(self, accesses):
        for _ in range(accesses):
            self.trail.outcome(self.trail.intent(Access(Action.LEND, jar="youtube")), Outcome.OK)

    def checkpoint(self):
        return self.trail.checkpoint(self.trail.verify())

    @property
    def writer(self):
        return self.trail._chain.writer


def checked(proof, tmp_path, key):
    path = tmp_path / "event.tlog-proof"
    path.write_text(proof, "utf-8")
    words = [sys.executable, str(SCRIPT), str(path), key]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_a_script_of_forty_lines_checks_a_proof(tmp_path):
    log = Log()
    log.checkpoint()

    done = checked(
        prove(log.trail, f"{log.writer[:8]}/3"), tmp_path, str(log.trail.signer.verifier)
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"proved: leaf 2 (of 14, counted from 0) in jarkeeper/{VAULT}\n")
    key = next(key for key in log.store.list("audit/") if key.endswith(f"{3:012d}.jsonl"))
    assert done.stdout.endswith(log.store.get(key).decode())
    assert len(SCRIPT.read_text().splitlines()) <= 40


def test_the_script_reads_a_key_that_has_a_plus_in_it(tmp_path):
    key = f"n+00000000+{'+' * 44}"

    done = checked("a\n\nb\nc\nd\n\ne", tmp_path, key)

    assert "too many values to unpack (expected 3)" not in done.stderr


def test_the_script_finds_our_signature_among_others_of_the_same_name(tmp_path):
    log = Log()
    log.checkpoint()
    verifier = log.trail.signer.verifier
    other = "\N{EM DASH} " + verifier.name + " " + base64.b64encode(bytes(68)).decode() + "\n"
    head, _, signatures = prove(log.trail, f"{log.writer}/3").rpartition("\n\n")

    done = checked(f"{head}\n\n{other}{signatures}", tmp_path, str(verifier))

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("index", ["\N{ARABIC-INDIC DIGIT TWO}", "+2", "02", " 2"])
def test_the_script_takes_an_index_in_its_one_form_only(index, tmp_path):
    log = Log()
    log.checkpoint()
    proof = prove(log.trail, f"{log.writer}/3").replace("\nindex 2\n", f"\nindex {index}\n")
    assert f"\nindex {index}\n" in proof

    done = checked(proof, tmp_path, str(log.trail.signer.verifier))

    assert done.returncode == 1
    assert done.stderr.startswith("not proved")


def test_a_proof_that_was_changed_anywhere_proves_nothing(tmp_path):
    log = Log(2)
    log.checkpoint()
    proof, key = prove(log.trail, f"{log.writer}/2"), str(log.trail.signer.verifier)
    lines = proof.split("\n")

    for number, line in enumerate(lines):
        if not line:
            continue
        at = len(line) // 2
        changed = line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]
        broken = "\n".join([*lines[:number], changed, *lines[number + 1 :]])
        assert checked(broken, tmp_path, key).returncode != 0, line
    for extra in (lines[:3] + lines[4:], [*lines[:3], lines[3], *lines[3:]]):
        assert checked("\n".join(extra), tmp_path, key).returncode != 0
    other = str(signer_of(OTHER_KEYS, VAULT).verifier)
    assert checked(proof, tmp_path, other).returncode != 0


def test_every_event_is_proved_from_the_archive_as_well(tmp_path):
    log = Log(3)
    log.checkpoint()
    before = prove(log.trail, f"{log.writer}/1").split("\n")[:2]
    log.clock.advance(days=2)

    pack(log.open(), before=log.clock.now.date())

    for seq in range(1, 7):
        proof = prove(log.open(), f"{log.writer[:8]}/{seq}")
        done = checked(proof, tmp_path, str(log.trail.signer.verifier))
        assert done.returncode == 0, done.stderr
    assert prove(log.open(), f"{log.writer}/1").split("\n")[:2] == before


@pytest.mark.parametrize("event", ["", "x/1", "abc/1", "0123456/1", "01234567/x", "01234567"])
def test_what_names_no_event_is_refused(event):
    with pytest.raises(InputError, match="expected writer/seq"):
        prove(Log(1).trail, event)


def test_an_event_that_is_not_there_has_no_proof():
    log = Log(1)
    with pytest.raises(NotFound, match="no checkpoint has it yet"):
        prove(log.trail, f"{log.writer}/1")
    log.checkpoint()

    with pytest.raises(NotFound, match="no such writer"):
        prove(log.trail, "00000000/1")
    with pytest.raises(NotFound, match="there is none"):
        prove(log.trail, f"{log.writer}/99")


def test_an_event_that_was_changed_is_not_proved():
    log = Log(1)
    log.checkpoint()
    key = next(key for key in log.store.list("audit/") if parse_event_key(key))
    log.store.objects[key] = log.store.objects[key].replace(b"youtube", b"youtubf")

    with pytest.raises(IntegrityError, match="not what its checkpoint saw"):
        prove(log.trail, f"{log.writer}/1")


def test_an_event_past_its_retention_is_told_to_be_gone():
    log = Log(1)
    log.checkpoint()
    log.clock.advance(days=100)
    retire(log.open(), before=log.clock.now - timedelta(days=50))

    with pytest.raises(NotFound, match="is past its retention, only its hash is left"):
        prove(log.trail, f"{log.writer}/1")


@pytest.mark.parametrize("packed", [False, True])
def test_an_event_that_was_removed_is_not_told_to_be_past_its_retention(packed):
    log = Log(1)
    log.checkpoint()
    log.clock.advance(days=100)
    retire(log.open(), before=log.clock.now - timedelta(days=50))
    later = log.open()
    later.outcome(Access(Action.LEND, jar="youtube"), Outcome.OK)
    later.checkpoint(later.verify())
    log.clock.advance(days=1)
    if packed:
        pack(log.open(), before=log.clock.now.date())
    own = f"{later._chain.writer}/000000000001"
    for key in [key for key in log.store.list("audit/dt=") if own in key]:
        log.store.delete(key)
    for key in log.store.list("audit/archive/"):
        log.store.delete(key)

    with pytest.raises(IntegrityError, match="was removed, only its hash is left"):
        prove(log.trail, f"{later._chain.writer}/1")
    if not packed:  # else what tells of the retention was in the volume, too
        with pytest.raises(NotFound, match="past its retention"):
            prove(log.trail, f"{log.writer}/1")


@pytest.mark.parametrize(
    ("end", "change", "what"),
    [
        ("parquet", b"damaged", "expected a Parquet file of events"),
        ("parquet", None, "is missing"),
        ("json", b"damaged", "is not what was written"),
        ("json", None, "is missing"),
    ],
)
def test_a_damaged_volume_is_named_where_it_may_hold_the_event(end, change, what):
    log = Log(2)
    log.checkpoint()
    log.clock.advance(days=2)
    pack(log.open(), before=log.clock.now.date())
    key = next(key for key in log.store.list("audit/archive/") if key.endswith(end))
    log.store.objects[key] = change
    if change is None:
        del log.store.objects[key]

    with pytest.raises(IntegrityError, match=rf"volume 'audit/archive/.*1.parquet': .*{what}") as e:
        prove(log.open(), f"{log.writer}/1")

    assert e.value.hint.endswith("run `jarkeeper audit verify`")


def found(log, note):
    verifier = log.trail.signer.verifier
    checkpoints = log.trail.checkpoints()
    return [item.code for item in contradictions(checkpoints, {"kept": note}, verifier=verifier)]


def test_a_witness_agrees_for_ever():
    log = Log(2)
    note = log.checkpoint().note
    for _ in range(3):
        log.use(3)
        log.checkpoint()
    log.clock.advance(days=100)
    pack(log.open(), before=log.clock.now.date())
    retire(log.open(), before=log.clock.now - timedelta(days=50))

    assert found(log, note) == []
    assert log.trail.verify().discrepancies == ()


def test_a_history_that_was_written_anew_contradicts_its_witness():
    log = Log(3)
    note = log.checkpoint().note
    again = Log(3)
    again.checkpoint()

    assert found(again, note) == ["edited"]
    assert again.trail.verify().discrepancies == (), "who has the key can forge all but a witness"


def test_a_log_that_was_cut_contradicts_its_witness():
    log = Log(1)
    log.checkpoint()
    objects = dict(log.store.objects)
    log.use(1)
    note = log.checkpoint().note

    log.store.objects = objects

    assert found(log, note) == ["removed"]


@pytest.mark.parametrize("note", ["", "nonsense\n", "a\n\n\N{EM DASH} b AAAAAAAA\n"])
def test_what_is_no_note_of_this_vault_is_no_witness(note):
    with pytest.raises(InputError, match="witness 'kept'"):
        found(Log(1), note)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("proof", "is the proof of an event"),
        ("statement", "is the compliance statement of a month"),
        ("changed", "is not what 'jarkeeper/a+' signed, it was changed"),
        ("another's", "is not signed by 'jarkeeper/a+'"),
    ],
)
def test_what_cannot_be_a_witness_is_called_what_it_is(kind, said):
    log = Log(1)
    note = log.checkpoint().note
    given = {
        "proof": prove(log.trail, f"{log.writer}/1"),
        "statement": log.trail.signer.sign(f"jarkeeper/{VAULT} compliance 2026-10\nmade\n"),
        "changed": note.replace("\n2\n", "\n3\n"),
        "another's": signer_of(OTHER_KEYS, VAULT).sign("text\n"),
    }

    with pytest.raises(InputError, match=f"witness 'kept': {said}"):
        found(log, given[kind])


def test_of_two_checkpoints_at_once_one_gives_way():
    log = Log(1)
    report = log.trail.verify()
    log.use(1)
    log.open().checkpoint(log.open().verify())

    with pytest.raises(Conflict):
        log.trail.checkpoint(report)

    assert log.trail.verify().discrepancies == ()


def test_a_very_long_trail_takes_several_checkpoints(monkeypatch):
    from jarkeeper.audit import checkpoints

    monkeypatch.setattr(checkpoints, "LIMITS", type("L", (), {"checkpoint_events_max": 4}))
    log = Log(5)

    newest = log.checkpoint()

    assert (newest.seq, newest.size) == (3, 10)
    assert log.trail.verify().discrepancies == ()
    assert os.path.basename(log.store.list("audit/checkpoints/")[-1]) == "000000000003.json"
