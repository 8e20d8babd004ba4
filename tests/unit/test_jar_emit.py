import copy
import dataclasses
import json
import pickle

import pytest
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_json

from jar_strategies import HEADER, row
from jarkeeper.errors import JarFormatError
from jarkeeper.jar import AUTHENTICATION_COOKIES, Cookie, Jar, emit_jar, login_cookies, parse_jar

GOOD = Cookie(".youtube.com", True, "/", True, 0, "SID", "secret-of-the-jar", False)


def with_fields(**changes):
    return Jar((GOOD.changed(**changes),))


def test_a_jar_is_written_in_one_canonical_form():
    second = GOOD.changed(name="APISID", http_only=True, expires=7, secure=False)

    content = emit_jar(Jar((GOOD, second)))

    assert content.decode() == (
        HEADER
        + row(
            "#HttpOnly_.youtube.com", secure="FALSE", expires="7", name="APISID", value=GOOD.value
        )
        + row(value=GOOD.value)
    )


def test_jars_with_the_same_cookies_in_another_order_are_equal():
    other = GOOD.changed(name="APISID")

    assert Jar((GOOD, other)) == Jar((other, GOOD))
    assert Jar((other, other)) == Jar((other,))


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": ".youtube.com\t"},
        {"domain": "#youtube.com", "include_subdomains": False},
        {"domain": "", "include_subdomains": False},
        {"domain": "youtube.com\n", "include_subdomains": False},
        {"domain": ".YouTube.com"},
        {"include_subdomains": False},
        {"path": "/\n.evil.example\tTRUE"},
        {"path": ""},
        {"expires": -1},
        {"expires": 2**53 + 1},
        {"name": "S\tID"},
        {"name": ""},
        {"value": "a\nb"},
        {"value": "a\n"},
        {"value": "a b"},
        {"value": "ä"},
        {"value": "x" * 5000},
        {"name": "__Secure-x", "secure": False},
        {"name": "__Host-x"},
    ],
    ids=str,
)
def test_a_cookie_that_no_file_could_hold_is_not_written(changes):
    jar = with_fields(**changes)

    with pytest.raises(JarFormatError, match="cookie 1: expected") as caught:
        emit_jar(jar)

    assert GOOD.value not in str(caught.value)


def test_a_jar_with_too_many_cookies_is_not_written():
    jar = Jar(tuple(GOOD.changed(name=f"N{number}") for number in range(501)))

    with pytest.raises(JarFormatError, match="expected at most 500 cookies"):
        emit_jar(jar)


def test_a_jar_that_is_too_large_is_not_written():
    value = "x" * 4000
    jar = Jar(tuple(GOOD.changed(name=f"N{n}", value=value) for n in range(300)))

    with pytest.raises(JarFormatError, match="expected a cookie file of at most"):
        emit_jar(jar)


@pytest.mark.parametrize("secret", [GOOD, Jar((GOOD,))], ids=["cookie", "jar"])
@pytest.mark.parametrize(
    "way",
    [pickle.dumps, lambda secret: pickle.dumps(secret, 0), copy.copy, copy.deepcopy, json.dumps],
    ids=["pickle", "old pickle", "copy", "deepcopy", "json"],
)
def test_what_holds_secrets_refuses_to_be_copied_out(secret, way):
    with pytest.raises(TypeError) as caught:
        way(secret)

    assert GOOD.value not in str(caught.value)


def test_what_was_parsed_refuses_too():
    parsed = parse_jar((HEADER + row(value=GOOD.value)).encode(), sites=("youtube.com",))

    with pytest.raises(TypeError):
        pickle.dumps(parsed)
    assert GOOD.value not in repr(parsed)


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda secret: f"{secret!r:>80}"])
def test_what_holds_secrets_shows_neither_name_nor_value(show):
    shown = show(GOOD) + show(Jar((GOOD, GOOD)))

    assert GOOD.value not in shown
    assert GOOD.name not in shown
    assert "<Jar of 1 cookies>" in shown


def test_a_jar_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Jar((GOOD,)).cookies = ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        GOOD.value = "other"


def test_login_cookies_ignore_what_every_use_changes():
    names = ["LOGIN_INFO", "SAPISID", "PREF", "SOCS", "__Secure-1PSIDTS"]
    jar = Jar(tuple(GOOD.changed(name=name) for name in names))

    kept = {cookie.name for cookie in login_cookies(jar)}

    assert kept == {"LOGIN_INFO", "SAPISID", "__Secure-1PSIDTS"}
    assert kept <= AUTHENTICATION_COOKIES


def test_login_cookies_differ_once_one_value_does():
    before, after = with_fields(name="SAPISID"), with_fields(name="SAPISID", value="refreshed")

    assert login_cookies(before) != login_cookies(after)
    assert login_cookies(before) == login_cookies(with_fields(name="SAPISID"))


def test_no_writer_of_json_walks_through_a_jar():
    jar = Jar((GOOD,))

    for write in (TypeAdapter(object).dump_json, to_json, json.dumps, dataclasses.asdict):
        with pytest.raises((TypeError, PydanticSerializationError)) as failure:
            write(jar)  # type: ignore[operator]
        assert GOOD.value not in str(failure.value)
