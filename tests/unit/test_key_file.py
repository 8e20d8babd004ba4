from __future__ import annotations

import base64
import os
import stat

import pytest

from jarkeeper.errors import KeyUnavailable
from jarkeeper.keys import Purpose, expand
from jarkeeper.keys.local import LocalKey, create_key_file, read_key_file


def test_a_new_key_file_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "config" / "jarkeeper" / "key"

    create_key_file(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(base64.b64decode(path.read_bytes())) == 32
    assert os.listdir(path.parent) == ["key"]


def test_two_key_files_hold_different_keys(tmp_path):
    for name in ("one", "two"):
        create_key_file(tmp_path / name)

    one, two = (read_key_file(tmp_path / name) for name in ("one", "two"))
    assert one.derive(Purpose.HEAD_MAC) != two.derive(Purpose.HEAD_MAC)


def test_an_existing_key_is_never_overwritten(tmp_path):
    path = tmp_path / "key"
    path.write_text("precious")

    with pytest.raises(KeyUnavailable, match="exists already"):
        create_key_file(path)

    assert path.read_text() == "precious"


def test_the_key_in_the_file_is_the_one_of_the_setting(tmp_path):
    path = tmp_path / "key"
    create_key_file(path)

    same = LocalKey(base64.b64decode(path.read_bytes()))

    assert read_key_file(path).derive(Purpose.ENVELOPE) == same.derive(Purpose.ENVELOPE)


def test_a_missing_key_file_says_what_to_do(tmp_path):
    with pytest.raises(KeyUnavailable, match="missing") as caught:
        read_key_file(tmp_path / "key")

    assert "put its copy back" in caught.value.hint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path, mode):
    path = tmp_path / "key"
    create_key_file(path)
    path.chmod(mode)

    with pytest.raises(KeyUnavailable, match="expected mode 0600"):
        read_key_file(path)


def test_a_link_to_a_key_file_is_refused(tmp_path):
    create_key_file(tmp_path / "key")
    (tmp_path / "link").symlink_to(tmp_path / "key")

    with pytest.raises(KeyUnavailable):
        read_key_file(tmp_path / "link")


def test_a_directory_or_a_pipe_is_no_key_file(tmp_path):
    (tmp_path / "directory").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)

    for name in ("directory", "pipe"):
        with pytest.raises(KeyUnavailable):
            read_key_file(tmp_path / name)


@pytest.mark.parametrize(
    "content", [b"", b"short", b"A" * 43, b"A" * 44 + b"\nA", b"\xff" * 32, b"A" * 88]
)
def test_anything_but_32_bytes_in_base64_is_refused_unseen(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(KeyUnavailable) as caught:
        read_key_file(path)

    assert "AAAA" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away takes root")
def test_a_key_file_of_another_user_is_refused(tmp_path):
    path = tmp_path / "key"
    create_key_file(path)
    os.chown(path, 12345, -1)

    with pytest.raises(KeyUnavailable, match="another user"):
        read_key_file(path)


def test_the_expansion_is_hkdf_sha256():
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    root = bytes(range(32))

    for purpose in Purpose:
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=b"jarkeeper 1", info=purpose.encode())
        assert expand(root, purpose) == hkdf.derive(root)
