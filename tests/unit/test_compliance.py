from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jarkeeper.anchors import FileAnchors
from jarkeeper.audit.checkpoints import read_body
from jarkeeper.audit.note import open_note
from jarkeeper.audit.places import parse_event_key
from jarkeeper.audit.retention import retire
from jarkeeper.audit.verify import UNREMEMBERED
from jarkeeper.errors import (
    Conflict,
    InputError,
    IntegrityError,
    LendRefused,
    StoreError,
    StoreUnknown,
)
from jarkeeper.report.compliance import month_before, month_of, state
from jarkeeper.settings import Settings
from jarkeeper.slots import SlotState
from vaultkit import CANARY, FaultyStore, Room

SCRIPT = Path(__file__).parents[2] / "docs" / "check_note.py"
MONTH = "2026-06"


@pytest.fixture
def room():
    room = Room()
    room.fill("one", "two")
    for _ in range(3):
        room.vault.lend("youtube")
    active = room.vault.status("youtube").active.generation.id
    room.vault.mark("youtube", active, SlotState.DEAD)
    with pytest.raises(LendRefused):
        room.vault.lend("youtube")
    room.vault.check(checkpoint=True)
    return room


@pytest.fixture
def settings(tmp_path):
    return Settings.read({"HOME": str(tmp_path)})


def statement(room, settings, month=MONTH):
    return state(room.vault, settings, month, now=room.clock()).note


def sections(note):
    parts = note.split("\n## ")[1:]
    return {part.split("\n")[0]: part.strip().split("\n")[1:] for part in parts}


def test_a_month_is_told_by_section(room, settings):
    found = sections(statement(room, settings))

    assert found["verification"][0].startswith("intact: ")
    assert found["accesses, by principal, program and jar"] == [
        "tester@here | pytest | youtube: 3 opens"
    ]
    assert found["refused and failed, by principal, jar and reason"] == [
        "tester@here | youtube | dead: 1 time"
    ]
    assert [line.split(" | ")[1] for line in found["changes"]] == ["init", "import", "import"]
    assert found["keys"][0] == "wrapping key: test key"
    assert found["retention"][0] == "events are kept for ever, hashes and proofs for ever"
    assert "whoever may read its folder" in found["who may do what"][1]


def test_a_month_before_the_trail_is_not_said_to_have_had_none(room, settings):
    note = statement(room, settings, "2026-05")

    begins = "the trail begins 2026-06-01 12:00:00"
    assert f"\nNOT COVERED: {begins}, after this month; nothing" in note
    for heading in ("changes", "accesses, by principal, program and jar", "incidents", "besides"):
        assert sections(note)[heading] == ["nothing is on record: see NOT COVERED"]


def test_every_month_says_when_the_trail_begins(room, settings):
    room.clock.advance(days=60)

    june, july = (statement(room, settings, month) for month in ("2026-06", "2026-07"))

    begins = "the trail begins 2026-06-01 12:00:00"
    assert f"\nCOVERED IN PART: {begins}; what happened earlier in this month is not" in june
    assert sections(june)["incidents"] == ["none since the trail begins: see COVERED IN PART"]
    assert f"\n{begins}\n" in july
    assert sections(july)["incidents"] == ["none"]


def test_a_month_that_goes_on_is_told_up_to_the_moment_it_is_made(room, settings):
    now = room.clock.now
    room.clock.advance(hours=1)
    room.vault.lend("youtube", allow_dead=True)

    june = state(room.vault, settings, "2026-06", now=now).note
    made = f"made {now:%Y-%m-%d %H:%M:%S} UTC of what happened from 2026-06-01 on"

    assert f"\n{made} until it was made, all in UTC" in june
    assert "\nINCOMPLETE: the month goes on until 2026-07-01 00:00:00; what" in june
    assert "pytest | youtube: 3 opens\n" in june
    room.clock.advance(days=60)
    june = statement(room, settings)
    assert "UTC of what happened from 2026-06-01 on and before 2026-07-01, all in UTC" in june
    assert "INCOMPLETE" not in june
    assert "pytest | youtube: 4 opens\n" in june


def test_a_month_whose_events_were_retired_says_so_instead_of_none(room, settings):
    room.clock.advance(days=60)
    room.vault.check(checkpoint=True)
    retire(room.vault.trail, before=room.clock.now - timedelta(days=40))

    june, july = (statement(room, settings, month) for month in ("2026-06", "2026-07"))

    assert "\nRETIRED: events before 2026-06-21 are past" in june
    assert sections(june)["verification"][0].startswith("intact: ")
    assert sections(june)["accesses, by principal, program and jar"] == [
        "none that is still on record: see RETIRED"
    ]
    assert sections(june)["keys"][0] == "wrapping key: test key"
    assert sections(june)["retention"][2].endswith("events, all before 2026-06-21")
    assert "RETIRED" not in july
    assert "\nwhat is still on record begins 2026-0" in july
    assert sections(july)["accesses, by principal, program and jar"] == ["none"]


def test_what_is_not_as_written_comes_first(room, settings):
    key = next(key for key in room.store.list("audit/dt="))
    room.store.objects[key] = room.store.objects[key].replace(b"tester", b"nobody")

    found = sections(statement(room, settings))

    assert found["verification"][0] == "NOT INTACT: 1 discrepancy"
    assert found["verification"][1].startswith("edited: ")


def test_of_what_was_removed_nothing_is_said_instead_of_none(room, settings):
    for key in list(room.store.list("audit/dt="))[1:]:
        del room.store.objects[key]

    note = statement(room, settings)

    head = note.partition("\n## ")[0]
    assert "\nNOT INTACT: the trail is not what was written, in " in head
    for heading in ("changes", "accesses, by principal, program and jar", "incidents", "besides"):
        rows = sections(note)[heading]
        assert rows == ["nothing can be said: see NOT INTACT"] or "init" in rows[0]
    assert sections(note)["incidents"] == ["nothing can be said: see NOT INTACT"]


def test_a_statement_is_signed_and_can_pass_for_no_checkpoint(room, settings, tmp_path):
    note = statement(room, settings)
    path = tmp_path / "statement.note"
    path.write_text(note, "utf-8")
    verifier = room.vault.trail.signer.verifier

    def check():
        words = [sys.executable, str(SCRIPT), str(path), str(verifier)]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    assert check().stdout.startswith(f"signed by {verifier.name}\n\n{verifier.name} compliance")
    path.write_text(note.replace("3 opens", "2 opens"), "utf-8")
    assert check().stderr == f"NOT what {verifier.name} signed: it was changed\n"
    path.write_text("nothing", "utf-8")
    assert check().stderr.startswith(f"cannot be checked: '{path}' is no note")
    with pytest.raises(IntegrityError):
        read_body(open_note(note, verifier))


def test_that_nothing_outside_remembered_the_log_is_said_in_the_words_of_verify(
    room, settings, tmp_path
):
    room.vault = room.reopen()
    alone = sections(statement(room, settings))["verification"]
    room.anchors = (FileAnchors(tmp_path / "anchors"),)
    room.vault = room.reopen()
    room.vault.check(checkpoint=True)

    remembered = sections(statement(room, settings))["verification"]

    assert alone[-1] == UNREMEMBERED
    assert UNREMEMBERED not in remembered


def test_hostile_names_are_lines_of_text(room, settings):
    hostile = replace(settings, principals=("a@b\x1b[2J\n## keys",))

    found = sections(statement(room, hostile))

    assert "\x1b" not in "".join(found["who may do what"])
    assert found["keys"][0] == "wrapping key: test key"


def test_no_statement_holds_a_cookie(room, settings):
    assert CANARY not in statement(room, settings)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-6", "06-2026", "2026-06-01"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(ValueError, match=r"month|match|unconverted"):
        month_of(text)


def test_months_follow_one_another():
    assert month_of("2026-12")[1] == datetime(2027, 1, 1, tzinfo=UTC)
    assert month_before(datetime(2027, 1, 3, tzinfo=UTC)) == "2026-12"
    assert month_before(datetime(2026, 11, 29, tzinfo=UTC)) == "2026-10"


def test_a_month_that_has_not_begun_is_refused(room, settings):
    with pytest.raises(InputError, match="2026-07: has not begun"):
        statement(room, settings, "2026-07")


@pytest.mark.parametrize("error", [StoreError("late"), StoreUnknown("late")])
def test_no_statement_is_made_of_what_could_not_be_read_though_all_is_there(room, settings, error):
    read = Counter()

    def fault(name, key):
        if name == "get" and parse_event_key(key):
            read[key] += 1
            if read[key] <= 2:
                raise error

    vault = room.reopen(FaultyStore(room.store, before=fault))

    with pytest.raises((Conflict, StoreUnknown)):
        state(vault, settings, MONTH, now=room.clock())


@pytest.mark.parametrize("at", range(1, 12))
def test_what_is_removed_while_a_statement_is_made_is_in_it_or_missed(room, settings, at):
    calls = []

    def fault(name, key):
        calls.append(name)
        if name == "list" and calls.count("list") == at:
            for event in filter(parse_event_key, list(room.store.objects)):
                del room.store.objects[event]

    vault = room.reopen(FaultyStore(room.store, before=fault))

    made = state(vault, settings, MONTH, now=room.clock())

    opens = sections(made.note)["accesses, by principal, program and jar"]
    assert not made.is_intact or opens == ["tester@here | pytest | youtube: 3 opens"]
