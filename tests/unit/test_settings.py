import base64
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.errors import SettingsError
from jarkeeper.limits import LIMITS
from jarkeeper.settings import VARIABLES, Settings

HOME = {"HOME": "/home/operator"}
KEY = bytes(range(32))


def read(**environment):
    return Settings.read(HOME | environment)


def mistakes(**environment):
    with pytest.raises(SettingsError) as caught:
        read(**environment)
    return caught.value.mistakes


def test_nothing_needs_to_be_set():
    settings = read()

    assert settings == Settings(
        vault=Path("/home/operator/.local/share/jarkeeper/vault"),
        key_file=Path("/home/operator/.config/jarkeeper/key"),
        state_dir=Path("/home/operator/.local/state/jarkeeper"),
    )
    assert (settings.backup_count, settings.validation_enabled, settings.sites) == (
        3,
        True,
        ("youtube.com",),
    )


def test_blank_variables_count_as_not_set():
    assert read(COOKIE_BACKUP_COUNT="  ", JARKEEPER_PROXY="") == read()


def test_places_follow_the_xdg_rules():
    settings = read(XDG_DATA_HOME="/data", XDG_CONFIG_HOME="relative/is/ignored")

    assert settings.vault == Path("/data/jarkeeper/vault")
    assert settings.key_file == Path("/home/operator/.config/jarkeeper/key")


def test_every_setting_has_a_variable_and_every_variable_a_setting():
    assert {*VARIABLES, "aws"} == {item.name for item in dataclasses.fields(Settings)}
    assert len({variable.name for variable in VARIABLES.values()}) == len(VARIABLES)


def test_a_mistake_in_the_buckets_name_is_one_mistake():
    told = mistakes(COOKIE_S3_BUCKET="Jars", COOKIE_S3_PREFIX="a", COOKIE_S3_KMS_KEY_ID="alias/x")

    assert len(told) == 1


def test_the_environment_is_read_when_none_is_given(monkeypatch):
    monkeypatch.setenv("COOKIE_BACKUP_COUNT", "7")

    assert Settings.read().backup_count == 7


GOOD = [
    ("JARKEEPER_VAULT", "~/vault", "vault", Path.home() / "vault"),
    ("JARKEEPER_VAULT", "vault", "vault", Path.cwd() / "vault"),
    ("COOKIE_ENCRYPTION_KEY", base64.b64encode(KEY).decode(), "encryption_key", KEY),
    ("COOKIE_REFRESH_INTERVAL", "60", "refresh_interval", 60),
    ("COOKIE_VALIDATION_ENABLED", "Off", "validation_enabled", False),
    ("COOKIE_VALIDATION_ENABLED", "1", "validation_enabled", True),
    ("COOKIE_OPENS_PER_HOUR", "10000", "opens_per_hour", 10_000),
    ("COOKIE_EXPIRY_WARNING_DAYS", "7.5", "expiry_warning_days", 7.5),
    ("COOKIE_PRINCIPALS", "anna@desk, *@worker-*", "principals", ("anna@desk", "*@worker-*")),
    ("COOKIE_FAILURE_RATE", "2.5", "failure_rate", 2.5),
    ("JARKEEPER_SITES", " .YouTube.com, example.org ", "sites", ("youtube.com", "example.org")),
    ("JARKEEPER_CONCURRENCY", "32", "concurrency", 32),
    ("JARKEEPER_RETRY_SECONDS", "1, 2.5", "retry_seconds", (1.0, 2.5)),
    ("JARKEEPER_RETRY_SECONDS", "none", "retry_seconds", ()),
    ("JARKEEPER_PROXY", "socks5h://u:p@[::1]:1080", "proxy", "socks5h://u:p@[::1]:1080"),
    ("JARKEEPER_LOG_LEVEL", "DEBUG", "log_level", "debug"),
]


@pytest.mark.parametrize(("variable", "text", "name", "value"), GOOD)
def test_a_variable_is_read_as_its_type(variable, text, name, value):
    assert getattr(read(**{variable: text}), name) == value


BAD = [
    ("COOKIE_ENCRYPTION_KEY", "c2hvcnQ="),
    ("COOKIE_ENCRYPTION_KEY", "not base64 at all, canary"),
    ("COOKIE_ENCRYPTION_KEY", "kéy"),
    ("COOKIE_REFRESH_INTERVAL", "0"),
    ("COOKIE_REFRESH_INTERVAL", "6e1"),
    ("COOKIE_REFRESH_INTERVAL", "9" * 5000),
    ("COOKIE_REFRESH_INTERVAL", "²"),
    ("COOKIE_VALIDATION_ENABLED", "maybe"),
    ("COOKIE_BACKUP_COUNT", "0"),
    ("COOKIE_BACKUP_COUNT", str(LIMITS.backups_max + 1)),
    ("COOKIE_OPENS_PER_HOUR", "0"),
    ("COOKIE_OPENS_PER_HOUR", str(LIMITS.opens_per_hour_max + 1)),
    ("COOKIE_BACKUP_COUNT", "-1"),
    ("COOKIE_PRINCIPALS", "anna"),
    ("COOKIE_PRINCIPALS", "anna@desk,,"),
    ("COOKIE_LOGIN_FAILURE_RATE", "101"),
    ("COOKIE_EXPIRY_WARNING_DAYS", "nan"),
    ("COOKIE_EXPIRY_WARNING_DAYS", "inf"),
    ("COOKIE_EXPIRY_WARNING_DAYS", "soon"),
    ("JARKEEPER_SITES", "youtube"),
    ("JARKEEPER_SITES", "youtube.com,"),
    ("JARKEEPER_SITES", "you..tube.com"),
    ("JARKEEPER_SITES", "yöutube.com"),
    ("JARKEEPER_CONCURRENCY", "33"),
    ("JARKEEPER_RETRY_SECONDS", "1,,2"),
    ("JARKEEPER_RETRY_SECONDS", ",".join(["1"] * 11)),
    ("JARKEEPER_RETRY_SECONDS", "-1"),
    ("JARKEEPER_PROXY", "proxy.example:3128"),
    ("JARKEEPER_PROXY", "file:///etc/passwd"),
    ("JARKEEPER_PROXY", "http://user:canary@"),
    ("JARKEEPER_PROXY", "http://user:canary@proxy:99999"),
    ("JARKEEPER_PROXY", "http://user:canary@pro xy:80"),
    ("JARKEEPER_PROXY", "http://[canary"),
    ("JARKEEPER_CA_FILE", "/nowhere/ca.pem"),
    ("JARKEEPER_CA_FILE", "/" + "long" * 2000),
    ("JARKEEPER_LOG_LEVEL", "loud"),
    ("JARKEEPER_VAULT", "~nobody-of-that-name/vault"),
]


@pytest.mark.parametrize(("variable", "text"), BAD, ids=lambda text: text[:40])
def test_a_bad_variable_is_named_with_what_was_expected(variable, text):
    (mistake,) = mistakes(**{variable: text})

    assert mistake.startswith(f"{variable}: expected")
    assert "canary" not in mistake


def test_all_mistakes_are_told_at_once():
    told = mistakes(
        COOKIE_BACKUP_COUNT="many",
        COOKIE_EXPIRY_WARNING_DAYS="2",
        COOKIE_EXPIRY_CRITICAL_DAYS="5",
        JARKEEPER_LOG_LEVEL="loud",
    )

    assert [mistake.split(":")[0] for mistake in told] == [
        "COOKIE_BACKUP_COUNT",
        "JARKEEPER_LOG_LEVEL",
        "COOKIE_EXPIRY_CRITICAL_DAYS",
    ]


def test_critical_must_not_come_before_warning():
    assert mistakes(COOKIE_EXPIRY_CRITICAL_DAYS="20") == (
        "COOKIE_EXPIRY_CRITICAL_DAYS: expected at most COOKIE_EXPIRY_WARNING_DAYS (14), got 20",
    )
    with pytest.raises(SettingsError):
        dataclasses.replace(read(), expiry_critical_days=20.0).checked()


def test_a_user_without_a_home_is_asked_for_the_places(monkeypatch):
    def homeless(_self):
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "expanduser", homeless)

    with pytest.raises(SettingsError) as caught:
        Settings.read({"XDG_CONFIG_HOME": "/config"})

    assert caught.value.mistakes == (
        "JARKEEPER_VAULT: expected a path, as there is no home directory",
        "JARKEEPER_STATE_DIR: expected a path, as there is no home directory",
    )


def test_a_folder_that_may_not_be_searched_is_a_mistake_not_a_crash(monkeypatch):
    def forbidden(_self):
        raise PermissionError

    monkeypatch.setattr(Path, "is_file", forbidden)

    (mistake,) = mistakes(JARKEEPER_CA_FILE="/secret/ca.pem")

    assert mistake.startswith("JARKEEPER_CA_FILE: expected an existing file")


def test_secrets_are_not_shown():
    settings = read(
        COOKIE_ENCRYPTION_KEY=base64.b64encode(b"canary-" * 4 + b"1234").decode(),
        JARKEEPER_PROXY="http://user:canary@proxy.example:3128",
    )

    assert "canary" not in repr(settings) + str(settings)
    assert "canary" in settings.proxy


numbers = st.floats(0, 3650)
some_settings = st.builds(
    Settings,
    vault=st.just(Path("/v a/ult")),
    key_file=st.just(Path("/key")),
    state_dir=st.just(Path("/state")),
    encryption_key=st.none() | st.binary(min_size=32, max_size=32),
    refresh_interval=st.integers(60, 31_536_000),
    validation_enabled=st.booleans(),
    backup_count=st.integers(1, LIMITS.backups_max),
    expiry_warning_days=numbers,
    expiry_critical_days=st.just(0.0),
    sites=st.sampled_from([("youtube.com",), ("a.example", "b-c.example")]),
    concurrency=st.integers(1, LIMITS.concurrency_max),
    retry_seconds=st.lists(st.floats(0, 86_400), max_size=10).map(tuple),
    proxy=st.none() | st.just("http://user:p%20w@proxy.example:3128"),
    ca_file=st.none() | st.just(Path(__file__)),
    log_level=st.sampled_from(["debug", "info", "warning", "error"]),
)


@given(some_settings)
def test_another_process_reads_the_very_same_settings(settings):
    assert Settings.read(settings.environment()) == settings


@given(st.dictionaries(st.sampled_from([v.name for v in VARIABLES.values()]), st.text()))
def test_any_environment_gives_settings_or_one_error_that_names_the_variables(environment):
    try:
        settings = Settings.read(HOME | environment)
    except SettingsError as error:
        told = {mistake.split(":")[0] for mistake in error.mistakes}
        known = set(environment) | {"COOKIE_EXPIRY_CRITICAL_DAYS"}
        outcome = told <= known
    else:
        outcome = settings == settings.checked()

    assert outcome


def test_logs_lie_in_a_folder_or_a_bucket_and_roles_are_patterns_of_arns():
    roles = "arn:aws:iam::123456789012:role/a-*, arn:aws:iam::*:user/b"

    settings = read(
        COOKIE_ACCESS_LOGS="s3://logs/audit/", COOKIE_CLOUDTRAIL="/trail", COOKIE_ROLES=roles
    )

    assert (settings.access_logs, settings.cloudtrail) == ("s3://logs/audit", "/trail")
    assert settings.roles == ("arn:aws:iam::123456789012:role/a-*", "arn:aws:iam::*:user/b")
    assert Settings.read(HOME | settings.environment()) == settings
    assert len(mistakes(COOKIE_ACCESS_LOGS="s3://logs/a b", COOKIE_ROLES="jarkeeper-task")) == 2


@pytest.mark.parametrize("path", ["jarkeeper/*", "a/b/", "jarkeeper/**?"])
def test_a_path_alone_names_no_role(path):
    (mistake,) = mistakes(COOKIE_ROLES=f"arn:aws:iam::123456789012:role/{path}")

    assert "names of roles after their path" in str(mistake)
