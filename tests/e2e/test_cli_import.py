"""`jarkeeper import --probe` against the stand-in: create, test, then switch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jarkeeper.cli.group import run
from jarkeeper.settings import Settings
from jarkeeper.wiring import open_vault
from standin.server import StandIn

Import = Callable[..., int]


@pytest.fixture
def take_in(
    youtube: StandIn, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Import:
    """Import a new session of the stand-in, which a word may have been said to meanwhile."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**settings.environment(), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert run(["init"]) == 0

    def start(name: str, *options: str, then: str = "", **kinds: object) -> int:
        Path("cookies.txt").write_text(youtube.control.new_session(name, **kinds))  # type: ignore[arg-type]
        if then:
            getattr(youtube.control, then)(name)
        return run(["import", "--probe", "cookies.txt", *options])

    return start


def test_a_login_of_the_same_account_takes_over_without_a_question(
    take_in: Import, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert take_in("one", user_id="1001") == 0
    assert take_in("two", user_id="1001") == 0

    told = capsys.readouterr().out
    assert "ok: YouTube was asked: somebody is logged in by them\n" in told
    assert "somebody is logged in by them, as by the active ones before\n" in told
    head = open_vault(settings).status("youtube")
    assert head is not None
    accounts = {item.generation.facts.account for item in head.slots.records()}
    assert len(accounts) == 1
    assert "" not in accounts


def test_another_account_needs_a_yes_and_is_never_named(
    take_in: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    take_in("one", user_id="1001")

    assert take_in("two", user_id="1002") == 2
    assert take_in("two", "--json", user_id="1002") == 2
    assert take_in("two", "--yes", user_id="1002") == 0
    assert take_in("three", "--yes", "--json", user_id="1001") == 0

    output, told = capsys.readouterr()
    assert "they are another account's than the active ones, as YouTube told of both" in told
    assert "somebody is logged in by them, of another account\n" in output
    assert '"same_account": false' in output
    assert "1001" not in output + told
    assert "1002" not in output + told


def test_another_account_needs_a_yes_even_where_the_active_login_is_dead(
    take_in: Import, settings: Settings
) -> None:
    take_in("one", user_id="1001")
    vault = open_vault(settings)
    head = vault.status("youtube")
    assert head is not None
    assert head.active is not None
    vault.mark("youtube", head.active.generation.id, "dead")  # type: ignore[arg-type]

    assert take_in("two", user_id="1002") == 2
    assert take_in("three", user_id="1001") == 0


@pytest.mark.parametrize("end", ["revoke", "expire"])
def test_a_login_that_ended_replaces_none_that_may_work(
    take_in: Import, settings: Settings, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    take_in("one", user_id="1001")
    before = open_vault(settings).status("youtube")

    assert take_in("two", user_id="1001", then=end) == 2

    assert "YouTube takes them for a visitor's" in capsys.readouterr().err
    assert open_vault(settings).status("youtube") == before


def test_a_first_login_that_ended_is_taken_in_and_called_critical(
    take_in: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    assert take_in("one", "--json", then="revoke") == 1

    document = json.loads(capsys.readouterr().out.partition("{")[2].join(("{", "")))
    assert document["probe"] == {"alive": False, "same_account": None}
    assert document["changed"] is True


def test_trouble_on_the_way_to_youtube_changes_nothing(
    take_in: Import,
    youtube: StandIn,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    take_in("one")
    before = open_vault(settings).status("youtube")
    youtube.control.fault("other", reset=True)

    assert take_in("two", "--yes") == 1

    assert "jarkeeper: error: probe: there is no connection to YouTube\nhint: " in (
        capsys.readouterr().err
    )
    assert open_vault(settings).status("youtube") == before


def test_what_the_probe_renewed_is_what_downloads_get(
    take_in: Import, youtube: StandIn, settings: Settings
) -> None:
    assert take_in("one", rotate_every=1, grace_seconds=0) == 0

    with open_vault(settings).lend("youtube").open() as jar:
        stored = {cookie.name: cookie.value for cookie in jar.cookies}
    assert stored["LOGIN_INFO"] == youtube.control.session("one").values["LOGIN_INFO"]
