"""The block: its form, its methods, and what it refuses to give away."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys

import pytest
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from pydantic import ValidationError

import blocks
from blocks.cookie_manager import CookieManager
from jarkeeper.errors import (
    ConfirmationNeeded,
    InputError,
    JarFormatError,
    LendRefused,
    NotFound,
    SettingsError,
)
from jarkeeper.heads import SlotState
from jarkeeper.wiring import open_vault
from orchestration.place import Place

LONG = 180 * 86_400
DAY = 86_400


class TestForm(BlockStandardTestSuite):
    @pytest.fixture
    def block(self):
        return CookieManager

    def test_has_a_valid_image(self, block):
        assert block._logo_url is None  # a picture would be fetched from somewhere


@pytest.fixture
def manager(place: Place, monkeypatch) -> CookieManager:
    """A block that leads to the vault by its own fields; the environment leads nowhere."""
    settings = place.settings
    for name in ("JARKEEPER_VAULT", "JARKEEPER_KEY_FILE", "JARKEEPER_STATE_DIR"):
        monkeypatch.setenv(name, str(place.folder / "nowhere"))
    return CookieManager(
        vault=settings.vault, key_file=settings.key_file, state_dir=settings.state_dir
    )


def test_no_field_is_for_a_cookie_or_a_key():
    assert set(CookieManager.model_fields) == {
        "jar",
        "vault",
        "bucket",
        "prefix",
        "kms_key_id",
        "s3_kms_key_id",
        "key_file",
        "encryption_key_parameter",
        "region",
        "aws_credentials",
        "state_dir",
        "expiry_warning_days",
        "expiry_critical_days",
    }


def test_what_the_form_leaves_empty_comes_from_the_environment(place, monkeypatch):
    monkeypatch.setenv("COOKIE_EXPIRY_WARNING_DAYS", "20")

    settings = CookieManager(expiry_critical_days=7).settings()

    assert settings.vault == place.settings.vault
    assert (settings.expiry_warning_days, settings.expiry_critical_days) == (20, 7)


def test_a_field_that_was_cleared_in_the_form_counts_as_empty(place):
    cleared = {"vault": "", "key_file": "", "state_dir": ""}

    assert CookieManager(**cleared).settings() == CookieManager().settings()


def test_the_block_is_imported_from_its_package():
    assert blocks.CookieManager is CookieManager


@pytest.mark.parametrize(
    "filled_in",
    [
        {"valt": "/srv/vault"},
        {"jar": "My Jar"},
        {"vault": "cookies/vault"},
        {"state_dir": "."},
        {"expiry_warning_days": -1},
    ],
)
def test_what_cannot_be_meant_is_refused_without_quoting_it(filled_in):
    (value,) = filled_in.values()

    with pytest.raises(ValidationError) as refusal:
        CookieManager(**filled_in)

    assert f"input_value={value!r}" not in str(refusal.value)


def test_a_value_that_is_assigned_is_checked_before_it_can_be_saved():
    manager = CookieManager()

    with pytest.raises(ValidationError):
        manager.expiry_critical_days = -1


def test_an_empty_jar_is_the_default_one():
    assert CookieManager(jar="").jar == CookieManager().jar == "youtube"


def test_a_path_may_begin_with_the_home_folder(place, monkeypatch):
    monkeypatch.setenv("HOME", str(place.folder))

    assert CookieManager(vault="~/vault").settings().vault == place.folder / "vault"


def test_a_threshold_that_disagrees_with_the_environments_is_refused(place, monkeypatch):
    monkeypatch.setenv("COOKIE_EXPIRY_WARNING_DAYS", "2")

    with pytest.raises(SettingsError):
        CookieManager(expiry_critical_days=7).settings()


def test_rotate_cookies_makes_the_active_ones_a_backup(manager, place, tmp_path):
    export = tmp_path / "cookies.txt"
    export.write_text(place.standin.control.new_session("first"))

    first = manager.rotate_cookies(export)
    export.write_text(place.standin.control.new_session("second"))
    second = manager.rotate_cookies(str(export), confirmed=True)

    lent = manager.get_active_cookies()
    assert first.generation != second.generation
    assert lent.generation == second.generation


def test_rotate_cookies_wants_a_yes_before_another_login_replaces_one(manager, place, tmp_path):
    export = tmp_path / "cookies.txt"
    export.write_text(place.standin.control.new_session("first"))
    first = manager.rotate_cookies(export)
    export.write_text(place.standin.control.new_session("second"))

    with pytest.raises(ConfirmationNeeded):
        manager.rotate_cookies(export)

    assert manager.get_active_cookies().generation == first.generation


def test_rotate_cookies_refuses_what_is_no_cookie_file_without_quoting_it(manager, tmp_path):
    export = tmp_path / "cookies.txt"
    export.write_text(".youtube.com\tTRUE\tthis-is-secret\n")

    with pytest.raises(JarFormatError) as refusal:
        manager.rotate_cookies(export)
    with pytest.raises(InputError):
        manager.rotate_cookies(tmp_path / "nowhere.txt")

    assert "this-is-secret" not in str(refusal.value)


def test_active_cookies_open_in_a_with_block_and_nowhere_else(manager, place):
    place.import_session("first", canary="marked")

    lent = manager.get_active_cookies()

    with lent.open() as jar:
        assert any(cookie.value.startswith("marked") for cookie in jar.cookies)
        assert "marked" not in repr(jar) + repr(jar.cookies)
    assert "marked" not in repr(lent) + str(lent)
    for spread in (pickle.dumps, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            spread(lent)
    with pytest.raises(TypeError):
        copy.copy(lent.sealed)


def test_a_backup_is_lent_promoted_and_put_back(manager, place):
    first = place.import_session("first").generation
    second = place.import_session("second").generation

    assert manager.get_backup_cookies().generation == first
    assert manager.promote().generation == first
    assert manager.restore(second).generation == second
    manager.revoke(first)

    assert [head.action for head in manager.history()][-3:] == ["promote", "restore", "revoke"]
    with pytest.raises(LendRefused):
        manager.restore(first)
    with pytest.raises(NotFound):
        manager.get_backup_cookies()


def test_the_status_is_fit_for_json_and_the_check_finds_a_whole_vault(manager, place):
    place.import_session("first", canary="marked")

    active, _ = manager.status()
    text = json.dumps(active.as_dict(), default=str)

    assert (active.name, active.severity) == ("active", "ok")
    assert "marked" not in text
    assert {finding.severity for finding in manager.check()} == {"ok"}


def test_freshness_is_told_for_both_slots_with_a_next_step(manager, place):
    place.import_session("old", expires_in=2 * DAY)
    place.import_session("new", expires_in=LONG)

    findings = manager.validate_cookie_freshness()

    severity = {finding.message.partition(":")[0]: finding.severity for finding in findings}
    assert severity == {"active": "ok", "backup": "warning"}
    assert all(finding.next_step for finding in findings)


def test_freshness_tells_of_a_dead_slot_whatever_its_cookies_say(manager, place):
    receipt = place.import_session("first")
    vault = open_vault(place.settings, actor="test")
    vault.mark("youtube", receipt.generation, SlotState.DEAD, reason="COOKIE_ROTATED")

    findings = manager.validate_cookie_freshness()

    assert {"dead", "no-backup"} <= {finding.code for finding in findings}


def test_freshness_of_a_jar_that_is_not_there_says_how_to_begin(manager):
    with pytest.raises(NotFound) as missing:
        manager.validate_cookie_freshness()

    assert "jarkeeper import" in str(missing.value.hint)


def test_metadata_tells_states_and_holds_no_secret(manager, place):
    place.import_session("first", canary="marked")

    text = json.dumps(manager.get_cookie_metadata())

    assert "youtube" in text
    assert "marked" not in text


def test_cleanup_removes_what_a_killed_run_left(manager, place):
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    for process in (killed.pid, os.getpid()):
        (place.settings.temp_dir / f"jarkeeper-{process}-abc").mkdir(mode=0o700)

    swept = manager.cleanup_temporary_files()

    assert (swept.removed, swept.in_use) == (1, 1)


@pytest.mark.harness
def test_a_stored_block_works_as_one_filled_in_by_hand(prefect_api, manager, place):
    place.import_session("first")
    manager.save("main")

    loaded = CookieManager.load("main")

    assert loaded.settings() == manager.settings()
    assert loaded.get_active_cookies().jar_name == "youtube"
