"""A jar as a file: readable by our own tools meanwhile, and never anywhere by name."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from jarkeeper.errors import VaultError
from jarkeeper.jar import emit_jar
from jarkeeper.unnamed import unnamed_file
from jarkeeper.vault import SealedJar
from vaultkit import CANARY, Room, jar_of

CONTENT = emit_jar(jar_of("one"))
IN_CREATE, IN_MOVED_TO, IN_NONBLOCK = 0x100, 0x80, 0o4000
NOBODY = 65534


@pytest.fixture(params=["memory", "folder"])
def kind(request, monkeypatch):
    """Run the test with files in memory, and as where a sandbox forbids them."""
    if request.param == "folder":
        monkeypatch.setattr(os, "memfd_create", refuse)
    return request.param


def refuse(*_):
    raise PermissionError


def read_in_child(path, **options):
    return subprocess.run(["cat", path], capture_output=True, check=False, **options)


@contextmanager
def watched(folder):
    """Give a function that returns the names of all that was made in the folder meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(IN_NONBLOCK)
    libc.inotify_add_watch(watch, bytes(folder), IN_CREATE | IN_MOVED_TO)

    def made():
        try:
            return os.read(watch, 65536)
        except BlockingIOError:
            return b""

    try:
        yield made
    finally:
        os.close(watch)


def test_another_process_reads_the_jar_from_it(kind, tmp_path):
    room = Room()
    room.fill("one")
    lent = room.vault.lend("youtube")

    with lent.as_file(temp_dir=tmp_path) as path:
        answers = [read_in_child(path).stdout for _ in range(2)]

    assert answers == [CONTENT, CONTENT]


def test_no_name_ever_appears_in_the_temporary_directory(kind, tmp_path):
    with watched(tmp_path) as made:
        for writable in (False, True):
            with unnamed_file(CONTENT, folder=tmp_path, writable=writable) as path:
                read_in_child(path)
                assert list(tmp_path.iterdir()) == []
        seen = made()
        (tmp_path / "named").touch()

        assert seen == b""
        assert b"named" in made()


def test_it_is_gone_after_the_block_also_when_that_fails(kind, tmp_path):
    before = set(os.listdir("/proc/self/fd"))

    with (
        pytest.raises(RuntimeError, match="tool"),
        unnamed_file(CONTENT, folder=tmp_path) as path,
    ):
        raise RuntimeError("tool")

    assert set(os.listdir("/proc/self/fd")) == before
    assert not path.exists()


def test_nothing_is_left_of_a_process_that_is_killed_while_it_holds_one(kind, tmp_path):
    code = f"""
import os, pathlib, time
from jarkeeper.unnamed import unnamed_file
if {kind == "folder"}:
    del os.memfd_create
with unnamed_file({CONTENT!r}, folder=pathlib.Path({str(tmp_path)!r})) as path:
    print(path, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        path = Path(holder.stdout.readline().decode().strip())
        before = read_in_child(path).stdout
        holder.send_signal(signal.SIGKILL)
        holder.wait()

        assert before == CONTENT
        assert not path.exists()
        assert list(tmp_path.iterdir()) == []


def test_it_is_for_its_owner_alone(kind, tmp_path):
    modes = []
    for writable in (False, True):
        with unnamed_file(CONTENT, folder=tmp_path, writable=writable) as path:
            status = path.stat()
            modes.append(stat.S_IMODE(status.st_mode))
            assert status.st_uid == os.geteuid()
            assert status.st_nlink == 0

    assert modes == [0o400, 0o600]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_cannot_read_it(kind, tmp_path):
    with unnamed_file(CONTENT, folder=tmp_path, writable=True) as path:
        done = read_in_child(path, user=NOBODY, group=NOBODY, extra_groups=[])

    assert done.returncode != 0
    assert b"Permission denied" in done.stderr
    assert done.stdout == b""


def test_nobody_can_write_to_it_unless_that_was_asked_for(tmp_path):
    with unnamed_file(CONTENT, folder=tmp_path) as path:
        for way in ("r+b", "wb", "ab"):
            with pytest.raises(PermissionError), path.open(way, buffering=0) as file:
                file.write(b"more")

        assert path.read_bytes() == CONTENT


def test_ytdlp_writes_to_a_writable_one_and_the_jar_stays_as_it_was(kind, tmp_path):
    sealed = SealedJar(jar_of("one"))
    code = "import sys, yt_dlp; print(len(yt_dlp.YoutubeDL({'cookiefile': sys.argv[1]}).cookiejar))"
    code += "\nwith yt_dlp.YoutubeDL({'cookiefile': sys.argv[1]}) as ydl: ydl.cookiejar.clear()"

    with sealed.as_file(writable=True, temp_dir=tmp_path) as path:
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
        left = path.read_text()

    assert int(done.stdout) == len(jar_of("one"))
    assert CANARY not in left
    with sealed.open() as jar:
        assert jar == jar_of("one")
    assert list(tmp_path.iterdir()) == []


def test_a_child_inherits_none(kind, tmp_path):
    with unnamed_file(CONTENT, folder=tmp_path) as path:
        done = subprocess.run(
            ["ls", "-l", "/proc/self/fd/"], capture_output=True, close_fds=False, check=True
        )
        ours = os.readlink(path)

    assert ours.encode() not in done.stdout


def test_it_never_gets_a_name_of_its_own(kind, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)

    # With a descriptor, Python follows the link in /proc, as a tool in C would.
    with unnamed_file(CONTENT, folder=tmp_path, writable=True) as path, pytest.raises(OSError):
        os.link(path, "named", dst_dir_fd=folder, follow_symlinks=True)
    os.close(folder)

    assert list(tmp_path.iterdir()) == []


def test_a_system_without_any_is_told_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.delattr(os, "O_TMPFILE")

    with (
        pytest.raises(VaultError, match="memfd_create") as caught,
        unnamed_file(CONTENT, folder=tmp_path),
    ):
        pass

    assert str(tmp_path) in caught.value.message
    assert CANARY not in caught.value.message
    assert "lent.open()" in caught.value.hint


def test_a_closed_loan_gives_no_file(tmp_path):
    sealed = SealedJar(jar_of("one"))
    sealed.close()

    with pytest.raises(VaultError), sealed.as_file(writable=False, temp_dir=tmp_path):
        pass


def test_a_jar_of_the_largest_size_fits(kind, tmp_path):
    content = b"x" * (1 << 20)

    started = time.perf_counter()
    with unnamed_file(content, folder=tmp_path) as path:
        assert path.read_bytes() == content

    assert time.perf_counter() - started < 5
