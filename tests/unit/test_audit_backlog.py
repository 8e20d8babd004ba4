from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from jarkeeper.audit.backlog import find_backlog
from jarkeeper.audit.places import event_key, volume_key
from jarkeeper.stores.memory import MemoryStore

NOW = datetime(2026, 6, 30, 3, tzinfo=UTC)


def store_with(*, events=(), volumes=()):
    store = MemoryStore()
    for age in events:
        store.put(event_key((NOW - timedelta(days=age)).date(), "a" * 32, 1), b"")
    for age in volumes:
        store.put(volume_key(f"{NOW - timedelta(days=age):%Y-%m-%d}", 1), b"")
    return store


@pytest.mark.parametrize(
    ("events", "volumes", "oldest"),
    [
        ((), (), ""),
        ((0, 7, 21), (), ""),
        ((22, 30, 40), (), NOW.date() - timedelta(days=40)),
        ((22, 30), (22, 30), ""),
        ((22, 30), (30,), NOW.date() - timedelta(days=22)),
        ((), (400,), ""),
    ],
)
def test_days_that_packing_forgot_are_told(events, volumes, oldest):
    store = store_with(events=events, volumes=volumes)

    finding = find_backlog(store, now=NOW, archive_days=7)

    assert (finding.severity == "warning") == isinstance(oldest, date)
    assert str(oldest) in finding.message
