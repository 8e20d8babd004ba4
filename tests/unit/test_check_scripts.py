"""The two scripts for an auditor who has nothing of Jarkeeper: whatever file they are given."""

import sys
from pathlib import Path

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail
from jarkeeper.audit.note import signer_of
from jarkeeper.audit.proof import prove
from jarkeeper.names import VaultId
from jarkeeper.stores.memory import MemoryStore
from vaultkit import ACTOR, KEYS, OTHER_KEYS, Clock

DOCS = Path(__file__).parents[2] / "docs"
SCRIPTS = {
    name: compile((DOCS / f"check_{name}.py").read_text(), name, "exec")
    for name in ("proof", "note")
}
VAULT = VaultId("a" * 32)
KEY = str(signer_of(KEYS, VAULT).verifier)
OTHER_KEY = str(signer_of(OTHER_KEYS, VAULT).verifier)
ERRORS = ("Error", "Iteration", "Traceback", "Invalid", "unpack")
NO_NOTE = "is no note, expected text, an empty line, signatures"
NO_PROOF = "is no proof: expected 'c2sp.org/tlog-proof@v1' and all that belongs to it"
NO_KEY = "expected name+id+key, as `jarkeeper audit key` prints it"


@pytest.fixture(scope="module")
def texts():
    """A proof, and the note of its checkpoint."""
    trail = Trail(MemoryStore(), keys=KEYS, vault=VAULT, clock=Clock(), actor=ACTOR)
    for _ in range(3):
        trail.outcome(trail.intent(Access(Action.LEND, jar="youtube")), Outcome.OK)
    note = trail.checkpoint(trail.verify()).note
    return {"proof": prove(trail, f"{trail._chain.writer}/3").encode(), "note": note.encode()}


@pytest.fixture
def check(monkeypatch, tmp_path, capsys):
    """Run a script as the interpreter does; return its code, what it prints and what it says."""

    def check(script, content, key=KEY):
        path = tmp_path / "given"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr(sys, "argv", ["script", str(path), key])
        monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
        code = 0
        try:
            exec(SCRIPTS[script], {"__name__": "__main__", "__doc__": "how it is called"})
        except SystemExit as ended:
            code = 1
            print(ended.code, file=sys.stderr)
        except Exception as error:
            code = 1
            sys.excepthook(type(error), error, error.__traceback__)
        return code, *capsys.readouterr()

    return check


def test_each_script_takes_what_it_is_for(check, texts):
    assert check("proof", texts["proof"])[::2] == (0, "")
    assert check("note", texts["note"])[::2] == (0, "")


@pytest.mark.parametrize(
    ("script", "content", "sentence"),
    [
        *[("proof", junk, NO_PROOF) for junk in (b"", b"\0\xff" * 9, b"a\n\nb\nc\nd\n\ne", "note")],
        *[("note", junk, NO_NOTE) for junk in (b"", b"\0\xff" * 9, b"\n" * 99, b"text\n\nmore\n")],
        ("note", "proof", "is no note but a proof, which check_proof.py checks"),
        ("proof", b"x" * (3 << 20), NO_PROOF),
        ("note", b"x\n\n" * (6 << 20), NO_NOTE),
        *[(script, None, "cannot be read") for script in ("proof", "note")],
    ],
)
def test_what_is_no_such_file_is_called_so(script, content, sentence, check, texts):
    code, out, err = check(script, texts.get(content, content))

    assert (code, out) == (1, "")
    assert sentence in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("script", ["proof", "note"])
@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        *[(key, NO_KEY) for key in ("", "\udcff+a+b", "a+b+c", KEY[:-4], KEY.replace("+", "+0"))],
        (OTHER_KEY, "with that key"),
    ],
)
def test_what_is_no_key_and_the_key_of_another_vault_are_told_apart(
    script, key, sentence, check, texts
):
    code, out, err = check(script, texts[script], key)

    assert (code, out) == (1, "")
    assert sentence in err


@pytest.mark.parametrize("script", ["proof", "note"])
def test_no_change_and_no_cut_passes_or_is_told_in_words_of_python(script, check, texts):
    whole = texts[script]
    cut = [whole[:length] for length in range(0, len(whole), 7)]
    changed = [
        whole[:at] + (b"\n" if at % 2 else b"\xff" if at % 3 else b"*") + whole[at + 1 :]
        for at in range(0, len(whole), 5)
    ]

    for content in (*cut, *changed):
        code, out, err = check(script, content)
        assert (code, out) == (1, ""), content
        assert not any(word in err for word in ERRORS)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 11, 24])
def test_an_event_is_proved_in_its_own_place_alone(size, check):
    trail = Trail(MemoryStore(), keys=KEYS, vault=VAULT, clock=Clock(), actor=ACTOR)
    for _ in range(size):
        trail.outcome(Access(Action.USE, jar="youtube"), Outcome.OK)
    trail.checkpoint(trail.verify())

    for index, (writer, seq) in enumerate(trail.checkpoints().places()):
        proof = prove(trail, f"{writer}/{seq}")
        for place in range(size + 2):
            text = proof.replace(f"index {index}\n", f"index {place}\n")
            ended, *told = check("proof", text.encode())
            assert (ended == 0) is (place == index), (index, place, told)
