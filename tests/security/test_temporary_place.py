from pathlib import Path

import pytest

from jarkeeper.errors import SettingsError
from jarkeeper.temporary import private_home


def test_a_place_that_others_rule_gets_no_private_files(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)

    with pytest.raises(SettingsError, match="COOKIE_TEMP_DIR"), private_home(shared):
        pass

    assert list(shared.iterdir()) == []


def test_a_private_home_is_for_its_owner_alone_and_gone_afterwards(tmp_path: Path) -> None:
    with private_home(tmp_path) as home:
        mode = home.stat().st_mode & 0o777
        content = list(home.iterdir())

    assert (mode, content) == (0o700, [])
    assert not home.exists()
