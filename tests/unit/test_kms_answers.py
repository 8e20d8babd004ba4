"""A KMS that gives no answer says nothing about an envelope."""

from __future__ import annotations

import pytest

from cloud.faults import Fault, Kind
from jarkeeper.envelope import Context, open_envelope, seal
from jarkeeper.errors import KeyUnavailable
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


class Only:
    """A vault's keys with this one alone."""

    former = ()

    def __init__(self, key):
        self.provider = key.provider
        self.name = key.name
