"""A request that fails is sent again by the store alone: tries must not multiply."""

import pytest

from cloud.faults import Fault, Kind
from jarkeeper.errors import StoreError
from jarkeeper.stores.s3 import TRIES

CALLS = {
    "GET": lambda store: store.get("a/b"),
    "PUT": lambda store: store.put("a/b", b""),
    "HEAD": lambda store: store.created_at("a/b"),
}


@pytest.mark.parametrize("method", CALLS)
def test_what_always_fails_is_sent_as_often_as_the_store_says(tenancy, monkeypatch, method):
    monkeypatch.setattr("jarkeeper.stores.s3.PAUSE_SECONDS", 0)
    store = tenancy.store()
    faults = tenancy.cloud.faults
    faults.add(Fault(Kind.SLOW_DOWN, method=method, times=100))

    with pytest.raises(StoreError):
        CALLS[method](store)

    assert faults.injected[Kind.SLOW_DOWN] == TRIES
