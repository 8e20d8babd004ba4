from pathlib import Path

import pytest

from jarkeeper.cli.failures import Mistakes, report
from jarkeeper.cli.urls import checked_urls
from jarkeeper.youtube.targets import EXPECTED

VIDEO, OTHER = "dQw4w9WgXcQ", "aaaaaaaaaaa"


@pytest.fixture
def refused(capsys):
    """Return what standard error says of a request."""

    def say(*urls, list_file=None):
        with pytest.raises(Mistakes) as caught:
            checked_urls(urls, list_file)
        assert report(caught.value, as_json=False) == 2
        return capsys.readouterr().err.splitlines()

    return say


def test_the_urls_of_both_are_asked_for(tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text(f"\ufeff# mine\n\n  {OTHER}  \n")

    assert checked_urls((VIDEO,), listed) == (VIDEO, OTHER)
    assert checked_urls((), None) == ()


def test_a_single_url_is_told_without_a_list(refused):
    assert refused("nope") == [f"jarkeeper: error: {EXPECTED}, got 'nope' (4 characters)"]


def test_a_single_url_keeps_its_own_hint(refused):
    assert refused("https://www.youtube.com/feed/trending/x")[1].startswith("hint: such as https")


def test_of_several_urls_the_bad_ones_are_numbered(refused):
    assert refused(VIDEO, "nope") == [
        f"jarkeeper: error: URL 2: {EXPECTED}, got 'nope' (4 characters)",
        "hint: nothing was downloaded",
    ]


def test_the_bad_entries_of_a_list_are_told_by_line(refused, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text(f"# mine\n{VIDEO}\n\nnope\nnor this\n")

    lines = refused(list_file=listed)

    assert [line.split(": ")[2] for line in lines[:-1]] == [f"{listed} line 4", f"{listed} line 5"]


def test_of_many_bad_entries_ten_are_told_and_the_others_counted(refused, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text("nope\n" * 25)

    lines = refused(list_file=Path(listed))

    assert len(lines) == 12
    assert lines[10:] == ["jarkeeper: error: and 15 more", "hint: nothing was downloaded"]
