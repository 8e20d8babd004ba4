"""The soak: an hour in miniature with `make soak`, and some of its minutes with every test run."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from orchestration.place import Place
from orchestration.soak import soak

SECONDS = float(os.environ.get("JARKEEPER_SOAK_SECONDS", "15"))

pytestmark = [pytest.mark.harness, pytest.mark.timeout(SECONDS + 600)]


@pytest.fixture(scope="module")
def place(tmp_path_factory, standin):
    standin.control.reset()
    standin.control.set_size(60_000)
    here = Place(tmp_path_factory.mktemp("soak"), standin)
    here.prepare()
    return here


def test_every_death_is_told_once_and_every_download_that_could_succeed_did(
    server, place, tmp_path
):
    story = soak(place, server, tmp_path, seconds=SECONDS)

    dead = [one for one in story.incidents if one.cause == "session-dead"]
    told = Counter("session-dead" in title for title in story.alerts if "over after" not in title)
    assert story.errors == []
    ends = [run.state for run in story.ended.values()]
    assert [f"{end.name}: {end.message}" for end in ends if end.name != "Completed"] == []
    arrived = " ".join(place.videos())
    assert [one for ids in story.runs.values() for one in ids if one not in arrived] == []
    assert dead, "nothing happened"
    assert all(not one.is_open for one in dead)
    assert told[True] == len(dead)
    assert story.refused
    assert story.refused_at_end == story.refused
