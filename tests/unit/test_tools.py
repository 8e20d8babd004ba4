from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jarkeeper.media.tools import find_deno, find_ffmpeg


def program(folder: Path, name: str, *, mode: int = 0o755) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("name", "find"), [("ffmpeg", find_ffmpeg), ("deno", find_deno)])
def test_the_systems_program_comes_first(tmp_path, monkeypatch, name, find):
    system = program(tmp_path / "bin", name)
    monkeypatch.setenv("PATH", str(system.parent))

    assert find() == system


@pytest.mark.parametrize(
    ("package", "find"), [("imageio_ffmpeg", find_ffmpeg), ("deno", find_deno)]
)
def test_the_packages_program_is_found_without_a_path_and_runs(monkeypatch, package, find):
    pytest.importorskip(package)
    monkeypatch.setenv("PATH", "")

    found = find()

    assert found is not None
    option = "-version" if package == "imageio_ffmpeg" else "--version"
    assert subprocess.run([found, option], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "package", "find"),
    [("ffmpeg", "imageio_ffmpeg", find_ffmpeg), ("deno", "deno", find_deno)],
)
def test_nothing_is_found_where_neither_system_nor_package_has_it(
    tmp_path, monkeypatch, name, package, find
):
    program(tmp_path / "bin", name, mode=0o644)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setitem(sys.modules, package, None)

    assert find() is None


def test_a_program_in_the_current_directory_is_not_taken(tmp_path, monkeypatch):
    program(tmp_path, "ffmpeg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)

    assert find_ffmpeg() is None


def test_a_package_that_names_a_relative_program_is_not_believed(tmp_path, monkeypatch):
    program(tmp_path, "ffmpeg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "ffmpeg")

    assert find_ffmpeg() is None


def test_asking_for_the_finders_imports_no_package():
    code = "import sys, jarkeeper.media.tools; print({'imageio_ffmpeg', 'deno'} & set(sys.modules))"

    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert output.stdout.strip() == "set()"
