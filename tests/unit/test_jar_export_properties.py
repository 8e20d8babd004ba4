import gc
import json
import re
import time
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import jar_forms
from jar_strategies import cookies, jars, values
from jarkeeper.errors import JarFormatError
from jarkeeper.jar import HTTP_ONLY_COOKIES, Form, Jar, emit_jar, parse_jar, read_export
from jarkeeper.limits import LIMITS

SITES = ("youtube.com",)

# All that may ever be said. A byte of the input in a message would make it none of these.
PLACE = r"(?:line|entry|pair) \d+: "
MESSAGES = [
    PLACE + r"expected 7 tab-separated fields, got \d+",
    PLACE + r"expected a domain name(?: in field 1)?",
    PLACE + r"expected TRUE in field 2 exactly where the domain begins with a dot, else FALSE",
    PLACE + r"expected TRUE or FALSE in fields 2 and 4",
    PLACE + r"expected a path that begins with '/'(?: in field 3)?",
    PLACE + r"expected an expiry in whole seconds from 0 \(session\) to \d{16}(?: in field 5)?",
    PLACE + r"expected a cookie name of RFC 6265 token characters(?: in field 6)?",
    PLACE + r"expected a cookie value of RFC 6265 cookie octets(?: in field 7)?",
    PLACE + r"expected a cookie with the prefix __(?:Secure|Host)- to be secure[^\d]{0,90}4?[^\d]*",
    PLACE + r"expected a cookie of at most 4096 bytes",
    PLACE + r"expected LF or CRLF at the end of a line, got CR",
    PLACE + r"expected UTF-8 text, got UTF-16",
    PLACE + r"expected '# Netscape HTTP Cookie File', the missing header was supplied",
    PLACE + r"expected name=value",
    PLACE + r"expected JSON, it is broken here",
    PLACE + r"expected an object with the fields of a cookie",
    r"(?:" + PLACE + r"|the object: )expected each field once, got one twice",
    PLACE + r"expected (?:text|true or false) in '[A-Za-z]{4,8}'",
    PLACE + r"expected 'hostOnly' false exactly where the domain begins with a dot",
    PLACE + r"expected one expiry, got several",
    r"expected JSON, with numbers that are finite",
    r"expected an array of cookies, or an object with one under 'cookies'(?:, got deep nesting)?",
    r"(?:" + PLACE + r")?expected at most 500 cookies of the jar's sites",
    r"expected cookies of youtube\.com, got none(?:, but \d+ of other sites)?",
    r"expected a cookie file of at most 1048576 bytes, got \d+",
    r"\d+ repeated rows? left out, the last of each kept",
    r"a Cookie header says nothing about expiry: how long this login lives is not known",
    r"log in, stay on a page of youtube\.com, and export its cookies from there",
    r"export the cookies again, (?:as JSON or )?in the Netscape \(cookies\.txt\) format",
    r"copy the whole value of the request's Cookie header from the browser's developer tools",
    r"the tabs seem to have become spaces; copy the file itself, not its text",
    r"export from a fresh private window, after one login",
    r"a cookie file is far smaller; is this the right file\?",
    r"save it as UTF-8",
]
KNOWN = re.compile("|".join(f"(?:{message})" for message in MESSAGES))


def outcome(content: bytes):
    """Return what was read, if anything, and all that was said on the way."""
    try:
        parsed = read_export(content, sites=SITES)
    except JarFormatError as error:
        chained = [error.__cause__, error.__context__]  # which could quote the content
        return None, [str(part) for part in (error, error.hint, *chained) if part is not None]
    return parsed, list(parsed.warnings)


ENTRY = {"domain": ".youtube.com", "path": "/", "secure": True, "name": "SID", "value": "v"}
FIELDS = [
    *ENTRY,
    "hostOnly",
    "httpOnly",
    "session",
    "expirationDate",
    "expires",
    "expiry",
    "cookies",
]
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(FIELDS), st.text(max_size=4)), inner, max_size=4),
    ),
    max_leaves=8,
)
almost_entries = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=3).map(
    lambda changed: ENTRY | changed
)
documents = st.one_of(
    anything,
    st.lists(almost_entries, max_size=4),
    st.lists(almost_entries, max_size=4).map(lambda entries: {"cookies": entries}),
)
almost_json = st.tuples(documents.map(json.dumps), st.integers(0, 200), st.text(max_size=3)).map(
    lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] :]
)
bits = st.one_of(
    st.sampled_from(["=", ";", "; ", " ", "\n", "\r", "'", "Cookie: ", "-b '", "-H '", "SID=v"]),
    st.text(max_size=6),
)
almost_headers = st.tuples(
    st.sampled_from(["", "Cookie: ", "cookie:", "curl 'x' -b '", "curl -H 'Cookie: "]),
    st.lists(bits, max_size=12).map("".join),
).map("".join)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda tail: b"[" + tail),
        documents.map(json.dumps).map(str.encode),
        almost_json.map(lambda text: text.encode("utf-8", "surrogatepass")),
        almost_headers.map(lambda text: text.encode("utf-8", "surrogatepass")),
    )
)
@example(b"[")
@example(b"{}")
@example(b'{"cookies": [[]]}')
@example(b"[" + b"9" * 5000 + b"]")
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"curl ")
def test_any_bytes_give_a_jar_or_one_error_in_words_of_ours_alone(content):
    parsed, said = outcome(content)

    assert all(KNOWN.fullmatch(message) for message in said), said
    if parsed is not None:
        assert 1 <= len(parsed.jar) <= LIMITS.jar_cookies_max
        assert parse_jar(emit_jar(parsed.jar), sites=SITES).jar == parsed.jar


canaries = st.text("QJZXqjzx0123456789%é", min_size=4, max_size=20)


@given(
    st.sampled_from(FIELDS[:-1]),
    canaries,
    st.sampled_from(["", " ", ",", "\x01", "\n", "\t", '"', "\\"]),
    st.sampled_from([json.dumps, lambda entries: json.dumps({"cookies": entries})]),
    st.integers(0, 3),
)
def test_no_four_characters_of_an_entry_appear_in_a_message(field, canary, poison, shape, cut):
    text = shape(
        [ENTRY, ENTRY | {field: canary + poison, "domain": "youtube.com"} | {field: canary}]
    )

    _, said = outcome(text[: len(text) - cut].encode())

    assert_silent(canary, said)


@given(canaries, st.sampled_from(["", " ", ",", "\x01", "\t", "\\", ";x"]), st.booleans())
def test_no_four_characters_of_a_header_appear_in_a_message(canary, poison, as_name):
    pair = f"{canary}{poison}=v" if as_name else f"SID={canary}{poison}"

    _, said = outcome(f"Cookie: PREF=x; {pair}".encode())

    assert_silent(canary, said)


def assert_silent(canary, said):
    spoken = " ".join(said).replace(str(LIMITS.expiry_max), "").replace("6265", "")
    for start in range(len(canary) - 3):
        assert canary[start : start + 4] not in spoken


@pytest.mark.parametrize("form", jar_forms.WHOLE)
@given(jar=jars)
def test_a_jar_survives_every_form_that_can_hold_it(form, jar):
    parsed = read_export(form(jar), sites=SITES)

    assert parsed.jar == jar
    assert (parsed.dropped, parsed.repeated, parsed.warnings) == (0, 0, ())
    assert parsed.form is (Form.NETSCAPE if form is jar_forms.netscape else Form.JSON)


def is_pasted_whole(cookie):
    # What a shell quotes otherwise than we read it.
    return not set(cookie.name + cookie.value) & {"'", "\n"}


pasted = st.lists(
    cookies(domains=st.just(".youtube.com"), paths=st.just("/"), values=values).filter(
        is_pasted_whole
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda cookie: cookie.name,
).map(lambda found: Jar(tuple(found)))


@pytest.mark.parametrize("form", jar_forms.PAIRS)
@given(jar=pasted)
def test_a_header_keeps_names_and_values_and_the_rest_is_as_youtube_has_it(form, jar):
    parsed = read_export(form(jar), sites=SITES)

    assert {(cookie.name, cookie.value) for cookie in parsed.jar.cookies} == {
        (cookie.name, cookie.value) for cookie in jar.cookies
    }
    assert parsed.form is Form.HEADER
    for cookie in parsed.jar.cookies:
        assert (cookie.path, cookie.secure, cookie.expires) == ("/", True, 0)
        assert cookie.http_only == (cookie.name in HTTP_ONLY_COOKIES)


SHAPES = {
    "open brackets": lambda size: b"[" * size,
    "empty entries": lambda size: b"[" + b"{}," * (size // 3 - 1),
    "one long text": lambda size: b'[{"domain":"' + b"x" * (size - 20) + b'"}]',
    "backslashes": lambda size: b'[{"domain":"' + b"\\" * (size - 20),
    "a long number": lambda size: b"[" + b"9" * (size - 2) + b"]",
    "blanks": lambda size: b"[" + b" " * (size - 1),
    "semicolons": lambda size: b"Cookie: a=b" + b";" * (size - 11),
    "blanks in a header": lambda size: b"a=" + b" " * (size - 4) + b"\nx",
    "blanks before cookie": lambda size: (b" " * 1000 + b"\n") * (size // 1001),
    "quotes in curl": lambda size: b"curl " + b"-b '" * (size // 4 - 2),
}


def seconds(content: bytes) -> float:
    def once() -> float:
        started = time.thread_time()
        outcome(content)
        return time.thread_time() - started

    # Collections look at what earlier tests left behind as well.
    gc.disable()
    try:
        return min(once() for _ in range(3))
    finally:
        gc.enable()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_time_and_memory_grow_no_faster_than_the_content(shape):
    small, large = shape(1 << 16), shape(1 << 20)
    assert len(large) <= LIMITS.jar_bytes_max

    growth = seconds(large) / max(seconds(small), 0.000_2)
    tracemalloc.start()
    outcome(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert growth < 16 * 4  # a quadratic step would show as 256
    assert peak < 64 * LIMITS.jar_bytes_max
