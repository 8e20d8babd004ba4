from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jarkeeper.envelope import Context, open_envelope, seal
from jarkeeper.errors import EnvelopeError, KeyUnavailable
from jarkeeper.limits import LIMITS
from vaultkit import KEYS, OTHER_KEYS

CONTEXT = Context("a" * 32, "youtube", "b" * 32)


@given(plaintext=st.binary(max_size=5000))
@settings(deadline=None)
def test_what_is_sealed_opens_to_the_same(plaintext):
    sealed = seal(plaintext, keys=KEYS, context=CONTEXT)

    assert open_envelope(sealed, keys=KEYS, context=CONTEXT) == plaintext


def test_the_largest_jar_fits():
    plaintext = bytes(LIMITS.jar_bytes_max)

    sealed = seal(plaintext, keys=KEYS, context=CONTEXT)

    assert len(sealed) <= LIMITS.envelope_bytes_max
    assert open_envelope(sealed, keys=KEYS, context=CONTEXT) == plaintext


def test_two_envelopes_of_one_jar_have_nothing_in_common_but_their_header():
    one, two = (seal(b"x" * 1000, keys=KEYS, context=CONTEXT) for _ in range(2))

    assert one != two
    assert b"x" * 16 not in one


@pytest.mark.parametrize(
    "other",
    [
        Context("c" * 32, "youtube", "b" * 32),
        Context("a" * 32, "other", "b" * 32),
        Context("a" * 32, "youtube", "c" * 32),
    ],
    ids=["vault", "jar", "generation"],
)
def test_open_rejects_the_context_of_another(other):
    sealed = seal(b"cookies", keys=KEYS, context=CONTEXT)

    with pytest.raises(EnvelopeError):
        open_envelope(sealed, keys=KEYS, context=other)


def test_open_rejects_another_key():
    sealed = seal(b"cookies", keys=KEYS, context=CONTEXT)

    with pytest.raises(EnvelopeError):
        open_envelope(sealed, keys=OTHER_KEYS, context=CONTEXT)


def test_every_flipped_bit_is_rejected():
    sealed = seal(b"cookies", keys=KEYS, context=CONTEXT)

    for place in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << (place % 8)
        with pytest.raises(EnvelopeError):
            open_envelope(bytes(changed), keys=KEYS, context=CONTEXT)


def test_every_truncation_is_rejected():
    sealed = seal(b"cookies", keys=KEYS, context=CONTEXT)

    for length in range(len(sealed)):
        with pytest.raises(EnvelopeError):
            open_envelope(sealed[:length], keys=KEYS, context=CONTEXT)


@pytest.mark.parametrize("tail", [b"\0", b"x", b"\n", bytes(1000)])
def test_trailing_bytes_are_rejected(tail):
    sealed = seal(b"cookies", keys=KEYS, context=CONTEXT)

    with pytest.raises(EnvelopeError):
        open_envelope(sealed + tail, keys=KEYS, context=CONTEXT)


@given(sealed=st.binary(max_size=400))
@settings(deadline=None)
def test_arbitrary_bytes_are_rejected_with_the_same_error(sealed):
    with pytest.raises(EnvelopeError, match="cannot be opened"):
        open_envelope(sealed, keys=KEYS, context=CONTEXT)


def test_too_much_is_rejected_unread():
    with pytest.raises(EnvelopeError):
        open_envelope(bytes(LIMITS.envelope_bytes_max + 1), keys=KEYS, context=CONTEXT)


def test_an_envelope_without_key_commitment_is_rejected():
    import aws_encryption_sdk
    from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy

    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT
    )
    sealed, _ = client.encrypt(
        source=b"cookies",
        key_provider=KEYS.provider(),
        algorithm=AlgorithmSuite.AES_256_GCM_IV12_TAG16_HKDF_SHA256,
        encryption_context=CONTEXT.pairs(),
    )

    with pytest.raises(EnvelopeError):
        open_envelope(sealed, keys=KEYS, context=CONTEXT)


def test_an_envelope_of_another_suite_is_rejected():
    import aws_encryption_sdk
    from aws_encryption_sdk.identifiers import AlgorithmSuite

    sealed, _ = aws_encryption_sdk.EncryptionSDKClient().encrypt(
        source=b"cookies",
        key_provider=KEYS.provider(),
        algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
        encryption_context=CONTEXT.pairs(),
    )

    with pytest.raises(EnvelopeError):
        open_envelope(sealed, keys=KEYS, context=CONTEXT)


def test_an_envelope_with_more_context_than_expected_is_rejected():
    import aws_encryption_sdk

    sealed, _ = aws_encryption_sdk.EncryptionSDKClient().encrypt(
        source=b"cookies",
        key_provider=KEYS.provider(),
        encryption_context=CONTEXT.pairs() | {"more": "context"},
    )

    with pytest.raises(EnvelopeError):
        open_envelope(sealed, keys=KEYS, context=CONTEXT)


def test_every_failure_says_the_same_and_logs_nothing(caplog):
    caplog.set_level(logging.DEBUG)
    sealed = seal(b"cookies", keys=KEYS, context=CONTEXT)
    messages = set()

    for content, keys in ((sealed[:-1], KEYS), (sealed, OTHER_KEYS), (b"", KEYS), (b"{}", KEYS)):
        with pytest.raises(EnvelopeError) as caught:
            open_envelope(content, keys=keys, context=CONTEXT)
        messages.add(str(caught.value))

    assert len(messages) == 1
    assert not [record for record in caplog.records if "aws_encryption_sdk" in record.name]


def test_a_key_that_refuses_to_wrap_is_unavailable():
    class Refusing:
        name = "refusing key"

        def provider(self):
            raise RuntimeError("secret detail of a client")

    with pytest.raises(KeyUnavailable) as caught:
        seal(b"cookies", keys=Refusing(), context=CONTEXT)

    assert "secret detail" not in str(caught.value)
