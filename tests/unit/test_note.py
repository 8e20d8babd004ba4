from __future__ import annotations

import pickle

import pytest

from jarkeeper.audit.note import Verifier, open_note, parse_verifier, signer_of
from jarkeeper.errors import InputError, IntegrityError
from jarkeeper.names import VaultId
from vaultkit import KEYS, OTHER_KEYS

VAULT = VaultId("0" * 31 + "1")
TEXT = "jarkeeper/x\n3\nabc\n"
# The example of golang.org/x/mod/sumdb/note, its documentation.
PUBLIC_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLIC_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\N{EM DASH} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfq"
    "dngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_of_another_implementation_opens():
    text = open_note(PUBLIC_NOTE, parse_verifier(PUBLIC_KEY))

    assert text.startswith("If you think")
    assert text.endswith("problem is.\n")


def test_a_note_opens_with_the_key_of_who_signed_it_alone():
    signer = signer_of(KEYS, VAULT)
    note = signer.sign(TEXT)

    assert open_note(note, parse_verifier(str(signer.verifier))) == TEXT
    with pytest.raises(IntegrityError, match="not signed"):
        open_note(note, signer_of(OTHER_KEYS, VAULT).verifier)
    with pytest.raises(IntegrityError, match="not signed"):
        open_note(note, Verifier("jarkeeper/else", signer.verifier.key))


def test_every_key_is_read_back_whatever_stands_in_its_base64():
    keys = [signer_of(KEYS, VaultId(f"{number:032x}")).verifier for number in range(50)]
    raw = [Verifier(f"n{number}", bytes([number, 251, 239, 190] * 8)) for number in range(50)]

    assert [parse_verifier(str(key)) for key in (*keys, *raw)] == [*keys, *raw]
    assert any(str(key).count("+") > 2 for key in raw)


def test_every_changed_character_of_a_note_is_refused():
    signer = signer_of(KEYS, VAULT)
    note = signer.sign(TEXT)

    for place in range(len(note)):
        changed = note[:place] + ("A" if note[place] != "A" else "B") + note[place + 1 :]
        with pytest.raises(IntegrityError):
            open_note(changed, signer.verifier)


def test_a_witness_adds_its_signature_and_ours_still_counts():
    signer, witness = signer_of(KEYS, VAULT), signer_of(OTHER_KEYS, VaultId("f" * 32))
    theirs = witness.sign(TEXT).rpartition("\n\n")[2]

    note = signer.sign(TEXT) + theirs

    assert open_note(note, signer.verifier) == open_note(note, witness.verifier) == TEXT


@pytest.mark.parametrize(
    "text",
    ["", "a", "a+b", "a+00000000+AAAA", PUBLIC_KEY.replace("c74f", "c74e"), PUBLIC_KEY[:-4]],
)
def test_what_is_no_verifier_key_is_refused(text):
    with pytest.raises(InputError, match="verifier key"):
        parse_verifier(text)


@pytest.mark.parametrize("note", ["", "\n", "a\n", "a\n\nb\n", "a\n\n\N{EM DASH} n !\n", "a\n\n"])
def test_what_is_no_note_is_refused(note):
    with pytest.raises(IntegrityError, match="note"):
        open_note(note, parse_verifier(PUBLIC_KEY))


@pytest.mark.parametrize("text", ["no newline", "a\tb\n", "a\x1b\n"])
def test_only_plain_lines_are_signed(text):
    with pytest.raises(ValueError, match="note"):
        signer_of(KEYS, VAULT).sign(text)


def test_the_key_of_a_signer_shows_nowhere():
    signer = signer_of(KEYS, VAULT)

    assert "0x" in repr(signer)
    with pytest.raises(TypeError):
        pickle.dumps(signer)
