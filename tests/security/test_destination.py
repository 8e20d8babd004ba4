from pathlib import Path

import pytest

from jarkeeper.errors import InputError
from jarkeeper.media.destination import Destination, Kind

VIDEO = "dQw4w9WgXcQ"


def staged(
    destination: Destination, *, name: str = f"{VIDEO}.mp4", content: bytes = b"video"
) -> str:
    (destination.parts / name).write_bytes(content)
    return name


def test_an_accepted_video_has_a_flat_name_and_is_found_again(tmp_path: Path) -> None:
    destination = Destination(tmp_path / "videos").open()

    arrival = destination.accept(staged(destination), video_id=VIDEO, title="../../etc/passwd")

    assert [path.name for path in (tmp_path / "videos").iterdir() if path.is_file()] == [
        arrival.file
    ]
    assert destination.find(VIDEO) == arrival
    assert "/" not in arrival.file


def test_a_video_that_was_deleted_is_not_found(tmp_path: Path) -> None:
    destination = Destination(tmp_path).open()
    arrival = destination.accept(staged(destination), video_id=VIDEO, title="a")

    (tmp_path / arrival.file).unlink()

    assert destination.find(VIDEO) is None


def test_a_video_that_was_cut_short_is_not_found(tmp_path: Path) -> None:
    destination = Destination(tmp_path).open()
    arrival = destination.accept(staged(destination), video_id=VIDEO, title="a")

    (tmp_path / arrival.file).write_bytes(b"vid")

    assert destination.find(VIDEO) is None


@pytest.mark.parametrize("entry", ["{", "[]", '{"file": "../../etc/passwd", "bytes": 1}', ""])
def test_a_damaged_ledger_entry_counts_as_none(tmp_path: Path, entry: str) -> None:
    destination = Destination(tmp_path).open()

    (tmp_path / ".jarkeeper" / "done" / f"{VIDEO}.video.json").write_text(entry)

    assert destination.find(VIDEO) is None


@pytest.mark.parametrize("folder", [".jarkeeper", ".jarkeeper/parts", ".jarkeeper/done"])
def test_a_planted_link_in_place_of_our_folders_is_refused(tmp_path: Path, folder: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    planted = tmp_path / "videos" / folder
    planted.parent.mkdir(parents=True, mode=0o700)
    planted.symlink_to(elsewhere)

    with pytest.raises(InputError, match="not a link"):
        Destination(tmp_path / "videos").open()

    assert list(elsewhere.iterdir()) == []


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ".jarkeeper"
    folder.mkdir()
    folder.chmod(0o777)

    with pytest.raises(InputError, match="only you can write"):
        Destination(tmp_path).open()


def test_a_planted_link_under_the_final_name_is_left_alone(tmp_path: Path) -> None:
    destination = Destination(tmp_path / "videos").open()
    first = destination.accept(staged(destination), video_id=VIDEO, title="title")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (destination.directory / first.file).unlink()
    (destination.directory / first.file).symlink_to(victim)

    again = destination.accept(staged(destination), video_id=VIDEO, title="title")

    assert victim.read_text() == "precious"
    assert again.file != first.file
    assert not (destination.directory / again.file).is_symlink()


def test_a_file_of_the_users_own_is_never_overwritten(tmp_path: Path) -> None:
    destination = Destination(tmp_path).open()
    own = tmp_path / f"title [{VIDEO}].mp4"
    own.write_bytes(b"mine")

    arrival = destination.accept(staged(destination), video_id=VIDEO, title="title")

    assert own.read_bytes() == b"mine"
    assert arrival.file == f"title (2) [{VIDEO}].mp4"
    assert destination.find(VIDEO) == arrival


def test_a_planted_link_in_staging_is_never_accepted(tmp_path: Path) -> None:
    destination = Destination(tmp_path / "videos").open()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (destination.parts / f"{VIDEO}.mp4").symlink_to(victim)

    with pytest.raises(InputError, match="regular file"):
        destination.accept(f"{VIDEO}.mp4", video_id=VIDEO, title="title")

    assert victim.read_text() == "precious"


def test_a_staged_name_cannot_lead_out_of_staging(tmp_path: Path) -> None:
    destination = Destination(tmp_path / "videos").open()
    (tmp_path / "videos" / "outside.mp4").write_bytes(b"other")

    with pytest.raises(FileNotFoundError):
        destination.accept("../../outside.mp4", video_id=VIDEO, title="title")


def test_a_lock_that_is_a_planted_link_is_refused(tmp_path: Path) -> None:
    destination = Destination(tmp_path / "videos").open()
    (destination.parts / f"{VIDEO}.lock").symlink_to(tmp_path / "victim")

    with pytest.raises(InputError, match="symbolic links"), destination.claim(VIDEO):
        pass

    assert not (tmp_path / "victim").exists()


def test_one_video_is_claimed_by_one_run_at_a_time(tmp_path: Path) -> None:
    destination = Destination(tmp_path).open()

    with destination.claim(VIDEO) as first, destination.claim(VIDEO) as second:
        claims = (first, second)
    with destination.claim(VIDEO) as third:
        pass

    assert claims == (True, False)
    assert third is True


def test_a_file_in_place_of_the_destination_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "videos").write_text("")

    with pytest.raises(InputError, match="expected a directory"):
        Destination(tmp_path / "videos").open()


def test_the_sound_alone_does_not_count_as_the_video(tmp_path: Path) -> None:
    destination = Destination(tmp_path).open()

    destination.accept(
        staged(destination, name=f"{VIDEO}.m4a"), video_id=VIDEO, title="a", kind=Kind.AUDIO
    )

    assert destination.find(VIDEO) is None
    assert destination.find(VIDEO, kind=Kind.AUDIO) is not None
