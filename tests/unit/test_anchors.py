from __future__ import annotations

import multiprocessing
import os

import pytest

from jarkeeper.anchors import Anchor, FileAnchors, MemoryAnchors
from jarkeeper.errors import StoreError

VAULT = "a" * 32


def anchor(seq):
    return Anchor(seq, f"{seq:064x}")


@pytest.fixture(params=["memory", "file"])
def anchors(request, tmp_path):
    return MemoryAnchors() if request.param == "memory" else FileAnchors(tmp_path / "state")


def test_nothing_is_remembered_at_first(anchors):
    assert anchors.read(VAULT, "youtube") is None


def test_the_highest_anchor_is_remembered(anchors):
    for seq in (1, 3, 2):
        anchors.advance(VAULT, "youtube", anchor(seq))

    assert anchors.read(VAULT, "youtube") == anchor(3)


def test_each_jar_and_vault_has_its_own(anchors):
    anchors.advance(VAULT, "youtube", anchor(3))

    assert anchors.read(VAULT, "other") is None
    assert anchors.read("b" * 32, "youtube") is None


def test_a_place_has_a_name(anchors):
    assert anchors.name


def test_a_file_is_shared_by_processes_and_only_ever_rises(tmp_path):
    def advance(first):
        for seq in range(first, 60, 4):
            FileAnchors(tmp_path).advance(VAULT, "youtube", anchor(seq))

    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=advance, args=(first,)) for first in range(1, 5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert FileAnchors(tmp_path).read(VAULT, "youtube") == anchor(59)


def test_the_files_are_for_their_owner_alone(tmp_path):
    FileAnchors(tmp_path / "state").advance(VAULT, "youtube", anchor(1))

    modes = {path: path.stat().st_mode & 0o777 for path in (tmp_path / "state").rglob("*")}
    assert set(modes.values()) == {0o700, 0o600}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"1",
        b'{"seq": 0, "digest": ""}',
        b'{"seq": true, "digest": 1}',
        b"\xff",
    ],
)
def test_a_damaged_file_is_reported_and_not_overwritten(tmp_path, content):
    anchors = FileAnchors(tmp_path)
    anchors.advance(VAULT, "youtube", anchor(1))
    (path,) = anchors.place.iterdir()
    path.write_bytes(content)

    with pytest.raises(StoreError, match="damaged"):
        anchors.read(VAULT, "youtube")
    with pytest.raises(StoreError, match="damaged"):
        anchors.advance(VAULT, "youtube", anchor(2))

    assert path.read_bytes() == content


def test_a_link_in_the_place_of_the_directory_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "anchors").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreError):
        FileAnchors(tmp_path / "state").advance(VAULT, "youtube", anchor(1))

    assert os.listdir(tmp_path / "elsewhere") == []
