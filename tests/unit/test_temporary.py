"""Sweeping what a crash left in the temporary directory."""

import fcntl
import os
import signal
import subprocess
import sys

import pytest

from jarkeeper.temporary import Sweep, private_home, sweep


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left_behind(folder, process, *, mode=0o700):
    directory = folder / f"jarkeeper-{process}-abc_123"
    directory.mkdir(mode=mode)
    (directory / "cache").mkdir()
    (directory / "cache" / "file").write_text("x")
    directory.chmod(mode)
    return directory


def test_the_directory_of_a_dead_process_is_removed(tmp_path):
    directory = left_behind(tmp_path, dead_process())

    assert sweep(tmp_path) == Sweep(removed=1, in_use=0, failed=0)
    assert not directory.exists()


def test_the_directory_of_a_living_process_stays(tmp_path):
    directory = left_behind(tmp_path, os.getpid())

    assert sweep(tmp_path) == Sweep(removed=0, in_use=1, failed=0)
    assert (directory / "cache" / "file").exists()


def test_other_names_stay(tmp_path):
    process = dead_process()
    for name in (f"jarkeeper-{process}", f"x-jarkeeper-{process}-a", "jarkeeper-0-a", "notes"):
        (tmp_path / name).mkdir(mode=0o700)

    assert sweep(tmp_path) == Sweep(removed=0, in_use=0, failed=0)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_planted_link_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir(mode=0o700)
    (precious / "file").write_text("x")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / f"jarkeeper-{dead_process()}-abc").symlink_to(precious)
    inside = left_behind(shared, dead_process())
    (inside / "link").symlink_to(precious)

    assert sweep(shared).removed == 1
    assert (precious / "file").exists()


def test_a_directory_that_others_may_enter_is_not_ours(tmp_path):
    directory = left_behind(tmp_path, dead_process(), mode=0o755)

    assert sweep(tmp_path) == Sweep(removed=0, in_use=0, failed=0)
    assert directory.exists()


def test_a_temporary_directory_that_is_not_there_holds_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert sweep(tmp_path / "nowhere") == Sweep(removed=0, in_use=0, failed=0)


def test_the_directory_of_a_dead_process_id_stays_while_somebody_holds_its_lock(tmp_path):
    directory = left_behind(tmp_path, dead_process())
    descriptor = os.open(directory, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    held = sweep(tmp_path)
    os.close(descriptor)
    free = sweep(tmp_path)

    assert (held, free) == (Sweep(0, 1, 0), Sweep(1, 0, 0))


def test_a_home_is_locked_as_long_as_it_is_used(tmp_path):
    with private_home(tmp_path) as home:
        other = os.open(home, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)


def test_a_crash_is_swept_also_where_the_temporary_directory_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    directory = left_behind(tmp_path, dead_process())

    assert sweep(tmp_path / "nowhere").removed == 1
    assert not directory.exists()


def test_what_a_killed_process_left_is_swept(tmp_path):
    code = f"""
import os, pathlib, signal
from jarkeeper.temporary import private_home
with private_home(pathlib.Path({str(tmp_path)!r})) as home:
    (home / "cache").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    process = subprocess.run([sys.executable, "-c", code], check=False)
    assert process.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1

    assert sweep(tmp_path) == Sweep(removed=1, in_use=0, failed=0)
    assert list(tmp_path.iterdir()) == []
