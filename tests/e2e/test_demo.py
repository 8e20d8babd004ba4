"""`make demo`: told once as a reader would run it, broken off, and failing loudly."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from story.chapters import CHAPTERS
from story.folder import MARK, UnusableFolder, choose_folder, fresh_folder
from story.stage import CANARY
from story.voice import Voice

pytestmark = [pytest.mark.harness, pytest.mark.timeout(240)]

DEMO = Path(__file__).parents[1] / "demo.py"
SECONDS_MAX = 180
"""A reader's machine takes a third of a minute; one that runs all these tests at once, longer."""

PRACTISED = list(CHAPTERS) if "JARKEEPER_PROOF" in os.environ else ["drop", "alerts", "theft"]
"""All of them take two minutes; these show what no other test does by its commands."""

CLAIMS = (
    "today's cookies are active, last week's the backup, other sites' left out",
    "23 of other sites left out",
    "in no object of the vault",
    "3 videos are there, byte for byte",
    "ffmpeg made one file of them",
    "the vault kept the new ones",
    "the run saw that the active cookies had died",
    "one bad answer makes the active cookies suspect",
    "the backup took over inside the same run",
    "the death is an incident",
    "the backup was tested, and is active now",
    "no incident is open any more",
    "active and backup are healthy again",
    "was never stored: refused at",
    "intact: ",
    "nothing was changed, nothing is missing",
    "no cookie in any of the",
    "Now with your own account",
)


def start(folder: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, DEMO, "--folder", folder, *options],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_of(folder: Path) -> list[int]:
    """Return the processes whose environment leads to the folder."""
    found = []
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            if place.name.isdigit() and bytes(folder) in (place / "environ").read_bytes():
                found.append(int(place.name))
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "demo"
    with start(folder) as process:
        output, errors = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, output + errors
    return folder, output, errors


def test_every_act_keeps_its_word(told):
    _, output, errors = told

    assert [number for number in "123456" if f"\n== {number} " in output] == list("123456")
    assert [claim for claim in CLAIMS if claim not in output] == []
    assert errors == ""


def test_the_commands_of_the_story_are_shown(told):
    _, output, _ = told

    shown = re.findall(r"^\$ jarkeeper (\w+)", output, re.MULTILINE)

    session = {"validate", "incidents", "rotate"}
    assert set(shown) == {"init", "import", "download", "status", "audit", "check"} | session


def test_no_cookie_is_told_or_left_behind(told):
    folder, output, _ = told

    files = [path for path in folder.rglob("*") if path.is_file()]

    assert CANARY not in output
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_the_folder_holds_videos_vault_and_prefect_runs(told):
    folder, _, _ = told

    with closing(sqlite3.connect(folder / "prefect" / "prefect.db")) as database:
        runs = database.execute("SELECT state_type, tags FROM flow_run ORDER BY created").fetchall()

    assert len(list((folder / "videos").glob("*.mp4"))) == 7
    assert (folder / "vault" / "cookies" / "youtube-cookies-active.txt").is_file()
    assert [state for state, _ in runs] == ["COMPLETED", "COMPLETED"]
    assert "active:dead" in runs[1][1]


def test_the_environment_that_is_left_leads_to_the_vault(told):
    folder, _, _ = told

    status = subprocess.run(
        ["sh", "-c", '. "$0"/environment && jarkeeper status', folder],
        env={"PATH": os.defpath, "HOME": str(folder)},
        capture_output=True,
        text=True,
    )

    assert status.returncode == 0, status.stderr
    assert "healthy" in status.stdout


def test_nothing_runs_on_afterwards(told):
    folder, _, _ = told

    assert processes_of(folder) == []


def test_an_act_that_fails_ends_the_demo_and_is_named(tmp_path):
    with start(tmp_path / "demo", PATH="/nowhere") as process:
        output, errors = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 1
    assert "act 1 (A cookies.txt is taken in) failed" in errors
    assert "== 2" not in output
    assert processes_of(tmp_path / "demo") == []


def test_an_interrupted_demo_ends_what_it_started(tmp_path):
    with start(tmp_path / "demo") as process:
        assert process.stdout
        while "$ jarkeeper import" not in process.stdout.readline():
            pass
        assert processes_of(tmp_path / "demo") != []
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 130
    assert "interrupted" in errors
    assert processes_of(tmp_path / "demo") == []


@pytest.mark.parametrize("chapter", PRACTISED)
def test_a_chapter_is_told_by_itself(tmp_path, chapter):
    with start(tmp_path / "demo", "--chapter", chapter) as process:
        output, errors = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 0, output + errors
    assert CHAPTERS[chapter][0] in output
    assert "prefect" not in output
    told = re.findall(rf"{tmp_path}/demo/(\w+)/", output)
    assert all((tmp_path / "demo" / place).exists() for place in told)
    assert ("It is all still there" in output) == (tmp_path / "demo" / "vault").exists()
    assert processes_of(tmp_path / "demo") == []


def test_the_chapters_of_the_training_are_those_of_the_demo():
    training = (DEMO.parents[1] / "docs" / "training.md").read_text()

    told = re.findall(r"make demo CHAPTER=([a-z]+)", training)

    assert list(dict.fromkeys(told)) == list(CHAPTERS)


def test_a_second_demo_starts_afresh(tmp_path):
    with fresh_folder(tmp_path / "demo") as folder:
        (folder / "old").touch()
        (folder / "videos").mkdir()

    with fresh_folder(folder):
        left = [path.name for path in folder.iterdir()]

    assert left == [MARK]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_two_demos_at_once_do_not_meet_in_one_folder(tmp_path):
    with fresh_folder(tmp_path / "demo") as folder:
        (folder / "video").touch()

        with pytest.raises(UnusableFolder, match="under way"), fresh_folder(folder):
            pass

        assert (folder / "video").exists()


def test_where_others_may_write_another_folder_is_chosen(tmp_path, monkeypatch, capsys):
    project, home = tmp_path / "project", tmp_path / "home"
    project.mkdir()
    project.chmod(0o775)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))

    shared = choose_folder(project, Voice())
    project.chmod(0o755)
    private = choose_folder(project, Voice())

    assert shared == home / "jarkeeper-demo"
    assert str(shared) in capsys.readouterr().out
    assert private == project / "demo"
    assert choose_folder(project, Voice(), "theft") == project / "demo-theft"


def test_a_folder_of_somebody_else_stays_as_it_is(tmp_path):
    (tmp_path / "mine").touch()

    with pytest.raises(UnusableFolder, match="move it away"), fresh_folder(tmp_path):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
