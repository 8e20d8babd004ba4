"""Every single record of a trail, damaged in every way, in each form in which it is stored.

Many records are damaged in one go, so that ten thousand take a minute: each must be named, and
nothing else may be.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Access, Outcome, Trail, shelf, volumes
from jarkeeper.audit.archive import pack
from jarkeeper.audit.places import parse_event_key, parse_volume_key
from jarkeeper.errors import IntegrityError
from jarkeeper.limits import LIMITS
from jarkeeper.stores.memory import MemoryStore
from vaultkit import ACTOR, KEYS, Clock

VAULT = "a" * 32
WRITERS, EACH = (100, 100) if os.environ.get("JARKEEPER_PROOF") else (20, 30)
TURNS = 5
BITS = 200 if "JARKEEPER_PROOF" in os.environ else 5


class World:
    def __init__(self, *, archived: bool):
        self.store, clock = MemoryStore(), Clock()
        for _ in range(WRITERS):
            trail = Trail(self.store, keys=KEYS, vault=VAULT, clock=clock, actor=ACTOR)
            for number in range(EACH // 2):
                access = trail.intent(Access(Action.LEND, jar="youtube", head_seq=number))
                trail.outcome(access, Outcome.OK)
        clock.advance(days=1)
        self.trail = Trail(self.store, keys=KEYS, vault=VAULT, clock=clock, actor=ACTOR)
        self.trail.checkpoint(self.trail.verify())
        if archived:
            pack(self.trail, before=clock.now.date())
        self.objects = dict(self.store.objects)
        self.volume = next(
            (key for key in self.objects if parse_volume_key(key) and key.endswith("parquet")), ""
        )
        self.events = [
            key for key in self.objects if (place := parse_event_key(key)) and place[1] != self.own
        ]

    @property
    def own(self):
        """The writer that wrote checkpoints: not among those that are damaged."""
        return self.trail._chain.writer

    def found(self, changed):
        """What verification says of a copy with this damage; None removes an object."""
        self.store.objects = {
            key: content for key, content in (self.objects | changed).items() if content is not None
        }
        return self.trail.verify().discrepancies


@pytest.fixture(scope="module")
def stored():
    return World(archived=False)


@pytest.fixture(scope="module")
def archived():
    return World(archived=True)


def turns(items: list) -> Iterator[list]:
    """Every item in one turn; those of one turn have others between them."""
    return (items[turn::TURNS] for turn in range(TURNS))


def named(discrepancies):
    """The writer and seq of every event that is told to be missing."""
    found = set()
    for item in discrepancies:
        about = re.search(r"writer (\w{8}): events? (\d+)(?: to (\d+))? w", item.message)
        if about:
            first, last = int(about[2]), int(about[3] or about[2])
            found |= {(about[1], seq) for seq in range(first, last + 1)}
    return found


def place(key):
    _, writer, seq = parse_event_key(key)
    return writer[:8], seq


def test_a_world_that_nobody_touched_is_whole(stored, archived):
    for world in (stored, archived):
        assert world.found({}) == ()
    assert len(stored.events) == WRITERS * EACH
    assert archived.trail.verify().archived >= WRITERS * EACH


def test_every_event_that_is_edited_is_named(stored):
    for keys in turns(stored.events):
        edited = {key: stored.objects[key].replace(b'"youtube"', b'"youtubf"') for key in keys}

        found = stored.found(edited)

        assert {item.key for item in found if item.code == "edited"} == set(keys)
        assert {item.code for item in found} == {"edited"}


def test_every_event_that_is_removed_is_named(stored):
    for keys in turns(stored.events):
        found = stored.found(dict.fromkeys(keys))

        assert named(found) == set(map(place, keys))
        assert {item.code for item in found} == {"removed"}


def test_every_event_in_the_place_of_another_is_named(stored):
    for keys in turns(stored.events):
        nexts = {
            key: stored.events[(stored.events.index(key) + 1) % len(stored.events)] for key in keys
        }
        swapped = {key: stored.objects[other] for key, other in nexts.items()}

        found = stored.found(swapped)

        codes = {item.key: item.code for item in found if item.key in swapped}
        assert codes.keys() == set(keys)
        assert set(codes.values()) <= {"reordered", "spliced"}


def test_every_event_that_is_there_twice_is_named(stored):
    for keys in turns(stored.events):
        copies = {re.sub(r"dt=[\d-]+", "dt=2026-05-05", key): stored.objects[key] for key in keys}

        found = stored.found(copies)

        assert {item.key for item in found if item.code == "spliced"} == copies.keys()


def test_every_event_of_another_vault_is_named(stored):
    other = World(archived=False)
    strangers = dict(zip(stored.events, map(other.objects.get, other.events), strict=True))
    for keys in turns(stored.events):
        found = stored.found({key: strangers[key] for key in keys})

        assert {item.key for item in found if item.key in strangers} == set(keys)


def rewritten(content, statement, leaves, folder: Path):
    """The volume after a statement on its table, as whoever can write to the store leaves it."""
    source, target = folder / "source.parquet", folder / "target.parquet"
    source.write_bytes(content)
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE volume AS SELECT * FROM '{source}'")
        database.execute(statement, {"leaves": leaves})
        database.execute(f"COPY (SELECT * FROM volume ORDER BY leaf) TO '{target}'")
    return target.read_bytes()


EDITS = {
    "a column": "UPDATE volume SET jar = 'other' WHERE list_contains($leaves, leaf)",
    "a count": "UPDATE volume SET counts = MAP {'OK': 1000} WHERE list_contains($leaves, leaf)",
    "a line": "UPDATE volume SET line = encode(replace(decode(line), 'youtube', 'youtubf')) "
    "WHERE list_contains($leaves, leaf)",
    "a place": "UPDATE volume SET leaf = leaf + 1 WHERE list_contains($leaves, leaf)",
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_row_that_is_edited_is_named(archived, edit, tmp_path):
    for leaves in turns(list(range(WRITERS * EACH))):
        changed = rewritten(archived.objects[archived.volume], EDITS[edit], leaves, tmp_path)

        found = archived.found({archived.volume: changed})

        told = {int(item.key.partition("#")[2]) for item in found if "#" in item.key}
        assert told == {leaf + (edit == "a place") for leaf in leaves}


def test_every_row_that_is_removed_is_named(archived, tmp_path):
    places = list(archived.trail.verify().log.places())
    statement = "DELETE FROM volume WHERE list_contains($leaves, leaf)"
    for leaves in turns(list(range(WRITERS * EACH))):
        changed = rewritten(archived.objects[archived.volume], statement, leaves, tmp_path)

        found = archived.found({archived.volume: changed})

        gone = {(places[leaf][0][:8], places[leaf][1]) for leaf in leaves}
        assert named(item for item in found if item.code == "removed") == gone


def test_every_row_that_is_there_twice_is_named(archived, tmp_path):
    statement = "INSERT INTO volume SELECT * FROM volume WHERE list_contains($leaves, leaf)"
    for leaves in turns(list(range(WRITERS * EACH))):
        changed = rewritten(archived.objects[archived.volume], statement, leaves, tmp_path)

        found = archived.found({archived.volume: changed})

        assert len([item for item in found if item.code == "duplicated"]) == len(leaves)


def test_a_volume_that_was_written_anew_with_the_same_rows_is_named(archived, tmp_path):
    changed = rewritten(archived.objects[archived.volume], "SELECT $leaves", [], tmp_path)

    (found,) = archived.found({archived.volume: changed})

    assert found.code == "edited"
    assert "not the file that was written" in found.message


def test_every_bit_of_what_vouches_is_needed(archived):
    kinds = ("audit/checkpoints/", "audit/hashes/", "/_")
    for key in [key for key in archived.objects if any(kind in key for kind in kinds)]:
        content = archived.objects[key]
        step = max(1, len(content) // BITS)
        for at in range(0, len(content), step):
            changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

            assert archived.found({key: changed}), (key, at)


def test_every_removed_object_but_the_window_is_told(archived):
    for key in archived.objects:
        place = parse_event_key(key)
        report = archived.trail.verify()
        if place and place[2] > report.anchored.get(place[1], 0):
            continue

        assert archived.found({key: None}), key


BOMBS = {
    "of rows": "INSERT INTO volume SELECT volume.* FROM volume, range(1000) WHERE leaf = 7",
    "in one value": "UPDATE volume SET line = encode(repeat('x', 100_000_000)) WHERE leaf = 7",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_that_holds_very_much_is_named_and_not_read_to_its_end(
    archived, bomb, tmp_path, monkeypatch
):
    most = WRITERS * EACH + 100
    monkeypatch.setattr(volumes, "MEMORY", "50MB")
    for module in (volumes, shelf):
        monkeypatch.setattr(module, "ROWS_MAX", most)
    content = archived.objects[archived.volume]
    changed = rewritten(content, f"{BOMBS[bomb]} AND $leaves IS NOT NULL", [], tmp_path)
    assert len(changed) < LIMITS.object_bytes_max

    found = archived.found({archived.volume: changed})

    assert any(item.key == archived.volume and item.code == "edited" for item in found)
    assert len([item for item in found if item.code == "duplicated"]) <= 1
    with pytest.raises(IntegrityError):
        archived.trail.reader.events_in(archived.volume)


FORMS = {
    "no leaf": "UPDATE volume SET leaf = NULL WHERE leaf = 7",
    "no line": "UPDATE volume SET line = NULL WHERE leaf = 7",
    "leaves of text": "ALTER TABLE volume ALTER leaf TYPE VARCHAR",
    "lines of text": "ALTER TABLE volume ALTER line TYPE VARCHAR USING decode(line)",
    "leaves of halves": "ALTER TABLE volume ALTER leaf TYPE DOUBLE",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_volume_of_another_form_is_named_and_breaks_nothing(archived, form, tmp_path):
    statement = FORMS[form]
    source, target = tmp_path / "source.parquet", tmp_path / "target.parquet"
    source.write_bytes(archived.objects[archived.volume])
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE volume AS SELECT * FROM '{source}'")
        database.execute(statement)
        database.execute(f"COPY volume TO '{target}'")

    found = archived.found({archived.volume: target.read_bytes()})

    assert any(archived.volume in item.key for item in found)
    assert len(list(archived.trail.read())) > 0


def test_bytes_that_no_text_or_time_can_be_made_of_are_named_like_any_others(archived, tmp_path):
    interval = """CREATE OR REPLACE TABLE volume AS
        SELECT * REPLACE (INTERVAL 2000000000 MONTHS AS "at") FROM volume
        WHERE $leaves IS NOT NULL"""
    changed = rewritten(archived.objects[archived.volume], interval, [], tmp_path)

    assert "edited" in {item.code for item in archived.found({archived.volume: changed})}
