import pytest

from jar_strategies import HEADER, row
from jarkeeper.errors import JarFormatError
from jarkeeper.jar import emit_jar, parse_jar
from jarkeeper.limits import LIMITS

SITES = ("youtube.com",)


def read(text: str | bytes):
    return parse_jar(text.encode() if isinstance(text, str) else text, sites=SITES)


def test_every_field_arrives_in_its_place():
    line = row("#HttpOnly_.youtube.com", path="/a b", secure="FALSE", expires="7", value="x=y")

    (cookie,) = read(HEADER + line).jar.cookies

    assert (cookie.domain, cookie.include_subdomains, cookie.path) == (".youtube.com", True, "/a b")
    assert (cookie.secure, cookie.expires, cookie.http_only) == (False, 7, True)
    assert (cookie.name, cookie.value) == ("SID", "x=y")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("", 0),
        ("0.0", 0),
        ("1790000000", 1790000000),
        ("1790000000.999", 1790000000),
        ("9007199254740992", 2**53),
    ],
)
def test_an_expiry_is_read_as_exporters_write_it(text, seconds):
    parsed = read(HEADER + row(expires=text))

    assert parsed.jar.cookies[0].expires == seconds


@pytest.mark.parametrize(
    "text", ["-1", "+1", " 1", "1 ", "1_0", "0x1", "1e3", ".5", "1.", "1.2.3", "٣", "²", "9" * 17]
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_any_other_expiry_is_refused(text, encoding):
    content = (HEADER + row(expires=text)).encode(encoding, "replace")

    with pytest.raises(JarFormatError, match="line 2: expected an expiry"):
        read(content)


@pytest.mark.parametrize(
    "domain",
    [
        ".google.com",
        "notyoutube.com",
        "youtube.com.example.com",
        ".youtube.co",
        "youtube.com.",
        "x",
    ],
)
def test_a_row_of_another_site_is_dropped_and_counted(domain):
    parsed = read(HEADER + row() + row(domain, name="in valid", value="any,thing"))

    assert len(parsed.jar) == 1
    assert parsed.dropped == 1


@pytest.mark.parametrize(
    "domain", [".youtube.com", "youtube.com", ".YouTube.com", "a.b.youtube.com"]
)
def test_a_row_of_the_site_or_below_it_is_kept_in_lower_case(domain):
    parsed = read(HEADER + row(domain))

    assert parsed.dropped == 0
    assert parsed.jar.cookies[0].domain == domain.lower()


def test_the_sites_decide_what_is_kept():
    content = (HEADER + row() + row(".example.com")).encode()

    parsed = parse_jar(content, sites=("Example.com", "youtube.com"))

    assert len(parsed.jar) == 2


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no mark", "byte order mark"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(ends, mark):
    text = HEADER + "\n# a comment\n \t\n" + row()

    parsed = read(mark + text.replace("\n", ends).encode())

    assert parsed == read(text)
    assert parsed.warnings == ()


def test_the_last_line_needs_no_end():
    assert len(read((HEADER + row()).removesuffix("\n")).jar) == 1


def test_a_missing_header_is_supplied_with_a_warning():
    parsed = read(row())

    assert emit_jar(parsed.jar).startswith(HEADER.encode())
    assert len(parsed.warnings) == 1
    assert "header was supplied" in parsed.warnings[0]


def test_the_last_of_two_alike_wins_with_a_warning():
    parsed = read(HEADER + row(value="old") + row(name="PREF") + row(value="new"))

    assert [cookie.value for cookie in parsed.jar.cookies] == ["v", "new"]
    assert parsed.warnings == ("1 repeated row left out, the last of each kept",)


def test_the_same_name_on_another_path_or_domain_is_another_cookie():
    assert len(read(HEADER + row() + row(path="/a") + row("www.youtube.com")).jar) == 3


def test_a_file_of_one_mebibyte_is_read_and_one_byte_more_is_not():
    start = HEADER + row() + "#"
    content = (start + "x" * (LIMITS.jar_bytes_max - len(start))).encode()

    assert len(read(content).jar) == 1
    with pytest.raises(JarFormatError, match="expected a cookie file of at most 1048576 bytes"):
        read(content + b"x")


def test_a_file_whose_canonical_form_would_be_too_large_is_refused():
    wide = [row(expires="", name=f"N{number}", value="x" * 3000) for number in range(345)]
    rest = LIMITS.jar_bytes_max - len("".join(wide)) - len(row(value=""))
    content = "".join(wide) + row(value="x" * rest)
    assert len(content) == LIMITS.jar_bytes_max

    with pytest.raises(JarFormatError, match="expected a cookie file of at most"):
        read(content)


def test_five_hundred_cookies_are_kept_and_one_more_is_refused_by_its_line():
    rows = [row(name=f"N{number}") for number in range(500)]
    foreign = [row(".example.com")] * 1000

    assert len(read(HEADER + "".join(rows + foreign)).jar) == 500
    with pytest.raises(JarFormatError, match="line 502: expected at most 500 cookies"):
        read(HEADER + "".join(rows) + row(name="ONE_MORE"))


def test_a_cookie_of_four_kibibytes_is_kept_and_one_byte_more_is_refused():
    room = LIMITS.cookie_bytes_max - len(".youtube.com" + "/" + "SID")

    assert len(read(HEADER + row(value="x" * room)).jar) == 1
    with pytest.raises(JarFormatError, match="line 2: expected a cookie of at most 4096 bytes"):
        read(HEADER + row(value="x" * (room + 1)))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (".youtube.com TRUE / TRUE 0 SID v", "tabs seem to have become spaces"),
        (row(".google.com"), "log in"),
        ("", "log in"),
    ],
    ids=["spaces", "other sites", "nothing"],
)
def test_a_common_mistake_gets_a_hint(text, part):
    with pytest.raises(JarFormatError) as caught:
        read(HEADER + text)

    assert part in caught.value.hint
