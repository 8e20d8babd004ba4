import dataclasses
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yt_dlp import YoutubeDL
from yt_dlp.cookies import YoutubeDLCookieJar
from yt_dlp.extractor.youtube import YoutubeIE

from jar_strategies import cookies
from jarkeeper.checks import (
    Finding,
    JarFacts,
    Severity,
    Thresholds,
    check_jar,
    facts_from_json,
    facts_to_json,
    is_authenticated,
    observe,
)
from jarkeeper.errors import IntegrityError
from jarkeeper.jar import Cookie, Jar, emit_jar

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
SITES = ("youtube.com",)
THRESHOLDS = Thresholds(warning_days=14, critical_days=3)
LATER = int((NOW + timedelta(days=100)).timestamp())


def cookie(name, expires=LATER, *, domain=".youtube.com", path="/", value="value"):
    return Cookie(domain, domain.startswith("."), path, True, expires, name, value, False)


def facts(login_until=LATER, **changes):
    known = JarFacts(30, 0, login_until, LATER, signed_out=False, foreign=())
    return dataclasses.replace(known, **changes)


LOGINS = [
    ("LOGIN_INFO and SAPISID", [cookie("LOGIN_INFO"), cookie("SAPISID")], LATER),
    ("LOGIN_INFO and 1PAPISID", [cookie("LOGIN_INFO"), cookie("__Secure-1PAPISID")], LATER),
    ("LOGIN_INFO and 3PAPISID", [cookie("LOGIN_INFO"), cookie("__Secure-3PAPISID")], LATER),
    ("LOGIN_INFO alone", [cookie("LOGIN_INFO")], None),
    ("SAPISID alone", [cookie("SAPISID")], None),
    ("LOGIN_INFO and SID", [cookie("LOGIN_INFO"), cookie("SID")], None),
    ("the login ends first", [cookie("LOGIN_INFO", 5), cookie("SAPISID", 9)], 5),
    ("the signature ends first", [cookie("LOGIN_INFO", 9), cookie("SAPISID", 5)], 5),
    ("session cookies", [cookie("LOGIN_INFO", 0), cookie("SAPISID", 0)], 0),
    ("a session login", [cookie("LOGIN_INFO", 0), cookie("SAPISID", 7)], 7),
    ("a session signature", [cookie("LOGIN_INFO", 7), cookie("SAPISID", 0)], 7),
    (
        "the best of the family counts",
        [cookie("LOGIN_INFO", 9), cookie("SAPISID", 3), cookie("__Secure-3PAPISID", 8)],
        8,
    ),
    (
        "the best of two domains counts",
        [
            cookie("LOGIN_INFO", 3),
            cookie("LOGIN_INFO", 9, domain="www.youtube.com"),
            cookie("SAPISID", 0),
        ],
        9,
    ),
    (
        "a copy without an end counts",
        [
            cookie("LOGIN_INFO", 3),
            cookie("LOGIN_INFO", 0, domain="www.youtube.com"),
            cookie("SAPISID", 9),
        ],
        9,
    ),
    (
        "copies for other hosts do not count",
        [cookie("LOGIN_INFO", domain=".music.youtube.com"), cookie("SAPISID")],
        None,
    ),
    (
        "copies for other sites do not count",
        [cookie("LOGIN_INFO"), cookie("SAPISID", domain=".google.com")],
        None,
    ),
    ("other paths do not count", [cookie("LOGIN_INFO", path="/feed"), cookie("SAPISID")], None),
    (
        "an empty one does not count",
        [cookie("LOGIN_INFO"), cookie("SAPISID", value="")],
        None,
    ),
    ("an empty LOGIN_INFO counts", [cookie("LOGIN_INFO", value=""), cookie("SAPISID")], LATER),
    (
        "an exact host counts",
        [cookie("LOGIN_INFO", domain="www.youtube.com"), cookie("SAPISID", domain="youtube.com")],
        LATER,
    ),
]


@pytest.mark.parametrize(
    ("found", "until"), [case[1:] for case in LOGINS], ids=[c[0] for c in LOGINS]
)
def test_the_end_of_the_login_is_the_end_of_what_yt_dlp_needs(found, until):
    assert observe(Jar(tuple(found)), sites=SITES).login_until == until


@pytest.mark.parametrize(
    ("names", "signed_out"),
    [
        (["SOCS"], True),
        (["VISITOR_INFO1_LIVE", "YSC", "PREF"], True),
        (["VISITOR_INFO1_LIVE", "SAPISID", "SID"], True),
        (["PREF"], False),
        (["LOGIN_INFO", "SAPISID", "VISITOR_INFO1_LIVE"], False),
        (["LOGIN_INFO", "SOCS"], False),
    ],
)
def test_a_jar_looks_signed_out_when_only_visitor_cookies_are_left(names, signed_out):
    jar = Jar(tuple(cookie(name) for name in names))

    assert observe(jar, sites=SITES).signed_out is signed_out


def test_facts_count_what_is_there():
    jar = Jar((cookie("A", 0), cookie("B", 9), cookie("C", 5), cookie("D", domain=".google.com")))

    seen = observe(jar, sites=SITES, dropped=4)

    assert seen == JarFacts(4, 4, None, 5, signed_out=False, foreign=(".google.com",))


def test_facts_of_session_cookies_know_no_next_expiry():
    assert observe(Jar((cookie("A", 0),)), sites=SITES).next_expiry == 0


def test_facts_never_repeat_a_domain_that_is_not_one():
    jar = Jar((cookie("A", domain="evil\x1b[2J\n"),))

    assert observe(jar, sites=SITES).foreign == ("(not a domain)",)


@pytest.mark.parametrize(
    ("until", "claim"),
    [(None, False), (0, True), (1000, False), (1001, True)],
    ids=["no login", "session", "this very second", "a second left"],
)
def test_a_jar_is_authenticated_until_its_login_ends(until, claim):
    now = datetime.fromtimestamp(1000, UTC)

    assert is_authenticated(facts(until), now) is claim


@pytest.fixture(scope="module")
def youtube():
    with YoutubeDL({"quiet": True, "allowed_extractors": ["youtube.*"]}) as downloader:
        yield YoutubeIE(downloader)


HOSTS = ["youtube.com", "www.youtube.com", "music.youtube.com", "www.m.youtube.com", "google.com"]
some_cookies = cookies(
    domains=st.builds(str.__add__, st.sampled_from(["", "."]), st.sampled_from(HOSTS)),
    names=st.sampled_from(["LOGIN_INFO", "SAPISID", "__Secure-1PAPISID", "__Secure-3PAPISID", "A"]),
    paths=st.sampled_from(["/", "/", "/feed"]),
    expires=st.sampled_from([0, 1, 2**33]),
    values=st.sampled_from(["v", '"v"', "a=b"]),
)


@given(st.lists(some_cookies, max_size=8).map(lambda found: Jar(tuple(found))))
def test_yt_dlp_itself_agrees_whether_a_jar_is_authenticated(youtube, tmp_path_factory, jar):
    file = tmp_path_factory.getbasetemp() / "cookies.txt"
    file.write_bytes(emit_jar(jar))
    youtube._downloader.cookiejar = YoutubeDLCookieJar(str(file))
    youtube._downloader.cookiejar.load()
    now = datetime.fromtimestamp(time.time(), UTC)

    claim = is_authenticated(observe(jar, sites=SITES), now)

    assert claim == youtube.is_authenticated


def ends_in(**length):
    return facts(int((NOW + timedelta(**length)).timestamp()))


CHECKS = [
    (
        "far away",
        ends_in(days=100),
        "authenticated",
        "ok",
        "another 100 days, until 2026-12-10",
    ),
    ("no end", facts(0), "authenticated", "ok", "do not say when they expire"),
    ("just outside", ends_in(days=14, seconds=1), "authenticated", "ok", "another 14 days"),
    ("warning", ends_in(days=14), "expires-soon", "warning", "in 14 days, on 2026-09-15 12:00 UTC"),
    ("still a warning", ends_in(days=3, seconds=1), "expires-soon", "warning", "in 3 days"),
    ("critical", ends_in(days=3), "expires-soon", "critical", "in 3 days, on 2026-09-04 12:00 UTC"),
    ("hours", ends_in(hours=47), "expires-soon", "critical", "in 47 hours"),
    ("minutes", ends_in(minutes=90), "expires-soon", "critical", "in 90 minutes"),
    ("seconds", ends_in(seconds=5), "expires-soon", "critical", "in less than a minute"),
    ("now", ends_in(seconds=0), "expired", "critical", "expired less than a minute ago"),
    ("a minute ago", ends_in(seconds=-60), "expired", "critical", "expired 1 minute ago"),
    ("days ago", ends_in(days=-9), "expired", "critical", "9 days ago, on 2026-08-23 12:00 UTC"),
    ("no login", facts(None), "not-authenticated", "critical", "not a login"),
    ("visitor", facts(None, signed_out=True), "signed-out", "critical", "looks signed out"),
    ("beyond calendars", facts(2**53), "authenticated", "ok", "a day after the year 9999"),
]


@pytest.mark.parametrize(
    ("known", "code", "severity", "words"), [c[1:] for c in CHECKS], ids=[c[0] for c in CHECKS]
)
def test_the_first_finding_is_about_the_login(known, code, severity, words):
    (finding,) = check_jar(known, now=NOW, thresholds=THRESHOLDS)

    assert (finding.code, finding.severity) == (code, severity)
    assert words in finding.message
    assert ("jarkeeper import cookies.txt" in finding.next_step) is (severity != "ok")


def test_foreign_domains_are_a_finding_of_their_own():
    known = facts(foreign=("a.example", "b.example", "c.example", "d.example"))

    _, finding = check_jar(known, now=NOW, thresholds=THRESHOLDS)

    assert finding == Finding(
        "foreign-domains",
        Severity.WARNING,
        "holds cookies of 4 foreign domains: a.example, b.example, c.example, …",
        "run `jarkeeper import cookies.txt` with a fresh export, which leaves them out",
    )


@given(
    st.builds(
        JarFacts,
        cookies=st.integers(0, 500),
        dropped=st.integers(0, 2**53),
        login_until=st.none() | st.integers(0, 2**53),
        next_expiry=st.integers(0, 2**53),
        signed_out=st.booleans(),
        foreign=st.lists(st.text(max_size=8), max_size=4).map(tuple),
    ),
    st.datetimes(timezones=st.just(UTC), min_value=datetime(1971, 1, 1)),
)
def test_any_facts_survive_json_and_any_check(known, now):
    text = json.dumps(facts_to_json(known))

    assert facts_from_json(json.loads(text)) == known
    for finding in check_jar(known, now=now, thresholds=THRESHOLDS):
        assert finding.message
        assert finding.next_step


@pytest.mark.parametrize(
    "change",
    [
        {"cookies": -1},
        {"cookies": True},
        {"cookies": 1.0},
        {"cookies": "1"},
        {"cookies": None},
        {"dropped": 2**53 + 1},
        {"login_until": -1},
        {"login_until": False},
        {"next_expiry": None},
        {"signed_out": 0},
        {"foreign": "youtube.com"},
        {"foreign": [1]},
        {"foreign": None},
        {"extra": 1},
    ],
    ids=str,
)
def test_stored_facts_that_are_not_facts_are_refused(change):
    with pytest.raises(IntegrityError, match=r"jar facts.*: expected"):
        facts_from_json(facts_to_json(facts()) | change)


@pytest.mark.parametrize("value", [None, [], "facts", 1, {}, {"cookies": 1}], ids=str)
def test_stored_facts_need_exactly_their_keys(value):
    with pytest.raises(IntegrityError, match=r"jar facts: expected the keys"):
        facts_from_json(value)


def test_findings_show_no_name_and_no_value_of_a_cookie_beyond_the_public_ones():
    jar = Jar((cookie("canary-name", value="canary-value"), cookie("SOCS", value="canary-value")))

    seen = observe(jar, sites=SITES)

    shown = repr(seen) + repr(check_jar(seen, now=NOW, thresholds=THRESHOLDS))
    assert "canary" not in shown + json.dumps(facts_to_json(seen))
