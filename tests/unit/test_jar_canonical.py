import copy
import pickle

import pytest
from hypothesis import given

from jar_strategies import jars
from jarkeeper.jar import Cookie, Jar, emit_jar, parse_jar, read_canonical
from jarkeeper.limits import LIMITS

SITES = ("youtube.com",)
COOKIE = Cookie(".youtube.com", True, "/", True, 0, "SID", "not-to-be-seen", False)


@given(jars)
def test_what_is_emitted_is_read_back_as_this_very_jar(jar):
    assert read_canonical(emit_jar(jar)) == jar


@given(jars)
def test_the_quick_reader_and_the_strict_parser_agree_on_canonical_text(jar):
    content = emit_jar(jar)

    quick, strict = read_canonical(content), parse_jar(content, sites=SITES).jar

    assert quick == strict
    assert [type(field) for one in quick.cookies for field in fields_of(one)] == [
        type(field) for one in strict.cookies for field in fields_of(one)
    ]


@given(jars)
def test_what_was_read_is_emitted_as_the_same_bytes(jar):
    content = emit_jar(jar)

    assert emit_jar(read_canonical(content)) == content


def test_an_empty_jar_is_read_back():
    assert read_canonical(emit_jar(Jar(()))) == Jar(())


def test_the_largest_jar_is_read_back():
    jar = Jar(
        tuple(
            Cookie(".youtube.com", True, "/", True, LIMITS.expiry_max, f"n{number}", "v", True)
            for number in range(LIMITS.jar_cookies_max)
        )
    )

    assert read_canonical(emit_jar(jar)) == jar


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_was_read_refuses_to_be_copied_like_any_jar(way):
    jar = read_canonical(emit_jar(Jar((COOKIE,))))

    for value in (jar, jar.cookies[0]):
        assert COOKIE.value not in repr(value)
        with pytest.raises(TypeError, match="cannot be copied"):
            way(value)


def test_a_cookie_that_was_read_cannot_be_changed():
    (cookie,) = read_canonical(emit_jar(Jar((COOKIE,)))).cookies

    with pytest.raises(AttributeError):
        cookie.value = "other"


def fields_of(cookie):
    return [getattr(cookie, name) for name in Cookie.__slots__]
