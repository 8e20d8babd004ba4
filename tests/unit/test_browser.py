import json
import sqlite3
import tempfile
from pathlib import Path

import pytest

import profiles
from jarkeeper.errors import InputError, JarFormatError
from jarkeeper.facts import observe
from jarkeeper.jar import Form
from jarkeeper.settings import Settings
from jarkeeper.youtube.browser import Profile, parse_spec, read_browser
from profiles import Row

CANARY = "c4nary-7f3a9d51e8b2"
LOGIN = (
    Row("LOGIN_INFO", f"{CANARY}-login"),
    Row("SAPISID", f"{CANARY}/sapisid"),
    Row("PREF", "tz=UTC", expires=0),
    Row("wide", "x", domain="www.youtube.com", secure=False),
)
OTHERS = (Row("NID", "any,thing", domain=".google.com"), Row("SID", "x", domain="example.com"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("XDG_CONFIG_HOME", "XDG_CURRENT_DESKTOP", "DESKTOP_SESSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def settings(home):
    (home / "temp").mkdir(mode=0o700)
    return Settings.read({"HOME": str(home), "COOKIE_TEMP_DIR": str(home / "temp")})


@pytest.mark.parametrize("browser", ["firefox", "chromium"])
def test_the_youtube_cookies_of_a_profile_are_read_and_the_others_counted(
    browser, home, settings, capfd
):
    getattr(profiles, browser)(home, *LOGIN, *OTHERS)

    parsed = read_browser(browser, settings)

    values = {cookie.name: cookie for cookie in parsed.jar.cookies}
    assert parsed.form is Form.BROWSER
    assert (len(parsed.jar), parsed.dropped) == (4, 2)
    assert values["LOGIN_INFO"].value == f"{CANARY}-login"
    assert (values["LOGIN_INFO"].expires, values["PREF"].expires) == (4_000_000_000, 0)
    assert (values["LOGIN_INFO"].http_only, values["SAPISID"].http_only) == (True, False)
    assert (values["wide"].domain, values["wide"].include_subdomains) == ("www.youtube.com", False)
    assert observe(parsed.jar, sites=("youtube.com",)).login_until == 4_000_000_000
    assert "goes on with this login" in parsed.warnings[-1]
    assert capfd.readouterr() == ("", "")


def test_nothing_of_the_profile_stays_behind(home, settings):
    profiles.firefox(home, *LOGIN)
    before = tempfile.tempdir

    read_browser("firefox", settings)

    assert list((home / "temp").iterdir()) == []
    assert tempfile.tempdir == before


def test_the_copy_of_the_database_lies_where_private_files_go(home, settings, monkeypatch):
    profiles.firefox(home, *LOGIN)
    places = []
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path: places.append(path) or connect(path))

    read_browser("firefox", settings)

    assert [Path(place).parts[: len(home.parts) + 1] for place in places] == [(*home.parts, "temp")]


def test_a_profile_and_a_container_can_be_named(home, settings):
    folder = profiles.firefox(
        home,
        Row("SID", "outside"),
        Row("SID", "inside", container=3),
        profile="work",
    )
    (folder / "containers.json").write_text(
        json.dumps({"identities": [{"name": "Videos", "userContextId": 3}]})
    )
    profiles.firefox(home, Row("SID", "newest"), profile="newest")

    inside = read_browser("firefox:work::Videos", settings)
    outside = read_browser(f"Firefox : {folder}::none", settings)

    assert inside.jar.cookies[0].value == "inside"
    assert outside.jar.cookies[0].value == "outside"


def test_cookies_that_no_jar_may_hold_are_left_out_with_a_warning(home, settings):
    profiles.firefox(home, *LOGIN, Row("ST-1", "a, b"), Row("odd", "x", path="relative"))

    parsed = read_browser("firefox", settings)

    assert len(parsed.jar) == 4
    assert parsed.warnings[0] == "left out what no jar may hold: 2 of the cookies"


def test_cookies_that_could_not_be_decrypted_are_counted(home, settings):
    folder = profiles.chromium(home, *LOGIN)
    with sqlite3.connect(folder / "Cookies") as database:
        database.execute(
            "UPDATE cookies SET encrypted_value = 'v99' || 'x' WHERE name IN ('PREF', 'wide')"
        )
    database.close()

    parsed = read_browser("chromium", settings)

    assert len(parsed.jar) == 2
    assert "could not be decrypted: 2 of" in parsed.warnings[0]


def damaged(home):
    (profiles.firefox(home) / "cookies.sqlite").write_bytes(b"not a database" * 100)


def without_its_table(home):
    with sqlite3.connect(profiles.firefox(home) / "cookies.sqlite") as database:
        database.execute("DROP TABLE moz_cookies")
    database.close()


def not_text(home):
    folder = profiles.chromium(home, *LOGIN)
    with sqlite3.connect(folder / "Cookies") as database:
        database.execute("UPDATE cookies SET value = CAST(? AS TEXT)", (CANARY.encode() + b"\xff",))
    database.close()


@pytest.mark.parametrize(
    ("prepare", "spec", "error", "hint"),
    [
        (lambda home: None, "firefox", "firefox: no profile with cookies was found", "profile"),
        (lambda home: None, "chrome:Work", "chrome: no profile with cookies was found", "profile"),
        (
            lambda home: profiles.firefox(home, *LOGIN),
            "firefox::Videos",
            "firefox: no profile with cookies was found",
            "profile",
        ),
        (damaged, "firefox", "firefox: its database cannot be read", "close"),
        (without_its_table, "firefox", "firefox: its database cannot be read", "close"),
        (
            lambda home: profiles.chromium(home, *LOGIN, version=b"v11"),
            "chromium+basictext",
            "chromium: its cookies cannot be decrypted",
            "keyring",
        ),
        (not_text, "chromium", r"chromium: its cookies cannot be read \(UnicodeDecodeError\)", ""),
    ],
)
def test_what_cannot_be_read_is_one_error_with_a_hint(
    prepare, spec, error, hint, home, settings, capfd
):
    prepare(home)

    with pytest.raises(InputError, match=error) as caught:
        read_browser(spec, settings)

    assert hint in caught.value.hint
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert capfd.readouterr() == ("", "")
    assert list((home / "temp").iterdir()) == []


def test_a_locked_database_is_called_so(home, settings, monkeypatch):
    profiles.firefox(home, *LOGIN)

    def refuse(path):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(sqlite3, "connect", refuse)

    with pytest.raises(InputError, match="firefox: its database is locked") as caught:
        read_browser("firefox", settings)

    assert "close the browser" in caught.value.hint


def test_a_profile_without_youtube_is_told_so(home, settings):
    profiles.firefox(home, *OTHERS)

    with pytest.raises(JarFormatError, match="got none, but 2 of other sites"):
        read_browser("firefox", settings)


@pytest.mark.parametrize(
    ("spec", "profile"),
    [
        ("firefox", Profile("firefox")),
        ("CHROME:Profile 1", Profile("chrome", profile="Profile 1")),
        ("chromium+KWALLET", Profile("chromium", keyring="KWALLET")),
        ("chromium+basictext:Work", Profile("chromium", keyring="BASICTEXT", profile="Work")),
        ("firefox::Videos", Profile("firefox", container="Videos")),
        ("firefox:/a/b::none", Profile("firefox", profile="/a/b", container="none")),
    ],
)
def test_a_browser_is_named_as_for_yt_dlp(spec, profile):
    assert parse_spec(spec) == profile


@pytest.mark.parametrize("spec", ["", ":", "lynx", "+kwallet", "chromium+nothing", "fire\x1bfox"])
def test_what_names_no_browser_is_refused(spec):
    with pytest.raises(InputError, match="--from-browser: expected") as caught:
        parse_spec(spec)

    assert "BROWSER[+KEYRING]" in caught.value.hint
