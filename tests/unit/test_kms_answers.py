"""A KMS that gives no answer says nothing about an envelope."""

from __future__ import annotations

import pytest

from cloud.faults import Fault, Kind
from jarkeeper.envelope import Context, open_envelope, seal
from jarkeeper.errors import KeyUnavailable
from jarkeeper.keys.kms import KMSKey
from jarkeeper.names import GenerationId, VaultId, new_id

KINDS = (Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.SLOW_DOWN, Kind.ERROR_AFTER)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_does_not_answer_is_no_damage(tenancy, kind):
    key = tenancy.key()
    context = Context(VaultId(new_id()), "youtube", GenerationId(new_id()))
    sealed = seal(b"a jar", keys=key, context=context)
    tenancy.cloud.faults.add(Fault(kind, service="kms", key_part="Decrypt", times=100))

    with pytest.raises(KeyUnavailable):
        open_envelope(sealed, keys=Only(key), context=context)
    tenancy.cloud.faults.clear()

    assert open_envelope(sealed, keys=Only(key), context=context) == b"a jar"


@pytest.mark.parametrize(
    "answer",
    [{}, {"KeyId": "arn"}, {"KeyId": "arn", "Plaintext": b""}, {"KeyId": "arn", "Plaintext": b"x"}],
)
def test_an_answer_without_a_data_key_is_no_damage(answer):
    full = {"KeyId": "arn", "Plaintext": bytes(32), "CiphertextBlob": b"wrapped"}
    proxied = Proxied(full)
    key = KMSKey(proxied, "alias/jarkeeper")
    context = Context(VaultId(new_id()), "youtube", GenerationId(new_id()))
    sealed = seal(b"a jar", keys=key, context=context)
    proxied.answer = answer

    with pytest.raises(KeyUnavailable, match="holds no data key"):
        open_envelope(sealed, keys=Only(key), context=context)
    with pytest.raises(KeyUnavailable, match="holds no data key"):
        seal(b"a jar", keys=key, context=context)


class Proxied:
    """Clients behind a proxy that answers everything with the same."""

    def __init__(self, answer):
        self.answer = answer

    def get(self, service, *, region=None):
        return self

    def generate_data_key(self, **request):
        return self.answer

    decrypt = generate_data_key


class Only:
    """A vault's keys with this one alone."""

    former = ()

    def __init__(self, key):
        self.provider = key.provider
        self.name = key.name
