from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jarkeeper.records import write_time
from jarkeeper.settings import Settings
from jarkeeper.sources.findings import findings_of_sources
from jarkeeper.vault.identity import _write
from vaultkit import KEYS, Room

HOUR = timedelta(hours=1)
TASK = "arn:aws:sts::123456789012:assumed-role/jarkeeper-task/5f1d"
TAIL = "- hid= SigV4 ECDHE AuthHeader jars.s3.amazonaws.com TLSv1.3 - - eu-central-1"


def line(at, key, *, operation="REST.GET.OBJECT"):
    return (
        f"{'a' * 64} jars [{at:%d/%b/%Y:%H:%M:%S} +0000] 192.0.2.3 {TASK} {hash((at, key)):X} "
        f'{operation} {key} "GET /{key} HTTP/1.1" 200 - 1 1 7 1 "-" "Boto3/1.40" {TAIL}\n'
    )


@pytest.fixture
def look(tmp_path):
    """Return what is found of a vault by these lines, as codes and counts."""

    def look(room, *lines, since, prefix="", **changed):
        logs = tmp_path / "logs"
        logs.mkdir(exist_ok=True)
        now = room.clock.now
        (logs / f"{now:%Y-%m-%d-%H-%M-%S}-AAAA").write_text("".join(lines))
        settings = Settings.read(
            {"HOME": str(tmp_path), "COOKIE_S3_BUCKET": "jars", "COOKIE_S3_PREFIX": prefix}
        )
        settings = replace(settings, access_logs=str(logs), **changed)
        found = findings_of_sources(settings, room.vault, since=since, until=now, now=now)
        return {item.code: item.count for item in found if item.severity != "ok"}

    return look


def theft(room):
    """Return the room a day after its import, and the line of somebody who read the envelope."""
    (generation,) = room.fill("one")
    room.clock.advance(hours=12)
    at = room.clock.now
    room.clock.advance(hours=1)
    return at, f"cookies/youtube/generations/{generation}"


@pytest.mark.parametrize("writes_again", [False, True])
def test_who_deletes_the_trail_is_told_of_all_the_same(look, writes_again):
    room = Room()
    at, envelope = theft(room)
    gone = room.store.list("audit/dt=")
    for key in gone:
        room.store.delete(key)
    if writes_again:
        room.clock.advance(days=1)
        room.vault.check()
    deletions = [
        line(at + timedelta(seconds=5), key, operation="REST.DELETE.OBJECT") for key in gone
    ]

    found = look(room, line(at, envelope), *deletions, since=at - HOUR)

    assert found == {"outside": 1, "deleted": len(gone)}


@pytest.mark.parametrize("day", ["0000-00-00", "2025-99-99", "9999-12-31"])
def test_no_object_in_the_trails_place_ends_the_look(look, day):
    room = Room()
    at, envelope = theft(room)
    room.store.put(f"audit/dt={day}/{'a' * 32}/000000000001.jsonl", b"")
    room.store.put(f"audit/archive/dt={day}/_000001.json", b"")

    assert look(room, line(at, envelope), since=at - HOUR) == {"outside": 1}


def test_a_prefix_may_have_the_name_of_a_folder_of_ours(look):
    room = Room()
    at, envelope = theft(room)

    found = look(room, line(at, f"team/heads/v/{envelope}"), since=at - HOUR, prefix="team/heads/v")

    assert found == {"outside": 1}


def test_what_was_before_the_retention_is_not_missed(look):
    room = Room()
    at, envelope = theft(room)
    room.clock.advance(days=100)

    assert look(room, line(at, envelope), since=at - HOUR, audit_days=90) == {}
    assert look(room, line(at, envelope), since=at - HOUR) == {"outside": 1}


def test_a_vault_that_says_it_is_younger_than_its_trail_hides_nothing(look):
    room = Room()
    at, envelope = theft(room)
    younger = _write(room.vault.id, KEYS, created_at=write_time(at + timedelta(days=9)))
    room.store.put("vault.json", younger)

    assert look(room, line(at, envelope), since=at - HOUR) == {"outside": 1}
