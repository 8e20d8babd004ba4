"""What we accept and write, yt-dlp and CPython read as we do."""

import io
from http.cookiejar import MozillaCookieJar

import pytest
from hypothesis import HealthCheck, given, settings
from yt_dlp.cookies import YoutubeDLCookieJar

from jar_strategies import jars
from jarkeeper.jar import emit_jar, parse_jar

SITES = ("youtube.com",)
# What was printed for one example is read before the next.
quiet_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def ours(jar):
    return {
        (cookie.domain, cookie.path, cookie.name): (
            cookie.value,
            cookie.include_subdomains,
            cookie.secure,
            cookie.expires,
        )
        for cookie in jar.cookies
    }


def theirs(jar):
    return {
        (cookie.domain, cookie.path, cookie.name): (
            cookie.value,
            cookie.domain_specified,
            cookie.secure,
            cookie.expires or 0,
        )
        for cookie in jar
    }


def http_only(jar):
    return {
        (cookie.domain, cookie.path, cookie.name)
        for cookie in jar
        if cookie.has_nonstandard_attr("HttpOnly") or cookie.has_nonstandard_attr("HTTPOnly")
    }


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("jar") / "cookies.txt"


@quiet_fixture
@given(jars)
def test_yt_dlp_reads_the_same_cookies_from_a_stream(capfd, jar):
    reader = YoutubeDLCookieJar(io.StringIO(emit_jar(jar).decode("ascii")))

    reader.load()

    assert theirs(reader) == ours(jar)
    assert all(cookie.discard == (cookie.expires is None) for cookie in reader)
    assert capfd.readouterr() == ("", "")


@quiet_fixture
@given(jars)
def test_yt_dlp_reads_the_same_cookies_from_a_file(file, capfd, jar):
    file.write_bytes(emit_jar(jar))
    reader = YoutubeDLCookieJar(str(file))

    reader.load()

    assert theirs(reader) == ours(jar)
    assert capfd.readouterr() == ("", "")


@given(jars)
def test_cpython_reads_the_same_cookies_and_knows_which_are_http_only(file, jar):
    file.write_bytes(emit_jar(jar))
    reader = MozillaCookieJar(str(file))

    reader.load(ignore_discard=True, ignore_expires=True)

    assert theirs(reader) == ours(jar)
    assert http_only(reader) == {
        (cookie.domain, cookie.path, cookie.name) for cookie in jar.cookies if cookie.http_only
    }


@given(jars)
def test_what_yt_dlp_saves_is_accepted_and_loses_nothing_but_http_only(jar):
    reader = YoutubeDLCookieJar(io.StringIO(emit_jar(jar).decode("ascii")))
    reader.load()
    saved = io.StringIO()

    reader.save(saved)

    parsed = parse_jar(saved.getvalue().encode(), sites=SITES)
    assert ours(parsed.jar) == ours(jar)
    assert parsed.warnings == ()


@given(jars)
def test_what_cpython_saves_is_accepted_and_loses_nothing(file, jar):
    file.write_bytes(emit_jar(jar))
    reader = MozillaCookieJar(str(file))
    reader.load(ignore_discard=True, ignore_expires=True)

    reader.save(ignore_discard=True, ignore_expires=True)

    assert parse_jar(file.read_bytes(), sites=SITES).jar == jar
