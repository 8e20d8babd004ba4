import re
import time
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jar_strategies import HEADER, jars, row
from jarkeeper.errors import JarFormatError
from jarkeeper.jar import emit_jar, parse_jar
from jarkeeper.jar.parse import ParsedJar
from jarkeeper.limits import LIMITS

SITES = ("youtube.com",)

# All that may ever be said. A byte of the input in a message would make it none of these.
LINE = r"(?:line \d+: )"
MESSAGES = [
    LINE + r"expected 7 tab-separated fields, got \d+",
    LINE + r"expected a domain name in field 1",
    LINE + r"expected TRUE in field 2 exactly where the domain begins with a dot, else FALSE",
    LINE + r"expected TRUE or FALSE in fields 2 and 4",
    LINE + r"expected a path that begins with '/' in field 3",
    LINE + r"expected an expiry in whole seconds from 0 \(session\) to 9007199254740992 in field 5",
    LINE + r"expected a cookie name of RFC 6265 token characters in field 6",
    LINE + r"expected a cookie value of RFC 6265 cookie octets in field 7",
    LINE + r"expected a cookie with the prefix __Secure- to be secure \(TRUE in field 4\)",
    LINE + r"expected a cookie with the prefix __Host- to be secure \(TRUE in field 4\), "
    r"of path '/' and of a domain without a dot in front",
    LINE + r"expected a cookie of at most 4096 bytes",
    LINE + r"expected at most 500 cookies of the jar's sites",
    LINE + r"expected LF or CRLF at the end of a line, got CR",
    LINE + r"expected UTF-8 text, got UTF-16",
    LINE + r"expected '# Netscape HTTP Cookie File', the missing header was supplied",
    r"expected cookies of youtube\.com, got none(?:, but \d+ of other sites)?",
    r"expected a cookie file of at most 1048576 bytes, got \d+",
    r"\d+ repeated rows? left out, the last of each kept",
    r"log in, stay on a page of youtube\.com, and export its cookies from there",
    r"export the cookies again, in the Netscape \(cookies\.txt\) format",
    r"the tabs seem to have become spaces; copy the file itself, not its text",
    r"export from a fresh private window, after one login",
    r"a cookie file is far smaller; is this the right file\?",
    r"save it as UTF-8",
]
KNOWN = re.compile("|".join(f"(?:{message})" for message in MESSAGES))

punctuation = [
    "\t",
    "\n",
    "\r\n",
    "\r",
    " ",
    ".",
    "/",
    "#",
    "[",
    "{",
    '"',
    "\0",
    "\ufeff",
    "\x85",
    "é",
]
words = ["TRUE", "FALSE", "0", "-1", "1e9", "SID", "__Host-", "__Secure-", "#HttpOnly_", "\u2028"]
lines = [".youtube.com", "www.youtube.com", ".example.com", HEADER, row(), row(".example.com")]
bits = st.sampled_from([*punctuation, *words, *lines])
patchwork = st.lists(st.one_of(bits, st.text(max_size=8)), max_size=40).map("".join)
fields = st.one_of(bits, st.text(max_size=12))
almost_rows = st.builds(
    lambda cells, place, cell: (
        HEADER + row() + "\t".join([*cells[:place], cell, *cells[place + 1 :]])
    ),
    st.just(row(value="value").split("\t")),
    st.integers(0, 6),
    fields,
)


def outcome(content: bytes) -> tuple[ParsedJar | None, list[str]]:
    """Return what was parsed, if anything, and all that was said on the way."""
    try:
        parsed = parse_jar(content, sites=SITES)
    except JarFormatError as error:
        chained = [error.__cause__, error.__context__]  # which could quote the line
        return None, [str(part) for part in (error, error.hint, *chained) if part is not None]
    return parsed, list(parsed.warnings)


@given(
    st.one_of(
        st.binary(max_size=300),
        patchwork.map(lambda text: text.encode("utf-8", "surrogatepass")),
        almost_rows.map(lambda text: text.encode("utf-8", "surrogatepass")),
        almost_rows.map(lambda text: text.encode("latin-1", "replace")),
    )
)
@example(b"")
@example(b"\n" * 1000)
@example(b"\t\t\t\t\t\t")
@example(b"#HttpOnly_")
def test_any_bytes_give_a_jar_or_one_error_in_words_of_ours_alone(content):
    parsed, said = outcome(content)

    assert all(KNOWN.fullmatch(message) for message in said)
    if parsed is not None:
        assert 1 <= len(parsed.jar) <= LIMITS.jar_cookies_max
        assert parse_jar(emit_jar(parsed.jar), sites=SITES) == ParsedJar(parsed.jar, 0, ())


canaries = st.text("QJZXqjzx0123456789%é", min_size=4, max_size=20)


@given(st.integers(0, 6), canaries, st.sampled_from(["", " ", ",", "\x01", "\r", "\t"]))
def test_no_four_characters_of_a_line_appear_in_a_message(place, canary, poison):
    cells = row(value="value").split("\t")
    cells[place] = canary + poison

    _, said = outcome((HEADER + "\t".join(cells)).encode())

    spoken = " ".join(said).replace(str(LIMITS.expiry_max), "")
    for start in range(len(canary) - 3):
        assert canary[start : start + 4] not in spoken


@given(jars)
def test_what_is_written_is_read_back_as_the_same_jar(jar):
    content = emit_jar(jar)

    parsed = parse_jar(content, sites=SITES)

    assert parsed == ParsedJar(jar, 0, ())
    assert emit_jar(parsed.jar) == content


def fill(unit: str):
    return lambda size: (HEADER + unit * (size // len(unit)))[:size].encode()


def distinct_domains(size: int) -> bytes:
    return "".join(f"{number:x}\t\t\t\t\t\t\n" for number in range(size // 14)).encode()[:size]


SHAPES = {
    "empty lines": fill("\n"),
    "CRLF": fill("\r\n"),
    "tabs": fill("\t"),
    "spaces": fill(" "),
    "dots": lambda size: (HEADER + row("." * (size // 2) + ".youtube.com")).encode(),
    "labels": lambda size: (HEADER + row("a." * (size // 2 - 50) + "youtube.com")).encode(),
    "a long name": lambda size: (HEADER + row(name="n" * (size - 100))).encode(),
    "a long value": lambda size: (HEADER + row(value="v" * (size - 100))).encode(),
    "a quoted value": lambda size: (HEADER + row(value='"' + "v" * (size - 100))).encode(),
    "a long path": lambda size: (HEADER + row(path="/" * (size - 100))).encode(),
    "digits": lambda size: (HEADER + row(expires="9" * (size - 100))).encode(),
    "a long fraction": lambda size: (HEADER + row(expires="1." + "9" * (size - 100))).encode(),
    "rows of other sites": fill(row(".example.com")),
    "rows of one cookie": fill(row()),
    "distinct domains": distinct_domains,
    "comments": fill("# x\n"),
}


def seconds(content: bytes) -> float:
    def once() -> float:
        start = time.thread_time()
        outcome(content)
        return time.thread_time() - start

    return min(once() for _ in range(3))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_time_grows_no_faster_than_the_file(shape):
    small, large = shape(1 << 16), shape(1 << 20)
    assert len(large) <= LIMITS.jar_bytes_max

    growth = seconds(large) / max(seconds(small), 0.000_2)

    assert growth < 16 * 4  # a quadratic step would show as 256


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_memory_stays_within_a_multiple_of_the_file(shape):
    content = shape(1 << 20)
    tracemalloc.start()

    outcome(content)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * LIMITS.jar_bytes_max
