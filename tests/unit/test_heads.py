from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jarkeeper.actions import Action
from jarkeeper.errors import IntegrityError
from jarkeeper.facts import JarFacts
from jarkeeper.heads import (
    GenerationRecord,
    Slot,
    SlotRecord,
    Slots,
    SlotState,
    Source,
    read_head,
    succeed,
    write_head,
)
from jarkeeper.records import GENESIS, digest, read_record, write_record
from vaultkit import START

KEY = bytes(32)
VAULT = "a" * 32
FACTS = JarFacts(
    cookies=9, dropped=2, login_until=None, next_expiry=77, signed_out=True, foreign=("a.example",)
)


def slot(name, state="healthy", until=None, reason=""):
    record = GenerationRecord(name * 32, "d" * 64, "f" * 16, START, Source.WRITE_BACK, FACTS)
    return SlotRecord(record, SlotState(state), START, until, reason)


def first(**changed):
    slots = Slots(
        slot("1"), (slot("2", "cooling", START + timedelta(hours=1), "BOT_CHECK"),), ("3" * 32,)
    )
    head = succeed(
        None, slots, vault=VAULT, jar="youtube", action=Action.IMPORT, at=START, id="0" * 16
    )
    return replace(head, **changed)


def read(raw, **changed):
    options = {"key": KEY, "vault": VAULT, "jar": "youtube", "seq": 1} | changed
    return read_head(raw, **options)


def test_a_head_is_read_as_it_was_written():
    head = first()

    stored = read(write_head(head, key=KEY))

    assert stored.head == head
    assert stored.digest == digest(write_head(head, key=KEY))
    assert head.previous == GENESIS


def test_a_head_names_the_bytes_of_its_predecessor():
    base = read(write_head(first(), key=KEY))

    head = succeed(
        base, Slots(), vault=VAULT, jar="youtube", action=Action.REVOKE, at=START, id="1" * 16
    )

    assert head.seq == 2
    assert head.previous == digest(write_head(first(), key=KEY))
    assert read(write_head(head, key=KEY), seq=2).head == head


def test_the_horizon_only_ever_rises():
    base = read(write_head(first(horizon=5), key=KEY))
    options = {"vault": VAULT, "jar": "youtube", "action": Action.GC, "at": START, "id": "1" * 16}

    assert succeed(base, Slots(), **options).horizon == 5
    assert succeed(base, Slots(), horizon=3, **options).horizon == 5
    assert succeed(base, Slots(), horizon=7, **options).horizon == 7


@pytest.mark.parametrize(
    "changed", [{"vault": "b" * 32}, {"jar": "other"}, {"seq": 2}, {"key": bytes([1]) * 32}]
)
def test_a_head_is_refused_anywhere_but_in_its_own_place(changed):
    raw = write_head(first(), key=KEY)

    with pytest.raises(IntegrityError):
        read(raw, **changed)


def test_every_flipped_bit_is_refused():
    raw = write_head(first(), key=KEY)

    for place in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << (place % 8)
        with pytest.raises(IntegrityError):
            read(bytes(changed))


def test_every_truncation_and_every_tail_is_refused():
    raw = write_head(first(), key=KEY)

    for content in (
        *(raw[:length] for length in range(len(raw))),
        raw + b"\n",
        raw + raw,
        b" " + raw,
    ):
        with pytest.raises(IntegrityError):
            read(content)


@given(raw=st.binary(max_size=300))
@settings(deadline=None)
def test_arbitrary_bytes_are_refused_with_the_same_error(raw):
    with pytest.raises(IntegrityError):
        read(raw)


@pytest.mark.parametrize(
    "fields",
    [{}, {"format": 2}, {"format": 1}, {"format": 1, "vault": VAULT, "jar": "youtube", "seq": 1}],
)
def test_an_authentic_record_of_another_format_is_refused(fields):
    with pytest.raises(IntegrityError, match="format"):
        read(write_record(fields, key=KEY, kind="head"))


def test_a_record_of_another_kind_is_refused():
    raw = write_record({"format": 1}, key=KEY, kind="vault")

    with pytest.raises(IntegrityError):
        read_record(raw, key=KEY, kind="head", name="head")


def test_the_same_record_has_the_same_bytes_whatever_the_order_of_its_fields():
    one = write_record({"a": 1, "b": [2]}, key=KEY, kind="x")
    two = write_record({"b": [2], "a": 1}, key=KEY, kind="x")

    assert one == two


def test_the_slots_of_a_head_by_role():
    head = first()

    assert head.slot(Slot.ACTIVE) == head.active
    assert head.slot(Slot.BACKUP) == head.backups[0]
    assert replace(head, slots=Slots()).slot(Slot.BACKUP) is None
